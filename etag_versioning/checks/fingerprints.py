"""The fingerprints of all versioned views that the URLconf leads to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from ..code.fingerprint import Fingerprint
from ..code.origin import is_project_module
from ..code.views import fingerprint_of_view
from ..sources.base import PageSource, RevisionSource, RowSource
from .layers import options_of, sources_of
from .views import Route, routes

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
        shows_rows: whether its tags are of rows, and of no revision. The tag of a file changes
            with the file.
    """

    name: str
    fingerprint: Fingerprint
    is_in_tags: bool
    shows_rows: bool = True


def fingerprinted_views() -> list[FingerprintedView]:
    """All versioned views, by name. One that several routes lead to is there once."""
    found: dict[tuple[str, str], FingerprintedView] = {}
    for route in routes():
        for view in _views_of(route):
            found[view.name, view.fingerprint.digest] = view
    return [found[key] for key in sorted(found)]


def _views_of(route: Route) -> Iterator[FingerprintedView]:
    callback = route.view
    options = options_of(callback)
    if options is not None:
        view = _decorated(callback)
        found = fingerprint_of_view(view)
        kinds = {type(each) for each in sources_of(options.source)}
        shows_rows = RevisionSource not in kinds and not kinds.isdisjoint((RowSource, PageSource))
        yield FingerprintedView(_name(route), found, bool(options.fingerprint), shows_rows)
    elif "etag_versioning.rest_framework.options" in sys.modules:
        # Only now: a project may have no Django REST framework.
        module = import_module("etag_versioning.rest_framework.fingerprinted_views")
        for name, found in module.fingerprints_of(callback):
            yield FingerprintedView(name, found, True)


def _name(route: Route) -> str:
    """The view's name; that of a class of Django's own with the route."""
    named = getattr(route.view, "view_class", route.view)
    name = f"{named.__module__}.{named.__qualname__}"
    return name if is_project_module(named.__module__) else f"{name} at {route.text}"


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
