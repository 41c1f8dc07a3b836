"""
What a view of Django REST framework does for ``manage.py etag_doctor``, which imports this module
where the project has such views.
"""

from __future__ import annotations

from typing import Any

from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS

from ..checks.views import Route
from ..http.reporting import view_name
from ..orm.state_columns import has_version, is_model
from .current import extra_actions
from .handlers import has_guarded_actions
from .options import ViewOptions
from .reads import gives_tags, late_code
from .routed_views import RoutedView

__all__ = ["described"]


def described(route: Route) -> dict[str, Any] | None:
    """
    A view under one route.

    Returns:
        ``None`` for a view without the mixins that shows no versioned rows.
    """
    view = RoutedView(route, route.view.cls)
    has_mixins = issubclass(view.kind, ViewOptions)
    model = view.model if is_model(view.model) else None
    if not has_mixins and not has_version(model):
        return None
    return {
        "view": view_name(route.view),
        "route": route.text,
        "by": "mixins" if has_mixins else None,
        "model": None if model is None else model._meta.label,
        "reads": _reads(view),
        "writes": {
            method.upper(): _guard(view, action)
            for method, action in view.handled.items()
            if method.upper() not in SAFE_METHODS
        },
    }


def _reads(view: RoutedView) -> str | None:
    """When a 304 is answered; ``None`` for a view that is not read."""
    kind, handler = view.kind, view.handled.get("get")
    if handler is None:
        return None
    function = getattr(kind, handler, None)
    if getattr(function, "is_versioned_read", False):
        return "before the view"
    if not issubclass(kind, ViewOptions) or not gives_tags(kind, detail=_is_detail(view)):
        return "never"
    return "before the view" if late_code(kind, handler) is None else "after the view"


def _is_detail(view: RoutedView) -> bool:
    kind, detail = view.kind, view.initkwargs.get("detail")
    if detail is not None or not issubclass(kind, GenericAPIView):
        return detail is not False
    return (kind.lookup_url_kwarg or kind.lookup_field) in view.route.kwargs


def _guard(view: RoutedView, action: str) -> str:
    """``if_match`` of a write, or "not guarded"."""
    kind = view.kind
    creates = action == "post" and hasattr(kind, "perform_create")
    if creates or action in ("create", "acreate"):
        return "no row yet"
    if not issubclass(kind, ViewOptions):
        return "not guarded"
    is_guarded = _is_detail(view) and has_guarded_actions(kind)
    if action in extra_actions(kind) and not is_guarded:
        return "not guarded"
    if kind.get_if_match is not ViewOptions.get_if_match:
        return "by get_if_match()"
    # The arguments of an @action are among these.
    return str(view.get("if_match"))
