"""
Cache-Control for responses with tags: presets, and the rules for requests with credentials.

The default is "private, no-cache": the browser stores the response and revalidates it each
time, which a 304 makes cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control

__all__ = [
    "ALWAYS",
    "DEFAULT_CACHE_CONTROL",
    "bears_credentials",
    "check_cache_control",
    "private",
    "public",
    "set_cache_control",
]

DEFAULT_CACHE_CONTROL: Final[Mapping[str, Any]] = {"private": True, "no_cache": True}
_DEFAULT = tuple(DEFAULT_CACHE_CONTROL.items())

# The value of "public" that includes responses to requests with credentials.
ALWAYS: Final = "always"

# Directives that allow a shared cache to store a response to credentials (RFC 9111 §3.5).
_SHARED = ("public", "s_maxage", "must_revalidate", "proxy_revalidate")

# Directives that contradict each other (RFC 9111 §4.2.4, §5.2.2).
_AGAINST: Mapping[str, tuple[str, ...]] = {
    "public": ("private", "no_store"),
    "s_maxage": ("private", "no_store"),
    "max_age": ("no_store",),
    "stale_while_revalidate": (
        "no_store",
        "no_cache",
        "must_revalidate",
        "proxy_revalidate",
        "s_maxage",
    ),
    "stale_if_error": (
        "no_store",
        "no_cache",
        "must_revalidate",
        "proxy_revalidate",
        "s_maxage",
    ),
}


def private(max_age: int = 60) -> dict[str, Any]:
    """
    For content of one user: the browser's cache may answer for ``max_age`` seconds.

    During that time users don't see changes, not even their own. Don't use it for pages on
    which they edit.

    >>> private()
    {'private': True, 'max_age': 60}
    """
    return {"private": True, "max_age": max_age}


def public(
    max_age: int = 300,
    stale_while_revalidate: int = 60,
    stale_if_error: int = 3600,
    *,
    to_credentials: bool = False,
) -> dict[str, Any]:
    """
    For content that is the same for everybody: shared caches may answer for ``max_age``
    seconds, for ``stale_while_revalidate`` more while they revalidate, and for
    ``stale_if_error`` while the server fails (RFC 5861).

    Args:
        to_credentials: send ``public`` to requests with credentials too. Only for content
            that does not depend on the user: shared caches serve it to everybody.

    >>> public(stale_if_error=600)["stale_if_error"]
    600
    """
    return {
        "public": ALWAYS if to_credentials else True,
        "max_age": max_age,
        "stale_while_revalidate": stale_while_revalidate,
        "stale_if_error": stale_if_error,
    }


def check_cache_control(directives: Mapping[str, Any] | None) -> None:
    """
    Raises:
        ImproperlyConfigured: two of the directives contradict each other.
    """
    given = {name for name, value in (directives or {}).items() if value not in (None, False)}
    for name, others in _AGAINST.items():
        for other in others:
            if {name, other} <= given:
                raise ImproperlyConfigured(
                    f"cache_control={dict(directives or {})!r} has both {name} and {other}, which "
                    f"contradict each other: caches obey the stricter. Remove one, or use a "
                    f"preset: cache_control=cache_control.private(max_age=60)."
                )


def set_cache_control(
    response: HttpResponseBase, directives: Mapping[str, Any] | None, request: HttpRequest
) -> None:
    """
    Set Cache-Control on a response to GET or HEAD that does not have its own.

    Args:
        response: a 2xx or a 304.
        directives: as for Django's ``cache_control``; ``None`` for "private, no-cache", an
            empty mapping for no header. For a request with credentials, directives that
            allow shared caches to store the response (RFC 9111 §3.5) are left out, unless
            "public" is ``ALWAYS``.
        request: the request.
    """
    if response.has_header("Cache-Control"):
        return
    if directives is None:
        # The default is private, so credentials make no difference.
        response.headers["Cache-Control"] = _field_value(_DEFAULT)
        return
    chosen = dict(directives)
    if chosen.get("public") == ALWAYS:
        chosen["public"] = True
    elif chosen and not chosen.get("no_store") and bears_credentials(request):
        chosen = {name: value for name, value in chosen.items() if name not in _SHARED}
        chosen["private"] = True
    if chosen:
        response.headers["Cache-Control"] = _field_value(tuple(chosen.items()))


@lru_cache(maxsize=100)
def _field_value(directives: tuple[tuple[str, Any], ...]) -> str:
    response = HttpResponse()
    patch_cache_control(response, **dict(directives))
    return response.headers["Cache-Control"]


def bears_credentials(request: HttpRequest) -> bool:
    """
    Whether a request has an Authorization header or a session cookie. Only the cookie's name
    is looked at: reading the session would set ``Vary: Cookie``.
    """
    return (
        "HTTP_AUTHORIZATION" in request.META
        or django_settings.SESSION_COOKIE_NAME in request.COOKIES
    )
