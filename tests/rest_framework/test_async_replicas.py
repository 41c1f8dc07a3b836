"""
A primary and a replica that is behind: where requests of adrf's coroutines read.

"other" stands for the replica. Nothing replicates by itself: ``replicate()`` does.
"""

import pytest
from asgiref.sync import sync_to_async
from django.db import models
from django.shortcuts import aget_object_or_404
from django.test import AsyncClient
from django.urls import include, path

pytest.importorskip("adrf", reason="adrf is not installed")

from adrf.routers import SimpleRouter
from adrf.serializers import ModelSerializer
from adrf.viewsets import ModelViewSet
from rest_framework import permissions
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin
from etag_versioning.routers import ReadYourWritesRouter
from tests.testapp.models import Person, Team

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"], transaction=True),
    pytest.mark.urls(__name__),
    pytest.mark.usefixtures("close_connections"),
]


class PrimaryReplicaRouter:
    def db_for_read(self, model, **hints):
        return "other"

    def db_for_write(self, model, **hints):
        return "default"


class PersonSerializer(ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class Pages(PageNumberPagination):
    page_size = 2


class PersonViewSet(AsyncVersionedViewSetMixin, ModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    pagination_class = Pages


class UnlessATeamIsClosed(permissions.BasePermission):
    async def has_permission(self, request, view):
        return not await Team.objects.filter(name="closed").aexists()


class PermittedViewSet(PersonViewSet):
    permission_classes = (UnlessATeamIsClosed,)


class OwnLoadingViewSet(PersonViewSet):
    async def aget_object(self):
        return await aget_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])


class OwnViewSet(PersonViewSet):
    async def aretrieve(self, request, pk=None):
        person = await self.aget_object()
        return Response({"name": person.name})


class RenderedLaterViewSet(PersonViewSet):
    """The renderer evaluates the queryset."""

    async def aretrieve(self, request, pk=None):
        return Response(Person.objects.filter(pk=pk).values("name"))


router = SimpleRouter()
router.register("people", PersonViewSet, "person")
router.register("permitted", PermittedViewSet, "permitted")
router.register("own-loading", OwnLoadingViewSet, "own-loading")
router.register("own", OwnViewSet, "own")
router.register("rendered-later", RenderedLaterViewSet, "rendered-later")
urlpatterns = [path("", include(router.urls))]

DETAILS = ["people", "own-loading", "own"]


@pytest.fixture(autouse=True)
def routers(settings):
    settings.DATABASE_ROUTERS = [ReadYourWritesRouter(), PrimaryReplicaRouter()]


@pytest.fixture
async def person(routers):
    """A row that the replica has, in the same state."""
    person = await Person.objects.acreate(name="first")
    await sync_to_async(replicate)(person)
    return person


def replicate(row):
    """Copy a row's columns to the replica as they are."""
    (values,) = models.QuerySet(type(row)).using("default").filter(pk=row.pk).values()
    copies = models.QuerySet(type(row)).using("other")
    if not copies.filter(pk=row.pk).exists():
        copies.bulk_create([type(row)(**values)])
    copies.filter(pk=row.pk).update(**values)  # An INSERT has a timestamp of its own.


@pytest.mark.parametrize("folder", DETAILS)
async def test_a_second_patch_with_a_fresh_tag_is_200(person, folder):
    client, url = AsyncClient(), f"/{folder}/{person.pk}/"
    headers = {"If-Match": (await client.get(url))["ETag"]}
    first = await client.patch(url, '{"name": "b"}', "application/json", headers=headers)
    headers = {"If-Match": first["ETag"]}
    second = await client.patch(url, '{"name": "c"}', "application/json", headers=headers)
    assert (first.status_code, second.status_code) == (200, 200)


async def test_a_permission_asks_the_primary_in_a_write(person):
    client, url = AsyncClient(), f"/permitted/{person.pk}/"
    headers = {"If-Match": (await client.get(url))["ETag"]}
    await Team.objects.acreate(name="closed")
    answer = await client.patch(url, '{"name": "b"}', "application/json", headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("folder", DETAILS)
async def test_the_newest_tag_is_304_while_the_replica_is_behind(person, folder):
    client, url = AsyncClient(), f"/{folder}/{person.pk}/"
    person.name = "second"
    await person.asave()
    answer = await client.get(url, headers={"If-None-Match": '"another"'})
    assert answer.json()["name"] == "second"
    assert (await client.get(url))["ETag"] != answer["ETag"]
    again = await client.get(url, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("folder", DETAILS)
async def test_a_new_row_that_the_replica_does_not_have_is_shown(person, folder):
    await sync_to_async(models.QuerySet(Person).using("other").delete)()
    answer = await AsyncClient().get(
        f"/{folder}/{person.pk}/", headers={"If-None-Match": '"another"'}
    )
    assert (answer.status_code, answer.json()["name"]) == (200, "first")


async def test_what_a_renderer_evaluates_is_read_from_the_primary_too(person):
    client, url = AsyncClient(), f"/rendered-later/{person.pk}/"
    person.name = "second"
    await person.asave()
    answer = await client.get(url, headers={"If-None-Match": '"another"'})
    assert answer.json() == [{"name": "second"}]
    assert (await client.get(url)).json() == [{"name": "first"}]


async def test_a_list_with_an_older_tag_gets_the_content_of_the_primary(person):
    client = AsyncClient()
    person.name = "second"
    await person.asave()
    answer = await client.get("/people/", headers={"If-None-Match": '"another"'})
    assert [row["name"] for row in answer.json()["results"]] == ["second"]
    again = await client.get("/people/", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
