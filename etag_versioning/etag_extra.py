"""
Ready-made ``etag_extra``: what an answer often depends on besides its row.

Each takes what a view is called with, and returns a list of terms::

    @versioned_condition(User, lookup_url_kwarg="user_id", etag_extra=terms.language)

    def get_etag_extra(self):  # on a viewset
        return [*terms.language(self.request), *terms.user(self.request)]
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language

__all__ = ["language", "user"]


def language(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Any]:
    """
    The active language. ``LocaleMiddleware`` puts the matching ``Vary:
    Accept-Language`` on every answer, a 304 too.
    """
    return [get_language()]


def user(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Any]:
    """
    The user's primary key, ``None`` for an anonymous one. Looking at a session's
    user brings ``Vary: Cookie``, on a 304 too.
    """
    return [getattr(getattr(request, "user", None), "pk", None)]
