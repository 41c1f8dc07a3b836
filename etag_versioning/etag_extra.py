"""
Ready-made values for ``etag_extra``: what a response often depends on besides its row.

A value stands for a fact in the tag, and names the request headers that decide it, which the
response then has in ``Vary``::

    from etag_versioning import etag_extra as terms

    @versioned_condition(User, lookup_url_kwarg="user_id", etag_extra=[terms.language, terms.user])

    class UserViewSet(VersionedModelViewSet):
        etag_extra = (terms.language, terms.header("X-Currency"), Banner.objects.filter(shown=True))

        def get_etag_extra(self):  # for what only a request tells
            return [*super().get_etag_extra(), Rate.objects.filter(user=self.request.user)]

Each function takes the view's arguments, and returns a list of terms. ``header()`` and others
that need an argument return such a function.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.contrib.messages import get_messages
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.translation import get_language, get_language_from_path

from .http.personal_pages import CSRF_TOKEN, MESSAGES, NO_MESSAGES

__all__ = [
    "Term",
    "cookie",
    "csrf_token",
    "every",
    "header",
    "host",
    "language",
    "messages",
    "session",
    "time_zone",
    "today",
    "user",
]

TermFunction = Callable[..., "list[Term]"]


class Term(NamedTuple):
    """
    One value of ``etag_extra``.

    Args:
        value: text, a number, a date, or a tuple of these.
        vary: the request headers that decide it, for ``Vary``.
        covers: which of the things that are one visitor's alone it stands for.

    Example::

        def get_etag_extra(self):
            return [Term(currency_of(self.request), vary=["X-Currency"])]
    """

    value: Any
    vary: Iterable[str] = ()
    covers: str | None = None


def user(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
    """The user's primary key; ``None`` for an anonymous user."""
    key = getattr(getattr(request, "user", None), "pk", None)
    return [Term(key, ("Cookie", "Authorization"))]


def session(*names: str) -> TermFunction:
    """
    Values of the session.

    Args:
        names: the names of the values; without names, the whole session counts.
    """

    def values(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
        stored = getattr(request, "session", {})
        shown = {name: stored.get(name) for name in names} if names else dict(stored.items())
        return [Term(json.dumps(shown, sort_keys=True, cls=DjangoJSONEncoder), ("Cookie",))]

    return values


def cookie(*names: str) -> TermFunction:
    """The values of cookies; ``None`` for one that is absent."""

    def values(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
        return [Term(request.COOKIES.get(name), ("Cookie",)) for name in _named(names, "cookie")]

    return values


def header(*names: str) -> TermFunction:
    """The values of request headers; ``None`` for one that is absent."""

    def values(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
        return [Term(request.headers.get(name), (name,)) for name in _named(names, "header")]

    return values


def _named(names: tuple[str, ...], kind: str) -> tuple[str, ...]:
    if not names or not all(isinstance(name, str) for name in names):
        raise ImproperlyConfigured(
            f"etag_extra.{kind}() needs names. Write: etag_extra=[etag_extra.{kind}("
            f'"{"X-Currency" if kind == "header" else "theme"}")].'
        )
    return names


def language(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
    """
    The active language. ``LocaleMiddleware`` takes it from a cookie or from Accept-Language,
    unless the address begins with it.
    """
    chosen = "django.middleware.locale.LocaleMiddleware" in settings.MIDDLEWARE
    urlconf = getattr(request, "urlconf", settings.ROOT_URLCONF)
    # Without i18n_patterns(), the middleware ignores that "/id/7/" begins like a language.
    in_path = (
        chosen
        and is_language_prefix_patterns_used(urlconf)[0]
        and get_language_from_path(request.path_info)
    )
    vary = ("Accept-Language", "Cookie") if chosen and not in_path else ()
    return [Term(get_language(), vary)]


def time_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
    """The active time zone, which projects keep in the session, in a cookie, or with the user."""
    return [Term(timezone.get_current_timezone_name(), ("Cookie",))]


def host(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
    """Scheme and host of the request, for absolute links. They are part of the address."""
    return [Term(request.scheme), Term(request.get_host())]


def csrf_token(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
    """
    The visitor's secret against forgery, for a page with forms. As the page does, this sends
    the cookie, so a visitor who has lost it gets a page with a token that is valid.
    """
    get_token(request)
    return [Term(request.META["CSRF_COOKIE"], ("Cookie",), CSRF_TOKEN)]


def messages(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
    """
    The messages that wait for the visitor. A page that shows some is nobody else's, and is not
    shown again: its tag is never used a second time.
    """
    storage: Any = get_messages(request)
    if len(storage):
        return [Term(secrets.token_hex(), ("Cookie",), MESSAGES)]
    return [Term("", ("Cookie",), NO_MESSAGES)]


def every(seconds: int) -> TermFunction:
    """
    A new value every so many seconds, for what a clock changes: links that are signed for an
    hour need ``every(600)``, and "5 minutes ago" needs ``every(60)``.

    Args:
        seconds: how long one answer may be kept, at most.
    """
    if not isinstance(seconds, int | float) or seconds <= 0:
        raise ImproperlyConfigured(
            f"etag_extra.every({seconds!r}) needs a number of seconds: etag_extra.every(600)."
        )

    def values(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
        return [Term(int(time.time() // seconds))]

    return values


def today(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Term]:
    """Today's date in the active time zone."""
    return [Term(timezone.localdate() if settings.USE_TZ else date.today())]
