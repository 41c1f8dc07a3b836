"""The fingerprints of a routed viewset, for ``etag_fingerprints`` and the system checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpRequest

from ..code.fingerprint import Fingerprint
from .fingerprint import fingerprint_of_view
from .options import ViewOptions
from .representation import serializer_class_of

__all__ = ["fingerprints_of"]


def fingerprints_of(callback: Any) -> Iterator[tuple[str, Fingerprint]]:
    """
    Each handler of GET in each format, with its fingerprint; nothing for a view without the
    mixins.

    Args:
        callback: what the URLconf leads to.
    """
    kind = getattr(callback, "cls", None)
    if not isinstance(kind, type) or not issubclass(kind, ViewOptions):
        return
    actions: Mapping[str, str] = getattr(callback, "actions", None) or {"get": "get"}
    action = actions.get("get")
    if action is None or not hasattr(kind, action):
        return
    view: Any = kind(**getattr(callback, "initkwargs", {}))
    _at_a_get(view, actions)
    serializer_class, unseen = _serializer_class(view, f"{kind.__module__}.{kind.__qualname__}")
    for renderer in view.get_renderers():
        found = fingerprint_of_view(*filter(None, (kind, type(renderer), serializer_class)))
        found = found._replace(unseen=(*found.unseen, *unseen))
        yield f"{kind.__module__}.{kind.__qualname__}.{action} ({renderer.format})", found


def _at_a_get(view: Any, actions: Mapping[str, str]) -> None:
    """Let the view be as at a request, which ``get_serializer_class()`` may look at."""
    request = HttpRequest()
    request.method = "GET"
    view.args, view.kwargs, view.format_kwarg = (), {}, None
    view.action_map = actions
    view.request = view.initialize_request(request)


def _serializer_class(view: Any, name: str) -> tuple[Any, tuple[str, ...]]:
    try:
        return serializer_class_of(view), ()
    except Exception:  # The project's code runs, and expects a user or a key.
        return None, (f"{name}: get_serializer_class() needs a real request",)
