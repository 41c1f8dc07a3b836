"""Outcomes that are errors, as responses: JSON, problem details or a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.translation import get_language

from .etags import EntityTag
from .messages import MESSAGES
from .negotiation import HTML, PROBLEM, preferred_type
from .preconditions import Decision, Outcome

__all__ = [
    "ERRORS",
    "ErrorResponse",
    "error_body",
    "problem_body",
    "set_error_headers",
]

# The status and the body's code of each outcome that is an error.
ERRORS: Mapping[Outcome, tuple[int, str]] = {
    Outcome.GONE: (404, "NOT_FOUND"),
    Outcome.CONFLICT: (409, "CONFLICT"),
    Outcome.PRECONDITION_FAILED: (412, "PRECONDITION_FAILED"),
    Outcome.PRECONDITION_REQUIRED: (428, "PRECONDITION_REQUIRED"),
    Outcome.UNAVAILABLE: (503, "SERVICE_UNAVAILABLE"),
}

_PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{status} {title}</title></head>
<body>
<h1>{title}</h1>
<p>{message}</p>
</body>
</html>
"""


class ErrorResponse(HttpResponse):
    """
    The answer to an outcome that is an error, in the form that the request's
    Accept asks for.

    Args:
        request: what is answered.
        decision: the outcome and its reason.
        etag: the current tag to show, if any.
    """

    def __init__(
        self, request: HttpRequest, decision: Decision, etag: EntityTag | None = None
    ) -> None:
        form = preferred_type(request.META.get("HTTP_ACCEPT"))
        super().__init__(_content(form, decision, etag), content_type=form)
        patch_vary_headers(self, ("Accept",))
        set_error_headers(self, decision, etag)


def _content(form: str, decision: Decision, etag: EntityTag | None) -> str:
    if form == HTML:
        return _page(decision)
    body = problem_body if form == PROBLEM else error_body
    return json.dumps(body(decision, etag))


def error_body(decision: Decision, etag: EntityTag | None) -> dict[str, str]:
    """
    Code, reason, message and, if it is to be shown, the current tag. The reason is the
    name of a ``Reason`` in lower case: a client that repeats what is "stale" has to stop at
    what is "malformed".
    """
    body = {
        "error": ERRORS[decision.outcome][1],
        "reason": decision.reason.name.lower(),
        "message": str(MESSAGES[decision.reason]),
    }
    if etag is not None:
        body["current_etag"] = str(etag)
    return body


def problem_body(decision: Decision, etag: EntityTag | None) -> dict[str, Any]:
    """
    The same as problem details (RFC 9457 §3). Without a ``type`` the title is the
    phrase of the status (§4.2.1).
    """
    status = HTTPStatus(ERRORS[decision.outcome][0])
    body = error_body(decision, etag)
    detail = body.pop("message")
    return {"title": status.phrase, "status": status.value, "detail": detail, **body}


def _page(decision: Decision) -> str:
    status = HTTPStatus(ERRORS[decision.outcome][0])
    return format_html(
        _PAGE,
        language=get_language() or "en",
        status=status.value,
        title=status.phrase,
        message=MESSAGES[decision.reason],
    )


def set_error_headers(
    response: HttpResponseBase, decision: Decision, etag: EntityTag | None
) -> None:
    """The status, and the headers that go with it."""
    response.status_code = ERRORS[decision.outcome][0]
    response.headers["Cache-Control"] = "no-store"
    if etag is not None:
        response.headers["ETag"] = str(etag)
    if decision.outcome is Outcome.UNAVAILABLE:
        response.headers["Retry-After"] = "1"
