"""Requests' conditional fields, 304s, and the headers that tags bring with them."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase, ResponseHeaders
from django.utils.cache import patch_vary_headers

from ..conf import settings
from .dates import format_http_date
from .etags import EntityTag
from .preconditions import ConditionalHeaders, Decision, Validators

__all__ = [
    "NotModified",
    "conditional_headers",
    "set_validators",
    "showable_last_modified",
    "shows_new_tag",
    "without_length",
]


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
    length of the 200: caches then serve an empty page; and on a 204, which must have
    none (RFC 9110 §8.6).
    """

    def __setitem__(self, key: Any, value: Any) -> None:
        if key.lower() != "content-length":
            ResponseHeaders.__setitem__(self, key, value)


class NotModified(HttpResponseNotModified):
    """
    A 304 with the validators of the 200 that it stands for (RFC 9110 §15.4.5).

    Args:
        validators: the current ones.
        decision: the one that led here; it may hold the tag as a proxy changed it.
    """

    def __init__(self, validators: Validators, decision: Decision) -> None:
        super().__init__()
        if decision.etag is not None:
            self.headers["ETag"] = str(decision.etag)
        if (moment := showable_last_modified(validators)) is not None:
            self.headers["Last-Modified"] = format_http_date(moment)
        # GZipMiddleware sets Vary on the 200 but skips an empty 304, so set it here.
        recoded = decision.etag is not validators.etag and _is_recoded(decision.etag, validators)
        if recoded or _compresses(*django_settings.MIDDLEWARE):
            patch_vary_headers(self, ("Accept-Encoding",))
        without_length(self)


def without_length(response: Any) -> None:
    """Let the headers of a 204 or a 304 take no Content-Length any more."""
    if response.status_code in (204, 304):
        # The headers stay the same object, since others may hold it.
        response.headers.__class__ = _WithoutLength


def _is_recoded(etag: EntityTag | None, current: Validators) -> bool:
    """Whether a client has the current tag in a form that compressing left."""
    if etag is None or current.etag is None or etag == current.etag:
        return False
    return etag.weak > current.etag.weak or etag.opaque not in current.opaques


@lru_cache(maxsize=16)
def _compresses(*middleware: str) -> bool:
    return any(path.endswith(".GZipMiddleware") for path in middleware)


def set_validators(response: HttpResponseBase, validators: Validators) -> None:
    """Put ETag and Last-Modified on an answer that has none of its own."""
    headers = response.headers
    if validators.etag is not None and "ETag" not in headers:
        headers["ETag"] = str(validators.etag)
    moment = None if "Last-Modified" in headers else showable_last_modified(validators)
    if moment is not None:
        headers["Last-Modified"] = format_http_date(moment)


def shows_new_tag(method: str, response: HttpResponseBase) -> bool:
    """Whether the answer to a write may carry the tag of what was written."""
    if method == "DELETE" or not 200 <= response.status_code < 300:
        return False
    # RFC 9110 §9.3.4; the setting leaves it out for the sake of its letter.
    return method != "PUT" or (response.status_code != 204 and settings.etag_on_put)


def showable_last_modified(validators: Validators) -> int | None:
    """
    The date for an answer's Last-Modified: ``None`` where something else than the state
    can change the answer, while the current second can still change it (§8.8.2.2), and
    where it lies in the future (§8.8.2.1).
    """
    if not validators.dated:
        return None
    now = int(time.time())
    # Our timestamps are rounded up, so that their second is over when it is reached.
    limit = now if validators.state is not None else now - 1
    moment = validators.last_modified
    return moment if moment is not None and moment <= limit else None
