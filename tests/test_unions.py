"""A union of annotated querysets: its tag depends on the annotations, or there is none."""

import pytest
from django.db.models import Count, F, IntegerField, Value
from django.http import JsonResponse
from django.test import RequestFactory

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Person, Team

pytestmark = pytest.mark.django_db


def counted():
    """All teams with the number of their people; the empty ones come by another query."""
    teams = Team.objects.annotate(people=Count("person"))
    return teams.filter(people__gt=0).union(teams.filter(people=0))


def rows(request, pk):
    return counted()


@versioned_condition(Team, rows)
def view(request, pk):
    return JsonResponse({"teams": [[team.name, team.people] for team in counted()]})


def get(view, team, tag=""):
    request = RequestFactory().get("/", headers={"If-None-Match": tag} if tag else {})
    return view(request, pk=team.pk)


def test_a_plain_view_s_tag_changes_with_an_annotation_of_a_union():
    team = Team.objects.create(name="a")
    tag = get(view, team)["ETag"]
    assert get(view, team, tag).status_code == 304
    Person.objects.create(name="x", team=team)
    answer = get(view, team, tag)
    assert (answer.status_code, answer.content) == (200, b'{"teams": [["a", 1]]}')


def test_annotations_of_different_names_are_no_error():
    one = Team.objects.annotate(x=Value(1, IntegerField()))
    other = Team.objects.annotate(y=Value(1, IntegerField()))

    @versioned_condition(Team, lambda request, pk: one.union(other))
    def view(request, pk):
        return JsonResponse({"teams": [team.name for team in one.union(other)]})

    team = Team.objects.create(name="a")
    assert get(view, team, get(view, team)["ETag"]).status_code == 304


def test_a_union_without_annotations_has_the_tag_of_its_rows():
    both = Person.objects.filter(days=1).union(Person.objects.filter(days=2))

    @versioned_condition(Team, both)
    def view(request, pk):
        return JsonResponse({"people": [person.name for person in both.all()]})

    team, person = Team.objects.create(name="a"), Person.objects.create(name="x", days=1)
    tag = get(view, team)["ETag"]
    assert get(view, team, tag).status_code == 304
    person.name = "y"
    person.save()
    assert get(view, team, tag).content == b'{"people": ["y"]}'


def test_a_union_of_values_has_no_tag():
    def values(request, pk):
        people = Person.objects.annotate(double=F("days") * 2).values("name", "double")
        return people.filter(days=1).union(people.filter(days=2))

    @versioned_condition(Team, values)
    def view(request, pk):
        return JsonResponse({"people": list(values(request, pk))})

    team = Team.objects.create(name="a")
    Person.objects.create(name="x", days=1)
    answer = get(view, team)
    assert (answer.status_code, answer.has_header("ETag")) == (200, False)
