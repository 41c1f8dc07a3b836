"""The tag of an answer to a write that the project's own code made."""

import pytest
from django.db.models import F
from rest_framework import mixins, serializers, viewsets
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.mixins import VersionedRetrieveMixin, VersionedUpdateMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


class WritingLater(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def update(self, request, *args, **kwargs):
        response = super().update(request, *args, **kwargs)
        Person.objects.filter(pk=response.data["id"]).update(days=F("days") + 1)
        return response


class ShowingSomethingElse(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def update(self, request, *args, **kwargs):
        super().update(request, *args, **kwargs)
        return Response({"status": "saved"})


class AddingToData(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def update(self, request, *args, **kwargs):
        response = super().update(request, *args, **kwargs)
        response.data["status"] = "saved"
        return response


class ShowingRow(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def update(self, request, *args, **kwargs):
        return super().update(request, *args, **kwargs)


class OwnUpdateModelMixin(mixins.UpdateModelMixin):
    def update(self, request, *args, **kwargs):
        super().update(request, *args, **kwargs)
        return Response({"status": "saved"})


class OwnMixinBelow(
    VersionedRetrieveMixin,
    VersionedUpdateMixin,
    OwnUpdateModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet,
):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


router = SimpleRouter()
router.register("later", WritingLater, "later")
router.register("else", ShowingSomethingElse, "else")
router.register("adding", AddingToData, "adding")
router.register("row", ShowingRow, "row")
router.register("below", OwnMixinBelow, "below")
urlpatterns = router.urls


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def put(url):
    client = APIClient()
    headers = {"If-Match": client.get(url)["ETag"]}
    return client.put(url, {"name": "b", "days": 1}, headers=headers)


def test_the_tag_after_an_own_update_that_writes_later_is_no_reason_for_a_304(person):
    url = f"/later/{person.pk}/"
    answer = put(url)
    read = APIClient().get(url, headers={"If-None-Match": answer["ETag"]})
    assert answer.json()["days"] == 1
    assert (read.status_code, read.json()["days"]) == (200, 2)


def test_the_tag_after_an_own_update_is_valid_for_the_next_write(person):
    url = f"/later/{person.pk}/"
    headers = {"If-Match": put(url)["ETag"]}
    assert APIClient().patch(url, {"name": "c"}, headers=headers).status_code == 200


@pytest.mark.parametrize("kind", ["later", "else", "adding", "below"])
def test_the_answer_of_an_own_update_has_no_content_location(person, kind):
    assert "Content-Location" not in put(f"/{kind}/{person.pk}/")


@pytest.mark.parametrize("kind", ["else", "below"])
def test_the_tag_of_something_else_than_the_row_is_no_reason_for_a_304(person, kind):
    url = f"/{kind}/{person.pk}/"
    answer = put(url)
    read = APIClient().get(url, headers={"If-None-Match": answer["ETag"]})
    assert answer.json() == {"status": "saved"}
    assert read.status_code == 200


def test_what_an_own_update_adds_to_the_data_is_not_in_the_next_read(person):
    url = f"/adding/{person.pk}/"
    answer = put(url)
    read = APIClient().get(url, headers={"If-None-Match": answer["ETag"]})
    assert answer.json()["status"] == "saved"
    assert read.status_code == 200


def test_an_own_update_that_shows_the_row_as_it_is_has_the_tag_of_the_next_read(person):
    url = f"/row/{person.pk}/"
    answer = put(url)
    assert answer["ETag"] == APIClient().get(url)["ETag"]
    assert answer["Content-Location"] == url
