"""Requests' conditional fields, 304s, and the headers that tags bring with them."""

import pickle
from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.middleware.common import CommonMiddleware
from django.test import RequestFactory, override_settings
from django.utils.http import http_date

from etag_versioning.http import headers
from etag_versioning.http.etags import EntityTag
from etag_versioning.http.preconditions import (
    ConditionalHeaders,
    Decision,
    Outcome,
    Reason,
    Validators,
)

NOW = 1_800_000_000
TAG = EntityTag("user-7-v3.k2m9x1q0")
OURS = Validators(TAG, TAG.opaque, NOW - 60)
MATCH = Decision(Outcome.NOT_MODIFIED, Reason.MATCH, TAG)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time stands still in the module, near the end of a second."""
    monkeypatch.setattr(headers, "time", SimpleNamespace(time=lambda: NOW + 0.9))


def test_the_fields_of_the_request_are_taken_as_they_came():
    request = RequestFactory().get(
        "/",
        headers={
            "If-Match": ' "\xe4", junk ',
            "If-Unmodified-Since": "a",
            "If-None-Match": "",
            "If-Modified-Since": "b",
        },
    )
    assert headers.conditional_headers(request) == ConditionalHeaders(
        ' "\xe4", junk ', "a", "", "b"
    )


def test_absent_fields_are_none():
    assert headers.conditional_headers(RequestFactory().get("/")) == ConditionalHeaders()


def test_a_304_carries_the_validators_of_the_200_and_nothing_of_a_body():
    response = headers.NotModified(OURS, MATCH)
    assert response.status_code == 304
    assert response.content == b""
    assert dict(response.items()) == {
        "ETag": '"user-7-v3.k2m9x1q0"',
        "Last-Modified": http_date(NOW - 60),
    }


@pytest.mark.parametrize(
    ("etag", "expected"),
    [(EntityTag("a", weak=True), 'W/"a"'), (EntityTag("a"), '"a"'), (None, None)],
)
def test_a_304_carries_the_tag_of_the_decision(etag, expected):
    """It is the form that the client has its copy under."""
    response = headers.NotModified(OURS, Decision(Outcome.NOT_MODIFIED, Reason.MATCH, etag))
    assert response.headers.get("ETag") == expected


@pytest.mark.parametrize("name", ["Content-Length", "content-length", "CONTENT-LENGTH"])
def test_a_304_takes_no_content_length(name):
    """It would be read as the length of the 200 (RFC 9110 §8.6)."""
    response = headers.NotModified(OURS, MATCH)
    response[name] = "0"
    response.headers[name] = "0"
    response.headers.setdefault(name, "0")
    assert not response.has_header("Content-Length")
    assert b"content-length" not in response.serialize_headers().lower()


def test_common_middleware_puts_no_content_length_on_a_304():
    request = RequestFactory().get("/")
    middleware = CommonMiddleware(lambda request: None)
    response = middleware.process_response(request, headers.NotModified(OURS, MATCH))
    assert not response.has_header("Content-Length")
    other = middleware.process_response(request, HttpResponse(status=304))
    assert other["Content-Length"] == "0"


def test_a_304_takes_every_other_header():
    response = headers.NotModified(OURS, MATCH)
    response["Vary"] = "Accept"
    response["Cache-Control"] = "no-cache"
    response.set_cookie("a", "b")
    del response["Last-Modified"]
    assert response["vary"] == "Accept"
    assert response["Cache-Control"] == "no-cache"
    assert not response.has_header("Last-Modified")


def test_a_304_can_be_put_in_a_cache():
    response = pickle.loads(pickle.dumps(headers.NotModified(OURS, MATCH)))
    response["Content-Length"] = "0"
    assert response["ETag"] == '"user-7-v3.k2m9x1q0"'
    assert not response.has_header("Content-Length")


def test_validators_are_put_on_an_answer():
    response = HttpResponse()
    headers.set_validators(response, OURS)
    assert response["ETag"] == '"user-7-v3.k2m9x1q0"'
    assert response["Last-Modified"] == http_date(NOW - 60)


def test_the_views_own_validators_stay():
    own = {"ETag": '"own"', "Last-Modified": http_date(0)}
    response = HttpResponse(headers=own)
    headers.set_validators(response, OURS)
    assert {name: response[name] for name in own} == own


def test_nothing_known_is_nothing_shown():
    response = HttpResponse()
    headers.set_validators(response, Validators())
    assert not response.has_header("ETag")
    assert not response.has_header("Last-Modified")


@pytest.mark.parametrize(
    ("state", "moment", "shown"),
    [
        # Of ours it is known that they are rounded up: their second is over.
        ("user-7-v3", NOW - 1, NOW - 1),
        ("user-7-v3", NOW, NOW),
        ("user-7-v3", NOW + 1, None),
        ("user-7-v3", NOW + 3600, None),
        # Somebody else's second may still see another change.
        (None, NOW - 1, NOW - 1),
        (None, NOW, None),
        (None, NOW + 1, None),
        (None, 0, 0),
        ("user-7-v3", 0, 0),
        ("user-7-v3", -1, -1),
        (None, None, None),
        ("user-7-v3", None, None),
    ],
)
def test_last_modified_is_shown_once_its_second_is_over(state, moment, shown):
    """RFC 9110 §8.8.2.1, §8.8.2.2."""
    validators = Validators(TAG, state, moment)
    assert headers.showable_last_modified(validators) == shown
    response = HttpResponse()
    headers.set_validators(response, validators)
    expected = None if shown is None else http_date(shown)
    assert response.headers.get("Last-Modified") == expected
    not_modified = headers.NotModified(validators, MATCH)
    assert not_modified.headers.get("Last-Modified") == expected


@pytest.mark.parametrize(
    ("method", "status", "shown"),
    [
        ("POST", 201, True),
        ("POST", 200, True),
        ("PATCH", 200, True),
        ("PATCH", 204, True),
        ("PUT", 200, True),
        ("PUT", 201, True),
        ("PUT", 204, False),
        ("DELETE", 200, False),
        ("DELETE", 204, False),
        *[
            (method, status, False)
            for method in ("POST", "PUT", "PATCH", "DELETE")
            for status in (300, 302, 304, 400, 403, 404, 409, 412, 428, 500, 503)
        ],
    ],
)
def test_which_answers_to_a_write_show_the_new_tag(method, status, shown):
    response = HttpResponse(status=status)
    assert headers.shows_new_tag(method, response) is shown
    with override_settings(ETAG_VERSIONING={"ETAG_ON_PUT": False}):
        assert headers.shows_new_tag(method, response) is (shown and method != "PUT")
