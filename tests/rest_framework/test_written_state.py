"""The version and the timestamp are not a client's to set."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import include, path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.views import APIView

from etag_versioning.rest_framework.bulk import VersionedBulkUpdateMixin
from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.mixins import VersionedAPIViewMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person, Team

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.rest_framework.test_written_state"),
]


class TeamSerializer(serializers.ModelSerializer):
    version = serializers.IntegerField(required=False)

    class Meta:
        model = Team
        fields = ("name", "version")


class WritableSerializer(serializers.ModelSerializer):
    """Each of the two columns, one under another name, and those of a nested row."""

    revision = serializers.IntegerField(source="version")
    updated_at = serializers.DateTimeField(required=False)
    etag = ETagField()
    team = TeamSerializer(required=False)

    class Meta:
        model = Person
        fields = ("id", "name", "days", "revision", "updated_at", "etag", "team")

    def update(self, instance, validated_data):
        team = validated_data.pop("team", None)
        if team is not None:
            for name, value in team.items():
                setattr(instance.team, name, value)
            instance.team.save()
        return super().update(instance, validated_data)


class PersonViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Person.objects.order_by("pk")
    serializer_class = WritableSerializer

    @action(detail=True, methods=["post"])
    def rename(self, request, pk=None):
        serializer = self.get_serializer(self.get_object(), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data)


class PersonView(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Person.objects.filter(pk=self.kwargs["pk"])

    def put(self, request, pk):
        serializer = WritableSerializer(self.get_object(), data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response({})


router = SimpleRouter()
router.register("people", PersonViewSet, "person")
urlpatterns = [path("", include(router.urls)), path("view/<int:pk>/", PersonView.as_view())]
OLD = {"revision": 1, "updated_at": "2001-01-01T00:00:00Z"}


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    person = Person.objects.create(name="a", team=Team.objects.create(name="t"))
    person.team.save()
    person.save()
    return person


@pytest.mark.parametrize(("method", "address"), [("put", ""), ("patch", ""), ("post", "rename/")])
def test_a_write_ignores_the_state_that_a_client_sends(client, person, method, address):
    url = f"/people/{person.pk}/"
    tag = client.get(url)["ETag"]
    data = {"name": "b", **OLD}
    headers = {"If-Match": tag}
    answer = getattr(client, method)(url + address, data, format="json", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["revision"] == person.version + 1
    person.refresh_from_db()
    assert person.name == "b"
    assert person.updated_at.year > 2001


def test_a_write_ignores_the_state_of_a_nested_row(client, person):
    url = f"/people/{person.pk}/"
    data = {"name": "b", "team": {"name": "u", "version": 1}}
    headers = {"If-Match": client.get(url)["ETag"]}
    answer = client.patch(url, data, format="json", headers=headers)
    assert answer.status_code == 200
    team = Team.objects.get()
    assert (team.name, team.version) == ("u", 3)


def test_a_create_ignores_the_state_that_a_client_sends(client):
    answer = client.post("/people/", {"name": "b", "days": 1, **OLD, "revision": 7}, format="json")
    assert answer.status_code == 201
    assert Person.objects.get().version == 1


def test_a_bulk_update_ignores_the_state_that_a_client_sends(client, person):
    item = {"id": person.pk, "etag": client.get(f"/people/{person.pk}/").json()["etag"]}
    answer = client.patch("/people/", [{**item, "name": "b", **OLD}], format="json")
    assert answer.status_code == 200
    assert Person.objects.get().name == "b"


def test_options_shows_the_state_as_read_only(client, person):
    fields = client.options(f"/people/{person.pk}/").json()["actions"]["PUT"]
    assert fields["revision"]["read_only"]
    assert not fields["name"]["read_only"]


def test_a_serializer_made_by_hand_is_told_the_mended_code(person):
    with pytest.raises(ImproperlyConfigured, match=r"read_only_fields = \('version', 'updated_at'"):
        APIClient().put(
            f"/view/{person.pk}/", {"name": "b", **OLD}, format="json", headers={"If-Match": "*"}
        )
    assert Person.objects.get().name == "a"
