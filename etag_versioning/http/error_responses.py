"""Error responses: the body as JSON, problem details or HTML, and its headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.http import escape_leading_slashes
from django.utils.translation import get_language

from .etags import EntityTag
from .messages import MESSAGES, PAGES
from .negotiation import HTML, PROBLEM, preferred_type
from .preconditions import Decision, Outcome

__all__ = [
    "ERRORS",
    "ErrorResponse",
    "error_body",
    "problem_body",
    "set_error_headers",
]

# Status and error code of each outcome that is an error.
ERRORS: Mapping[Outcome, tuple[int, str]] = {
    Outcome.GONE: (404, "NOT_FOUND"),
    Outcome.CONFLICT: (409, "CONFLICT"),
    Outcome.PRECONDITION_FAILED: (412, "PRECONDITION_FAILED"),
    Outcome.PRECONDITION_REQUIRED: (428, "PRECONDITION_REQUIRED"),
    Outcome.UNAVAILABLE: (503, "SERVICE_UNAVAILABLE"),
}

# The page for people, which a project's own template of the same name replaces.
TEMPLATE = "412.html"

# Where no template engine of the project finds the package's templates.
_PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>{explanation}</p>
<p><a href="{path}">{path}</a></p>
<p>{status} {phrase}: {message}</p>
</body>
</html>
"""


class ErrorResponse(HttpResponse):
    """
    An error response in the media type that the request's Accept prefers.

    Args:
        request: the request.
        decision: the outcome and its reason.
        etag: the current tag to show, if any.
    """

    def __init__(
        self, request: HttpRequest, decision: Decision, etag: EntityTag | None = None
    ) -> None:
        form = preferred_type(request.META.get("HTTP_ACCEPT"))
        super().__init__(_content(request, form, decision, etag), content_type=form)
        patch_vary_headers(self, ("Accept",))
        set_error_headers(self, decision, etag)


def _content(request: HttpRequest, form: str, decision: Decision, etag: EntityTag | None) -> str:
    if form == HTML:
        return _page(request, decision)
    body = problem_body if form == PROBLEM else error_body
    return json.dumps(body(decision, etag))


def error_body(decision: Decision, etag: EntityTag | None) -> dict[str, str]:
    """
    Code, reason, message and, if one is given, the current tag. The reason is the name of
    the ``Reason`` in lower case, by which a client decides: it fetches and tries again after
    "stale", and gives up after "malformed".
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
    The error as problem details (RFC 9457 §3). Without a ``type``, the title is the status
    phrase (§4.2.1).
    """
    status = HTTPStatus(ERRORS[decision.outcome][0])
    body = error_body(decision, etag)
    detail = body.pop("message")
    return {"title": status.phrase, "status": status.value, "detail": detail, **body}


def _page(request: HttpRequest, decision: Decision) -> str:
    status = HTTPStatus(ERRORS[decision.outcome][0])
    title, explanation = PAGES[decision.outcome]
    context = {
        "language": get_language() or "en",
        "title": title,
        "explanation": explanation,
        # Its own address, which never leads to another host.
        "path": escape_leading_slashes(request.get_full_path()),
        "status": status.value,
        "phrase": status.phrase,
        "message": MESSAGES[decision.reason],
    }
    try:
        # Without the request: a context processor could run queries after an error.
        return render_to_string(TEMPLATE, context)
    except (TemplateDoesNotExist, ImproperlyConfigured):
        return format_html(_PAGE, **context)


def set_error_headers(
    response: HttpResponseBase, decision: Decision, etag: EntityTag | None
) -> None:
    """Set the status of the decision, and the headers that belong to it."""
    response.status_code = ERRORS[decision.outcome][0]
    response.headers["Cache-Control"] = "no-store"
    if etag is not None:
        response.headers["ETag"] = str(etag)
    if decision.outcome is Outcome.UNAVAILABLE:
        response.headers["Retry-After"] = "1"
