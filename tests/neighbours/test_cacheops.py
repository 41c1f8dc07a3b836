"""django-cacheops: rows and lists come from Redis, and tags do not."""

import cacheops
import pytest
from django.db import models
from django.http import JsonResponse
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from etag_versioning.decorators import versioned_condition
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

# Cacheops caches nothing in a transaction that has written. Of each test, only the tables of
# these apps are emptied.
USED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "cacheops",
    "etag_versioning",
    "rest_framework",
    __name__,
]
pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=USED_APPS),
    pytest.mark.urls(__name__),
]


class Page(VersionedModel):
    title = models.CharField(max_length=50)


class Comment(VersionedModel):
    touches = ("page",)

    page = models.ForeignKey(Page, models.CASCADE)
    text = models.CharField(max_length=50)


class PageSerializer(ModelSerializer):
    class Meta:
        model = Page
        fields = ("id", "title", "version")


class PageViewSet(VersionedModelViewSet):
    queryset = Page.objects.all()
    serializer_class = PageSerializer


class FreshPageViewSet(PageViewSet):
    def get_queryset(self):
        return Page.objects.nocache()


router = SimpleRouter()
router.register("pages", PageViewSet)
router.register("fresh", FreshPageViewSet, basename="fresh")


@versioned_condition(Page)
def page_detail(request, pk):
    page = Page.objects.nocache().get(pk=pk)
    return JsonResponse({"title": page.title})


urlpatterns = [path("", include(router.urls)), path("plain/<int:pk>/", page_detail)]


@pytest.fixture(autouse=True)
def empty_cache():
    cacheops.invalidate_model(Page)
    cacheops.invalidate_model(Comment)


def read(page):
    """What cacheops has for the page, or puts into Redis."""
    return Page.objects.get(pk=page.pk)


def test_a_read_row_comes_from_redis_the_second_time(django_assert_num_queries):
    page = Page.objects.create(title="one")
    read(page)
    with django_assert_num_queries(0):
        assert read(page).version == 1


def test_a_save_takes_the_row_out_of_redis():
    page = Page.objects.create(title="one")
    read(page)
    page.title = "two"
    page.save()
    assert (read(page).title, read(page).version) == ("two", 2)


def test_a_row_from_redis_can_be_saved_and_is_compared():
    page = Page.objects.create(title="one")
    read(page)
    first, second = read(page), read(page)
    first.title = "two"
    first.save()
    second.title = "three"
    with pytest.raises(StaleWriteError):
        second.save()
    assert read(page).title == "two"


def test_a_delete_takes_the_row_out_of_redis():
    page = Page.objects.create(title="one")
    read(page)
    page.delete()
    assert not Page.objects.filter(pk=page.pk).exists()


def test_invalidated_update_bumps_and_takes_the_rows_out_of_redis():
    page = Page.objects.create(title="one")
    read(page)
    Page.objects.filter(pk=page.pk).invalidated_update(title="two")
    assert (read(page).title, read(page).version) == ("two", 2)


def test_a_touch_takes_the_touched_row_out_of_redis():
    page = Page.objects.create(title="one")
    comment = Comment.objects.create(page=page, text="first")
    read(page)
    comment.save()
    assert read(page).version == 3


def test_a_tag_is_the_current_one_after_a_save():
    page = Page.objects.create(title="one")
    client, address = APIClient(), f"/pages/{page.pk}/"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"if-none-match": tag}).status_code == 304
    page.title = "two"
    page.save()
    response = client.get(address, headers={"if-none-match": tag})
    assert (response.status_code, response.json()["title"]) == (200, "two")


def test_a_tag_is_never_newer_than_what_it_is_sent_with():
    page = Page.objects.create(title="one")
    client, address = APIClient(), f"/pages/{page.pk}/"
    client.get(address)
    Page.objects.update(title="two")
    response = client.get(address, headers={"if-none-match": '"unknown"'})
    assert f"-v{response.json()['version']}." in response["ETag"]


def test_a_view_with_nocache_has_the_current_tag_after_an_update_that_redis_does_not_know_of():
    page = Page.objects.create(title="one")
    client, address = APIClient(), f"/fresh/{page.pk}/"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"if-none-match": tag}).status_code == 304
    Page.objects.update(title="two")
    response = client.get(address, headers={"if-none-match": tag})
    assert (response.status_code, response.json()["title"]) == (200, "two")


def test_a_plain_views_tag_is_read_from_the_table_and_not_from_redis():
    page = Page.objects.create(title="one")
    client, address = APIClient(), f"/plain/{page.pk}/"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"if-none-match": tag}).status_code == 304
    Page.objects.update(title="two")
    response = client.get(address, headers={"if-none-match": tag})
    assert (response.status_code, response.json()["title"]) == (200, "two")
    assert response["ETag"] != tag


def test_a_list_with_nocache_has_another_tag_after_an_update_that_redis_does_not_know_of():
    Page.objects.create(title="one")
    client = APIClient()
    tag = client.get("/fresh/")["ETag"]
    assert client.get("/fresh/", headers={"if-none-match": tag}).status_code == 304
    Page.objects.update(title="two")
    assert client.get("/fresh/", headers={"if-none-match": tag}).status_code == 200


def test_a_list_is_304_until_an_invalidated_update():
    Page.objects.create(title="one")
    client = APIClient()
    tag = client.get("/pages/")["ETag"]
    assert client.get("/pages/", headers={"if-none-match": tag}).status_code == 304
    Page.objects.invalidated_update(title="two")
    assert client.get("/pages/", headers={"if-none-match": tag}).status_code == 200


def test_a_guarded_patch_compares_with_the_table_and_not_with_redis():
    page = Page.objects.create(title="one")
    client, address = APIClient(), f"/pages/{page.pk}/"
    tag = client.get(address)["ETag"]
    client.get(address, headers={"if-none-match": tag})
    Page.objects.update(title="two")
    stale = client.patch(address, {"title": "three"}, headers={"if-match": tag})
    assert stale.status_code == 412
    current = stale.json()["current_etag"]
    assert (
        client.patch(address, {"title": "three"}, headers={"if-match": current}).status_code == 412
    )
    fresh = client.patch(f"/fresh/{page.pk}/", {"title": "three"}, headers={"if-match": current})
    assert fresh.status_code == 200
    assert (read(page).title, read(page).version) == ("three", 3)
