"""Several sources of one answer: one tag, one validator query each, and one row under guard."""

import itertools
import os
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from django.utils.http import http_date
from django.views.decorators.http import condition

from etag_versioning.decorators import (
    etag_func,
    file_etag_func,
    last_modified_func,
    revision_etag_func,
    versioned_condition,
)
from tests.testapp.models import Person, Team
from tests.views import async_view, view

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

photo = None  # Set by the fixture: a function names it.


def photo_of(request, pk):
    return photo


def team_page(request, pk):
    return Person.objects.filter(team__person=pk).order_by("pk")[:3]


team_row = etag_func(Team, lookup_field="person", lookup_url_kwarg="pk")
team_date = last_modified_func(Team, lookup_field="person", lookup_url_kwarg="pk")

SOURCES = {
    "page": (Person, team_page),
    "row": (Person, team_row),
    "file": (Person, file_etag_func(photo_of)),
    "all": (Person, team_page, team_row, file_etag_func(photo_of), revision_etag_func("r1")),
}

urlpatterns = [
    *(
        path(f"{name}/<int:pk>/", versioned_condition(*sources)(view))
        for name, sources in SOURCES.items()
    ),
    path("async/<int:pk>/", versioned_condition(*SOURCES["all"])(async_view)),
    path(
        "django/<int:pk>/",
        condition(etag_func(*SOURCES["all"]), last_modified_func(*SOURCES["all"]))(view),
    ),
    path(
        "dated/<int:pk>/",
        condition(etag_func(Person, team_row), last_modified_func(Person, team_row))(view),
    ),
    path("about/", versioned_condition(revision_etag_func())(lambda request: HttpResponse("us"))),
]


def minutes_ago(number):
    return timezone.now() - timedelta(minutes=number)


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    file = tmp_path / "photo.png"
    file.write_bytes(b"photo")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    monkeypatch.setattr(f"{__name__}.photo", file)
    return file


@pytest.fixture
def team():
    team = Team.objects.create(name="a")
    for name in "abcd":
        Person.objects.create(name=name, team=team)
    Person.objects.update(updated_at=minutes_ago(3))
    Team.objects.update(updated_at=minutes_ago(2))
    return team


@pytest.fixture
def person(team):
    return Person.objects.get(name="a")


def get(kind, person, **headers):
    return Client().get(f"/{kind}/{person.pk}/", headers=headers)


CHANGES = {
    "row": lambda person, file: Person.objects.filter(pk=person.pk).update(days=5),
    "page": lambda person, file: Person.objects.filter(name="b").update(days=5),
    "page's order": lambda person, file: Person.objects.filter(name="b").delete(),
    "team": lambda person, file: Team.objects.update(name="b"),
    "file": lambda person, file: os.utime(file, (1_700_000_001, 1_700_000_001)),
    "file's absence": lambda person, file: file.unlink(),
    "beyond the page": lambda person, file: Person.objects.filter(name="d").update(days=5),
}
SEEN = {
    "page": {"row", "page", "page's order"},
    "row": {"row", "team"},
    "file": {"row", "file", "file's absence"},
    "all": set(CHANGES) - {"beyond the page"},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", [*SEEN, "async", "django"])
@pytest.mark.django_db(transaction=True)
def test_the_tag_changes_with_each_source_that_the_answer_shows_and_with_nothing_else(
    person, file, kind, change
):
    tag = get(kind, person)["ETag"]
    assert get(kind, person, **{"If-None-Match": tag}).status_code == 304
    CHANGES[change](person, file)
    answer = get(kind, person, **{"If-None-Match": tag})
    seen = change in SEEN.get(kind, SEEN["all"])
    assert answer.status_code == (200 if seen else 304)
    assert (answer["ETag"] != tag) is seen


@pytest.mark.parametrize(
    ("kind", "queries"), [("page", 2), ("row", 2), ("file", 1), ("all", 3), ("django", 3)]
)
def test_a_304_takes_one_validator_query_for_each_source(
    person, kind, queries, django_assert_num_queries
):
    tag = get(kind, person)["ETag"]
    with django_assert_num_queries(queries) as captured:
        assert get(kind, person, **{"If-None-Match": tag}).status_code == 304
    for query in captured:
        selected = query["sql"].partition(" FROM ")[0]
        assert "name" not in selected
        assert "days" not in selected


def test_no_two_combinations_have_one_tag(person, team, rf):
    """The same rows and absences, in another order, or divided in another way."""
    pages = [Person.objects.filter(name__in=names).order_by("pk") for names in ("a", "b", "ab", "")]
    nothing = file_etag_func(lambda request, pk: None)
    others = [*pages, team_row, nothing, revision_etag_func("r1"), revision_etag_func("r2")]
    choices = [
        choice for length in range(4) for choice in itertools.permutations(others, length)
    ] + [(nothing, nothing), (pages[0], pages[0])]
    tags = {etag_func(Person, *choice)(rf.get("/"), pk=person.pk) for choice in choices}
    assert len(tags) == len(choices)
    assert None not in tags


def test_the_state_is_the_first_ones(person):
    plain = etag_func(Person)(None or _request(), pk=person.pk)
    tag = get("all", person)["ETag"]
    assert tag.startswith(plain[:-1] + "~")


def _request():
    from django.test import RequestFactory

    return RequestFactory().get("/")


class TestWrites:
    @pytest.mark.parametrize("change", ["page", "team", "file"])
    @pytest.mark.parametrize("kind", ["all", "async"])
    @pytest.mark.django_db(transaction=True)
    def test_are_guarded_by_the_row_alone(self, person, file, kind, change):
        url = f"/{kind}/{person.pk}/"
        tag = Client().get(url)["ETag"]
        CHANGES[change](person, file)
        assert Client().put(url, headers={"If-Match": tag}).status_code == 200
        stale = Client().put(url, headers={"If-Match": tag})
        assert stale.status_code == 412
        assert stale["ETag"] == Client().get(url)["ETag"]
        assert Client().put(url, headers={"If-Match": stale["ETag"]}).status_code == 200
        assert Person.objects.get(pk=person.pk).days == 2

    def test_answer_with_a_tag_that_guards_the_next_and_revalidates_nothing(self, person, settings):
        url = f"/all/{person.pk}/"
        for comparison in ("state", "strong"):
            settings.ETAG_VERSIONING = {"IF_MATCH": comparison}
            tag = Client().get(url)["ETag"]
            first = Client().put(url, headers={"If-Match": tag})
            second = Client().put(url, headers={"If-Match": first["ETag"]})
            assert (first.status_code, second.status_code) == (200, 200)
            answer = Client().get(url, headers={"If-None-Match": second["ETag"]})
            assert answer.status_code == 200

    def test_to_the_letter_compare_all(self, person, file, settings):
        settings.ETAG_VERSIONING = {"IF_MATCH": "strong"}
        url = f"/all/{person.pk}/"
        tag = Client().get(url)["ETag"]
        CHANGES["file"](person, file)
        assert Client().put(url, headers={"If-Match": tag}).status_code == 412


class TestDates:
    @pytest.mark.parametrize("kind", ["row", "file"])
    def test_several_sources_have_none(self, person, kind):
        """An older row or file can take the place of another, and no date would tell."""
        answer = get(kind, person)
        assert "ETag" in answer
        assert "Last-Modified" not in answer
        future = {"If-Modified-Since": http_date(timezone.now().timestamp() + 1000)}
        assert get(kind, person, **future).status_code == 200

    @pytest.mark.parametrize("kind", ["page", "all", "django"])
    def test_a_page_has_none(self, person, kind):
        """The deletion of a row would not move it."""
        answer = get(kind, person)
        assert "Last-Modified" not in answer
        future = {"If-Modified-Since": http_date(timezone.now().timestamp() + 1000)}
        assert get(kind, person, **future).status_code == 200


def test_a_source_that_may_change_unseen_takes_the_tag_with_it(person, file, monkeypatch):
    moment = 1_700_000_000 * 10**9
    monkeypatch.setattr("etag_versioning.sources.files.time.time_ns", lambda: moment + 10**8)
    answer = get("file", person)
    assert answer.status_code == 200
    assert "ETag" not in answer


def counted_team(request, pk):
    return Team.objects.filter(person=pk).annotate(people=Count("person"))


@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize(
    "other", [team_page, counted_team, etag_func(counted_team), etag_func(Person, *SOURCES["all"])]
)
def test_the_tag_stays_good_while_the_secret_key_is_replaced(person, settings, rf, other, opaque):
    settings.ETAG_VERSIONING = {"OPAQUE_TAGS": opaque}
    decorated = versioned_condition(Person, other)(view)
    tag = decorated(rf.get("/"), pk=person.pk)["ETag"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    again = decorated(rf.get("/", headers={"If-None-Match": tag}), pk=person.pk)
    assert (again.status_code, again["ETag"]) == (304, tag)
    assert decorated(rf.get("/"), pk=person.pk)["ETag"] != tag
    settings.SECRET_KEY_FALLBACKS = []
    answer = decorated(rf.get("/", headers={"If-None-Match": tag}), pk=person.pk)
    assert answer.status_code == 200


def test_an_absent_row_is_404_whatever_else_there_is(person):
    for kind in ("all", "async"):
        assert Client().get(f"/{kind}/0/").status_code == 404


class TestRevisions:
    def test_are_the_settings(self, client, settings):
        settings.ETAG_VERSIONING = {"REVISION": "r1"}
        tag = client.get("/about/")["ETag"]
        assert client.get("/about/", headers={"If-None-Match": tag}).status_code == 304
        settings.ETAG_VERSIONING = {"REVISION": "r2"}
        assert client.get("/about/", headers={"If-None-Match": tag}).status_code == 200

    def test_cost_no_query(self, client, settings, django_assert_num_queries):
        settings.ETAG_VERSIONING = {"REVISION": "r1"}
        tag = client.get("/about/")["ETag"]
        with django_assert_num_queries(0):
            assert client.get("/about/", headers={"If-None-Match": tag}).status_code == 304

    @pytest.mark.parametrize("revision", ["v1-br", 'a"b', "ä, ö", "1.0~2"])
    def test_of_any_text_are_tags_that_a_proxy_may_lengthen(self, client, settings, revision):
        settings.ETAG_VERSIONING = {"REVISION": revision}
        tag = client.get("/about/")["ETag"]
        assert tag.isascii()
        for form in (tag, f"W/{tag}", f'{tag[:-1]}-gzip"'):
            assert client.get("/about/", headers={"If-None-Match": form}).status_code == 304

    def test_are_not_taken_for_another_that_a_proxy_has_lengthened(self, client, settings):
        settings.ETAG_VERSIONING = {"REVISION": "v1-br"}
        tag = client.get("/about/")["ETag"]
        assert client.get("/about/", headers={"If-Match": tag}).status_code == 200
        settings.ETAG_VERSIONING = {"REVISION": "v1"}
        assert client.get("/about/", headers={"If-None-Match": tag}).status_code == 200

    def test_without_one_are_a_mistake(self, client):
        with pytest.raises(ImproperlyConfigured, match="REVISION"):
            client.get("/about/")


class TestMistakes:
    def test_no_source(self):
        for factory in (etag_func, last_modified_func):
            with pytest.raises(ImproperlyConfigured, match=r"etag_func\(User"):
                factory()

    def test_what_is_no_source(self):
        for sources in (("Person",), (Person, "team"), (Person, lambda request: None, 5)):
            with pytest.raises(ImproperlyConfigured, match="no source of rows"):
                etag_func(*sources)

    def test_lookups_for_a_source_that_has_its_own(self):
        with pytest.raises(ImproperlyConfigured, match="lookups of its own"):
            versioned_condition(team_row, lookup_url_kwarg="pk")
