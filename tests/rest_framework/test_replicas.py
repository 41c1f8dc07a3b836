"""
A primary and a replica that is behind: where requests of DRF's views read, and of adrf's.

"other" stands for the replica. Nothing replicates by itself: ``replicate()`` does.
"""

import pytest
from django.db import connections, models
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from rest_framework import permissions
from rest_framework.generics import ListAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.views import APIView

from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.list_validators import max_version_and_count
from etag_versioning.rest_framework.mixins import VersionedAPIViewMixin, VersionedListMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from etag_versioning.routers import ReadYourWritesRouter
from tests.testapp.models import Person, Team

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.urls(__name__),
]


class PrimaryReplicaRouter:
    def db_for_read(self, model, **hints):
        return "other"

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, *args, **hints):
        return True


class PersonSerializer(ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "team")


class Pages(PageNumberPagination):
    page_size = 2


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    pagination_class = Pages


class UnlessTheTeamIsClosed(permissions.BasePermission):
    def has_permission(self, request, view):
        return not Team.objects.filter(name="closed").exists()

    def has_object_permission(self, request, view, person):
        return True


class PermittedViewSet(PersonViewSet):
    queryset = Person.objects.order_by("id").select_related("team")
    permission_classes = (UnlessTheTeamIsClosed,)


class OwnViewSet(PersonViewSet):
    def retrieve(self, request, pk=None):
        return Response({"own": self.get_object().name})


class OwnLoadingViewSet(PersonViewSet):
    def get_object(self):
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])


class ExtraViewSet(PersonViewSet):
    def get_etag_extra(self):
        return [*Team.objects.order_by("pk").values_list("name", flat=True)]


class CountedList(VersionedListMixin, ListAPIView):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    list_validator = max_version_and_count


class OwnPages(PageNumberPagination):
    def get_paginated_response(self, data):
        return Response({"rows": data})


class OwnPageList(VersionedListMixin, ListAPIView):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    pagination_class = OwnPages


class NamedRow(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Person.objects.filter(pk=self.kwargs["pk"])

    @versioned_read
    def get(self, request, pk):
        return Response({"named": Person.objects.get(pk=pk).name})


class Streamed(NamedRow):
    @versioned_read
    def get(self, request, pk):
        return StreamingHttpResponse(person.name for person in Person.objects.filter(pk=pk))


class RenderedLater(NamedRow):
    """The renderer evaluates the queryset."""

    @versioned_read
    def get(self, request, pk):
        return Response(Person.objects.filter(pk=pk).values("name"))


router = SimpleRouter()
router.register("people", PersonViewSet, "person")
router.register("permitted", PermittedViewSet, "permitted")
router.register("extra", ExtraViewSet, "extra")
router.register("own", OwnViewSet, "own")
router.register("own-loading", OwnLoadingViewSet, "own-loading")
urlpatterns = [
    path("", include(router.urls)),
    path("counted/", CountedList.as_view()),
    path("own-pages/", OwnPageList.as_view()),
    path("named/<int:pk>/", NamedRow.as_view()),
    path("streamed/<int:pk>/", Streamed.as_view()),
    path("rendered-later/<int:pk>/", RenderedLater.as_view()),
]

DETAILS = ["people", "permitted", "own", "own-loading", "named"]
LISTS = ["people", "counted", "own-pages"]


@pytest.fixture(autouse=True)
def routers(settings):
    settings.DATABASE_ROUTERS = [ReadYourWritesRouter(), PrimaryReplicaRouter()]


@pytest.fixture
def person(routers):
    """A row that the replica has, in the same state."""
    person = Person.objects.create(name="first")
    replicate(person)
    return person


def replicate(row):
    """Copy a row's columns to the replica as they are."""
    (values,) = models.QuerySet(type(row)).using("default").filter(pk=row.pk).values()
    copies = models.QuerySet(type(row)).using("other")
    if not copies.filter(pk=row.pk).exists():
        copies.bulk_create([type(row)(**values)])
    copies.filter(pk=row.pk).update(**values)  # An INSERT has a timestamp of its own.


def patch(client, url, data, tag):
    return client.patch(url, data, content_type="application/json", headers={"If-Match": tag})


def names(answer):
    """All names that an answer shows."""
    data = answer.json()
    rows = data if isinstance(data, list) else data.get("results", data.get("rows", [data]))
    return [value for row in rows for key, value in row.items() if key in ("name", "own", "named")]


class TestWrites:
    @pytest.mark.parametrize("folder", ["people", "permitted", "own-loading"])
    def test_a_second_patch_with_a_fresh_tag_is_200(self, client, person, folder):
        url = f"/{folder}/{person.pk}/"
        first = patch(client, url, {"name": "second"}, client.get(url)["ETag"])
        second = patch(client, url, {"name": "third"}, first["ETag"])
        assert (first.status_code, second.status_code) == (200, 200)

    def test_a_permission_asks_the_primary(self, client, person):
        tag = client.get(f"/permitted/{person.pk}/")["ETag"]
        Team.objects.create(name="closed")
        assert client.get(f"/permitted/{person.pk}/").status_code == 200
        answer = patch(client, f"/permitted/{person.pk}/", {"name": "second"}, tag)
        assert answer.status_code == 403

    def test_a_serializer_validates_against_the_primary(self, client, person):
        """The replica does not have the team yet, which the request's content names."""
        team = Team.objects.create(name="new")
        url = f"/people/{person.pk}/"
        answer = patch(client, url, {"team": team.pk}, client.get(url)["ETag"])
        assert (answer.status_code, answer.json()["team"]) == (200, team.pk)

    def test_a_post_validates_against_the_primary(self, client, person):
        team = Team.objects.create(name="new")
        answer = client.post("/people/", {"name": "a", "team": team.pk})
        assert answer.status_code == 201


class TestDetails:
    @pytest.mark.parametrize("folder", DETAILS)
    def test_the_newest_tag_is_304_while_the_replica_is_behind(self, client, person, folder):
        url = f"/{folder}/{person.pk}/"
        person.name = "second"
        person.save()
        newest = client.get(url, headers={"If-None-Match": '"another"'})["ETag"]
        assert client.get(url)["ETag"] != newest
        assert client.get(url, headers={"If-None-Match": newest}).status_code == 304

    @pytest.mark.parametrize("folder", DETAILS)
    def test_an_older_tag_gets_the_content_of_the_primary(self, client, person, folder):
        url = f"/{folder}/{person.pk}/"
        tag = client.get(url)["ETag"]
        person.name = "second"
        person.save()
        replicate(person)
        person.name = "third"
        person.save()
        answer = client.get(url, headers={"If-None-Match": tag})
        assert (answer.status_code, names(answer)) == (200, ["third"])

    @pytest.mark.parametrize("folder", DETAILS)
    def test_a_new_row_that_the_replica_does_not_have_is_shown(self, client, person, folder):
        url = f"/{folder}/{person.pk}/"
        models.QuerySet(Person).using("other").delete()
        answer = client.get(url, headers={"If-None-Match": '"another"'})
        assert (answer.status_code, names(answer)) == (200, ["first"])

    def test_what_a_renderer_evaluates_is_read_from_the_primary_too(self, client, person):
        url, headers = f"/rendered-later/{person.pk}/", {"If-None-Match": '"another"'}
        person.name = "second"
        person.save()
        assert client.get(url, headers=headers).json() == [{"name": "second"}]
        assert client.get(url).json() == [{"name": "first"}]

    def test_what_is_streamed_from_a_replica_that_is_behind_has_no_tag(self, client, person):
        url, headers = f"/streamed/{person.pk}/", {"If-None-Match": '"another"'}
        assert client.get(url, headers=headers).has_header("ETag")
        person.name = "second"
        person.save()
        assert not client.get(url, headers=headers).has_header("ETag")

    def test_what_else_the_tag_depends_on_is_read_from_the_primary_too(self, client, person):
        url = f"/extra/{person.pk}/"
        Team.objects.create(name="new")
        tag = client.get(url, headers={"If-None-Match": '"another"'})["ETag"]
        assert client.get(url)["ETag"] != tag
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 304


class TestLists:
    @pytest.mark.parametrize("folder", LISTS)
    def test_the_newest_tag_is_304_while_the_replica_is_behind(self, client, person, folder):
        person.name = "second"
        person.save()
        newest = client.get(f"/{folder}/", headers={"If-None-Match": '"another"'})["ETag"]
        assert client.get(f"/{folder}/")["ETag"] != newest
        answer = client.get(f"/{folder}/", headers={"If-None-Match": newest})
        assert answer.status_code == 304

    @pytest.mark.parametrize("folder", LISTS)
    def test_an_older_tag_gets_the_content_of_the_primary(self, client, person, folder):
        person.name = "second"
        person.save()
        answer = client.get(f"/{folder}/", headers={"If-None-Match": '"another"'})
        assert (answer.status_code, names(answer)) == (200, ["second"])


class TestStatements:
    @pytest.fixture
    def counted(self, client, person):
        """The statements of a GET on primary and replica."""

        def count(url, tag=None):
            headers = {} if tag is None else {"If-None-Match": tag}
            with (
                CaptureQueriesContext(connections["default"]) as primary,
                CaptureQueriesContext(connections["other"]) as replica,
            ):
                client.get(url, headers=headers)
            return len(primary), len(replica)

        return count

    @pytest.mark.parametrize(
        ("url", "without_tag", "hit", "miss"),
        [
            ("/people/{}/", (0, 1), (0, 1), (1, 2)),
            ("/people/", (0, 2), (0, 2), (2, 4)),
            ("/counted/", (0, 2), (0, 1), (1, 2)),
        ],
    )
    def test_only_a_miss_asks_the_primary_once(
        self, client, person, counted, url, without_tag, hit, miss
    ):
        url = url.format(person.pk)
        tag = client.get(url)["ETag"]
        assert counted(url) == without_tag
        assert counted(url, tag) == hit
        assert counted(url, '"another"') == miss

    @pytest.mark.parametrize(
        ("url", "without_tag", "hit", "miss"),
        [("/people/{}/", 1, 1, 2), ("/people/", 2, 2, 4), ("/counted/", 2, 1, 2)],
    )
    def test_nothing_is_asked_twice_without_a_router(
        self, client, person, counted, settings, url, without_tag, hit, miss
    ):
        settings.DATABASE_ROUTERS = []
        url = url.format(person.pk)
        tag = client.get(url)["ETag"]
        assert counted(url) == (without_tag, 0)
        assert counted(url, tag) == (hit, 0)
        assert counted(url, '"another"') == (miss, 0)
