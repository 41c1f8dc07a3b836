"""Nothing is evaluated or formatted twice in one request: each hook of the view is called once."""

from collections import Counter

import pytest
from django.urls import include, path
from rest_framework import serializers
from rest_framework.pagination import PageNumberPagination
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.http import preconditions
from etag_versioning.rest_framework import pagination, versioning
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from etag_versioning.sources.rows import Row
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

calls = Counter()


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def get_if_match(self):
        calls["get_if_match"] += 1
        return super().get_if_match()


class TermsViewSet(PersonViewSet):
    def get_etag_extra(self):
        calls[f"get_etag_extra of {self.request.method} {self.action}"] += 1
        return ["term"]

    def get_representation(self):
        calls[f"get_representation of {self.request.method} {self.action}"] += 1
        return super().get_representation()

    def get_queryset(self):
        if self.action == "list":
            calls["get_queryset"] += 1
        return super().get_queryset().order_by("pk")


class Pages(PageNumberPagination):
    page_size = 2


class PagesViewSet(TermsViewSet):
    pagination_class = Pages


router = SimpleRouter()
router.register("people", PersonViewSet, basename="person")
router.register("terms", TermsViewSet, basename="terms")
router.register("pages", PagesViewSet, basename="pages")
urlpatterns = [path("", include(router.urls))]


@pytest.fixture
def person():
    return Person.objects.create(name="a")


@pytest.fixture
def counted(monkeypatch):
    """Counts what the package itself does in a request."""
    validators, evaluate = Row.validators, preconditions.evaluate

    def counted_validators(self, *args):
        calls["validators"] += 1
        return validators(self, *args)

    def counted_evaluate(*args):
        calls["evaluate"] += 1
        return evaluate(*args)

    monkeypatch.setattr(Row, "validators", counted_validators)
    monkeypatch.setattr(versioning, "evaluate", counted_evaluate)
    calls.clear()


def request(method, url, data=None, **headers):
    send = getattr(APIClient(), method)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = send(url, data, format="json", headers=headers)
    return answer


def tag_of(url):
    tag = request("get", url)["ETag"]
    calls.clear()
    return tag


def test_a_hit_builds_the_tag_and_evaluates_once(person, counted):
    url = f"/terms/{person.pk}/"
    assert request("get", url, If_None_Match=tag_of(url)).status_code == 304
    assert calls == {
        "validators": 1,
        "evaluate": 1,
        "get_etag_extra of GET retrieve": 1,
        "get_representation of GET retrieve": 1,
    }


def test_a_miss_builds_the_tag_and_evaluates_once(person, counted):
    url = f"/terms/{person.pk}/"
    assert request("get", url, If_None_Match='"other"').status_code == 200
    assert calls == {
        "validators": 1,
        "evaluate": 1,
        "get_etag_extra of GET retrieve": 1,
        "get_representation of GET retrieve": 1,
    }


def test_a_read_without_a_header_builds_the_tag_once_and_evaluates_nothing(person, counted):
    assert request("get", f"/terms/{person.pk}/").status_code == 200
    assert calls == {
        "validators": 1,
        "get_etag_extra of GET retrieve": 1,
        "get_representation of GET retrieve": 1,
    }


@pytest.fixture
def pages(monkeypatch):
    """Counts the tags that are made of pages."""
    made = []
    page_validators = pagination.page_validators

    def counted_page_validators(*args):
        made.append(args)
        return page_validators(*args)

    monkeypatch.setattr(pagination, "page_validators", counted_page_validators)
    return made


@pytest.mark.parametrize("url", ["/terms/", "/pages/"])
def test_a_list_that_is_missed_makes_its_tag_once(person, pages, counted, url):
    answer = request("get", url, If_None_Match='"other"')
    assert answer.status_code == 200
    assert len(pages) == 1
    assert calls == {
        "evaluate": 1,
        "get_queryset": 1,
        "get_etag_extra of GET list": 1,
        "get_representation of GET list": 1,
    }
    assert request("get", url, If_None_Match=answer["ETag"]).status_code == 304
    assert len(pages) == 2


@pytest.mark.parametrize("url", ["/terms/", "/pages/"])
def test_a_list_that_is_written_before_it_is_shown_has_the_tag_of_what_is_shown(
    person, monkeypatch, url
):
    check_preconditions = versioning.Versioning.check_preconditions

    def written_then(self, current, **kwargs):
        monkeypatch.undo()
        Person.objects.update(name="b")
        return check_preconditions(self, current, **kwargs)

    monkeypatch.setattr(versioning.Versioning, "check_preconditions", written_then)
    answer = request("get", url, If_None_Match='"other"')
    assert b'"b"' in answer.content
    assert answer["ETag"] == request("get", url)["ETag"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_write_reads_the_state_before_and_builds_the_tag_after(person, counted, method):
    url = f"/people/{person.pk}/"
    tag = tag_of(url)
    assert request(method, url, {"name": "b"}, If_Match=tag).status_code == 200
    assert calls == {"validators": 2, "evaluate": 1, "get_if_match": 1}


def test_a_write_asks_for_the_terms_once_for_each_method_that_they_may_depend_on(person, counted):
    url = f"/terms/{person.pk}/"
    tag = tag_of(url)
    answer = request("patch", url, {"name": "b"}, If_Match=tag)
    assert answer.status_code == 200
    assert calls == {
        "validators": 2,
        "evaluate": 1,
        "get_if_match": 1,
        "get_etag_extra of PATCH partial_update": 1,
        "get_etag_extra of GET retrieve": 1,
        "get_representation of PATCH partial_update": 1,
        "get_representation of GET retrieve": 1,
    }
    assert answer["ETag"] == tag_of(url)


def test_a_stale_write_builds_the_tag_that_it_shows_once(person, counted):
    url = f"/terms/{person.pk}/"
    tag = tag_of(url)
    answer = request("patch", url, {"name": "b"}, If_Match='"person-1-v0.0"')
    assert answer.status_code == 412
    assert answer["ETag"] == tag
    assert calls == {
        "validators": 2,
        "evaluate": 1,
        "get_if_match": 1,
        "get_etag_extra of GET retrieve": 1,
        "get_representation of GET retrieve": 1,
    }


def test_terms_that_a_write_changes_are_asked_for_after_it(person, monkeypatch):
    def get_etag_extra(self):
        return list(Person.objects.values_list("name", flat=True))

    monkeypatch.setattr(PersonViewSet, "get_etag_extra", get_etag_extra)
    url = f"/people/{person.pk}/"
    for condition in ({}, {"If_None_Match": '"other"'}):
        tag = request("get", url)["ETag"]
        name = f"{person.name}+"
        person.name = name
        answer = request("patch", url, {"name": name}, If_Match=tag, **condition)
        assert answer.status_code == 200
        assert answer["ETag"] == request("get", url)["ETag"]


def test_a_write_with_if_none_match_compares_the_whole_tag(person):
    url = f"/terms/{person.pk}/"
    tag = request("get", url)["ETag"]
    answer = request("patch", url, {"name": "b"}, If_Match=tag, If_None_Match=tag)
    assert answer.status_code == 412
