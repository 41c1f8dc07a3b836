"""
Entity tags: how this package builds its own, and parses and compares a client's.

Pure functions on strings (RFC 9110 §8.8.3), without Django. A tag of this package::

    "user-7-v3.k2m9x1q0~json.8c1f0a2b4d6e8f0a1b2c3d4e"
     └────── state ───┘ └────── representation ──────┘

The state names the row, its version and its timestamp. The representation part is there
where the same state can look different, for instance as JSON and as HTML.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote

__all__ = [
    "ANY",
    "OWS",
    "EntityTag",
    "build_state",
    "digest",
    "encode_key",
    "encode_terms",
    "encode_timestamp",
    "names_only",
    "parse_entity_tags",
    "resource_part",
    "state_part",
    "with_representation",
    "without_coding",
]

# etagc of RFC 9110 §8.8.3: "!", "#" to "~", and obs-text, which WSGI and ASGI pass as
# the characters U+0080 to U+00FF. No spaces, control characters or quotes.
_ETAGC = r"[\x21\x23-\x7e\x80-\xff]"
_ENTITY_TAG = re.compile(rf'(W/)?"({_ETAGC}*)"')
# Optional whitespace (RFC 9110 §5.6.3).
OWS = " \t"

# The suffixes that servers and proxies append to the opaque part when they compress.
_CODINGS = ("gzip", "br", "zstd", "deflate")
_CODING_SUFFIXES = tuple(f"{mark}{name}" for mark in ("--", "-", ";") for name in _CODINGS)
# The most suffixes that are removed from one tag.
_LONGEST_CHAIN = 4
# Longer field values are not parsed. Servers refuse them long before.
_LONGEST_VALUE = 262_144
# The state part of one of our own tags: resource, version, timestamp.
_STATE = re.compile(r"(?P<resource>.+-v)[0-9]+(?:\.[_0-9a-z]+)?")


class EntityTag(NamedTuple):
    """
    One entity tag.

    Args:
        opaque: the text between the quotes.
        weak: whether the tag begins with ``W/``.

    >>> str(EntityTag("user-7-v3", weak=True))
    'W/"user-7-v3"'
    """

    opaque: str
    weak: bool = False

    def __str__(self) -> str:
        return f'W/"{self.opaque}"' if self.weak else f'"{self.opaque}"'

    @classmethod
    def from_text(cls, text: str) -> EntityTag:
        """
        The tag that a project's own ``etag_func`` returned as text, quoted or not.

        Characters that a tag must not contain are percent-encoded, so that clients and
        caches can send the tag back.

        >>> str(EntityTag.from_text("abc")), str(EntityTag.from_text('W/"abc"'))
        ('"abc"', 'W/"abc"')
        >>> str(EntityTag.from_text('no "quotes" inside'))
        '"no%20%22quotes%22%20inside"'
        """
        if match := _ENTITY_TAG.fullmatch(text):
            return cls(match[2], weak=match[1] is not None)
        if re.fullmatch(f"{_ETAGC}*", text):
            return cls(text)
        return cls(quote(text, safe="", errors="surrogatepass"))


class _Any:
    """The field value ``*``."""

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = _Any()


def parse_entity_tags(value: str) -> _Any | tuple[EntityTag, ...] | None:
    """
    Parse the value of If-Match or If-None-Match (RFC 9110 §13.1.1, §5.6.1).

    Args:
        value: the field value; several field lines are joined by commas.

    Returns:
        ``ANY`` for ``*``, a tuple of tags for a list, and ``None`` for a malformed value:
        an empty one, one with any malformed member, or one of more than 256 KiB.

    >>> parse_entity_tags('"a,b" , W/"c"')
    (EntityTag(opaque='a,b', weak=False), EntityTag(opaque='c', weak=True))
    >>> parse_entity_tags("*"), parse_entity_tags('"a", junk')
    (ANY, None)
    """
    if len(value) > _LONGEST_VALUE:
        return None
    if value.strip(OWS) == "*":
        return ANY
    tags: list[EntityTag] = []
    position, end = 0, len(value)
    after_tag = False
    while position < end:
        character = value[position]
        if character in OWS:
            position += 1
        elif character == ",":
            after_tag = False
            position += 1
        elif not after_tag and (match := _ENTITY_TAG.match(value, position)):
            tags.append(EntityTag(match[2], weak=match[1] is not None))
            after_tag = True
            position = match.end()
        else:
            return None
    return tuple(tags) or None


def names_only(value: str, state: str) -> bool:
    """
    Whether the value of If-Match is one tag, and of this state: the usual one, which need not
    be read as a list.

    >>> names_only('"user-7-v3~json.8c1f"', "user-7-v3"), names_only('"user-7-v30"', "user-7-v3")
    (True, False)
    """
    match = _ENTITY_TAG.fullmatch(value)
    return match is not None and match[2].partition("~")[0] == state


def without_coding(opaque: str) -> str:
    """
    The opaque part of one of our tags without the suffixes of proxies.

    >>> without_coding("user-7-v3.k2m9x1q0-gzip"), without_coding("user-7-v3.k2m9x1q0-gzip;br")
    ('user-7-v3.k2m9x1q0', 'user-7-v3.k2m9x1q0')
    """
    for _ in range(_LONGEST_CHAIN):
        suffix = next((each for each in _CODING_SUFFIXES if opaque.endswith(each)), "")
        if not suffix:
            break
        opaque = opaque.removesuffix(suffix)
    return opaque


def state_part(opaque: str) -> str:
    """
    The part of one of our tags that If-Match compares: without representation and suffixes.

    >>> state_part("user-7-v3.k2m9x1q0~json.8c1f;br"), state_part("user-7-v3.k2m9x1q0-gzip")
    ('user-7-v3.k2m9x1q0', 'user-7-v3.k2m9x1q0')
    """
    return without_coding(opaque.partition("~")[0])


def resource_part(state: str) -> str | None:
    """
    The beginning that all tags of a row share, from the state part of one of them; ``None``
    for an opaque tag, which does not show it.

    >>> resource_part("user-7-v3.k2m9x1q0")
    'user-7-v'
    """
    match = _STATE.fullmatch(state)
    return match["resource"] if match else None


def build_state(label: str, key: Any, version: int, timestamp: datetime | None) -> str:
    """
    The state part of a tag.

    Args:
        label: the model's name, or its ``tag_label``.
        key: the primary key, or the value of ``tag_key``; a tuple for a composite key.
        version: the row's version.
        timestamp: when the row was last written, timezone-aware, or ``None`` for a
            model that only has a version.

    >>> build_state("user", 7, 3, datetime(2026, 1, 1, tzinfo=UTC))
    'user-7-v3.hefg8dts00'
    >>> build_state("user", ("a-b", "ü~"), 3, None)
    'user-a%2Db-%C3%BC%7E-v3'
    """
    text = key if type(key) is int else encode_key(key)
    state = f"{_encode_label(label)}-{text}-v{version}"
    return state if timestamp is None else f"{state}.{encode_timestamp(timestamp)}"


def with_representation(state: str, representation: str) -> str:
    """
    The opaque part of a tag: the state, and the representation if there is one.

    Hyphens in the representation are encoded, so that the end of ``pt-br`` is not mistaken
    for a proxy's suffix.

    >>> with_representation("user-7-v3", "json.pt-br")
    'user-7-v3~json.pt%2Dbr'
    """
    return f"{state}~{_encode_representation(representation)}" if representation else state


@lru_cache(maxsize=1000)
def _encode_representation(representation: str) -> str:
    return encode_key(representation).replace("-", "%2D")


def encode_key(key: Any) -> str:
    """
    A key in the characters ``A-Z a-z 0-9 . _ % -``, different for different keys.

    The parts of a composite key are joined by hyphens, and hyphens inside a part are
    encoded, so that ("a", "b-c") and ("a-b", "c") differ.
    """
    if isinstance(key, tuple | list):
        return "-".join(encode_key(part).replace("-", "%2D") for part in key)
    if isinstance(key, bytes | memoryview):
        return bytes(key).hex()
    text = str(key)
    if text.isascii() and text.isalnum():
        return text
    return quote(text, safe="").replace("~", "%7E")


# Cached: a project has one label for each model.
_encode_label = lru_cache(maxsize=1000)(encode_key)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]


@lru_cache(maxsize=1000)
def encode_timestamp(timestamp: datetime) -> str:
    """
    A timezone-aware datetime as microseconds since 1970 in base 36.

    >>> encode_timestamp(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    'lfls'
    """
    number = (timestamp - _EPOCH) // _MICROSECOND
    # The sign is not a hyphen, because a hyphen and digits could look like a proxy's suffix.
    sign, number = ("_", -number) if number < 0 else ("", number)
    digits = ""
    while number:
        digits = _PAIRS[number % 1296] + digits
        number //= 1296
    return sign + (digits.lstrip("0") or "0")


def encode_terms(terms: Iterable[Any]) -> Iterator[bytes]:
    """
    Encode a sequence of terms so that different sequences have different bytes.

    Each term is encoded with its type and length: ``["ab", "c"]``, ``["a", "bc"]`` and
    ``["a", "b", "c"]`` differ, and so do ``["1"]`` and ``[1]``.
    """
    for term in terms:
        text = f"{type(term).__name__}:{term}".encode("utf-8", "surrogatepass")
        yield b"%d:%b" % (len(text), text)


def digest(terms: Iterable[Any]) -> str:
    """An unkeyed digest of the terms: 96 bits in hexadecimal."""
    hasher = hashlib.blake2b(digest_size=12)
    for encoded in encode_terms(terms):
        hasher.update(encoded)
    return hasher.hexdigest()
