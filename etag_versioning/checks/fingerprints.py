"""The fingerprints of all versioned views that the URLconf leads to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from ..code.fingerprint import Fingerprint
from ..code.views import fingerprint_of_view
from .views import routes

__all__ = ["FingerprintedView", "fingerprinted_views"]


class FingerprintedView(NamedTuple):
    """
    A versioned view.

    Args:
        name: of the view, with the action and the format where it is one of Django REST
            framework's: "shop.api.UserViewSet.retrieve (json)".
        fingerprint: of its code.
        is_in_tags: whether the fingerprint is part of the view's tags. It always is in a
            viewset; in a plain view if ``versioned_condition(fingerprint=True)`` says so.
    """

    name: str
    fingerprint: Fingerprint
    is_in_tags: bool


def fingerprinted_views() -> list[FingerprintedView]:
    """All versioned views, by name. One that several routes lead to is there once."""
    found: dict[tuple[str, str], FingerprintedView] = {}
    for route in routes():
        for view in _views_of(route.view):
            found[view.name, view.fingerprint.digest] = view
    return [found[key] for key in sorted(found)]


def _views_of(callback: Any) -> Iterator[FingerprintedView]:
    options = getattr(callback, "_etag_versioning", None)
    if options is not None:
        view = _decorated(callback)
        name = f"{callback.__module__}.{callback.__qualname__}"
        yield FingerprintedView(name, fingerprint_of_view(view), bool(options.fingerprint))
    elif "etag_versioning.rest_framework.options" in sys.modules:
        # Only now: a project may have no Django REST framework.
        module = import_module("etag_versioning.rest_framework.fingerprinted_views")
        for name, found in module.fingerprints_of(callback):
            yield FingerprintedView(name, found, True)


def _decorated(callback: Any) -> Any:
    """What ``versioned_condition`` decorates. Wrappers around it copy its attributes."""
    if isinstance(getattr(callback, "view_class", None), type) and not hasattr(
        getattr(callback, "__wrapped__", None), "view_class"
    ):
        return callback
    view, inner = callback, callback
    while hasattr(inner, "_etag_versioning"):
        view = inner = getattr(inner, "__wrapped__", None)
    return view
