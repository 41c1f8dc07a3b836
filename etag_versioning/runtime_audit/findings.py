"""
What the audit keeps in Django's cache: the digest of what was last sent under each tag, how
many 304s were compared, and what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from django.core.cache import caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.db import connections, transaction
from django.utils import timezone

from ..conf import AuditSettings
from .digests import Digest, keyed

__all__ = ["Findings", "Summary"]

_PREFIX = "etag_versioning.audit."
_COMPARED, _DIFFERENCES, _LAST = (f"{_PREFIX}{name}" for name in ("compared", "found", "last"))
# How long the counters are kept, in seconds, and how many differences, each with how many parts.
_COUNTED = 30 * 24 * 3600
_KEPT, _KEPT_PARTS, _LENGTH = 20, 20, 200


class Summary(NamedTuple):
    """
    What the audit has seen in the last 30 days.

    Args:
        compared: how many answers were compared with what was last sent under their tag.
        differences: how many of these differed.
        last: the last differences, the newest first: time, view, route and parts of each.
    """

    compared: int
    differences: int
    last: list[dict[str, Any]]


class Findings:
    """
    The entries of the audit in the cache that the settings name.

    Args:
        settings: the audit's settings.
    """

    def __init__(self, settings: AuditSettings) -> None:
        self.timeout = settings.timeout
        self.cache = caches[settings.cache]

    @staticmethod
    def key(address: str, etag: str) -> str:
        """The name of the entry of one tag at one address."""
        return f"{_PREFIX}sent.{keyed(address, etag)}"

    def sent(self, key: str) -> Digest | None:
        """The digest of what was last sent; ``None`` where it is not known."""
        with self._savepoint():
            text = self.cache.get(key)
        return None if text is None else Digest.from_text(text)

    def note_sent(self, key: str, digest: Digest) -> None:
        """Keep the digest of what is sent now."""
        with self._savepoint():
            self.cache.set(key, digest.as_text(), self.timeout)

    def count_comparison(self) -> None:
        """Count an answer that was compared."""
        with self._savepoint():
            self._count(_COMPARED)

    def note_difference(self, view: str, route: str, parts: Sequence[str]) -> None:
        """Count a difference. Two at the same time may leave one of them out of the list."""
        shown = [part[:_LENGTH] for part in parts[:_KEPT_PARTS]]
        found = {
            "time": timezone.now().isoformat(timespec="seconds"),
            "view": view,
            "route": route,
            "parts": shown,
        }
        with self._savepoint():
            self._count(_DIFFERENCES)
            last = self.cache.get(_LAST) or []
            self.cache.set(_LAST, [found, *last][:_KEPT], _COUNTED)

    def summary(self) -> Summary:
        """What was counted so far."""
        found = self.cache.get_many([_COMPARED, _DIFFERENCES, _LAST])
        return Summary(found.get(_COMPARED, 0), found.get(_DIFFERENCES, 0), found.get(_LAST, []))

    def _count(self, key: str) -> None:
        self.cache.add(key, 0, _COUNTED)
        self.cache.incr(key)

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        """
        With Django's cache in the database, a statement that fails would break the request's
        transaction on PostgreSQL.
        """
        with ExitStack() as stack:
            if isinstance(self.cache, BaseDatabaseCache):
                for connection in connections.all(initialized_only=True):
                    if connection.in_atomic_block:
                        stack.enter_context(transaction.atomic(using=connection.alias))
            yield
