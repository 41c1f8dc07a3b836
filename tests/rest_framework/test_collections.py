"""POST to a collection with If-Match, which is about the collection (RFC 9110 §13.1.1)."""

import pytest
from django.test import AsyncClient
from django.urls import include, path
from rest_framework import generics, mixins, permissions, viewsets
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.list_validators import max_version_and_count
from etag_versioning.rest_framework.mixins import VersionedCreateMixin, VersionedViewSetMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Person

try:
    import adrf.routers
    import adrf.serializers
    import adrf.viewsets

    from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin
except ImportError:
    adrf = None

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.rest_framework.test_collections"),
]


class OnePerPage(PageNumberPagination):
    page_size = 1


class Rows:
    queryset = Person.objects.order_by("pk")
    serializer_class = PersonSerializer


class PlainViewSet(Rows, VersionedModelViewSet):
    pass


class PaginatedViewSet(Rows, VersionedModelViewSet):
    pagination_class = OnePerPage


class CheapViewSet(Rows, VersionedModelViewSet):
    list_validator = max_version_and_count


class OwnListViewSet(Rows, VersionedModelViewSet):
    def list(self, request, *args, **kwargs):
        return Response({}, headers={"ETag": f'"{Person.objects.count()}"'})


class OwnCreateViewSet(Rows, VersionedModelViewSet):
    def create(self, request, *args, **kwargs):
        return Response({"id": Person.objects.create(name="b").pk}, status=201)


class GenericListView(Rows, VersionedViewSetMixin, generics.ListCreateAPIView):
    pass


class WriteOnlyPermission(permissions.BasePermission):
    def has_permission(self, request, view):
        return request.method == "POST"


class UnreadableViewSet(Rows, VersionedModelViewSet):
    permission_classes = [WriteOnlyPermission]


class WithoutListViewSet(
    Rows, VersionedCreateMixin, mixins.CreateModelMixin, viewsets.GenericViewSet
):
    pass


class NoWildcardViewSet(Rows, VersionedModelViewSet):
    allow_wildcard = False


router = SimpleRouter()
router.register("plain", PlainViewSet, "plain")
router.register("paginated", PaginatedViewSet, "paginated")
router.register("cheap", CheapViewSet, "cheap")
router.register("own-list", OwnListViewSet, "own-list")
router.register("own-create", OwnCreateViewSet, "own-create")
router.register("unreadable", UnreadableViewSet, "unreadable")
router.register("without-list", WithoutListViewSet, "without-list")
router.register("no-wildcard", NoWildcardViewSet, "no-wildcard")
urlpatterns = [path("", include(router.urls)), path("generic/", GenericListView.as_view())]

if adrf:

    class AsyncPersonSerializer(PersonSerializer, adrf.serializers.ModelSerializer):
        pass

    class AsyncPersonViewSet(AsyncVersionedViewSetMixin, adrf.viewsets.ModelViewSet):
        queryset = Person.objects.order_by("pk")
        serializer_class = AsyncPersonSerializer

    async_router = adrf.routers.SimpleRouter()
    async_router.register("async", AsyncPersonViewSet, "async")
    urlpatterns.append(path("", include(async_router.urls)))

LISTS = ["plain", "paginated", "cheap", "own-list", "own-create", "generic"]
CONTENT = {"name": "b", "days": 1}


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture(autouse=True)
def person():
    return Person.objects.create(name="a")


@pytest.mark.parametrize("kind", [*LISTS, "unreadable", "without-list"])
def test_post_to_a_list_with_any_tag_creates(client, kind):
    answer = client.post(f"/{kind}/", CONTENT, headers={"If-Match": "*"})
    assert answer.status_code == 201


@pytest.mark.parametrize("kind", LISTS)
def test_post_with_the_current_tag_of_the_list_creates(client, kind):
    headers = {"If-Match": client.get(f"/{kind}/")["ETag"]}
    assert client.post(f"/{kind}/", CONTENT, headers=headers).status_code == 201
    answer = client.post(f"/{kind}/", CONTENT, headers=headers)
    assert answer.status_code == 412
    assert answer["ETag"] == client.get(f"/{kind}/")["ETag"]
    assert "no such resource" not in answer.json()["message"]
    assert Person.objects.count() == 2


@pytest.mark.parametrize("kind", ["unreadable", "without-list"])
def test_post_with_a_tag_tells_nothing_of_a_list_that_cannot_be_read(client, kind):
    for tag in (client.get("/plain/")["ETag"], '"x"'):
        answer = client.post(f"/{kind}/", CONTENT, headers={"If-Match": tag})
        assert answer.status_code == 412
        assert "ETag" not in answer
        assert "no such resource" not in answer.json()["message"]


def test_a_malformed_if_match_is_412(client):
    answer = client.post("/plain/", CONTENT, headers={"If-Match": "junk"})
    assert answer.status_code == 412
    assert "list of entity tags" in answer.json()["message"]


def test_post_with_any_tag_is_412_where_that_is_not_allowed(client):
    answer = client.post("/no-wildcard/", CONTENT, headers={"If-Match": "*"})
    assert answer.status_code == 412
    headers = {"If-Match": client.get("/no-wildcard/")["ETag"]}
    assert client.post("/no-wildcard/", CONTENT, headers=headers).status_code == 201


def test_both_preconditions_may_be_sent(client):
    headers = {"If-Match": client.get("/plain/")["ETag"], "If-None-Match": "*"}
    assert client.post("/plain/", CONTENT, headers=headers).status_code == 201


@pytest.mark.skipif(adrf is None, reason="adrf is not installed")
@pytest.mark.usefixtures("close_connections")
async def test_post_to_a_list_of_coroutines():
    client = AsyncClient()

    async def post(tag):
        return await client.post(
            "/async/", CONTENT, content_type="application/json", headers={"If-Match": tag}
        )

    tag = (await client.get("/async/"))["ETag"]
    assert (await post(tag)).status_code == 201
    assert (await post(tag)).status_code == 412
    assert (await post("*")).status_code == 201
