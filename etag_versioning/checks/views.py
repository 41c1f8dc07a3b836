"""System checks of the views that the URLconf leads to."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

from ..orm.state_columns import state_columns
from ..sources.rows import as_queryset
from .layers import options_of, sources_of
from .plain_views import check_decorated_view, check_unguarded_view

__all__ = [
    "Route",
    "check_kwarg",
    "check_lookup",
    "check_model",
    "check_views",
    "error",
    "routes",
]


class Route(NamedTuple):
    """A view, and how the URLconf leads to it."""

    text: str
    view: Any
    # The names of the keyword arguments that the view is called with.
    kwargs: Collection[str]


@checks.register("etag_versioning")
def check_views(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E201 to E205, W201 to W203 and W207 to W215: each view that the URLconf leads to."""
    found: list[checks.CheckMessage] = []
    # A router leads to the same view by several routes.
    known: set[Any] = set()
    for route in routes():
        options = options_of(route.view)
        if options is not None:
            found += _check_decorated(route, options)
        elif hasattr(route.view, "cls") and "rest_framework.generics" in sys.modules:
            # Only now: a project may have no Django REST framework.
            module = import_module("etag_versioning.rest_framework.checks")
            found += module.check_view(route, known)
        else:
            found += check_unguarded_view(route.view)
    # A view that several routes lead to has its mistakes once.
    return list({(message.id, message.msg): message for message in found}.values())


def error(number: str, view: Any, message: str, hint: str) -> checks.CheckMessage:
    """A mistake in a view."""
    return checks.Error(message, hint=hint, obj=view, id=f"etag_versioning.{number}")


def check_model(view: Any, name: str, model: Any) -> Iterator[checks.CheckMessage]:
    """E202: rows of which no tag can be made."""
    if state_columns(model).version is None:
        yield error(
            "E202",
            view,
            f"{name} shows {model._meta.label}, which has no version to make a tag of.",
            f"class {model.__name__}(VersionedModel)  # from etag_versioning.models; then run "
            f"makemigrations and migrate",
        )


def check_lookup(
    view: Any, name: str, queryset: Any, option: str, lookup: str | None
) -> Iterator[checks.CheckMessage]:
    """E204: a lookup that leads to no field of the rows."""
    if lookup is None or queryset is None or lookup == "pk":
        return
    try:
        queryset.filter(**{lookup: models.F("pk")})
    except FieldError:
        model = queryset.model
        fields = ", ".join(field.name for field in model._meta.concrete_fields)
        yield error(
            "E204",
            view,
            f'{name} has {option} = "{lookup}", but {model._meta.label} has no such field.',
            f"Name one of its fields: {fields}.",
        )
    except Exception:
        return  # A queryset that cannot be filtered, or a field that compares with no other.


def check_kwarg(route: Route, name: str, kwarg: str, hint: str) -> Iterator[checks.CheckMessage]:
    """E203: a keyword argument that the route does not have."""
    if kwarg not in route.kwargs:
        has = ", ".join(f'"{each}"' for each in sorted(route.kwargs)) or "none"
        yield error(
            "E203",
            route.view,
            f'{name} looks for its row by the URL keyword argument "{kwarg}", but the route '
            f'"{route.text}" does not have it. It has: {has}.',
            hint,
        )


def _check_decorated(route: Route, options: Any) -> Iterator[checks.CheckMessage]:
    """The sources of a view under ``versioned_condition``."""
    name = f"{route.view.__module__}.{route.view.__qualname__}"
    for source in sources_of(options.source):
        rows = as_queryset(getattr(source, "source", None))
        kwarg = _kwarg(source, rows)
        if kwarg is not None:
            names = sorted(route.kwargs)
            mended = names[0] if len(names) == 1 else "…"
            yield from check_kwarg(route, name, kwarg, f'lookup_url_kwarg="{mended}"')
        if rows is not None:
            yield from check_model(route.view, name, rows.model)
            for option in ("lookup_field", "tag_key"):
                lookup = getattr(source, option, None)
                yield from check_lookup(route.view, name, rows, option, lookup)
    yield from check_decorated_view(route.view, name, options)


def _kwarg(source: Any, rows: Any) -> str | None:
    """The URL keyword argument that a source needs, if it needs one."""
    if not hasattr(source, "lookup_url_kwarg"):
        return None
    field = getattr(source, "lookup_field", None)
    return source.lookup_url_kwarg or field or (None if rows is None else "pk")


def routes() -> list[Route]:
    """All routes; none where there is no URLconf, or Django's own check tells what is wrong."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    try:
        return list(_walk(get_resolver(), "", frozenset(), {}))
    except Exception:
        return []


def _walk(
    resolver: URLResolver, text: str, names: frozenset[str], given: Mapping[str, Any]
) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        here = text + str(entry.pattern)
        kwargs = names | entry.pattern.regex.groupindex.keys()
        if isinstance(entry, URLResolver):
            defaults = {**given, **entry.default_kwargs}
            yield from _walk(entry, here, kwargs, defaults)
        elif isinstance(entry, URLPattern):
            view: Any = entry.callback
            kwargs = kwargs | given.keys() | entry.default_args.keys()
            while isinstance(view, partial):
                view, kwargs = view.func, kwargs | view.keywords.keys()
            yield Route(here, view, kwargs)
