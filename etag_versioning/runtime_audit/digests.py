"""
A response as digests: whether two responses show the same, and where they differ, without
keeping what they show. The digests are keyed by ``SECRET_KEY``, so that nobody who can read the
cache finds values by trying.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.crypto import salted_hmac
from django.utils.functional import Promise

__all__ = ["MAX_PARTS", "Digest", "digest_of", "keyed"]

# Up to so many parts are told apart. Responses with more have one digest.
MAX_PARTS = 500
_PLAIN = (str, bytes, int, float, Decimal, UUID, date, time, timedelta, type(None))
_NAME, _VALUE = 8, 12  # The lengths of a part's digests, in hexadecimal digits.
_SALT = "etag_versioning.runtime_audit"


class Digest(NamedTuple):
    """
    What a response shows.

    Args:
        whole: the digest of all parts.
        parts: for each part the digests of its name and of its value; empty where there are
            more than ``MAX_PARTS``.
        names: the names of the parts in the same order; none in a digest from the cache.
    """

    whole: str
    parts: dict[str, str]
    names: tuple[str, ...] = ()

    @classmethod
    def from_text(cls, text: str) -> Digest:
        """The digest that ``as_text()`` has written."""
        whole, _, parts = text.partition(":")
        step = _NAME + _VALUE
        pieces = [parts[start : start + step] for start in range(0, len(parts), step)]
        return cls(whole, {piece[:_NAME]: piece[_NAME:] for piece in pieces})

    def as_text(self) -> str:
        """A text for the cache, without any name or value."""
        return f"{self.whole}:{''.join(name + value for name, value in self.parts.items())}"

    def differs(self, stored: Digest) -> list[str]:
        """
        The names of the parts that the stored digest has otherwise, or not at all; "content" where
        no part can be named. Empty for the same content.
        """
        if self.whole == stored.whole:
            return []
        if not (self.parts and stored.parts):
            return ["content"]
        pairs = zip(self.names, self.parts.items(), strict=False)
        named = [name for name, (key, value) in pairs if stored.parts.get(key) != value]
        return named or ["content"]


def digest_of(parts: Iterable[tuple[str, Any]], max_bytes: int) -> Digest | None:
    """
    The digest of a response.

    Args:
        parts: names and values, as ``content_parts()`` tells them.
        max_bytes: how much a response may show.

    Returns:
        ``None`` where it shows more, or an object whose text does not tell whether it changed.
    """
    key = salted_hmac(_SALT, "parts", algorithm="sha256").digest()
    whole, size = blake2b(key=key, digest_size=16), 0
    found: dict[str, str] = {}
    names: list[str] = []
    for name, text in _texts(parts):
        if text is None or (size := size + len(text)) > max_bytes:
            return None
        named = blake2b(name.encode(), key=key, digest_size=_NAME // 2).hexdigest()
        value = blake2b(text, key=key, digest_size=_VALUE // 2).hexdigest()
        whole.update(f"{named}{value}".encode())
        if len(names) <= MAX_PARTS:
            found[named] = value
            names.append(name)
    if len(names) > MAX_PARTS or len(found) < len(names):
        return Digest(whole.hexdigest(), {})
    return Digest(whole.hexdigest(), found, tuple(names))


def keyed(*texts: str) -> str:
    """A digest that stands for ``texts`` in the name of a cache entry."""
    lengths = "".join(f"{len(text)}:{text}" for text in texts)
    return salted_hmac(_SALT, lengths, algorithm="sha256").hexdigest()[:40]


def _texts(parts: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, bytes | None]]:
    for name, value in parts:
        if isinstance(value, Promise):
            yield name, str(value).encode()
        elif isinstance(value, bytes):
            yield name, value
        elif isinstance(value, _PLAIN) or value in ([], {}, ()):
            yield name, f"{type(value).__name__} {value}".encode(errors="surrogatepass")
        else:
            yield name, None
