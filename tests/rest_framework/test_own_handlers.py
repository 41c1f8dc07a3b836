"""A handler of one row that writes is guarded, whoever has written it."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import AsyncClient
from django.urls import include, path
from rest_framework import generics, mixins, viewsets
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.mixins import (
    VersionedAPIViewMixin,
    VersionedRetrieveMixin,
    VersionedViewSetMixin,
)
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Person

try:
    import adrf.generics
    import adrf.mixins
    import adrf.routers
    import adrf.serializers
    import adrf.views
    import adrf.viewsets

    from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin
except ImportError:
    adrf = None

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.rest_framework.test_own_handlers"),
]


class Rows:
    queryset = Person.objects.order_by("pk")
    serializer_class = PersonSerializer


class ReadOnlyViewSet(Rows, VersionedViewSetMixin, viewsets.ReadOnlyModelViewSet):
    pass


class WriteOnlyViewSet(
    Rows, VersionedViewSetMixin, mixins.UpdateModelMixin, viewsets.GenericViewSet
):
    pass


class RetrieveUpdateView(Rows, VersionedRetrieveMixin, generics.RetrieveUpdateDestroyAPIView):
    pass


class RetrieveView(Rows, VersionedViewSetMixin, generics.RetrieveAPIView):
    pass


class CreateForView(Rows, VersionedRetrieveMixin, generics.CreateAPIView):
    """A list whose address has the key of something else."""


class OwnUpdateViewSet(
    Rows,
    VersionedRetrieveMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet,
):
    def update(self, request, *args, **kwargs):
        Person.objects.filter(pk=self.get_object().pk).update(name="b")
        return Response({})


router = SimpleRouter()
router.register("reading", ReadOnlyViewSet, "reading")
router.register("writing", WriteOnlyViewSet, "writing")
router.register("own-update", OwnUpdateViewSet, "own-update")
urlpatterns = [
    path("", include(router.urls)),
    path("retrieving/<int:pk>/", RetrieveView.as_view()),
    path("updating/<int:pk>/", RetrieveUpdateView.as_view()),
    path("creating-for/<int:pk>/", CreateForView.as_view()),
]

if adrf:

    class AsyncPersonSerializer(PersonSerializer, adrf.serializers.ModelSerializer):
        pass

    class AsyncRows:
        queryset = Person.objects.order_by("pk")
        serializer_class = AsyncPersonSerializer

    class CoroutinesView(AsyncRows, AsyncVersionedViewSetMixin, adrf.generics.RetrieveAPIView):
        async def put(self, request, pk):
            person = await self.aget_object()
            person.name = "b"
            await person.asave()
            return Response({})

        post = patch = put

        async def delete(self, request, pk):
            person = await self.aget_object()
            await person.adelete()
            return Response(status=204)

    class CoroutineAPIView(VersionedAPIViewMixin, adrf.views.APIView):
        def get_versioned_queryset(self):
            return Person.objects.filter(pk=self.kwargs["pk"])

        async def put(self, request, pk):
            await Person.objects.filter(pk=pk).aupdate(name="b")
            return Response({})

    class SyncMixinsView(AsyncRows, VersionedViewSetMixin, adrf.generics.UpdateAPIView):
        pass

    class AsyncReadOnlyViewSet(
        AsyncRows, AsyncVersionedViewSetMixin, adrf.viewsets.ReadOnlyModelViewSet
    ):
        pass

    async_router = adrf.routers.SimpleRouter()
    async_router.register("async-reading", AsyncReadOnlyViewSet, "async-reading")
    urlpatterns += [
        path("", include(async_router.urls)),
        path("coroutines/<int:pk>/", CoroutinesView.as_view()),
        path("coroutine-api/<int:pk>/", CoroutineAPIView.as_view()),
        path("sync-mixins/<int:pk>/", SyncMixinsView.as_view()),
    ]

needs_adrf = pytest.mark.skipif(adrf is None, reason="adrf is not installed")


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    return Person.objects.create(name="a")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_drfs_own_writes_are_guarded_by_any_mixin(client, person, method):
    url = f"/updating/{person.pk}/"
    write = getattr(client, method)
    data = {"name": "b", "days": 1}
    assert write(url, data).status_code == 428
    assert write(url, data, headers={"If-Match": '"x"'}).status_code == 412
    tag = client.get(url)["ETag"]
    assert write(url, data, headers={"If-Match": tag}).status_code in (200, 204)
    assert write(url, data, headers={"If-Match": tag}).status_code in (404, 412)


def test_an_own_update_is_guarded_by_any_mixin(client, person):
    url = f"/own-update/{person.pk}/"
    assert client.put(url).status_code == 428
    assert client.put(url, headers={"If-Match": client.get(url)["ETag"]}).status_code == 200


def test_post_to_a_list_below_another_row_needs_no_tag(client):
    assert client.post("/creating-for/0/", {"name": "b", "days": 1}).status_code == 201


@pytest.mark.parametrize("kind", ["reading", "retrieving"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}], ids=["none", "any"])
def test_a_write_that_drf_does_not_have_is_405(client, person, kind, method, headers):
    url = f"/{kind}/{person.pk}/"
    assert client.get(url).status_code == 200
    answer = getattr(client, method)(url, {"name": "b"}, headers=headers)
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_a_router_makes_no_route_that_drf_would_not_make(client, person):
    assert client.post("/reading/", {"name": "b"}).status_code == 405
    assert client.get(f"/writing/{person.pk}/").status_code == 405
    assert client.get("/writing/").status_code == 404
    assert client.patch(f"/writing/{person.pk}/", {}).status_code == 428


@needs_adrf
@pytest.mark.parametrize("method", ["put", "patch", "post", "delete"])
@pytest.mark.usefixtures("close_connections")
async def test_an_own_coroutine_is_guarded(method):
    person = await Person.objects.acreate(name="a")
    url = f"/coroutines/{person.pk}/"
    client = AsyncClient()
    write = getattr(client, method)
    assert (await write(url)).status_code == 428
    assert (await write(url, headers={"If-Match": '"x"'})).status_code == 412
    assert (await Person.objects.aget()).name == "a"
    tag = (await client.get(url))["ETag"]
    assert (await write(url, headers={"If-Match": tag})).status_code in (200, 204)
    assert (await write(url, headers={"If-Match": tag})).status_code in (404, 412)


@needs_adrf
@pytest.mark.parametrize("kind", ["coroutine-api", "sync-mixins"])
@pytest.mark.usefixtures("close_connections")
async def test_a_coroutine_that_cannot_be_guarded_is_refused_with_the_mended_code(kind):
    person = await Person.objects.acreate(name="a")
    with pytest.raises(ImproperlyConfigured, match=r"Write: def put\(self, request, …\)"):
        await AsyncClient().put(f"/{kind}/{person.pk}/", headers={"If-Match": "*"})
    assert (await Person.objects.aget()).name == "a"


@needs_adrf
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.usefixtures("close_connections")
async def test_a_coroutine_that_adrf_does_not_have_is_405(method):
    person = await Person.objects.acreate(name="a")
    client = AsyncClient()
    for url in (f"/async-reading/{person.pk}/", "/async-reading/"):
        assert (await client.get(url)).status_code == 200
        assert (await getattr(client, method)(url)).status_code == 405
