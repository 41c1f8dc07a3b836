"""What else a tag depends on is read before the body of a write's answer, as at a GET."""

import pytest
from rest_framework import serializers
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    teams = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields = ("id", "name", "teams")

    def get_teams(self, person):
        teams = Team.objects.count()
        # Another request creates one after this has counted them.
        if self.context["request"].method != "GET":
            Team.objects.create(name="another")
        return teams


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def get_etag_extra(self):
        return [Team.objects.count()]


class OwnUpdateViewSet(PersonViewSet):
    def update(self, request, *args, **kwargs):
        return super().update(request, *args, **kwargs)


router = SimpleRouter()
router.register("people", PersonViewSet, "people")
router.register("own", OwnUpdateViewSet, "own")
urlpatterns = router.urls


@pytest.mark.parametrize("kind", ["people", "own"])
def test_what_changes_while_the_body_is_made_is_not_in_the_tag(kind):
    url = f"/{kind}/{Person.objects.create(name='a').pk}/"
    client = APIClient()
    headers = {"If-Match": client.get(url)["ETag"]}
    answer = client.put(url, {"name": "b"}, headers=headers)
    read = client.get(url, headers={"If-None-Match": answer["ETag"]})
    assert answer.json()["teams"] == 0
    assert (read.status_code, read.json()["teams"]) == (200, 1)


def test_a_201_has_the_tag_of_the_state_where_the_view_has_terms():
    client = APIClient()
    answer = client.post("/people/", {"name": "a"})
    url = f"/people/{answer.json()['id']}/"
    assert "~" not in answer["ETag"]
    assert client.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 200
    assert client.put(url, {"name": "b"}, headers={"If-Match": answer["ETag"]}).status_code == 200
