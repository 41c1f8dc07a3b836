"""The tags of lists: exact, and the same from the validator query as from the rendered page."""

import pytest
from rest_framework.test import APIClient

from tests.testapp.models import Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.views")]

KINDS = ["people", "paged", "limited", "cursor", "own-paginator", "own-envelope"]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def people():
    return [Person.objects.create(name=name) for name in "abcde"]


def pages(client, kind):
    """The addresses of all pages."""
    url = f"/{kind}/"
    while url:
        yield url
        answer = client.get(url).json()
        url = answer.get("next") if isinstance(answer, dict) else None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("people")
def test_an_unchanged_page_is_304(client, kind):
    tags = []
    for url in pages(client, kind):
        full = client.get(url)
        tags.append(full["ETag"])
        answer = client.get(url, headers={"If-None-Match": full["ETag"]})
        assert answer.status_code == 304
        assert answer["ETag"] == full["ETag"]
        assert answer["Cache-Control"] == "private, no-cache"
        assert "Last-Modified" not in full
        assert client.head(url)["ETag"] == full["ETag"]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(("kind", "count"), [("people", 1), ("paged", 2), ("limited", 2)])
@pytest.mark.usefixtures("people")
def test_a_304_takes_one_validator_query_beside_the_paginators_count(
    client, kind, count, django_assert_num_queries
):
    with django_assert_num_queries(count):
        tag = client.get(f"/{kind}/")["ETag"]
    with django_assert_num_queries(count) as queries:
        assert client.get(f"/{kind}/", headers={"If-None-Match": tag}).status_code == 304
    assert '"name"' not in queries[-1]["sql"].replace("`", '"')
    assert "JOIN" not in queries[-1]["sql"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "write",
    [
        lambda people: people[0].save(),
        lambda people: Person.objects.filter(pk=people[0].pk).update(days=4),
        lambda people: people[0].delete(),
        lambda people: Person.objects.create(name="0", pk=-1),
    ],
    ids=["save", "update", "delete", "create"],
)
def test_any_write_on_the_page_changes_its_tag(client, kind, write, people):
    # The first row moves, and not the one with the highest version.
    people[1].save()
    tag = client.get(f"/{kind}/")["ETag"]
    write(people)
    assert client.get(f"/{kind}/", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("kind", ["paged", "limited"])
def test_a_count_that_is_shown_is_in_the_tag(client, kind, people):
    tag = client.get(f"/{kind}/")["ETag"]
    people[-1].delete()
    assert client.get(f"/{kind}/", headers={"If-None-Match": tag}).status_code == 200


def test_a_swap_that_keeps_count_and_maximum_changes_the_tag(client, people):
    people[2].save()
    tag = client.get("/people/")["ETag"]
    key = people[0].pk
    people[0].delete()
    Person.objects.create(pk=key, name="a")
    assert client.get("/people/", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("kind", ["listed", "united"])
def test_a_list_that_is_no_queryset_is_answered(client, kind, people):
    for headers in ({}, {"If-None-Match": '"x"'}):
        answer = client.get(f"/{kind}/", headers=headers)
        assert answer.status_code == 200
        assert len(answer.json()) == len(people)


@pytest.mark.usefixtures("people")
def test_filters_are_in_the_page(client):
    full = client.get("/filtered/?name=a")
    assert full["ETag"] != client.get("/filtered/?name=b")["ETag"]
    answer = client.get("/filtered/?name=a", headers={"If-None-Match": full["ETag"]})
    assert answer.status_code == 304


def test_prefetched_and_distinct_rows(client, django_assert_num_queries):
    Team.objects.create(name="t")
    with django_assert_num_queries(2):
        tag = client.get("/teams/")["ETag"]
    with django_assert_num_queries(1):
        assert client.get("/teams/", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.usefixtures("people")
def test_a_page_that_is_not_there_is_404(client):
    answer = client.get("/paged/?page=99", headers={"If-None-Match": "*"})
    assert answer.status_code == 404


def test_an_empty_list_has_a_tag(client):
    tag = client.get("/people/")["ETag"]
    assert client.get("/people/", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("url", ["/people/", "/pages/", "/versions/", "/timestamps/"])
@pytest.mark.urls("tests.rest_framework.list_views")
@pytest.mark.usefixtures("people")
def test_a_lists_tag_is_keyed_and_good_while_its_key_is_retired(client, url, settings):
    """Annotations, counts and aggregates may be hidden: nobody is to find them by trying."""
    tag = client.get(url)["ETag"]
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    state = client.get(url)["ETag"].partition("~")[0]
    assert state != tag.partition("~")[0]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200
    settings.SECRET_KEY_FALLBACKS = [old]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
