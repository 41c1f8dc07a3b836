"""
The tags of this project: what its secret key, its revision and its views add.

A tag names a state; what else decides how that state is shown are *terms*: the
project's ``REVISION``, the query string, a view's ``etag_extra``. They stand at
the end of the representation part as one digest, keyed by ``SECRET_KEY``, since
they may tell of a user. With ``OPAQUE_TAGS`` both parts are such digests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from types import MappingProxyType
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
    "EtagExtra",
    "Representation",
    "make_validators",
    "request_representation",
]

EtagExtra = Iterable[Any] | Callable[..., Iterable[Any]]

_PLAIN = (str, bytes, int, float, Decimal, UUID, date, time, timedelta, Promise, type(None))


class Representation(NamedTuple):
    """
    How a state is shown.

    Args:
        text: what of it may be read in a tag: the format, the fingerprint of code.
        terms: what else decides it, each under a name.
        sealed: whether no reader of the tag may learn or guess more than is meant for
            him. Not where it only becomes a term of another, which is.
    """

    text: str = ""
    terms: tuple[tuple[str, Any], ...] = ()
    sealed: bool = True

    def with_text(self, text: str) -> Representation:
        return Representation(f"{self.text}.{text}" if self.text else text, self.terms, self.sealed)

    def with_terms(self, name: str, terms: Iterable[Any]) -> Representation:
        """The same, as far as these terms tell: none, and it is the same."""
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
    The validators of something in a state.

    Args:
        state: the state part of its tag.
        representation: how it is shown.
        last_modified: seconds since 1970, rounded up, or ``None``.
        hidden: a digest of what else makes the state, and may not be shown to everybody.
            In the tag it is keyed, so that no reader can try what it was made of.

    Returns:
        Validators with the tag under ``SECRET_KEY``, and as ``former`` those
        under each of ``SECRET_KEY_FALLBACKS``, so that the tags that clients
        hold go on being good while a key is retired. They are not ``dated`` where
        terms decide too: these change without a new date.
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
    """96 bits, in hexadecimal, that nobody can compute or take back without the key."""
    salt = f"etag_versioning.http.representation.{use}"
    text = b"".join(encode_terms(terms))
    return salted_hmac(salt, text, secret=key, algorithm="sha256").hexdigest()[:24]


def request_representation(
    request: HttpRequest,
    etag_extra: EtagExtra | None = None,
    args: Any = (),
    kwargs: Mapping[str, Any] = MappingProxyType({}),
) -> Representation:
    """
    What an answer depends on beside the state: the project's code, the query string, and a
    view's own terms.

    Args:
        request, args, kwargs: what the view is called with.
        etag_extra: an iterable, or a callable that makes one of the request.

    Raises:
        ImproperlyConfigured: a term's text does not tell all that there is to
            tell, as that of a model instance or a queryset.
    """
    query = request.META.get("QUERY_STRING", "")
    revision = settings.revision if settings.has_revision else ""
    own = etag_extra(request, *args, **kwargs) if callable(etag_extra) else etag_extra
    if not query and not revision and not own:
        return PLAIN
    named = (("revision", revision), ("query", query))
    shown = Representation("", tuple((name, (term,)) for name, term in named if term))
    return shown.with_terms("own", map(_plain, own)) if own else shown


def _plain(term: Any) -> Any:
    if isinstance(term, tuple | list):
        return tuple(map(_plain, term))
    if not isinstance(term, _PLAIN):
        raise ImproperlyConfigured(
            f"{term!r} is no term of a tag, since its text need not change where it does. Give "
            f"text, numbers, dates or tuples of these: etag_extra=lambda request, **kwargs: "
            f"[request.user.pk]."
        )
    return str(term) if isinstance(term, Promise) else term
