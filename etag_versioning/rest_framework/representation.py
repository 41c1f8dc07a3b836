"""
The representation part of a view's tags: what renders a row, and for whom.
"""

from __future__ import annotations

from typing import Any

from django.utils.crypto import salted_hmac
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BrowsableAPIRenderer, TemplateHTMLRenderer

from ..etags import digest, encode_key
from .fingerprint import fingerprint

__all__ = ["representation"]

# These pages show who is logged in, and the forms that they may use.
_PERSONAL = (BrowsableAPIRenderer, TemplateHTMLRenderer)


def representation(view: Any) -> str:
    """
    The format, the fingerprint of the code, and where they matter the media
    type's parameters (``application/json; indent=4``) and the user.
    """
    request = view.request
    renderer = request.accepted_renderer
    parts = [encode_key(renderer.format), fingerprint(*_code(view, renderer))]
    if request.accepted_media_type != renderer.media_type:
        parts.append(digest([request.accepted_media_type]))
    if isinstance(renderer, _PERSONAL):
        user = f"{getattr(request.user, 'pk', None)}:{request.user}"
        parts.append(salted_hmac("etag_versioning", user, algorithm="sha256").hexdigest()[:24])
    return ".".join(parts)


def _code(view: Any, renderer: Any) -> tuple[type, ...]:
    """The classes whose code makes the answer."""
    classes: list[Any] = [type(view), type(renderer)]
    if isinstance(view, GenericAPIView) and (
        view.serializer_class is not None
        or type(view).get_serializer_class is not GenericAPIView.get_serializer_class
    ):
        classes.append(view.get_serializer_class())
    return tuple(classes)
