"""
The representation part of a view's tags: what renders a row, and for whom.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.utils.http import parse_header_parameters
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BrowsableAPIRenderer, TemplateHTMLRenderer

from ..http.etags import digest, encode_key
from .fingerprint import fingerprint

__all__ = ["media_type_parameters", "representation", "representation_terms", "serializer_class_of"]

# These pages show who is logged in, and the forms that they may use. The forms hold
# Django's token against forgery, which is another after each login.
_PERSONAL = (BrowsableAPIRenderer, TemplateHTMLRenderer)


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


def representation_terms(view: Any) -> list[Any]:
    """What else tells representations apart: the API's version, the user of a page."""
    request = view.request
    terms = [] if request.version is None else [("version", str(request.version))]
    if isinstance(request.accepted_renderer, _PERSONAL):
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
