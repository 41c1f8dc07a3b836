"""A list that is a union of annotated querysets: its tag depends on the annotations."""

import pytest
from django.db.models import Count
from rest_framework import serializers
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.test import APIRequestFactory

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person, Team

pytestmark = pytest.mark.django_db


class TeamSerializer(serializers.ModelSerializer):
    people = serializers.IntegerField()

    class Meta:
        model = Team
        fields = ("name", "people")


class TeamViewSet(VersionedModelViewSet):
    serializer_class = TeamSerializer

    def get_queryset(self):
        teams = Team.objects.annotate(people=Count("person"))
        return teams.filter(people__gt=0).union(teams.filter(people=0)).order_by("name")


class Pages(LimitOffsetPagination):
    default_limit = 1


class PagedTeamViewSet(TeamViewSet):
    pagination_class = Pages


class ValuesViewSet(TeamViewSet):
    def get_queryset(self):
        teams = Team.objects.annotate(people=Count("person")).values("name", "people")
        return teams.filter(people__gt=0).union(teams.filter(people=0))


def get(viewset, tag=""):
    request = APIRequestFactory().get("/", headers={"If-None-Match": tag} if tag else {})
    return viewset.as_view({"get": "list"})(request)


@pytest.mark.parametrize("viewset", [TeamViewSet, PagedTeamViewSet])
def test_the_tag_of_a_list_changes_with_an_annotation_of_a_union(viewset):
    team = Team.objects.create(name="a")
    tag = get(viewset)["ETag"]
    assert get(viewset, tag).status_code == 304
    Person.objects.create(name="x", team=team)
    answer = get(viewset, tag)
    assert answer.status_code == 200
    assert answer["ETag"] != tag
    assert get(viewset, answer["ETag"]).status_code == 304


def test_a_list_of_a_union_of_values_has_no_tag():
    Team.objects.create(name="a")
    answer = get(ValuesViewSet)
    assert (answer.status_code, answer.has_header("ETag")) == (200, False)
