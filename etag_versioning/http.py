"""Outcomes as responses, and the headers that tags bring with them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase, ResponseHeaders
from django.template.response import SimpleTemplateResponse
from django.utils.cache import patch_cache_control
from django.utils.http import http_date

from .conf import settings
from .etags import EntityTag
from .preconditions import ConditionalHeaders, Decision, Outcome, Reason, Validators

__all__ = [
    "DEFAULT_CACHE_CONTROL",
    "ErrorResponse",
    "NotModified",
    "conditional_headers",
    "error_body",
    "set_cache_control",
    "set_error_headers",
    "set_validators",
    "showable_last_modified",
    "shows_new_tag",
]

# The status and the body's code of each outcome that is an error.
ERRORS: Mapping[Outcome, tuple[int, str]] = {
    Outcome.GONE: (404, "NOT_FOUND"),
    Outcome.CONFLICT: (409, "CONFLICT"),
    Outcome.PRECONDITION_FAILED: (412, "PRECONDITION_FAILED"),
    Outcome.PRECONDITION_REQUIRED: (428, "PRECONDITION_REQUIRED"),
    Outcome.UNAVAILABLE: (503, "SERVICE_UNAVAILABLE"),
}

DEFAULT_CACHE_CONTROL: Mapping[str, Any] = {"private": True, "no_cache": True}

_FETCH = "Fetch it again with Cache-Control: no-cache"
_SEND = f"{_FETCH}, and send the ETag of the answer, with its quotes, as If-Match."

# What a client is told.
MESSAGES: Mapping[Reason, str] = {
    Reason.STALE: (
        f"The resource was changed since you fetched it. {_FETCH}, repeat your change on what "
        f"is there now, and send the new ETag as If-Match."
    ),
    Reason.ABSENT: "If-Match was sent, and there is no such resource.",
    Reason.MALFORMED: (
        f'If-Match must be * or a list of entity tags, each in double quotes: "tag". {_SEND}'
    ),
    Reason.WEAKENED: (
        f"If-Match names the current state by a weakened tag or that of another representation, "
        f"and this server compares strongly. {_FETCH} and Accept-Encoding: identity, and send "
        f"the ETag as it comes."
    ),
    Reason.WILDCARD_FORBIDDEN: f"If-Match: * is not accepted here. {_SEND}",
    Reason.MODIFIED_SINCE: f"The resource was changed after that date. {_SEND}",
    Reason.EXISTS: "If-None-Match matches the resource that is there.",
    Reason.REQUIRED: f"This request needs an If-Match header. {_SEND}",
    Reason.DATE_NOT_ENOUGH: (
        f"If-Unmodified-Since counts in seconds and cannot guard this request; it needs an "
        f"If-Match header. {_SEND}"
    ),
    Reason.CONFLICT: (
        f"Something that this request writes was changed by another at the same time. Nothing "
        f"was written. {_FETCH}, and repeat your change."
    ),
    Reason.GONE: "The resource was deleted at the same time. Nothing was written.",
    Reason.CONTENTION: "Others were writing at the same time. Nothing was written; try again.",
}


def conditional_headers(request: HttpRequest) -> ConditionalHeaders:
    """The request's conditional fields, as they came."""
    get = request.META.get
    return ConditionalHeaders(
        get("HTTP_IF_MATCH"),
        get("HTTP_IF_UNMODIFIED_SINCE"),
        get("HTTP_IF_NONE_MATCH"),
        get("HTTP_IF_MODIFIED_SINCE"),
    )


class _WithoutLength(ResponseHeaders):
    """
    Headers that take no Content-Length.

    CommonMiddleware would put ``Content-Length: 0`` on a 304, where it means the
    length of the 200 (RFC 9110 §8.6): caches then serve an empty page.
    """

    def __setitem__(self, key: Any, value: Any) -> None:
        if str(key).lower() != "content-length":
            super().__setitem__(key, value)


class NotModified(HttpResponseNotModified):
    """
    A 304 with the validators of the 200 that it stands for (RFC 9110 §15.4.5).

    Args:
        validators: the current ones.
        decision: the one that led here; it may hold the tag as a proxy changed it.
    """

    def __init__(self, validators: Validators, decision: Decision) -> None:
        super().__init__()
        self.headers = _WithoutLength(dict(self.headers.items()))
        set_validators(self, Validators(decision.etag, validators.state, validators.last_modified))


class ErrorResponse(SimpleTemplateResponse):
    """
    The JSON answer to an outcome that is an error.

    Args:
        decision: the outcome and its reason.
        etag: the current tag to show, if any.
        settle: called when the response is rendered, which is after the
            transaction of ``ATOMIC_REQUESTS``: returns the decision and the tag
            that are true by then, in place of these.
    """

    def __init__(
        self,
        decision: Decision,
        etag: EntityTag | None = None,
        settle: Callable[[], tuple[Decision, EntityTag | None]] | None = None,
    ) -> None:
        super().__init__("", content_type="application/json")
        self._settle = settle
        self._fill(decision, etag)

    def _fill(self, decision: Decision, etag: EntityTag | None) -> None:
        self.data = error_body(decision, etag)
        for name in ("ETag", "Retry-After"):
            self.headers.pop(name, None)
        set_error_headers(self, decision, etag)

    @property
    def rendered_content(self) -> str:
        if self._settle is not None:
            settle, self._settle = self._settle, None
            self._fill(*settle())
        return json.dumps(self.data)


def error_body(decision: Decision, etag: EntityTag | None) -> dict[str, str]:
    """Code, message and, if it is to be shown, the current tag."""
    body = {"error": ERRORS[decision.outcome][1], "message": MESSAGES[decision.reason]}
    if etag is not None:
        body["current_etag"] = str(etag)
    return body


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


def set_validators(response: HttpResponseBase, validators: Validators) -> None:
    """Put ETag and Last-Modified on an answer that has none of its own."""
    if validators.etag is not None:
        response.headers.setdefault("ETag", str(validators.etag))
    moment = showable_last_modified(validators)
    if moment is not None:
        response.headers.setdefault("Last-Modified", http_date(moment))


def shows_new_tag(method: str, response: HttpResponseBase) -> bool:
    """Whether the answer to a write may carry the tag of what was written."""
    if method == "DELETE" or not 200 <= response.status_code < 300:
        return False
    # RFC 9110 §9.3.4; the setting leaves it out for the sake of its letter.
    return method != "PUT" or (response.status_code != 204 and settings.etag_on_put)


def showable_last_modified(validators: Validators) -> int | None:
    """
    The date for an answer's Last-Modified: ``None`` while the current second can
    still change it (§8.8.2.2), and where it lies in the future (§8.8.2.1).
    """
    now = int(time.time())
    # Our stamps are rounded up, so that their second is over when it is reached.
    limit = now if validators.state is not None else now - 1
    moment = validators.last_modified
    return moment if moment is not None and moment <= limit else None


def set_cache_control(response: HttpResponseBase, directives: Mapping[str, Any] | None) -> None:
    """
    Put Cache-Control on an answer to GET or HEAD that has none of its own.

    Args:
        response: a 2xx or a 304.
        directives: as for Django's ``cache_control``; ``None`` for
            "private, no-cache", an empty mapping for none.
    """
    if not response.has_header("Cache-Control"):
        chosen = DEFAULT_CACHE_CONTROL if directives is None else directives
        if chosen:
            patch_cache_control(response, **chosen)
