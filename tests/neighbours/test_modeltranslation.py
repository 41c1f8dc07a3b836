"""
django-modeltranslation: translations are columns of the row, and so part of its state.

The module ``translation`` beside this one registers ``title`` of both models.
"""

import copy
import pickle

import pytest
from django.db import models
from django.urls import include, path
from django.utils import translation
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from etag_versioning import etag_extra
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Author(models.Model):
    name = models.CharField(max_length=50)


class News(VersionedModel):
    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, models.SET_NULL, null=True)


class Chapter(VersionedModel):
    touches = ("news",)

    news = models.ForeignKey(News, models.CASCADE)
    title = models.CharField(max_length=50)


class NewsSerializer(ModelSerializer):
    class Meta:
        model = News
        fields = ("id", "title")


class NewsViewSet(VersionedModelViewSet):
    queryset = News.objects.all()
    serializer_class = NewsSerializer

    def get_etag_extra(self):
        return etag_extra.language(self.request)


router = SimpleRouter()
router.register("news", NewsViewSet)
urlpatterns = [path("", include(router.urls))]


def test_a_save_of_one_translation_bumps_once():
    news = News.objects.create(title_en="one", title_de="eins")
    with translation.override("de"):
        news.title = "zwei"
        news.save()
    found = News.objects.get()
    assert (found.title_en, found.title_de, found.version) == ("one", "zwei", 2)


def test_a_stale_save_in_another_language_raises_and_changes_nothing():
    News.objects.create(title_en="one", title_de="eins")
    english, german = News.objects.get(), News.objects.get()
    english.title_en = "two"
    english.save()
    german.title_de = "zwei"
    with pytest.raises(StaleWriteError):
        german.save()
    found = News.objects.get()
    assert (found.title_en, found.title_de, found.version) == ("two", "eins", 2)


def test_update_of_a_queryset_writes_the_active_language_and_bumps():
    News.objects.create(title_en="one", title_de="eins")
    with translation.override("de"):
        News.objects.filter(title="eins").update(title="zwei")
    found = News.objects.get()
    assert (found.title_en, found.title_de, found.version) == ("one", "zwei", 2)


def test_bulk_update_of_a_translation_bumps_each_row_once():
    rows = [News.objects.create(title_en="one"), News.objects.create(title_en="two")]
    for row in rows:
        row.title_en = "new"
    News.objects.bulk_update(rows, ["title_en"])
    assert list(News.objects.values_list("title_en", "version")) == [("new", 2), ("new", 2)]


def test_set_null_of_a_deleted_author_bumps_the_row():
    author = Author.objects.create(name="Ada")
    News.objects.create(title_en="one", author=author)
    author.delete()
    found = News.objects.get()
    assert (found.author_id, found.version) == (None, 2)


def test_a_translated_child_touches_its_row():
    news = News.objects.create(title_en="one")
    chapter = Chapter.objects.create(news=news, title_en="first")
    chapter.title_de = "erstes"
    chapter.save()
    assert News.objects.get().version == 3


def test_a_queryset_of_a_touching_child_bumps_the_row():
    news = News.objects.create(title_en="one")
    Chapter.objects.create(news=news, title_en="first")
    Chapter.objects.update(title="second")
    assert News.objects.get().version == 3
    assert Chapter.objects.get().title_en == "second"


def test_unversioned_and_expect_work_on_multilingual_querysets():
    news = News.objects.create(title_en="one")
    News.objects.unversioned().update(title="two")
    assert News.objects.get().version == 1
    with pytest.raises(StaleWriteError):
        News.objects.filter(pk=news.pk).expect(version=2).update(title="three")
    assert News.objects.get().title_en == "two"


def test_a_deleted_row_is_compared():
    news = News.objects.create(title_en="one")
    News.objects.update(title="two")
    with pytest.raises(StaleWriteError):
        news.delete()
    assert News.objects.exists()


def test_instances_can_be_copied_and_pickled():
    news = News.objects.create(title_en="one")
    loaded = pickle.loads(pickle.dumps(copy.deepcopy(news)))
    loaded.title_en = "two"
    loaded.save()
    assert News.objects.get().version == 2


def test_each_language_has_its_own_tag_and_each_tag_guards_the_row():
    news = News.objects.create(title_en="one", title_de="eins")
    client, address = APIClient(), f"/news/{news.pk}/"
    english = client.get(address)["ETag"]
    with translation.override("de"):
        assert client.get(address, headers={"if-none-match": english}).status_code == 200
        german = client.get(address)["ETag"]
        assert german != english
        response = client.patch(address, {"title": "zwei"}, headers={"if-match": english})
    assert response.status_code == 200
    assert client.patch(address, {"title": "two"}, headers={"if-match": german}).status_code == 412
    found = News.objects.get()
    assert (found.title_en, found.title_de) == ("one", "zwei")
