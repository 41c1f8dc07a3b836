"""
The representation part of a tag: what decides how a state is shown.

Beside the media type and the code, these are *terms*: the project's ``REVISION``, the
query string, a view's ``etag_extra``. They stand at the end of the representation part as
one digest, keyed by ``SECRET_KEY`` because they may hold facts about a user. With
``OPAQUE_TAGS`` the whole tag consists of such digests.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise

from ..conf import settings
from .etags import EntityTag, digest, encode_terms, with_representation
from .preconditions import Validators

__all__ = [
    "PLAIN",
    "UNSEALED",
    "Representation",
    "make_validators",
    "request_representation",
]

_PLAIN = (str, bytes, int, float, Decimal, UUID, date, time, timedelta, Promise, type(None))


class Representation(NamedTuple):
    """
    How a state is shown.

    Args:
        text: what everybody may read in the tag: the format, the fingerprint of the code.
        terms: what else decides it, as pairs of a name and values.
        sealed: whether the digests are keyed. ``False`` for a tag that no client gets,
            because it becomes a term of another tag, which is sealed.
        vary: the request headers that decide the terms, for ``Vary``.
        covers: the parts of a page for one visitor that the terms stand for.
    """

    text: str = ""
    terms: tuple[tuple[str, Any], ...] = ()
    sealed: bool = True
    vary: tuple[str, ...] = ()
    covers: frozenset[str] = frozenset()

    def with_text(self, text: str) -> Representation:
        return self._replace(text=f"{self.text}.{text}" if self.text else text)

    def with_terms(self, name: str, terms: Iterable[Any]) -> Representation:
        """This representation with more terms; itself where ``terms`` is empty."""
        found = tuple(terms)
        return self._replace(terms=(*self.terms, (name, found))) if found else self


PLAIN = Representation()
UNSEALED = Representation(sealed=False)


def make_validators(
    state: str,
    representation: Representation = PLAIN,
    last_modified: int | None = None,
    *,
    hidden: str = "",
) -> Validators:
    """
    Build the validators of one state in one representation.

    Args:
        state: the state part of the tag.
        representation: how the state is shown.
        last_modified: seconds since 1970, rounded up, or ``None``.
        hidden: a digest that belongs to the state, of values that not every client may
            know. The tag holds it keyed, so that nobody can guess the values and compare.

    Returns:
        Validators with the tag under ``SECRET_KEY``, and in ``former`` those under each of
        ``SECRET_KEY_FALLBACKS``: clients' tags stay valid while a key is rotated. With
        terms they are not ``dated``, because terms change without a new date.
    """
    if hidden and not representation.sealed:
        state, hidden = f"{state}-{hidden}", ""
    if not (representation.terms or hidden or settings.opaque_tags):
        opaque = with_representation(state, representation.text) if representation.text else state
        return Validators(EntityTag(opaque), state, last_modified)
    if not representation.sealed:
        # The same under every secret key.
        text = representation.with_text(digest(representation.terms)).text
        tag = EntityTag(with_representation(state, text))
        return Validators(tag, state, last_modified, dated=False)
    keys = (django_settings.SECRET_KEY, *django_settings.SECRET_KEY_FALLBACKS)
    (opaque, shown), *former = [_form(key, state, hidden, representation) for key in keys]
    dated = not representation.terms
    return Validators(EntityTag(opaque), shown, last_modified, tuple(former), dated)


def _form(key: Any, state: str, hidden: str, representation: Representation) -> tuple[str, str]:
    """A tag's opaque part and its state part under one secret key."""
    if hidden:
        state = f"{state}-{_seal(key, 'hidden', [state, hidden])}"
    if representation.terms:
        representation = representation.with_text(_seal(key, "terms", representation.terms))
    opaque = with_representation(state, representation.text)
    if not settings.opaque_tags:
        return opaque, state
    sealed = _seal(key, "state", [state])
    # The digest is of the whole: no two rows show that they share a representation.
    return with_representation(sealed, representation.text and _seal(key, "tag", [opaque])), sealed


def _seal(key: Any, use: str, terms: Iterable[Any]) -> str:
    """An HMAC of the terms: 96 bits in hexadecimal."""
    salt = f"etag_versioning.http.representation.{use}"
    text = b"".join(encode_terms(terms))
    return salted_hmac(salt, text, secret=key, algorithm="sha256").hexdigest()[:24]


def request_representation(request: HttpRequest, terms: Iterable[Any] = ()) -> Representation:
    """
    What a response depends on beside the state: the project's revision, the query string, and
    the terms of the view.

    Args:
        request: the request.
        terms: text, numbers, dates, and tuples of these.

    Raises:
        ImproperlyConfigured: a term has a text that stays the same when the term changes, as
            a model instance has.
    """
    query = request.META.get("QUERY_STRING", "")
    revision = settings.revision if settings.has_revision else ""
    if not query and not revision and not terms:
        return PLAIN
    named = (("revision", revision), ("query", query))
    shown = Representation("", tuple((name, (term,)) for name, term in named if term))
    return shown.with_terms("own", map(_plain, terms)) if terms else shown


def _plain(term: Any) -> Any:
    if isinstance(term, tuple | list):
        return tuple(map(_plain, term))
    if not isinstance(term, _PLAIN):
        raise ImproperlyConfigured(
            f"{term!r} cannot be a value of etag_extra, because its text may stay the same when "
            f"it changes. Give text, numbers, dates, tuples of these, or a queryset: "
            f"etag_extra=lambda request, **kwargs: [request.user.pk]."
        )
    return str(term) if isinstance(term, Promise) else term
