"""
A 304 where a permission looks at the object: the object is loaded for it without the joins
and prefetches that only the serializer needs.
"""

import pytest
from django.db.models import Count, Prefetch
from django.urls import path
from rest_framework import permissions, serializers
from rest_framework.generics import RetrieveAPIView
from rest_framework.test import APIClient

from etag_versioning.rest_framework.mixins import VersionedRetrieveMixin
from tests.testapp.models import Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

asked = []


class OfOpenTeam(permissions.BasePermission):
    """Follows a relation of the object."""

    def has_object_permission(self, request, view, obj):
        asked.append(obj)
        return obj.team.name == "open"


class PersonSerializer(serializers.ModelSerializer):
    team = serializers.CharField(source="team.name")
    work = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields = ("id", "name", "team", "work")

    def get_work(self, person):
        shown.append(person)
        return "shown"


shown = []


class PersonView(VersionedRetrieveMixin, RetrieveAPIView):
    queryset = Person.objects.select_related("team")
    serializer_class = PersonSerializer
    permission_classes = (OfOpenTeam,)


class PrefetchingView(PersonView):
    queryset = Person.objects.prefetch_related("team")


class FilteredView(PersonView):
    def get_queryset(self):
        return super().get_queryset().filter(name=self.request.headers.get("X-Name", "a"))


class AnnotatedView(PersonView):
    queryset = Person.objects.select_related("team").annotate(colleagues=Count("team__person"))


class OnlyView(PersonView):
    queryset = Person.objects.select_related("team").only(
        "name", "version", "updated_at", "team__name"
    )


class TeamOfAdults(permissions.BasePermission):
    """Looks at what a ``Prefetch`` has left of the related rows."""

    def has_object_permission(self, request, view, obj):
        asked.append(obj)
        return "child" not in [person.name for person in obj.person_set.all()]


class NamedAdults(permissions.BasePermission):
    """Looks at related rows under the name that a ``Prefetch`` gave them."""

    def has_object_permission(self, request, view, obj):
        return len(obj.adults) == 1


class TeamSerializer(serializers.ModelSerializer):
    class Meta:
        model = Team
        fields = ("id", "name")


ADULTS = Person.objects.exclude(name="child")


class TeamView(VersionedRetrieveMixin, RetrieveAPIView):
    queryset = Team.objects.prefetch_related(Prefetch("person_set", queryset=ADULTS))
    serializer_class = TeamSerializer
    permission_classes = (TeamOfAdults,)


class NamedTeamView(TeamView):
    queryset = Team.objects.prefetch_related(
        Prefetch("person_set", queryset=ADULTS, to_attr="adults")
    )
    permission_classes = (NamedAdults,)


urlpatterns = [
    path("teams/<int:pk>/", TeamView.as_view()),
    path("named-teams/<int:pk>/", NamedTeamView.as_view()),
    path("selected/<int:pk>/", PersonView.as_view()),
    path("prefetched/<int:pk>/", PrefetchingView.as_view()),
    path("filtered/<int:pk>/", FilteredView.as_view()),
    path("annotated/<int:pk>/", AnnotatedView.as_view()),
    path("only/<int:pk>/", OnlyView.as_view()),
]
VIEWS = ["selected", "prefetched", "filtered", "annotated", "only"]


@pytest.fixture(autouse=True)
def nobody_was_asked():
    asked.clear()
    shown.clear()


@pytest.fixture
def person():
    return Person.objects.create(name="a", team=Team.objects.create(name="open"))


def get(url, tag=None, **headers):
    if tag is not None:
        headers["If-None-Match"] = tag
    return APIClient().get(url, headers=headers)


@pytest.mark.parametrize("view", VIEWS)
def test_the_permission_is_asked_about_an_object_without_its_relations(person, view):
    url = f"/{view}/{person.pk}/"
    tag = get(url)["ETag"]
    asked.clear()
    assert get(url, tag).status_code == 304
    (looked_at,) = asked
    assert looked_at == person
    assert getattr(looked_at, "_prefetched_objects_cache", {}) == {}


@pytest.mark.parametrize("view", ["selected", "filtered", "annotated", "only"])
def test_a_304_makes_no_join(person, view, django_assert_num_queries):
    url = f"/{view}/{person.pk}/"
    tag = get(url)["ETag"]
    with django_assert_num_queries(2) as queries:
        assert get(url, tag).status_code == 304
    of_the_row, of_the_team = (query["sql"] for query in queries)
    assert Team._meta.db_table in of_the_team.partition("WHERE")[0]
    selected = of_the_row.partition("FROM")[0]
    assert '"testapp_team"."name"' not in selected.replace("`", '"')


@pytest.mark.parametrize("view", VIEWS)
def test_a_user_who_may_not_see_the_object_gets_403_with_any_tag(person, view):
    url = f"/{view}/{person.pk}/"
    tag = get(url)["ETag"]
    Team.objects.update(name="closed")
    for value in (tag, "*", '"other"'):
        answer = get(url, value)
        assert answer.status_code == 403
        assert "ETag" not in answer


@pytest.mark.parametrize("view", VIEWS)
def test_a_miss_asks_once_and_shows_the_object_with_its_relations(person, view):
    url = f"/{view}/{person.pk}/"
    answer = get(url, '"other"')
    assert answer.status_code == 200
    assert answer.data["team"] == "open"
    assert len(asked) == 1
    (instance,) = shown
    assert instance is not asked[0]
    assert Person._meta.get_field("team").is_cached(instance)


def test_a_row_that_is_written_before_it_is_shown_is_asked_for_again(person, monkeypatch):
    url = f"/selected/{person.pk}/"

    def has_object_permission(self, request, view, obj):
        asked.append(obj.name)
        if len(asked) == 1:
            Person.objects.filter(pk=obj.pk).update(name="secret")
        return obj.name != "secret"

    monkeypatch.setattr(OfOpenTeam, "has_object_permission", has_object_permission)
    assert get(url, '"other"').status_code == 403
    assert asked == ["a", "secret"]


def test_a_row_that_the_queryset_does_not_have_is_404(person):
    url = f"/filtered/{person.pk}/"
    tag = get(url)["ETag"]
    assert get(url, tag, **{"X-Name": "b"}).status_code == 404
    assert get("/selected/0/", "*").status_code == 404
    assert asked == [person]


def test_a_tag_of_a_304_is_that_of_the_200(person):
    for view in VIEWS:
        url = f"/{view}/{person.pk}/"
        shown_tag = get(url)["ETag"]
        assert get(url, shown_tag)["ETag"] == shown_tag
        Person.objects.get(pk=person.pk).save()
        assert get(url, shown_tag).status_code == 200


@pytest.mark.parametrize("view", ["teams", "named-teams"])
def test_a_permission_sees_what_a_prefetch_object_has_left_of_the_related_rows(person, view):
    Person.objects.create(name="child", team=person.team)
    url = f"/{view}/{person.team.pk}/"
    answer = get(url)
    assert answer.status_code == 200
    assert get(url, answer["ETag"]).status_code == 304
