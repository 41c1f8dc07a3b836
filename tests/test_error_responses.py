"""Outcomes that are errors, as JSON, as problem details and as a page."""

import json
import pickle

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation

from etag_versioning.http.error_responses import ERRORS as ERROR_CODES
from etag_versioning.http.error_responses import ErrorResponse, set_error_headers
from etag_versioning.http.etags import EntityTag
from etag_versioning.http.messages import MESSAGES, PAGES
from etag_versioning.http.preconditions import Decision, Outcome, Reason

BACKEND = "django.template.backends.django.DjangoTemplates"
TAG = EntityTag("user-7-v3.k2m9x1q0")
STALE = Decision(Outcome.PRECONDITION_FAILED, Reason.STALE)
CONFLICT = Decision(Outcome.CONFLICT, Reason.CONFLICT)
GONE = Decision(Outcome.GONE, Reason.GONE)
CONTENTION = Decision(Outcome.UNAVAILABLE, Reason.CONTENTION)

# Each error: the decision, the status, the code in the body.
ERRORS = [
    (GONE, 404, "NOT_FOUND"),
    (CONFLICT, 409, "CONFLICT"),
    (Decision(Outcome.CONFLICT, Reason.INTERRUPTED), 409, "CONFLICT"),
    (Decision(Outcome.CONFLICT, Reason.DUPLICATE), 409, "CONFLICT"),
    (Decision(Outcome.PRECONDITION_FAILED, Reason.OTHER_RESOURCE), 412, "PRECONDITION_FAILED"),
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
    (Decision(Outcome.UNAVAILABLE, Reason.UNREACHABLE), 503, "SERVICE_UNAVAILABLE"),
]


def request_for(accept=None):
    return RequestFactory().get("/", headers={"Accept": accept} if accept else {})


@pytest.mark.parametrize(("decision", "status", "code"), ERRORS)
@pytest.mark.parametrize("etag", [TAG, EntityTag("a", weak=True), None])
def test_error_responses(decision, status, code, etag):
    response = ErrorResponse(request_for(), decision, etag)
    body = json.loads(response.content)
    message = body.pop("message")
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert response.headers.get("ETag") == (None if etag is None else str(etag))
    assert response.headers.get("Retry-After") == ("1" if status == 503 else None)
    shown = {} if etag is None else {"current_etag": str(etag)}
    assert body == {"error": code, "reason": decision.reason.name.lower()} | shown
    assert message == MESSAGES[decision.reason]


def test_every_outcome_and_reason_of_an_error_is_in_the_table():
    outcomes = set(Outcome) - {Outcome.PROCEED, Outcome.NOT_MODIFIED}
    assert {decision.outcome for decision, _, _ in ERRORS} == outcomes == set(ERROR_CODES)
    reasons = set(Reason) - {Reason.NONE, Reason.MATCH}
    assert {decision.reason for decision, _, _ in ERRORS} == reasons == set(MESSAGES)


def test_each_reason_has_a_message_of_its_own():
    assert len(set(MESSAGES.values())) == len(MESSAGES)


@pytest.mark.parametrize("reason", [Reason.REQUIRED, Reason.DATE_NOT_ENOUGH, Reason.MALFORMED])
def test_a_client_that_sent_no_tag_is_told_which_header_to_send_and_where_to_get_it(reason):
    """RFC 6585 §3; "no-cache", for the client's own cache may hold the old copy."""
    for word in ("If-Match", "ETag", "quotes", "Cache-Control: no-cache"):
        assert word in MESSAGES[reason]


def test_the_malformed_header_is_answered_with_the_right_form():
    assert '"tag"' in MESSAGES[Reason.MALFORMED]


def test_an_error_response_can_be_put_in_a_cache():
    response = ErrorResponse(request_for(), STALE, TAG)
    again = pickle.loads(pickle.dumps(response))
    assert (again.status_code, again.content) == (412, response.content)


@pytest.mark.parametrize(("decision", "status", "code"), ERRORS)
def test_error_headers_on_a_response_of_another_kind(decision, status, code):
    response = HttpResponse("", headers={"Cache-Control": "max-age=60"})
    set_error_headers(response, decision, None)
    assert (response.status_code, response["Cache-Control"]) == (status, "no-store")
    assert not response.has_header("ETag")


@pytest.mark.parametrize(("decision", "status", "code"), ERRORS)
@pytest.mark.parametrize("etag", [TAG, None])
def test_problem_details(decision, status, code, etag):
    """RFC 9457 §3, §4.2.1: the status as sent, its phrase as title, names of three letters."""
    response = ErrorResponse(request_for("application/problem+json"), decision, etag)
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    shown = {} if etag is None else {"current_etag": str(etag)}
    assert body == {
        "title": response.reason_phrase,
        "status": response.status_code,
        "detail": str(MESSAGES[decision.reason]),
        "error": code,
        "reason": decision.reason.name.lower(),
        **shown,
    }
    assert response.status_code == status


def test_a_page_for_people():
    response = ErrorResponse(request_for("text/html"), STALE, TAG)
    page = response.content.decode()
    assert response["Content-Type"].startswith("text/html")
    assert "<title>Nothing was saved</title>" in page
    assert "412 Precondition Failed" in page
    assert "Cache-Control: no-cache" in page
    malformed = Decision(Outcome.PRECONDITION_FAILED, Reason.MALFORMED)
    page = ErrorResponse(request_for("text/html"), malformed).content.decode()
    assert "&quot;tag&quot;" in page


@pytest.mark.parametrize(("decision", "status", "code"), ERRORS)
def test_a_page_says_what_happened_and_leads_to_what_is_there_now(decision, status, code):
    request = RequestFactory().get("/pages/7/?a=1&b=2", headers={"Accept": "text/html"})
    page = ErrorResponse(request, decision).content.decode()
    title, explanation = PAGES[decision.outcome]
    assert f"<h1>{title}</h1>" in page
    assert str(explanation) in page
    assert '<a href="/pages/7/?a=1&amp;b=2">' in page


def test_a_page_never_leads_to_another_host():
    request = request_for("text/html")
    request.path = "//example.org/"
    assert 'href="/%2Fexample.org/"' in ErrorResponse(request, STALE).content.decode()


def test_a_template_of_the_project_takes_the_place_of_the_page(settings, tmp_path):
    (tmp_path / "412.html").write_text("{{ status }} {{ title }}: our own page for {{ path }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    response = ErrorResponse(request_for("text/html"), STALE)
    assert response.content.decode() == "412 Nothing was saved: our own page for /"


@pytest.mark.parametrize("engines", [[], [{"BACKEND": BACKEND, "APP_DIRS": False}]])
def test_a_project_whose_engines_do_not_find_the_template_gets_a_page_too(settings, engines):
    settings.TEMPLATES = engines
    page = ErrorResponse(request_for("text/html"), STALE).content.decode()
    assert "<h1>Nothing was saved</h1>" in page
    assert '<a href="/">' in page


def test_the_header_that_chose_the_form_is_in_vary():
    """RFC 9110 §12.5.5."""
    assert ErrorResponse(request_for(), STALE)["Vary"] == "Accept"


@pytest.mark.parametrize("accept", ["application/json", "application/problem+json", "text/html"])
def test_messages_speak_the_active_language(accept):
    with translation.override("de"):
        content = ErrorResponse(request_for(accept), STALE).content.decode()
    content = json.loads(content) if "json" in accept else {"message": content}
    assert "wurde geändert" in content.get("message", content.get("detail"))
