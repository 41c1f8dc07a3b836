"""Paginators of a project's own are never called with made-up data, and are in the tag."""

import itertools

import pytest
from django.core.paginator import Paginator
from django.urls import include, path
from rest_framework import pagination, serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.viewsets import GenericViewSet

from etag_versioning.rest_framework.mixins import VersionedListMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class LinkPages(pagination.PageNumberPagination):
    page_size = 2

    def get_paginated_response(self, data):
        following = self.get_next_link()
        headers = {"Link": f'<{following}>; rel="next"'} if following else {}
        return Response(data, headers=headers)


class TotalPages(pagination.PageNumberPagination):
    page_size = 2

    def get_paginated_response(self, data):
        response = Response(data)
        response["X-Total-Count"] = self.page.paginator.count
        return response


class LastRowPages(pagination.LimitOffsetPagination):
    default_limit = 2

    def get_paginated_response(self, data):
        return Response({"last": data[-1]["id"], "results": data})


class SecondLinkPages(pagination.PageNumberPagination):
    """Shows what no row of the page tells."""

    page_size = 2

    def get_next_link(self):
        return f"http://testserver/?names={','.join(sorted(names_elsewhere))}"


class UnsteadyPages(pagination.PageNumberPagination):
    """Its text would not tell what it shows."""

    page_size = 2

    def get_paginated_response(self, data):
        return Response({"first": Unsteady(), "results": data})


class Unsteady:
    def __str__(self):
        return "always the same"

    def tolist(self):  # DRF's encoder asks for it.
        return sorted(names_elsewhere)


class CountingPaginator(Paginator):
    @property
    def count(self):
        return len(list(self.object_list))


class CountingPages(pagination.PageNumberPagination):
    page_size = 2
    django_paginator_class = CountingPaginator


class Mixin:
    def get_next_link(self):
        return str(len(names_elsewhere))


class MixedPages(Mixin, pagination.PageNumberPagination):
    page_size = 2


class PlainPages(pagination.PageNumberPagination):
    page_size = 2
    page_size_query_param = "size"


class PlainCursors(pagination.CursorPagination):
    page_size = 2
    ordering = "id"


names_elsewhere: set[str] = set()

PAGINATORS = {
    "link": LinkPages,
    "total": TotalPages,
    "last": LastRowPages,
    "second-link": SecondLinkPages,
    "mixed": MixedPages,
    "unsteady": UnsteadyPages,
    "counting": CountingPages,
    "plain": PlainPages,
    "cursors": PlainCursors,
}
router = SimpleRouter()
for prefix, paginator in PAGINATORS.items():
    viewset = type(
        f"{paginator.__name__}ViewSet",
        (VersionedModelViewSet,),
        {
            "__module__": __name__,
            "queryset": Person.objects.order_by("id"),
            "serializer_class": PersonSerializer,
            "pagination_class": paginator,
        },
    )
    router.register(prefix, viewset, basename=prefix)


class OwnListMixin(ListModelMixin):
    def list(self, request, *args, **kwargs):
        page = self.paginate_queryset(queryset=self.filter_queryset(queryset=self.get_queryset()))
        return self.get_paginated_response(data=self.get_serializer(page, many=True).data)


class KeywordViewSet(VersionedListMixin, OwnListMixin, GenericViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    pagination_class = TotalPages


class TimedPages(pagination.PageNumberPagination):
    page_size = 2

    def get_paginated_response(self, data):
        return Response(
            {"timestamp": next(clock), "count": self.page.paginator.count, "results": data}
        )


class TimedViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    pagination_class = TimedPages


class IgnoringViewSet(TimedViewSet):
    etag_ignores = ("timestamp",)


clock = itertools.count()
router.register("timed", TimedViewSet, basename="timed")
router.register("ignoring", IgnoringViewSet, basename="ignoring")
router.register("keyword", KeywordViewSet, basename="keyword")
urlpatterns = [path("", include(router.urls))]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture(autouse=True)
def people():
    names_elsewhere.clear()
    return [Person.objects.create(name=name) for name in "ab"]


@pytest.mark.parametrize("kind", ["link", "total", "last", "second-link", "mixed", "counting"])
def test_a_page_that_did_not_change_is_304(client, kind):
    full = client.get(f"/{kind}/")
    assert full.status_code == 200
    for method in (client.get, client.head):
        answer = method(f"/{kind}/", headers={"If-None-Match": full["ETag"]})
        assert answer.status_code == 304
        assert answer["ETag"] == full["ETag"]


@pytest.mark.parametrize("kind", ["link", "total", "keyword"])
def test_what_stands_in_a_header_is_in_the_tag(client, kind):
    tag = client.get(f"/{kind}/")["ETag"]
    assert client.get(f"/{kind}/", headers={"If-None-Match": tag}).status_code == 304
    Person.objects.create(name="c")  # On page 2.
    answer = client.get(f"/{kind}/", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert "Link" in answer or answer["X-Total-Count"] == "3"


@pytest.mark.parametrize("kind", ["second-link", "mixed"])
def test_what_a_method_of_its_own_shows_is_in_the_tag(client, kind):
    tag = client.get(f"/{kind}/")["ETag"]
    names_elsewhere.add("z")
    assert client.get(f"/{kind}/", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("kind", [*PAGINATORS, "keyword"])
def test_a_write_on_the_page_changes_its_tag(client, kind, people):
    tag = client.get(f"/{kind}/").get("ETag", '"none"')
    people[0].save()
    assert client.get(f"/{kind}/", headers={"If-None-Match": tag}).status_code == 200


def test_what_no_text_tells_has_no_tag(client):
    answer = client.get("/unsteady/", headers={"If-None-Match": '"x"'})
    assert answer.status_code == 200
    assert "ETag" not in answer


@pytest.mark.parametrize(("kind", "count"), [("plain", 2), ("cursors", 1)])
def test_plain_attributes_leave_a_paginator_drfs_own(
    client, kind, count, django_assert_num_queries
):
    tag = client.get(f"/{kind}/")["ETag"]
    with django_assert_num_queries(count) as queries:
        assert client.get(f"/{kind}/", headers={"If-None-Match": tag}).status_code == 304
    assert "name" not in queries[-1]["sql"]


@pytest.mark.parametrize(("kind", "count"), [("link", 2), ("total", 2), ("last", 2)])
def test_a_page_is_loaded_once(client, kind, count, django_assert_num_queries):
    tag = client.get(f"/{kind}/")["ETag"]
    with django_assert_num_queries(count) as queries:
        assert client.get(f"/{kind}/", headers={"If-None-Match": tag}).status_code == 304
    assert "name" in queries[-1]["sql"]


def test_a_paginator_that_shows_the_time_never_has_the_same_tag(client):
    tag = client.get("/timed/")["ETag"]
    assert client.get("/timed/", headers={"If-None-Match": tag}).status_code == 200


def test_a_time_that_does_not_count_is_not_in_the_tag(client):
    tag = client.get("/ignoring/")["ETag"]
    assert client.get("/ignoring/", headers={"If-None-Match": tag}).status_code == 304
    Person.objects.create(name="c")  # On page 2.
    assert client.get("/ignoring/", headers={"If-None-Match": tag}).status_code == 200
