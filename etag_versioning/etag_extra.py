"""
Ready-made values for ``etag_extra``: what a response often depends on besides its row.

Each function takes the view's arguments, and returns a list::

    from etag_versioning import etag_extra

    @versioned_condition(User, lookup_url_kwarg="user_id", etag_extra=etag_extra.language)

    def get_etag_extra(self):  # on a viewset
        return [*etag_extra.language(self.request), *etag_extra.user(self.request)]
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language

__all__ = ["language", "user"]


def language(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Any]:
    """
    The active language. ``LocaleMiddleware`` sets the matching ``Vary: Accept-Language`` on
    every response, including a 304.
    """
    return [get_language()]


def user(request: HttpRequest, *args: Any, **kwargs: Any) -> list[Any]:
    """
    The user's primary key; ``None`` for an anonymous user. Reading the session's user sets
    ``Vary: Cookie`` on the response, including a 304.
    """
    return [getattr(getattr(request, "user", None), "pk", None)]
