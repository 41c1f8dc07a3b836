"""
What the RFCs ask of an origin server, one by one, at a decorated view.

Each row names the section, and is answered by Django's whole handler. What the
sections mean for every combination of headers is in test_preconditions.py.
"""

from datetime import timedelta

import pytest
from django.http import HttpResponse, HttpResponseForbidden
from django.urls import path
from django.utils import timezone
from django.utils.http import http_date

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "OPTIONS"]


def view(request, pk):
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        Person.objects.filter(pk=pk).update(days=99)
    return HttpResponse("x" * 10, headers={"Content-Length": "10"})


def refused(request, pk):
    return HttpResponseForbidden()


def above(view):
    """Access is decided above the preconditions."""

    def inner(request, pk):
        return view(request, pk) if request.headers.get("X-User") else HttpResponseForbidden()

    return inner


urlpatterns = [
    path("required/<int:pk>/", versioned_condition(Person, methods=METHODS)(view)),
    path("optional/<int:pk>/", versioned_condition(Person, if_match="optional")(view)),
    path("secret/<int:pk>/", above(versioned_condition(Person)(view))),
    path("refused/<int:pk>/", versioned_condition(Person, if_match="optional")(refused)),
]


@pytest.fixture
def person():
    Person.objects.create(name="a")
    Person.objects.update(updated_at=timezone.now() - timedelta(hours=1), version=1)
    return Person.objects.get()


# {tag} is the current tag with its quotes, {opaque} what is between them, {lm} the
# Last-Modified, {before} a minute earlier, {after} a minute later.
ROWS = [
    # Field syntax.
    ("9110 §5.6.1", "empty elements", "GET", {"If-None-Match": ', , {tag} ,"b",'}, 304),
    ("9110 §8.8.3", "commas in a tag", "GET", {"If-None-Match": '"a,b", {tag}'}, 304),
    ("9110 §8.8.3", "a tag in a tag", "GET", {"If-None-Match": '"a,{opaque},b"'}, 200),
    ("9110 §8.8.3", "the empty tag", "GET", {"If-None-Match": '""'}, 200),
    ("9110 §8.8.3", "W/ in capitals only", "GET", {"If-None-Match": "w/{tag}"}, 200),
    ("9110 §8.8.3", "no space in a tag", "PUT", {"If-Match": '"a b", {tag}'}, 412),
    ("9110 §5.5", "obs-text", "GET", {"If-None-Match": '"\xe4", {tag}'}, 304),
    ("9110 §13.1.1", "* beside a tag is no list", "PUT", {"If-Match": "*, {tag}"}, 412),
    ("9110 §13.1.1", "a malformed If-Match is false", "PUT", {"If-Match": "{opaque}"}, 412),
    ("9110 §13.1.1", "an empty If-Match is false", "PUT", {"If-Match": ""}, 412),
    ("9110 §13.1.1", "a stale If-Match is false", "PUT", {"If-Match": '"a"'}, 412),
    ("9110 §13.1.1", "a stale If-Match, GET", "GET", {"If-Match": '"a"'}, 412),
    ("9110 §13.1.1", "* and there is a row", "PUT", {"If-Match": "*"}, 200),
    ("9110 §13.1.2", "a malformed one is true", "GET", {"If-None-Match": "{opaque}"}, 200),
    ("9110 §13.1.2", "weak comparison", "GET", {"If-None-Match": "W/{tag}"}, 304),
    ("9110 §13.1.2", "* and there is a row", "GET", {"If-None-Match": "*"}, 304),
    ("9110 §13.1.2", "* on HEAD", "HEAD", {"If-None-Match": "*"}, 304),
    ("9110 §13.1.2", "* on a write", "PUT", {"If-Match": "{tag}", "If-None-Match": "*"}, 412),
    ("9110 §13.1.2", "a match on a write", "POST", {"If-None-Match": "{tag}"}, 412),
    ("9111 §4.3.2", "a union of tags", "GET", {"If-None-Match": '"a", {tag}, "b"'}, 304),
    # Dates.
    ("9110 §13.1.3", "not modified since", "GET", {"If-Modified-Since": "{lm}"}, 304),
    ("9110 §13.1.3", "modified since", "GET", {"If-Modified-Since": "{before}"}, 200),
    ("9110 §13.1.3", "no date", "GET", {"If-Modified-Since": "2026-01-01"}, 200),
    ("9110 §13.1.3", "two dates", "GET", {"If-Modified-Since": "{after}, {after}"}, 200),
    ("9110 §13.1.3", "ignored beside If-None-Match", "GET",
     {"If-None-Match": '"a"', "If-Modified-Since": "{after}"}, 200),
    ("9110 §13.1.3", "ignored beside a malformed one", "GET",
     {"If-None-Match": "a", "If-Modified-Since": "{after}"}, 200),
    ("9110 §13.1.3", "ignored on a write", "PUT",
     {"If-Match": "{tag}", "If-Modified-Since": "{after}"}, 200),
    ("9110 §13.1.4", "modified since", "GET", {"If-Unmodified-Since": "{before}"}, 412),
    ("9110 §13.1.4", "not modified since", "GET", {"If-Unmodified-Since": "{lm}"}, 200),
    ("9110 §13.1.4", "no date", "GET", {"If-Unmodified-Since": "yesterday"}, 200),
    ("9110 §13.1.4", "ignored beside If-Match", "PUT",
     {"If-Match": "{tag}", "If-Unmodified-Since": "{before}"}, 200),
    ("9110 §13.1.4", "ignored beside a malformed If-Match", "PUT",
     {"If-Match": "a", "If-Unmodified-Since": "{after}"}, 412),
    ("9110 §13.1.5", "no ranges here", "GET", {"If-Range": "{tag}", "Range": "bytes=0-"}, 200),
    # Order, and what comes before.
    ("9110 §13.2.1", "OPTIONS knows none", "OPTIONS", {"If-Match": '"a"'}, 200),
    ("9110 §13.2.1", "405 comes before", "TRACE", {"If-Match": '"a"'}, 405),
    ("9110 §13.2.2", "If-Match before If-None-Match", "GET",
     {"If-Match": '"a"', "If-None-Match": "{tag}"}, 412),
    ("9110 §13.2.2", "both hold", "GET", {"If-Match": "{tag}", "If-None-Match": '"a"'}, 200),
    ("9110 §13.2.2", "a date before If-None-Match", "GET",
     {"If-Unmodified-Since": "{before}", "If-None-Match": "{tag}"}, 412),
    # Where a condition is insisted on.
    ("6585 §3", "no condition", "PUT", {}, 428),
    ("6585 §3", "no condition", "DELETE", {}, 428),
    ("6585 §3", "a date is none", "PATCH", {"If-Unmodified-Since": "{after}"}, 428),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [row[2:] for row in ROWS],
    ids=[" ".join((row[0], row[2], row[1])) for row in ROWS],
)
def test_each_case_of_the_contract_has_its_status(client, person, method, headers, status):
    url = f"/required/{person.pk}/"
    full = client.get(url)
    moment = timedelta(minutes=1)
    modified = full["Last-Modified"]
    at = person.updated_at
    names = {
        "tag": full["ETag"],
        "opaque": full["ETag"].strip('"'),
        "lm": modified,
        "before": http_date((at - moment).timestamp()),
        "after": http_date((at + moment).timestamp()),
    }
    sent = {name: value.format(**names) for name, value in headers.items()}
    answer = client.generic(method, url, headers=sent)
    assert answer.status_code == status
    changed = Person.objects.get().days == 99
    assert changed is (status == 200 and method not in ("GET", "HEAD", "OPTIONS"))
    if status == 304:
        # §15.4.5: the fields of the 200, no content; §8.6: no other length than its.
        assert answer.content == b""
        assert answer["ETag"].removeprefix("W/") == full["ETag"]
        for name in ("Last-Modified", "Cache-Control"):
            assert answer[name] == full[name]
        # Who weakened the tag chose by Accept-Encoding, and says so on the 200.
        weak = answer["ETag"].startswith("W/")
        assert answer.get("Vary") == ("Accept-Encoding" if weak else full.get("Vary"))
        assert "Content-Length" not in answer
        assert "Content-Type" not in answer
    if status in (412, 428):
        assert answer["Cache-Control"] == "no-store"
        assert "If-" in answer.json()["message"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("headers", [{"If-Match": '"a"'}, {"If-None-Match": "*"}, {}])
def test_403_and_404_come_before_preconditions_and_have_no_tag(client, person, method, headers):
    """RFC 9110 §13.2.1: 403 and 404 come first, and §8.8: an error has no validators."""
    for url in (f"/secret/{person.pk}/", f"/required/{person.pk + 1}/"):
        answer = client.generic(method, url, headers=headers)
        assert answer.status_code == (403 if "secret" in url else 404)
        assert "ETag" not in answer
        assert "Last-Modified" not in answer


def test_an_error_of_the_view_has_no_validators(client, person):
    """RFC 9110 §8.8."""
    answer = client.get(f"/refused/{person.pk}/")
    assert answer.status_code == 403
    assert "ETag" not in answer


def test_head_has_the_fields_of_get(client, person):
    """RFC 9110 §9.3.2; RFC 9111 §4.3.5."""
    url = f"/required/{person.pk}/"
    get, head = client.get(url), client.head(url)
    assert head.content == b""
    assert dict(head.items()) == dict(get.items())


def test_last_modified_is_no_later_than_the_answer(client, person):
    """RFC 9110 §8.8.2.1, also where a timestamp lies in the future."""
    Person.objects.update(updated_at=timezone.now() + timedelta(hours=1), days=1)
    answer = client.get(f"/required/{person.pk}/")
    assert "Last-Modified" not in answer
    assert "ETag" in answer


def test_a_write_in_the_second_of_the_date_does_not_pass(client, person):
    """RFC 9110 §8.8.2.2: the date is rounded up, and evaluated on the true timestamp."""
    url = f"/optional/{person.pk}/"
    now = timezone.now()
    Person.objects.filter(pk=person.pk).update(days=1)
    headers = {"If-Unmodified-Since": http_date(now.timestamp())}
    assert client.put(url, headers=headers).status_code == 412


def test_a_strong_tag_is_never_that_of_an_earlier_row(client, person):
    """RFC 9110 §8.8.1: unique over all versions, deletion and re-creation among them."""
    url = f"/required/{person.pk}/"
    tags = {client.get(url)["ETag"]}
    for _ in range(3):
        key = person.pk
        Person.objects.all().delete()
        person = Person.objects.create(pk=key, name="a")
        tags.add(client.get(url)["ETag"])
    assert len(tags) == 4


def test_an_answer_to_a_write_cannot_be_cached(client, person):
    """RFC 5789 §2: no freshness on what answers a PATCH."""
    url = f"/required/{person.pk}/"
    answer = client.patch(url, headers={"If-Match": client.get(url)["ETag"]})
    assert answer.status_code == 200
    assert "Cache-Control" not in answer


def test_tags_are_for_one_user_as_for_another(client, person):
    """RFC 9110 §17.13: they identify no user, unless the view makes the user a term."""
    url = f"/required/{person.pk}/"
    tags = {client.get(url, headers={"Cookie": f"sessionid={user}"})["ETag"] for user in "ab"}
    assert len(tags) == 1
