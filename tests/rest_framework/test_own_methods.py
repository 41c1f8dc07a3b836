"""A view's own ``retrieve()``: what the reference promises of it."""

import pytest
from django.urls import include, path
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class SuperViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def retrieve(self, request, *args, **kwargs):
        response = super().retrieve(request, *args, **kwargs)
        if request.headers.get("X-User") == "bob":
            raise PermissionDenied
        return response


class AloneViewSet(SuperViewSet):
    def retrieve(self, request, *args, **kwargs):
        return Response({"name": self.get_object().name})


class DecoratedViewSet(SuperViewSet):
    @versioned_read
    def retrieve(self, request, *args, **kwargs):
        return Response({"name": self.get_object().name})


router = SimpleRouter()
router.register("super", SuperViewSet, basename="super")
router.register("alone", AloneViewSet, basename="alone")
router.register("decorated", DecoratedViewSet, basename="decorated")
urlpatterns = [path("", include(router.urls))]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def test_with_super_it_runs_before_the_304(client, person):
    url = f"/super/{person.pk}/"
    tag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    refused = client.get(url, headers={"If-None-Match": tag, "X-User": "bob"})
    assert refused.status_code == 403
    assert "ETag" not in refused


def test_without_super_the_304_stands_for_what_it_returned(client, person):
    url = f"/alone/{person.pk}/"
    tag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    person.save()
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_versioned_read_gives_it_one(client, person):
    url = f"/decorated/{person.pk}/"
    tag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
