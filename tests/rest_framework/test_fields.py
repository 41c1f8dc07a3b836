"""The tag of each item, in the body."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import include, path
from rest_framework import serializers
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Hidden, Person, Plain, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    etag = ETagField()

    class Meta:
        model = Person
        fields = ("id", "name", "etag")


class TeamSerializer(serializers.ModelSerializer):
    etag = ETagField()
    person_set = PersonSerializer(many=True, read_only=True)

    class Meta:
        model = Team
        fields = ("id", "name", "etag", "person_set")


class HiddenSerializer(serializers.ModelSerializer):
    etag = ETagField()
    by_name = ETagField(tag_key="name")

    class Meta:
        model = Hidden
        fields = ("uuid", "name", "etag", "by_name")


class TeamViewSet(VersionedModelViewSet):
    queryset = Team.objects.order_by("id")
    serializer_class = TeamSerializer
    lookup_field = "name"
    tag_key = "name"


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


router = SimpleRouter()
router.register("teams", TeamViewSet)
router.register("people", PersonViewSet)
urlpatterns = [path("", include(router.urls))]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    return Person.objects.create(name="a", team=Team.objects.create(name="t"))


@pytest.mark.parametrize("if_match", ["state", "strong"])
def test_an_items_tag_guards_its_write(client, person, settings, if_match):
    settings.ETAG_VERSIONING = {"IF_MATCH": if_match}
    (item,) = client.get("/people/").json()
    url = f"/people/{person.pk}/"
    headers = {"If-Match": item["etag"]}
    answer = client.patch(url, {"name": "b"}, format="json", headers=headers)
    assert answer.status_code == 200
    # What is answered holds the new one.
    assert answer.json()["etag"] == client.get(url).json()["etag"] != item["etag"]
    answer = client.patch(url, {"name": "c"}, format="json", headers=headers)
    assert answer.status_code == 412
    assert Person.objects.get().name == "b"


def test_names_the_state_alone(client, person):
    (item,) = client.get("/people/").json()
    assert item["etag"].startswith(f'"person-{person.pk}-v1.')
    assert "~" not in item["etag"]


def test_is_no_value_to_write_and_must_not_contradict_the_header(client, person):
    url = f"/people/{person.pk}/"
    tag = client.get(url)["ETag"]
    for body, status in (('"x"', 400), (tag, 200)):
        answer = client.patch(url, {"etag": body}, format="json", headers={"If-Match": tag})
        assert answer.status_code == status


def test_is_keyed_as_the_view_says_and_nested_rows_as_their_model_does(client, person):
    for item in (client.get("/teams/").json()[0], client.get("/teams/t/").json()):
        assert item["etag"].startswith('"team-t-v1.')
        assert item["person_set"][0]["etag"].startswith(f'"person-{person.pk}-v1.')


def test_one_nested_row_is_keyed_as_its_model_is(person):
    class TeamTagSerializer(serializers.Serializer):
        etag = ETagField()

    class NestingSerializer(serializers.Serializer):
        etag = ETagField()
        team = TeamTagSerializer()

    view = TeamViewSet()
    data = NestingSerializer(person, context={"view": view}).data
    assert data["etag"].startswith('"person-a-v1.')
    assert data["team"]["etag"].startswith(f'"team-{person.team_id}-v1.')


def test_is_keyed_as_the_field_says():
    hidden = Hidden.objects.create(name="h")
    data = HiddenSerializer(hidden).data
    assert data["etag"].startswith(f'"secret-{hidden.uuid}-v1.')
    assert data["by_name"].startswith('"secret-h-v1.')


def test_the_field_of_a_model_without_a_version_is_an_error():
    class PlainSerializer(serializers.ModelSerializer):
        etag = ETagField()

        class Meta:
            model = Plain
            fields = ("etag",)

    with pytest.raises(ImproperlyConfigured, match=r"class Plain\(VersionedModel\)"):
        _ = PlainSerializer(Plain.objects.create(name="p")).data
