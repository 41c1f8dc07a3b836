"""Lists that are searched, ordered, filtered and cut; and cheap validators, with what they miss."""

import tracemalloc
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.testapp.models import Counter, Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.list_views")]

ADDRESSES = [
    "/people/?search=a",
    "/people/?ordering=-name",
    "/people/?ordering=-doubled,name",
    "/people/?ordering=team__name,name",
    "/people/?days=1",
    "/people/?team__name=t&search=a&ordering=-name",
    "/pages/",
    "/pages/?page=2&ordering=-name",
    "/pages/?size=3&search=a",
    "/pages/?page=last",
    "/slices/?limit=3&offset=1&ordering=-days,name",
    "/slices/?offset=99",
    "/cursors/",
    "/tied/",
    "/doubled/",
    "/teams/",
    "/distinct/",
]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def people():
    teams = [Team.objects.create(name=name) for name in "tu"]
    return [
        Person.objects.create(name=name, days=number % 3, team=teams[number % 2])
        for number, name in enumerate(["a", "ab", "b", "ca", "d"])
    ]


def is_304(client, url, tag, **headers):
    answer = client.get(url, headers={"If-None-Match": tag, **headers})
    assert answer.status_code in (200, 304)
    return answer.status_code == 304


@pytest.mark.parametrize("url", ADDRESSES)
def test_304_until_something_on_the_page_is_written(client, people, url):
    full = client.get(url)
    assert is_304(client, url, full["ETag"])
    data = full.json()
    items = data["results"] if isinstance(data, dict) else data
    model = Team if url.startswith(("/teams/", "/distinct/")) else Person
    shown = [item["id"] for item in items]
    for key in shown:
        tag = client.get(url)["ETag"]
        assert is_304(client, url, tag)
        model.objects.filter(pk=key).update(name=model.objects.get(pk=key).name)
        assert not is_304(client, url, tag)
    # What is not on the page does not change it.
    tag = client.get(url)["ETag"]
    model.objects.exclude(pk__in=shown).update(name="a")
    if "search" not in url and "ordering" not in url:
        assert is_304(client, url, tag)


@pytest.mark.parametrize("url", ADDRESSES)
@pytest.mark.usefixtures("people")
def test_304_costs_no_more_statements_than_the_page_and_no_join_for_the_serializer(client, url):
    with CaptureQueriesContext(connection) as full:
        tag = client.get(url)["ETag"]
    with CaptureQueriesContext(connection) as narrow:
        assert is_304(client, url, tag)
    assert len(narrow) <= len(full)
    assert len(narrow) <= (2 if url.startswith(("/pages", "/slices", "/teams", "/dist")) else 1)


@pytest.mark.usefixtures("people")
def test_each_order_search_and_filter_has_its_tag(client):
    urls = [url for url in ADDRESSES if url.startswith("/people/")]
    tags = {client.get(url)["ETag"] for url in urls}
    assert len(tags) == len(urls)


@pytest.mark.usefixtures("people")
def test_each_user_sees_their_own(client):
    tag = client.get("/mine/", headers={"X-User": "a"})["ETag"]
    assert is_304(client, "/mine/", tag, **{"X-User": "a"})
    assert not is_304(client, "/mine/", tag, **{"X-User": "b"})


def test_a_filter_that_is_wrong_is_400_with_preconditions_too(client):
    for headers in ({}, {"If-None-Match": "*"}):
        answer = client.get("/people/?days=x", headers=headers)
        assert answer.status_code == 400
        assert "ETag" not in answer


@pytest.mark.usefixtures("people")
def test_a_value_that_is_computed_stands_in_the_tag(client):
    tag = client.get("/people/")["ETag"]
    Person.objects.unversioned().update(days=7)
    assert not is_304(client, "/people/", tag)


@pytest.mark.usefixtures("people")
def test_rows_that_are_dictionaries_have_no_tag(client):
    with CaptureQueriesContext(connection) as queries:
        answer = client.get("/values/", headers={"If-None-Match": '"x"'})
    assert answer.status_code == 200
    assert "ETag" not in answer
    assert len(queries) == 1


class TestTies:
    """Rows with the same place in the order, which a database may give in any."""

    def test_all_pages_are_304(self, client):
        for name in "abcdefg":
            Person.objects.create(name=name, days=1)
        url, pages = "/tied/", 0
        while url:
            full = client.get(url)
            assert is_304(client, url, full["ETag"])
            url, pages = full.json()["next"], pages + 1
        assert pages == 4

    def test_a_page_that_the_narrow_query_saw_otherwise_is_304_still(self, client, monkeypatch):
        """A 200 never carries a tag that the client has just sent."""
        for name in "abc":
            Person.objects.create(name=name, days=1)
        tag = client.get("/tied/")["ETag"]
        monkeypatch.setattr(
            "etag_versioning.rest_framework.reads.validators_of_page", lambda view: None
        )
        assert is_304(client, "/tied/", tag)


def test_a_list_without_pages_streams_its_keys(client):
    if connection.vendor == "mysql":
        pytest.skip("its driver fetches whatever a query selects")
    peaks = []
    for count in (4_000, 16_000):
        Person.objects.bulk_create(Person(name="n" * 50) for _ in range(count))
        tag = client.get("/people/")["ETag"]
        tracemalloc.start()
        try:
            assert is_304(client, "/people/", tag)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


class TestCheapValidators:
    @pytest.mark.parametrize("kind", ["versions", "timestamps"])
    def test_are_one_aggregate_query(self, client, people, kind):
        url = f"/{kind}/"
        tag = client.get(url)["ETag"]
        with CaptureQueriesContext(connection) as queries:
            assert is_304(client, url, tag)
        (query,) = queries
        assert "MAX(" in query["sql"]
        assert "COUNT(" in query["sql"]
        people[0].save()
        assert not is_304(client, url, tag)
        tag = client.get(url)["ETag"]
        people[1].delete()
        assert not is_304(client, url, tag)

    def test_are_of_the_rows_that_are_asked_for(self, client, people):
        tag = client.get("/timestamps/?days=1")["ETag"]
        people[0].save()
        assert is_304(client, "/timestamps/?days=1", tag)

    def test_max_version_misses_the_update_of_another_row(self, client, people):
        people[2].save()
        tag, exact = (client.get(url)["ETag"] for url in ("/versions/", "/people/"))
        Person.objects.filter(pk=people[0].pk).update(name="changed")
        assert is_304(client, "/versions/", tag)
        assert not is_304(client, "/people/", exact)

    def test_max_version_misses_a_row_that_takes_anothers_place(self, client, people):
        people[2].save()
        tag, exact = (client.get(url)["ETag"] for url in ("/versions/", "/people/"))
        people[0].delete()
        Person.objects.create(name="new")
        assert is_304(client, "/versions/", tag)
        assert not is_304(client, "/people/", exact)

    def test_max_updated_at_misses_a_row_with_an_older_timestamp(self, client, people):
        tag, exact = (client.get(url)["ETag"] for url in ("/timestamps/", "/people/"))
        people[0].delete()
        old = people[1].updated_at - timedelta(days=1)
        Person.objects.bulk_create([Person(name="imported")])
        Person.objects.unversioned().filter(name="imported").update(updated_at=old)
        assert is_304(client, "/timestamps/", tag)
        assert not is_304(client, "/people/", exact)

    def test_max_updated_at_needs_a_timestamp(self, client):
        Counter.objects.create()
        with pytest.raises(ImproperlyConfigured, match="list_validator = max_version_and_count"):
            client.get("/counters/")
