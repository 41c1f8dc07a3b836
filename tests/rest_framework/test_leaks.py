"""Viewsets: a connection, a request or an instance goes with the thread that used it."""

import asyncio

import pytest
from adrf.serializers import ModelSerializer as AsyncModelSerializer
from adrf.viewsets import ModelViewSet as AsyncModelViewSet
from asgiref.sync import ThreadSensitiveContext
from django.db.models import F
from django.test import AsyncClient
from django.urls import include, path
from rest_framework import pagination, permissions, serializers
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(__name__),
    # A connection that goes with its thread is closed by the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


class Pages(pagination.PageNumberPagination):
    page_size = 2


class Anybody(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        return True


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    authentication_classes = ()


class FilteredViewSet(PersonViewSet):
    def get_queryset(self):
        return Person.objects.filter(days__gte=0).order_by("id")


class AnnotatedViewSet(PersonViewSet):
    queryset = Person.objects.annotate(doubled=F("days") * 2).order_by("id")
    pagination_class = Pages


class OwnedViewSet(PersonViewSet):
    permission_classes = [Anybody]


class AsyncPersonSerializer(AsyncModelSerializer):
    class Meta(PersonSerializer.Meta):
        pass


class AsyncPersonViewSet(AsyncVersionedViewSetMixin, AsyncModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = AsyncPersonSerializer
    authentication_classes = ()


router = SimpleRouter()
router.register("people", PersonViewSet, "people")
router.register("filtered", FilteredViewSet, "filtered")
router.register("annotated", AnnotatedViewSet, "annotated")
router.register("owned", OwnedViewSet, "owned")
methods = {"get": "aretrieve", "put": "aupdate"}
urlpatterns = [
    path("", include(router.urls)),
    path("async/", AsyncPersonViewSet.as_view({"get": "alist"})),
    path("async/<int:pk>/", AsyncPersonViewSet.as_view(methods)),
]


@pytest.fixture
def person():
    return Person.objects.create(name="a")


@pytest.mark.parametrize("kind", ["people", "filtered", "annotated", "owned"])
def test_reads_in_new_threads_leave_nothing(leaves_nothing, person, kind):
    def read():
        client = APIClient()
        for url in (f"/{kind}/", f"/{kind}/{person.pk}/"):
            tag = client.get(url)["ETag"]
            assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
            assert client.get(url, headers={"If-None-Match": '"x"'}).status_code == 200

    leaves_nothing(read)


@pytest.mark.parametrize("kind", ["people", "filtered", "annotated", "owned"])
def test_writes_in_new_threads_leave_nothing(leaves_nothing, person, kind):
    def write():
        client = APIClient()
        url = f"/{kind}/{person.pk}/"
        tag = {"If-Match": client.get(url)["ETag"]}
        data = {"name": "b", "days": 1}
        assert client.put(url, data, headers=tag).status_code == 200
        assert client.put(url, data, headers=tag).status_code == 412
        url = client.post(f"/{kind}/", data)["Location"]
        headers = {"If-Match": client.get(url)["ETag"]}
        assert client.delete(url, headers=headers).status_code == 204

    leaves_nothing(write)


def test_async_requests_in_new_threads_leave_nothing(leaves_nothing, person):
    url = f"/async/{person.pk}/"

    async def requests():
        client = AsyncClient()
        # As Django's ASGI handler: one thread for what is not async in a request.
        async with ThreadSensitiveContext():
            for read in ("/async/", url):
                tag = (await client.get(read))["ETag"]
                assert (await client.get(read, headers={"If-None-Match": tag})).status_code == 304
            data, headers = '{"name": "b", "days": 1}', {"If-Match": tag}
            for status in (200, 412):
                answer = await client.put(url, data, "application/json", headers=headers)
                assert answer.status_code == status

    leaves_nothing(lambda: asyncio.run(requests()))
