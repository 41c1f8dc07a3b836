"""A view class of Django REST framework's as the URLconf leads to it, before a request comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import models

from ..checks.views import Route

__all__ = ["RoutedView"]

# DRF's and adrf's actions that load one row by get_object(), and those that write its fields.
_OF_ONE_ROW: Final = {
    *("retrieve", "update", "partial_update", "destroy"),
    *("aretrieve", "aupdate", "partial_aupdate", "adestroy"),
}
_WRITING: Final = {
    *("create", "update", "partial_update", "acreate", "aupdate", "partial_aupdate"),
    *("put", "patch", "post"),
}
# The classes of DRF's and adrf's whose handlers are about one row.
_ONE_ROW_VIEWS: Final = {
    "DestroyAPIView",
    "RetrieveAPIView",
    "RetrieveDestroyAPIView",
    "RetrieveUpdateAPIView",
    "RetrieveUpdateDestroyAPIView",
    "UpdateAPIView",
}
_FRAMEWORKS: Final = ("rest_framework", "adrf", "etag_versioning")


class RoutedView:
    """A view class under one route, with the options that the route overrides."""

    def __init__(self, route: Route, kind: Any) -> None:
        self.route = route
        self.kind = kind
        self.name = f"{kind.__module__}.{kind.__qualname__}"
        self.initkwargs: Mapping[str, Any] = getattr(route.view, "initkwargs", None) or {}
        # By HTTP method, the name of what runs.
        self.actions: Mapping[str, str] | None = getattr(route.view, "actions", None)

    def get(self, option: str) -> Any:
        return self.initkwargs.get(option, getattr(self.kind, option, None))

    def has_own(self, method: str) -> bool:
        """Whether the project has its own version of a method of DRF's or ours."""
        for base in self.kind.__mro__:
            if method in vars(base):
                return not _is_framework(str(getattr(vars(base)[method], "__module__", "")))
        return False

    @property
    def handled(self) -> Mapping[str, str]:
        """By HTTP method in lower case, the name of what answers it."""
        if self.actions is not None:
            return self.actions
        return {name: name for name in self.kind.http_method_names if hasattr(self.kind, name)}

    @property
    def handlers(self) -> list[str]:
        return list(self.handled.values())

    @property
    def reading(self) -> list[str]:
        """The handlers of GET."""
        if self.actions is not None:
            return [name for method, name in self.actions.items() if method == "get"]
        own = getattr(self.kind, "get", None)
        return [] if own is None else ["get"]

    @property
    def writes(self) -> bool:
        return any(handler in _WRITING for handler in self.handlers)

    @property
    def queryset(self) -> Any:
        """The attribute. ``get_queryset()`` is not called, since it may need a request."""
        given = self.get("queryset")
        return given if isinstance(given, models.QuerySet) else None

    @property
    def model(self) -> Any:
        """The model of the queryset, or of the serializer."""
        if self.queryset is not None:
            return self.queryset.model
        meta = getattr(self.get("serializer_class"), "Meta", None)
        return getattr(meta, "model", None)

    @property
    def needs_kwarg(self) -> bool:
        """Whether a handler is about one row that the frameworks' own ``get_object()`` loads."""
        if self.has_own("get_object") or self.has_own("aget_object"):
            return False
        if self.actions is not None:
            return any(name in _OF_ONE_ROW and not self.has_own(name) for name in self.handlers)
        return not any(map(self.has_own, ("get", "put", "patch", "delete"))) and any(
            base.__name__ in _ONE_ROW_VIEWS and _is_framework(base.__module__)
            for base in self.kind.__mro__
        )


def _is_framework(module: str) -> bool:
    return module.partition(".")[0] in _FRAMEWORKS
