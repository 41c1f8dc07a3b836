"""
The representation part of a view's tags: what renders a row, and for whom. And what a finished
answer shows, for the tags that are made of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.http import parse_header_parameters
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BrowsableAPIRenderer, TemplateHTMLRenderer

from ..code.fingerprint import also_forgotten
from ..http.etags import digest, encode_key
from .fingerprint import fingerprint

__all__ = [
    "PERSONAL_RENDERERS",
    "content_of",
    "media_type_parameters",
    "representation",
    "representation_terms",
    "serializer_class_of",
]

# What is no JSON, and whose text is all that there is to it.
_PLAIN = (Decimal, UUID, date, time, timedelta, Promise)
# Headers of the 200 that a 304 brings up to date.
_UPDATED = frozenset({"age", "cache-control", "date", "expires", "vary"})

# These pages show who is logged in, and the forms that they may use. The forms hold
# Django's token against forgery, which is another after each login.
PERSONAL_RENDERERS = (BrowsableAPIRenderer, TemplateHTMLRenderer)


def representation(view: Any) -> str:
    """
    The format, the fingerprint of the code, and where they matter the media
    type's parameters (``application/json; indent=4``).
    """
    request = view.request
    renderer = request.accepted_renderer
    classes: list[Any] = [type(view), type(renderer), serializer_class_of(view)]
    text: str = _of_code(renderer.format, *classes)
    if request.accepted_media_type == renderer.media_type:
        return text
    parameters = media_type_parameters(request.accepted_media_type)
    if parameters == media_type_parameters(renderer.media_type):
        return text
    return f"{text}.{digest(parameters)}"


def media_type_parameters(media_type: str | None) -> list[str]:
    """
    A media type's parameters, in one order. The weight in Accept is not one of them
    (RFC 9110 §12.4.2).

    >>> media_type_parameters("application/json; Indent=4;q=0.9")
    ['indent=4']
    """
    _, parameters = parse_header_parameters(media_type or "")
    return sorted(f"{name}={value}" for name, value in parameters.items() if name != "q")


@lru_cache(maxsize=1000)
def _of_code(format: str, *classes: Any) -> str:
    """The format, and the fingerprint of the classes whose code makes the answer."""
    return f"{encode_key(format)}.{fingerprint(*filter(None, classes))}"


also_forgotten.append(_of_code.cache_clear)


def representation_terms(view: Any) -> list[Any]:
    """What else tells representations apart: the API's version, the user of a page."""
    request = view.request
    terms = [] if request.version is None else [("version", str(request.version))]
    if isinstance(request.accepted_renderer, PERSONAL_RENDERERS):
        user, token = request.user, request.META.get("CSRF_COOKIE")
        terms.append(("user", f"{getattr(user, 'pk', None)}:{user}:{token}"))
    return terms


def serializer_class_of(view: Any) -> Any:
    """The view's serializer, or ``None`` for a view that needs none."""
    if not isinstance(view, GenericAPIView):
        return None
    if type(view).get_serializer_class is GenericAPIView.get_serializer_class:
        return view.serializer_class
    return view.get_serializer_class()


def content_of(response: Any, ignored: Collection[str] = ()) -> list[Any] | None:
    """
    What a response shows: data, headers and cookies. ``None`` where that cannot be told, as of
    a stream, and of data with objects whose text need not change when they do.

    Args:
        response: of the view, not rendered yet.
        ignored: the keys of the data that do not count.
    """
    try:
        shown = _shown(response, ignored)
    except (AttributeError, TypeError, ValueError, RecursionError):
        return None
    headers = [
        f"{name}: {value}"
        for name, value in response.headers.items()
        if name.lower() not in _UPDATED
    ]
    return [shown, *sorted(headers), *map(_cookie, response.cookies.values())]


def _shown(response: Any, ignored: Collection[str]) -> str | bytes:
    if hasattr(response, "data"):
        data = response.data
        if ignored and isinstance(data, Mapping):
            data = {name: value for name, value in data.items() if name not in ignored}
        return json.dumps([data, response.template_name], default=_text)
    if response.streaming or not getattr(response, "is_rendered", True):
        raise TypeError("It has no content yet.")
    content: bytes = response.content
    return content


def _cookie(cookie: Any) -> str:
    # Django makes Expires of Max-Age and the time: it differs in each answer.
    dated = cookie["max-age"] != ""
    return str(cookie.OutputString([name for name in cookie if not (dated and name == "expires")]))


def _text(value: Any) -> str:
    if isinstance(value, _PLAIN):
        return str(value)
    raise TypeError(f"{type(value)} need not change its text where it changes.")
