"""Content-Location after a write that changes the field that a view looks its rows up by."""

import pytest
from django.urls import include, path
from rest_framework import generics, serializers
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.mixins import VersionedUpdateMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


class ByNameViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    lookup_field = "name"


class ByNameView(VersionedUpdateMixin, generics.UpdateAPIView):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer
    lookup_field = "name"


class AnyCaseViewSet(ByNameViewSet):
    lookup_field = "name__iexact"
    lookup_url_kwarg = "name"


router = SimpleRouter()
router.register("people", ByNameViewSet, "people")
router.register("any-case", AnyCaseViewSet, "any-case")
urlpatterns = [path("", include(router.urls)), path("view/<name>/", ByNameView.as_view())]


def patch(url, data):
    client = APIClient()
    answer = client.patch(url, data, format="json", headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.content
    return answer


@pytest.fixture(autouse=True)
def ada():
    return Person.objects.create(name="ada")


def test_a_patch_that_keeps_the_lookup_field_names_its_own_url():
    assert patch("/people/ada/", {"days": 2})["Content-Location"] == "/people/ada/"


def test_a_patch_that_changes_the_lookup_field_names_the_new_url():
    location = patch("/people/ada/", {"name": "grace"})["Content-Location"]
    assert location.endswith("/people/grace/")
    assert APIClient().get(location).json()["name"] == "grace"


def test_without_a_route_to_the_new_address_there_is_no_content_location():
    assert patch("/view/ada/", {"days": 2})["Content-Location"] == "/view/ada/"
    assert "Content-Location" not in patch("/view/ada/", {"name": "grace"})


def test_a_lookup_by_a_transform_sends_no_content_location(caplog):
    answer = patch("/any-case/ADA/", {"name": "grace"})
    assert "Content-Location" not in answer
    assert answer["ETag"]
    assert not caplog.records
