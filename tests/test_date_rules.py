"""A date is shown, and answered 304, only where the tag depends on the row's state alone."""

import os
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from django.utils.http import http_date
from django.views.decorators.http import condition

from etag_versioning.decorators import (
    etag_func,
    file_etag_func,
    file_last_modified_func,
    last_modified_func,
    versioned_condition,
)
from tests.testapp.models import Person, Team

pytestmark = pytest.mark.django_db


def show(request, **kwargs):
    return HttpResponse("shown")


def annotated(request, pk):
    from django.db.models import Count

    return Person.objects.annotate(count=Count("team")).filter(pk=pk)


def latest(request, pk):
    return Person.objects.order_by("-days")[:1]


@pytest.fixture
def person():
    person = Person.objects.create(name="a", team=Team.objects.create(name="t"))
    Person.objects.unversioned().update(updated_at=timezone.now() - timedelta(minutes=5))
    Team.objects.unversioned().update(updated_at=timezone.now() - timedelta(minutes=5))
    return person


def get(view, person, path="/"):
    headers = {"If-Modified-Since": http_date(timezone.now().timestamp())}
    answer = view(RequestFactory().get(path, headers=headers), pk=person.pk)
    return answer.status_code, "Last-Modified" in answer


def test_of_one_row_by_its_key_the_date_is_shown_and_answered_304(person):
    assert get(versioned_condition(Person)(show), person) == (304, True)


@pytest.mark.parametrize(
    "view",
    [
        versioned_condition(Person, etag_extra=["de"])(show),
        versioned_condition(Person, etag_func(Team))(show),
        versioned_condition(Person, lambda request, pk: Team.objects.all())(show),
        versioned_condition(annotated, lookup_field="pk")(show),
        versioned_condition(latest)(show),
        versioned_condition(
            lambda request, pk: Person.objects, lookup_field="name", lookup_url_kwarg="pk"
        )(show),
    ],
    ids=["terms", "row", "page", "annotation", "latest", "name"],
)
def test_with_anything_else_in_the_tag_no_date_is_shown_or_answered(person, view):
    Person.objects.unversioned().update(name=str(person.pk))
    assert get(view, person) == (200, False)


def test_a_query_string_and_a_revision_have_no_date_either(person, settings):
    view = versioned_condition(Person)(show)
    djangos = condition(etag_func(Person), last_modified_func(Person))(show)
    for each in (view, djangos):
        assert get(each, person, "/?page=2") == (200, False)
    settings.ETAG_VERSIONING = {"REVISION": "r2"}
    for each in (view, djangos):
        assert get(each, person) == (200, False)


def test_the_date_of_the_state_still_guards_a_write(person):
    view = versioned_condition(Person, etag_extra=["de"], allow_unmodified_since=True)(show)

    def put(moment):
        headers = {"If-Unmodified-Since": http_date(moment.timestamp())}
        return view(RequestFactory().put("/", headers=headers), pk=person.pk).status_code

    assert put(timezone.now()) == 200
    assert put(timezone.now() - timedelta(hours=1)) == 412


def test_no_date_guards_a_row_that_can_be_another_tomorrow(person):
    view = versioned_condition(latest, allow_unmodified_since=True)(show)
    headers = {"If-Unmodified-Since": http_date(timezone.now().timestamp())}
    answer = view(RequestFactory().put("/", headers=headers), pk=person.pk)
    assert answer.status_code == 428


@pytest.mark.parametrize("moment", [0, 1, 315532800])
def test_a_file_of_a_reproducible_build_has_neither_tag_nor_date(tmp_path, moment):
    file = tmp_path / "a.txt"
    file.write_text("a")
    os.utime(file, (moment, moment))
    arguments = (tmp_path, "name")
    request = RequestFactory().get("/")
    assert file_etag_func(*arguments)(request, name="a.txt") is None
    assert file_last_modified_func(*arguments)(request, name="a.txt") is None


def test_a_file_that_can_be_another_tomorrow_has_a_tag_and_no_date(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("a")
    os.utime(file, (10**9, 10**9))
    request = RequestFactory().get("/")
    assert file_etag_func(lambda request: file)(request)
    assert file_last_modified_func(lambda request: file)(request) is None
    assert file_last_modified_func(file)(request) is not None
