"""Outcomes as responses, and the headers that tags bring with them."""

import json
import pickle
from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.middleware.common import CommonMiddleware
from django.test import RequestFactory, override_settings
from django.utils.http import http_date

from etag_versioning import http
from etag_versioning.etags import EntityTag
from etag_versioning.preconditions import (
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
STALE = Decision(Outcome.PRECONDITION_FAILED, Reason.STALE)
CONFLICT = Decision(Outcome.CONFLICT, Reason.CONFLICT)
GONE = Decision(Outcome.GONE, Reason.GONE)
CONTENTION = Decision(Outcome.UNAVAILABLE, Reason.CONTENTION)

# Each error: the decision, the status, the code in the body.
ERRORS = [
    (GONE, 404, "NOT_FOUND"),
    (CONFLICT, 409, "CONFLICT"),
    *[
        (Decision(Outcome.PRECONDITION_FAILED, reason), 412, "PRECONDITION_FAILED")
        for reason in (
            Reason.STALE,
            Reason.ABSENT,
            Reason.MALFORMED,
            Reason.WEAKENED,
            Reason.WILDCARD_FORBIDDEN,
            Reason.MODIFIED_SINCE,
            Reason.EXISTS,
        )
    ],
    (Decision(Outcome.PRECONDITION_REQUIRED, Reason.REQUIRED), 428, "PRECONDITION_REQUIRED"),
    (Decision(Outcome.PRECONDITION_REQUIRED, Reason.DATE_NOT_ENOUGH), 428, "PRECONDITION_REQUIRED"),
    (CONTENTION, 503, "SERVICE_UNAVAILABLE"),
]


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time stands still in the module, near the end of a second."""
    monkeypatch.setattr(http, "time", SimpleNamespace(time=lambda: NOW + 0.9))


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
    assert http.conditional_headers(request) == ConditionalHeaders(' "\xe4", junk ', "a", "", "b")


def test_absent_fields_are_none():
    assert http.conditional_headers(RequestFactory().get("/")) == ConditionalHeaders()


def test_a_304_carries_the_validators_of_the_200_and_nothing_of_a_body():
    response = http.NotModified(OURS, MATCH)
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
    response = http.NotModified(OURS, Decision(Outcome.NOT_MODIFIED, Reason.MATCH, etag))
    assert response.headers.get("ETag") == expected


@pytest.mark.parametrize("name", ["Content-Length", "content-length", "CONTENT-LENGTH"])
def test_a_304_takes_no_content_length(name):
    """It would be read as the length of the 200 (RFC 9110 §8.6)."""
    response = http.NotModified(OURS, MATCH)
    response[name] = "0"
    response.headers[name] = "0"
    response.headers.setdefault(name, "0")
    assert not response.has_header("Content-Length")
    assert b"content-length" not in response.serialize_headers().lower()


def test_common_middleware_puts_no_content_length_on_a_304():
    request = RequestFactory().get("/")
    middleware = CommonMiddleware(lambda request: None)
    response = middleware.process_response(request, http.NotModified(OURS, MATCH))
    assert not response.has_header("Content-Length")
    other = middleware.process_response(request, HttpResponse(status=304))
    assert other["Content-Length"] == "0"


def test_a_304_takes_every_other_header():
    response = http.NotModified(OURS, MATCH)
    response["Vary"] = "Accept"
    response["Cache-Control"] = "no-cache"
    response.set_cookie("a", "b")
    del response["Last-Modified"]
    assert response["vary"] == "Accept"
    assert response["Cache-Control"] == "no-cache"
    assert not response.has_header("Last-Modified")


def test_a_304_can_be_put_in_a_cache():
    response = pickle.loads(pickle.dumps(http.NotModified(OURS, MATCH)))
    response["Content-Length"] = "0"
    assert response["ETag"] == '"user-7-v3.k2m9x1q0"'
    assert not response.has_header("Content-Length")


@pytest.mark.parametrize(("decision", "status", "code"), ERRORS)
@pytest.mark.parametrize("etag", [TAG, EntityTag("a", weak=True), None])
def test_error_responses(decision, status, code, etag):
    response = http.ErrorResponse(decision, etag).render()
    body = json.loads(response.content)
    message = body.pop("message")
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert response.headers.get("ETag") == (None if etag is None else str(etag))
    assert response.headers.get("Retry-After") == ("1" if status == 503 else None)
    assert body == {"error": code} | ({} if etag is None else {"current_etag": str(etag)})
    assert message == http.MESSAGES[decision.reason]


def test_every_outcome_and_reason_of_an_error_is_in_the_table():
    outcomes = set(Outcome) - {Outcome.PROCEED, Outcome.NOT_MODIFIED}
    assert {decision.outcome for decision, _, _ in ERRORS} == outcomes == set(http.ERRORS)
    reasons = set(Reason) - {Reason.NONE, Reason.MATCH}
    assert {decision.reason for decision, _, _ in ERRORS} == reasons == set(http.MESSAGES)


def test_each_reason_has_a_message_of_its_own():
    assert len(set(http.MESSAGES.values())) == len(http.MESSAGES)


@pytest.mark.parametrize("reason", [Reason.REQUIRED, Reason.DATE_NOT_ENOUGH, Reason.MALFORMED])
def test_a_client_that_sent_no_tag_is_told_which_header_to_send_and_where_to_get_it(reason):
    """RFC 6585 §3; "no-cache", for the client's own cache may hold the old copy."""
    for word in ("If-Match", "ETag", "quotes", "Cache-Control: no-cache"):
        assert word in http.MESSAGES[reason]


def test_the_malformed_header_is_answered_with_the_right_form():
    assert '"tag"' in http.MESSAGES[Reason.MALFORMED]


def test_settle_is_called_once_and_not_before_the_response_is_rendered():
    calls = []

    def settle():
        calls.append(1)
        return STALE, TAG

    response = http.ErrorResponse(CONFLICT, settle=settle)
    assert (calls, response.status_code) == ([], 409)
    response.render()
    assert (calls, response.status_code, response["ETag"]) == ([1], 412, str(TAG))
    assert json.loads(response.content)["error"] == "PRECONDITION_FAILED"
    assert json.loads(response.content)["current_etag"] == str(TAG)
    response.render()
    assert calls == [1]


def test_nothing_of_what_was_said_before_settling_remains():
    response = http.ErrorResponse(CONTENTION, TAG, settle=lambda: (GONE, None)).render()
    assert response.status_code == 404
    assert json.loads(response.content) == {
        "error": "NOT_FOUND",
        "message": http.MESSAGES[Reason.GONE],
    }
    assert not response.has_header("ETag")
    assert not response.has_header("Retry-After")


def test_an_error_response_can_be_put_in_a_cache():
    response = http.ErrorResponse(CONFLICT, settle=lambda: (STALE, TAG)).render()
    again = pickle.loads(pickle.dumps(response))
    assert (again.status_code, again.content) == (412, response.content)


@pytest.mark.parametrize(("decision", "status", "code"), ERRORS)
def test_error_headers_on_a_response_of_another_kind(decision, status, code):
    response = HttpResponse("", headers={"Cache-Control": "max-age=60"})
    http.set_error_headers(response, decision, None)
    assert (response.status_code, response["Cache-Control"]) == (status, "no-store")
    assert not response.has_header("ETag")


def test_validators_are_put_on_an_answer():
    response = HttpResponse()
    http.set_validators(response, OURS)
    assert response["ETag"] == '"user-7-v3.k2m9x1q0"'
    assert response["Last-Modified"] == http_date(NOW - 60)


def test_the_views_own_validators_stay():
    own = {"ETag": '"own"', "Last-Modified": http_date(0)}
    response = HttpResponse(headers=own)
    http.set_validators(response, OURS)
    assert {name: response[name] for name in own} == own


def test_nothing_known_is_nothing_shown():
    response = HttpResponse()
    http.set_validators(response, Validators())
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
    assert http.showable_last_modified(validators) == shown
    response = HttpResponse()
    http.set_validators(response, validators)
    expected = None if shown is None else http_date(shown)
    assert response.headers.get("Last-Modified") == expected
    not_modified = http.NotModified(validators, MATCH)
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
    assert http.shows_new_tag(method, response) is shown
    with override_settings(ETAG_VERSIONING={"ETAG_ON_PUT": False}):
        assert http.shows_new_tag(method, response) is (shown and method != "PUT")


@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        (None, {"private", "no-cache"}),
        ({"private": True, "max_age": 60}, {"private", "max-age=60"}),
        (
            {"public": True, "max_age": 300, "stale_while_revalidate": 60},
            {"public", "max-age=300", "stale-while-revalidate=60"},
        ),
        ({}, None),
    ],
)
@pytest.mark.parametrize("answer", [HttpResponse, lambda: http.NotModified(OURS, MATCH)])
def test_cache_control(directives, expected, answer):
    response = answer()
    http.set_cache_control(response, directives)
    value = response.headers.get("Cache-Control")
    assert (value if value is None else set(value.split(", "))) == expected


@pytest.mark.parametrize("directives", [None, {"public": True}, {}])
@pytest.mark.parametrize("own", ["max-age=5", "no-store", ""])
def test_the_views_own_cache_control_stays(directives, own):
    response = HttpResponse(headers={"Cache-Control": own})
    http.set_cache_control(response, directives)
    assert response["Cache-Control"] == own


def test_the_default_cache_control_is_not_used_up():
    for _ in range(2):
        response = HttpResponse()
        http.set_cache_control(response, None)
        assert response["Cache-Control"] == "private, no-cache"
