"""
What a view of Django REST framework does for ``manage.py etag_doctor``, which imports this module
where the project has such views.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS

from ..checks.views import Route
from ..orm.state_columns import state_columns
from ..runtime_audit.answers import view_name
from .current import extra_actions
from .handlers import has_guarded_actions
from .options import ViewOptions
from .reads import gives_tags, late_code

__all__ = ["described"]


def described(route: Route) -> dict[str, Any] | None:
    """
    A view under one route.

    Returns:
        ``None`` for a view without the mixins that shows no versioned rows.
    """
    kind: Any = route.view.cls
    initkwargs = getattr(route.view, "initkwargs", None) or {}
    model = _model(kind, initkwargs)
    has_mixins = issubclass(kind, ViewOptions)
    if not has_mixins and (model is None or state_columns(model).version is None):
        return None
    return {
        "view": view_name(route.view),
        "route": route.text,
        "by": "mixins" if has_mixins else None,
        "model": None if model is None else model._meta.label,
        "reads": _reads(route, kind),
        "writes": {
            method.upper(): _guard(route, kind, initkwargs, action)
            for method, action in _handlers(route, kind)
            if method.upper() not in SAFE_METHODS
        },
    }


def _model(kind: Any, initkwargs: Mapping[str, Any]) -> Any:
    """The model of the view's queryset, or of its serializer."""
    queryset = initkwargs.get("queryset", getattr(kind, "queryset", None))
    if isinstance(queryset, models.QuerySet):
        return queryset.model
    serializer = initkwargs.get("serializer_class", getattr(kind, "serializer_class", None))
    model = getattr(getattr(serializer, "Meta", None), "model", None)
    return model if isinstance(model, type) and issubclass(model, models.Model) else None


def _handlers(route: Route, kind: Any) -> Iterable[tuple[str, str]]:
    """Each HTTP method in lower case, with the name of what answers it."""
    actions = getattr(route.view, "actions", None)
    if actions is not None:
        return [(method, action) for method, action in actions.items() if method != "head"]
    return [(name, name) for name in kind.http_method_names if hasattr(kind, name)]


def _reads(route: Route, kind: Any) -> str | None:
    """When a 304 is answered; ``None`` for a view that is not read."""
    handler = next((name for method, name in _handlers(route, kind) if method == "get"), None)
    if handler is None:
        return None
    function = getattr(kind, handler, None)
    if getattr(function, "is_versioned_read", False):
        return "before the view"
    if not issubclass(kind, ViewOptions) or not gives_tags(kind, detail=_is_detail(route, kind)):
        return "never"
    return "before the view" if late_code(kind, handler) is None else "after the view"


def _is_detail(route: Route, kind: Any) -> bool:
    detail = (getattr(route.view, "initkwargs", None) or {}).get("detail")
    if detail is not None or not issubclass(kind, GenericAPIView):
        return detail is not False
    return (kind.lookup_url_kwarg or kind.lookup_field) in route.kwargs


def _guard(route: Route, kind: Any, initkwargs: Mapping[str, Any], action: str) -> str:
    """``if_match`` of a write, or "not guarded"."""
    creates = action == "post" and hasattr(kind, "perform_create")
    if creates or action in ("create", "acreate"):
        return "no row yet"
    if not issubclass(kind, ViewOptions):
        return "not guarded"
    is_guarded = _is_detail(route, kind) and has_guarded_actions(kind)
    if action in extra_actions(kind) and not is_guarded:
        return "not guarded"
    if kind.get_if_match is not ViewOptions.get_if_match:
        return "by get_if_match()"
    # The arguments of an @action are among these.
    return str(initkwargs.get("if_match", kind.if_match))
