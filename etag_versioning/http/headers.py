"""The conditional request fields, the 304 response, and the headers that carry validators."""

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
    """The request's conditional fields, unparsed."""
    get = request.META.get
    return ConditionalHeaders(
        get("HTTP_IF_MATCH"),
        get("HTTP_IF_UNMODIFIED_SINCE"),
        get("HTTP_IF_NONE_MATCH"),
        get("HTTP_IF_MODIFIED_SINCE"),
    )


class _WithoutLength(ResponseHeaders):
    """
    Response headers that ignore an assignment to Content-Length.

    CommonMiddleware sets ``Content-Length: 0`` on a 304, where the field means the length of
    the 200, so that caches serve an empty page. A 204 must not have the field (RFC 9110 §8.6).
    """

    def __setitem__(self, key: Any, value: Any) -> None:
        if key.lower() != "content-length":
            ResponseHeaders.__setitem__(self, key, value)


class NotModified(HttpResponseNotModified):
    """
    A 304 with the validators of the 200 that it stands for (RFC 9110 §15.4.5).

    Args:
        validators: the current ones.
        decision: the decision for 304, with the tag in the form that the client has.
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
    """Keep Content-Length off a 204 or 304, whoever sets it later."""
    if response.status_code in (204, 304):
        # Not a new object, because other code may hold a reference to the headers.
        response.headers.__class__ = _WithoutLength


def _is_recoded(etag: EntityTag | None, current: Validators) -> bool:
    """Whether the client has the current tag in the form that a compressing proxy gave it."""
    if etag is None or current.etag is None or etag == current.etag:
        return False
    return etag.weak > current.etag.weak or etag.opaque not in current.opaques


@lru_cache(maxsize=16)
def _compresses(*middleware: str) -> bool:
    return any(path.endswith(".GZipMiddleware") for path in middleware)


def set_validators(response: HttpResponseBase, validators: Validators) -> None:
    """Set ETag and Last-Modified where the response does not have its own."""
    headers = response.headers
    if validators.etag is not None and "ETag" not in headers:
        headers["ETag"] = str(validators.etag)
    moment = None if "Last-Modified" in headers else showable_last_modified(validators)
    if moment is not None:
        headers["Last-Modified"] = format_http_date(moment)


def shows_new_tag(method: str, response: HttpResponseBase) -> bool:
    """Whether the response to a write may carry the tag of the new state."""
    if method == "DELETE" or not 200 <= response.status_code < 300:
        return False
    # RFC 9110 §9.3.4 allows a validator on PUT only where the content was stored unchanged.
    # The setting ETAG_ON_PUT = False follows that to the letter.
    return method != "PUT" or (response.status_code != 204 and settings.etag_on_put)


def showable_last_modified(validators: Validators) -> int | None:
    """
    The date for Last-Modified. ``None`` where the response depends on more than the state,
    where another write in the same second could have the same date (§8.8.2.2), and where the
    date lies in the future (§8.8.2.1).
    """
    if not validators.dated:
        return None
    now = int(time.time())
    # Our own timestamps are rounded up, so their second is over once ``now`` reaches it.
    limit = now if validators.state is not None else now - 1
    moment = validators.last_modified
    return moment if moment is not None and moment <= limit else None
