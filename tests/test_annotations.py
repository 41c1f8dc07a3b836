"""What a queryset computes beside a row stands in its tag, and not in its state."""

import json

import pytest
from django.db.models import Count, F
from django.http import JsonResponse
from django.test import RequestFactory

from etag_versioning.decorators import versioned_condition
from etag_versioning.http.representation import Representation
from etag_versioning.sources.rows import extra_names, row_of
from etag_versioning.sources.validator_query import annotation_names, read_row
from tests.testapp.models import Counter, Person, Team

JSON = Representation("json")

pytestmark = pytest.mark.django_db


def counted(request=None, *args, **kwargs):
    return Team.objects.annotate(people=Count("person"))


@versioned_condition(counted, lookup_field="pk")
def team_detail(request, pk):
    team = counted().get(pk=pk)
    if request.method == "PUT":
        team.name = json.loads(request.body)["name"]
        team.save()
    return JsonResponse({"name": team.name, "people": team.people})


def ask(method, team, data=None, **headers):
    request = getattr(RequestFactory(), method)(
        "/", data, content_type="application/json", headers=headers
    )
    return team_detail(request, pk=team.pk)


def test_annotations_are_in_the_tag_of_a_plain_view():
    team = Team.objects.create(name="t")
    tag = ask("get", team)["ETag"]
    assert ask("get", team, **{"If-None-Match": tag}).status_code == 304
    Person.objects.create(name="a", team=team)
    assert ask("get", team, **{"If-None-Match": tag}).status_code == 200
    answer = ask("put", team, {"name": "u"}, **{"If-Match": tag})
    assert answer.status_code == 200
    assert answer["ETag"] == ask("get", team)["ETag"]
    assert ask("put", team, {"name": "u"}, **{"If-Match": tag}).status_code == 412


PAGES = {
    "annotate": counted,
    "extra": lambda request, pk: Team.objects.extra(
        select={"people": "SELECT COUNT(*) FROM testapp_person WHERE team_id = testapp_team.id"}
    ),
    "distinct": lambda request, pk: counted().distinct(),
    "slice": lambda request, pk: counted().order_by("-people", "pk")[:2],
}


@pytest.mark.parametrize("page", PAGES)
def test_in_a_page_that_a_plain_view_shows(rf, page):
    """Somebody joins a team: neither the person of the address nor the team is written."""
    teams = [Team.objects.create(name=name) for name in "tu"]
    person = Person.objects.create(name="a", team=teams[0])
    view = versioned_condition(Person, PAGES[page])(lambda request, pk: JsonResponse({}))
    tag = view(rf.get("/"), pk=person.pk)["ETag"]
    again = rf.get("/", headers={"If-None-Match": tag})
    assert view(again, pk=person.pk).status_code == 304
    Person.objects.create(name="b", team=teams[0])
    assert view(again, pk=person.pk).status_code == 200


def test_annotation_names_are_those_of_what_is_selected():
    rows = Person.objects
    assert annotation_names(rows.annotate(twice=F("days") * 2)) == ("twice",)
    assert annotation_names(rows.alias(twice=F("days") * 2).filter(twice=0)) == ()
    assert annotation_names(rows.extra(select={"one": "1"})) == ("one",)
    assert annotation_names([]) == ()
    assert annotation_names(rows.all().union(rows.annotate(x=F("days")).values())) == ()


def test_extra_names_are_the_public_attributes_beside_the_fields():
    person = Person.objects.annotate(twice=F("days") * 2).get(pk=Person.objects.create().pk)
    person.shown, person._hidden = 1, 2
    assert extra_names(person) == ["shown", "twice"]


@pytest.mark.parametrize("model", [Person, Counter], ids=["with a timestamp", "without"])
def test_are_the_same_from_the_row_and_from_the_instance(model):
    key = model.objects.create().pk
    queryset = model.objects.filter(pk=key).annotate(one=F("pk") * 0 + 1, two=F("one") + 1)
    read = read_row(queryset)
    assert read.annotations == (1, 2)
    assert row_of(queryset.get(), None, annotation_names(queryset)) == read
    plain = read_row(model.objects.filter(pk=key))
    assert plain.state == read.state
    assert read.validators(JSON).etag != plain.validators(JSON).etag
    assert read.validators(JSON).state == plain.validators(JSON).state
