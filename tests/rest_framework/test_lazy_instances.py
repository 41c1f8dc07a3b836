"""A view whose get_object() returns a lazy instance, as request.user is with a session."""

import pytest
from django.urls import path
from django.utils.functional import SimpleLazyObject
from rest_framework import serializers
from rest_framework.test import APIClient

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ["name"]


class Me(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def get_object(self):
        return SimpleLazyObject(Person.objects.get)


urlpatterns = [
    path("me/", Me.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
]


@pytest.fixture
def tag():
    Person.objects.create(name="Grace")
    return APIClient().get("/me/")["ETag"]


def test_a_get_with_its_tag_is_304(tag):
    assert APIClient().get("/me/", headers={"If-None-Match": tag}).status_code == 304


def test_a_patch_with_the_current_tag_is_performed_and_shows_the_new_one(tag):
    response = APIClient().patch("/me/", {"name": "Ada"}, headers={"If-Match": tag})
    assert response.status_code == 200
    assert response["ETag"] == APIClient().get("/me/")["ETag"]
    assert Person.objects.get().name == "Ada"


def test_a_patch_with_a_stale_tag_is_412(tag):
    Person.objects.get().save()
    response = APIClient().patch("/me/", {"name": "Ada"}, headers={"If-Match": tag})
    assert response.status_code == 412
    assert Person.objects.get().name == "Grace"


def test_a_delete_with_the_current_tag_is_performed(tag):
    assert APIClient().delete("/me/", headers={"If-Match": tag}).status_code == 204
    assert not Person.objects.exists()
