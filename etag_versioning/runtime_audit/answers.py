"""
Decide what a GET is answered while the audit is on: for a sampled 304, the view runs as if the
request had no preconditions. If it shows what was last sent under the tag, the 304 is sent.
Otherwise the tag lies, and the client gets what the view returned.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.http import Http404

from ..conf import AuditSettings
from ..http.preconditions import ConditionalHeaders
from ..http.reporting import view_name
from ..signals import lying_tag_found
from .digests import Digest
from .findings import Findings
from .isolation import RequestState, undone

__all__ = ["AuditedRead", "aaudited", "audited"]

logger = logging.getLogger("etag_versioning.audit")

_CONDITIONS = (
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
)
# How many parts a log record names.
_LOGGED_PARTS = 20
# At most one record of a failed audit in so many seconds: while a cache is down, all of them fail.
_SILENCE = 60.0
_last_failure = -_SILENCE


class AuditedRead:
    """
    One GET whose answer may be compared. Each kind of view has a subclass.

    Args:
        request: Django's.
        view: what names the view where the URLconf does not.
        settings: the audit's settings.
    """

    # What a view raises instead of returning a response below 500.
    refusals: tuple[type[Exception], ...] = (Http404, PermissionDenied)

    def __init__(self, request: Any, view: Any, settings: AuditSettings) -> None:
        self.request = request
        self.view = view
        self.settings = settings

    def fresh(self) -> Any:
        """
        The answer without preconditions, its content rendered. A coroutine of it, where the view
        is one. ``None`` where it cannot be compared.
        """
        raise NotImplementedError

    def is_not_modified(self, conditions: ConditionalHeaders) -> bool:
        """Whether a request with these preconditions is answered 304 now."""
        raise NotImplementedError

    def etag_of(self, response: Any) -> str | None:
        """The tag that a 200 of the view is sent with."""
        raise NotImplementedError

    def digest_of(self, response: Any) -> Digest | None:
        """What a 200 of the view shows; ``None`` where that cannot be told."""
        raise NotImplementedError

    def becomes_304(self, response: Any) -> bool:
        """Whether a 200 of the view is going to be replaced by a 304."""
        return False

    def send_in_full(self) -> None:
        """Let the 200 be sent that was going to be replaced by a 304."""

    def look_at_later(self, response: Any, audit: Audit) -> bool:
        """Whether ``audit`` gets the response once it has its content."""
        return False

    def restore(self) -> None:
        """Forget ``fresh()``, because the 304 is sent."""


class Fresh(NamedTuple):
    """What a view answers without preconditions: a response, or one of its refusals."""

    response: Any
    refusal: Exception | None = None

    def get(self) -> Any:
        """Answer as the view did."""
        if self.refusal is not None:
            raise self.refusal
        return self.response


def audited(read: AuditedRead, response: Any) -> Any:
    """
    What to send for a GET.

    Args:
        read: the request and its view.
        response: what would be sent without an audit.

    Raises:
        Exception: one of the view's refusals, in the place of a 304.
    """
    audit = Audit(read)
    if not audit.samples_304(response):
        audit.look_at(response)
        return response
    with audit:
        with undone():
            try:
                audit.fresh = Fresh(read.fresh())
            except read.refusals as refusal:
                audit.fresh = Fresh(None, refusal)
        audit.compare_fresh()
    return audit.answer(response)


async def aaudited(read: AuditedRead, response: Any) -> Any:
    """As ``audited()``, for a coroutine. It can hold no transaction, so its writes stay."""
    audit = Audit(read)
    if not audit.samples_304(response):
        await sync_to_async(audit.look_at)(response)
        return response
    with audit:
        try:
            audit.fresh = Fresh(await read.fresh())
        except read.refusals as refusal:
            audit.fresh = Fresh(None, refusal)
        await sync_to_async(audit.compare_fresh)()
    return audit.answer(response)


class Audit:
    """
    The audit of one GET. As a context manager, it takes the preconditions from the request, and
    ends whatever fails in the block: no request fails because of an audit.
    """

    def __init__(self, read: AuditedRead) -> None:
        self.read = read
        self.request = read.request
        self.fresh: Fresh | None = None
        # Whether the tag lies.
        self.lies = False

    def __enter__(self) -> None:
        self.state = RequestState(self.request)
        get = self.request.META.get
        self.conditions = ConditionalHeaders(*map(get, _CONDITIONS))
        self._drop_conditions()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, Exception):
            self._failed(error)
            self.lies = False
        return error is None or isinstance(error, Exception)

    def _drop_conditions(self) -> None:
        # Also for ConditionalGetMiddleware, which would make a 304 of the 200 that is sent.
        for name in _CONDITIONS:
            self.request.META.pop(name, None)
        vars(self.request).pop("headers", None)

    def samples_304(self, response: Any) -> bool:
        """Whether a response is a 304 of the share that is compared."""
        is_get = self.request.method == "GET"
        return is_get and response.status_code == 304 and self._samples()

    def _samples(self) -> bool:
        return random.random() < self.read.settings.sample_rate

    def answer(self, not_modified: Any) -> Any:
        """The 304, or what the view answered where that is something else than was sent."""
        if self.lies and self.fresh is not None:
            self.state.restore_session()
            return self.fresh.get()
        self.state.restore()
        self.read.restore()
        return not_modified

    def compare_fresh(self) -> None:
        """Compare what the view answered in the place of a 304."""
        assert self.fresh is not None
        response, refusal = self.fresh
        if response is None and refusal is None:
            return  # It cannot be compared.
        # Http404 and PermissionDenied have no status.
        status = getattr(refusal or response, "status_code", 404)
        if status == 200:
            self._compare(response, self.conditions)
        elif status < 500 and self._is_not_modified(self.conditions):
            self._report(["status"])

    def look_at(self, response: Any) -> None:
        """Keep the digest of a 200 that is sent, and compare a share of these."""
        read = self.read
        if self.request.method != "GET" or response.status_code != 200:
            return
        try:
            if read.look_at_later(response, self):
                return
            etag, late = read.etag_of(response), read.becomes_304(response)
            if etag is None:
                return
            if self._samples():
                self._compare(response, ConditionalHeaders(if_none_match=etag))
                if self.lies and late:
                    read.send_in_full()
                    self._drop_conditions()
            elif not late and (digest := read.digest_of(response)) is not None:
                findings = Findings(read.settings)
                findings.note_sent(findings.key(self._address, etag), digest)
        except Exception as error:
            self._failed(error)

    def _compare(self, response: Any, conditions: ConditionalHeaders) -> None:
        """
        Compare a 200 with what was last sent under its tag.

        Args:
            response: the 200.
            conditions: preconditions that are answered 304 as long as the tag is current. A
                write between tag and content makes another content, and another tag.
        """
        read = self.read
        etag, digest = read.etag_of(response), read.digest_of(response)
        if etag is None or digest is None:
            return
        findings = Findings(read.settings)
        key = findings.key(self._address, etag)
        sent = findings.sent(key)
        findings.count_comparison()
        parts = [] if sent is None else digest.differs(sent)
        if parts and not self._is_not_modified(conditions):
            return
        if parts or sent is None:
            findings.note_sent(key, digest)
        if parts:
            self._report(parts, etag)

    def _is_not_modified(self, conditions: ConditionalHeaders) -> bool:
        # The 304 may come after the project's own code.
        with undone():
            return self.read.is_not_modified(conditions)

    @property
    def _address(self) -> str:
        # Resources at different addresses may have the same tag.
        return str(self.request.build_absolute_uri())

    def _report(self, parts: list[str], etag: str | None = None) -> None:
        """Log a tag that lies, count it, and send the signal."""
        self.lies = True
        match = getattr(self.request, "resolver_match", None)
        name = view_name(self.read.view if match is None else match.func)
        route = "" if match is None else str(match.route)
        logger.warning(
            "%s (%s): the tag is the same, and the content is not. These parts differ: %s",
            name,
            _escaped([route], 1),
            _escaped(parts, _LOGGED_PARTS),
            extra={"view": name, "route": route, "parts": parts},
        )
        lying_tag_found.send_robust(
            sender=type(self.request),
            request=self.request,
            view=name,
            route=route,
            etag=etag,
            parts=parts,
        )
        Findings(self.read.settings).note_difference(name, route, parts)

    def _failed(self, error: Exception) -> None:
        # Another thread may log at the same time, which is no harm. The text of an error may
        # have values in it, so its type alone is logged.
        global _last_failure
        now = time.monotonic()
        if now - _last_failure >= _SILENCE:
            _last_failure = now
            name = view_name(self.read.view)
            logger.warning("%s could not be audited: %s", name, type(error).__qualname__)


def _escaped(texts: Iterable[str], most: int) -> str:
    """Texts for a log record. Keys of JSON may have line breaks, and may be many."""
    listed = list(texts)
    shown = [text[:200].encode("unicode_escape").decode("ascii") for text in listed[:most]]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(shown) + more
