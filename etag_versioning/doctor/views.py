"""The views that the URLconf leads to: what answers 304, and what guards writes."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from ..checks.layers import options_of
from ..checks.views import Route, routes
from ..http.preconditions import SAFE_METHODS
from ..http.reporting import view_name
from ..orm.state_columns import is_model

__all__ = ["views_of_project"]


def views_of_project() -> tuple[list[dict[str, Any]], int]:
    """
    The views with tags, and those of DRF that show or write versioned rows without; and
    the number of the other routes.
    """
    found: list[dict[str, Any]] = []
    others = 0
    for route in routes():
        described = _described(route)
        if described is None:
            others += 1
        elif described not in found:
            found.append(described)
    return sorted(found, key=lambda view: (view["view"], view["route"])), others


def _described(route: Route) -> dict[str, Any] | None:
    options = options_of(route.view)
    if options is not None:
        return _decorated(route, options)
    if "rest_framework.views" not in sys.modules or not hasattr(route.view, "cls"):
        return None
    # Only now: a project may have no Django REST framework.
    module = import_module("etag_versioning.rest_framework.inventory")
    described: dict[str, Any] | None = module.described(route)
    return described


def _decorated(route: Route, options: Any) -> dict[str, Any]:
    source = getattr(options.source, "first", options.source)
    methods = options.methods or ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    guard = "not guarded" if options.source is None else options.if_match
    return {
        "view": view_name(route.view),
        "route": route.text,
        "by": "versioned_condition",
        "model": _label(getattr(source, "source", None)),
        "reads": "before the view" if "GET" in methods else None,
        "writes": {method: guard for method in methods if method not in SAFE_METHODS},
    }


def _label(source: Any) -> str | None:
    """The model of a source; ``None`` where a callable chooses it for each request."""
    model: Any = source if isinstance(source, type) else getattr(source, "model", None)
    return model._meta.label if is_model(model) else None
