"""django-parler: translations are rows of their own, which touch the row that they belong to."""

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import models
from django.urls import include, path
from django.utils import translation
from parler.fields import TranslationsForeignKey
from parler.managers import TranslatableManager
from parler.models import TranslatableModel, TranslatedFields, TranslatedFieldsModel
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import CharField, ModelSerializer
from rest_framework.test import APIClient

from etag_versioning import etag_extra
from etag_versioning.checks.models import check_models
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import TouchingMixin, VersionedModel, versioned_manager
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Page(VersionedModel, TranslatableModel):
    slug = models.CharField(max_length=50)


class PageTranslation(TouchingMixin, TranslatedFieldsModel):
    touches = ("master",)

    master = TranslationsForeignKey(Page, models.CASCADE, related_name="translations", null=True)
    title = models.CharField(max_length=50)

    class Meta:
        unique_together = ("language_code", "master")


class Essay(TranslatableModel, VersionedModel):
    slug = models.CharField(max_length=50)

    objects = versioned_manager(TranslatableManager())


class EssayTranslation(TranslatedFieldsModel, TouchingMixin):
    touches = ("master",)

    master = TranslationsForeignKey(Essay, models.CASCADE, related_name="translations", null=True)
    title = models.CharField(max_length=50)

    class Meta:
        unique_together = ("language_code", "master")


class Short(VersionedModel, TranslatableModel):
    """Lets parler make the model of its translations, which then is a plain one."""

    translations = TranslatedFields(title=models.CharField(max_length=50))


class PageSerializer(ModelSerializer):
    title = CharField()

    class Meta:
        model = Page
        fields = ("id", "slug", "title")


class PageViewSet(VersionedModelViewSet):
    queryset = Page.objects.all()
    serializer_class = PageSerializer

    def get_etag_extra(self):
        return etag_extra.language(self.request)


router = SimpleRouter()
router.register("pages", PageViewSet)
urlpatterns = [path("", include(router.urls))]

both_orders = pytest.mark.parametrize("model", [Page, Essay])


@pytest.fixture(autouse=True)
def clear_parlers_cache():
    yield
    cache.clear()


@both_orders
def test_a_new_translation_bumps_its_row(model):
    row = model.objects.create(title="one")
    before = model.objects.get().version
    row.create_translation("de", title="eins")
    assert model.objects.get().version == before + 1


@both_orders
def test_a_row_with_a_changed_translation_can_be_saved_again_and_again(model):
    row = model.objects.create(title="one")
    for title in ("two", "three"):
        before = model.objects.get().version
        row.title = title
        row.save()
        assert model.objects.get().version > before
    assert model.objects.get().title == "three"


@both_orders
def test_a_saved_translation_bumps_its_row_once(model):
    model.objects.create(title="one")
    found = model.objects.get()
    before = found.version
    row = found.translations.get()
    row.title = "two"
    row.save()
    assert model.objects.get().version == before + 1


@both_orders
def test_a_stale_save_raises_and_writes_no_translation(model):
    row = model.objects.create(title="one")
    model.objects.update(updated_at=row.updated_at)
    row.title = "two"
    with pytest.raises(StaleWriteError):
        row.save()
    assert model.objects.get().title == "one"


@both_orders
def test_a_deleted_translation_bumps_its_row(model):
    row = model.objects.create(title="one")
    row.create_translation("de", title="eins")
    before = model.objects.get().version
    row.delete_translation("de")
    assert model.objects.get().version == before + 1


@both_orders
def test_a_row_is_deleted_with_its_translations(model):
    row = model.objects.create(title="one")
    row.delete()
    assert not model.objects.exists()
    assert not model._parler_meta.root_model.objects.exists()


@both_orders
def test_a_queryset_in_a_language_bumps_its_rows(model):
    model.objects.create(title="one")
    before = model.objects.get().version
    assert model.objects.language("de").update(updated_at=model.objects.get().updated_at) == 1
    assert model.objects.get().version == before + 1


def test_a_get_with_the_current_tag_is_304_until_a_translation_changes():
    page = Page.objects.create(slug="one", title="one")
    client, address = APIClient(), f"/pages/{page.pk}/"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"if-none-match": tag}).status_code == 304
    row = PageTranslation.objects.get()
    row.title = "two"
    row.save()
    response = client.get(address, headers={"if-none-match": tag})
    assert (response.status_code, response.json()["title"]) == (200, "two")


def test_a_guarded_patch_of_a_translation_answers_with_the_tag_of_the_row():
    page = Page.objects.create(slug="one", title="one")
    client, address = APIClient(), f"/pages/{page.pk}/"
    tag = client.get(address)["ETag"]
    first = client.patch(address, {"title": "two"}, headers={"if-match": tag})
    assert first.status_code == 200
    second = client.patch(address, {"title": "three"}, headers={"if-match": tag})
    assert second.status_code == 412
    third = client.patch(address, {"title": "three"}, headers={"if-match": first["ETag"]})
    assert third.status_code == 200
    assert Page.objects.get().title == "three"


def test_each_language_has_its_own_tag():
    page = Page.objects.create(slug="one", title="one")
    page.create_translation("de", title="eins")
    client, address = APIClient(), f"/pages/{page.pk}/"
    tag = client.get(address)["ETag"]
    with translation.override("de"):
        response = client.get(address, headers={"if-none-match": tag})
    assert (response.status_code, response.json()["title"]) == (200, "eins")


def test_translations_that_parler_makes_the_model_of_bump_nothing_and_a_check_says_so():
    row = Short.objects.create(title="one")
    row.title = "two"
    row.save_translations()
    assert Short.objects.get().version == 1
    (warning,) = check_models([apps.get_app_config("test_parler")])
    assert (warning.id, warning.obj, warning.hint) == (
        "etag_versioning.W008",
        Short,
        'class ShortTranslation(TouchingMixin, TranslatedFieldsModel): touches = ("master",); '
        'master = TranslationsForeignKey(Short, models.CASCADE, related_name="translations", '
        "null=True) and the translated fields.",
    )
