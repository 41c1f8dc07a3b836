"""
System checks of Django REST framework's views. The check of the URLconf, in
``etag_versioning.checks``, imports this module once it has met one.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from rest_framework import serializers
from rest_framework.generics import GenericAPIView

from ..cache_control import check_cache_control
from ..checks.layers import layers
from ..checks.plain_views import check_storing
from ..checks.views import Route, check_kwarg, check_lookup, check_model, error
from ..http.policy import IF_MATCH_MODES
from ..orm.state_columns import has_version, is_model, state_columns
from .coverage import check_coverage
from .current import extra_actions
from .generic_views import VersionedViewMixin
from .handler_code import READING
from .list_validators import count_and_max_updated_at
from .options import ViewOptions
from .reads import gives_tags, late_code, tags_rows
from .routed_views import RoutedView

__all__ = ["check_view"]


def check_view(route: Route, known: set[Any]) -> Iterator[checks.CheckMessage]:
    """
    All checks of one view of Django REST framework.

    Args:
        route: the view, and how the URLconf leads to it.
        known: what was read of the views before; this one's is added.
    """
    kind = getattr(route.view, "cls", None)
    if not isinstance(kind, type):
        return
    view = RoutedView(route, kind)
    if not issubclass(kind, ViewOptions):
        yield from _check_unguarded(view)
        return
    yield from _check_options(view)
    if isinstance(view.model, type) and not view.has_own("get_versioned_queryset"):
        yield from check_model(kind, view.name, view.model)
        yield from _check_lookups(view)
    if view.writes:
        yield from _check_serializer(view)
    yield from _check_late_reads(view)
    yield from _check_paginator(view)
    yield from check_coverage(view, known)
    if any(tags_rows(kind, handler) for handler in view.reading):
        around = [*layers(route.view)]
        for handler in view.reading:
            around += layers(getattr(kind, handler))
        yield from check_storing(kind, view.name, around)


def _check_unguarded(view: RoutedView) -> Iterator[checks.CheckMessage]:
    """W209: a view without the mixins that writes versioned rows."""
    model = view.model
    methods = set(view.actions or ()) | {
        name for name in ("put", "patch", "delete") if hasattr(view.kind, name)
    }
    wrote = sorted(name.upper() for name in methods & {"put", "patch", "delete"})
    if not wrote or not has_version(model):
        return
    if not issubclass(view.kind, GenericAPIView):
        return
    mixin = "VersionedViewSetMixin"
    if view.actions is None:
        mixin = "VersionedRetrieveMixin, VersionedUpdateMixin, VersionedDestroyMixin"
    bases = ", ".join(base.__name__ for base in view.kind.__bases__)
    yield checks.Warning(
        f"{view.name} writes {model._meta.label} ({', '.join(wrote)}) without preconditions: of "
        f"two clients that edit the same row, the later one overwrites the other's edit.",
        hint=f"class {view.kind.__name__}({mixin}, {bases})  # from etag_versioning."
        f'rest_framework.mixins. While clients send no If-Match: if_match = "report".',
        obj=view.kind,
        id="etag_versioning.W209",
    )


def _check_options(view: RoutedView) -> Iterator[checks.CheckMessage]:
    """E201: an option with a value that it cannot have."""
    for option, default in vars(ViewOptions).items():
        value = view.get(option)
        if isinstance(default, bool) and not isinstance(value, bool) and _is_given(value):
            yield _wrong(view, option, "it must be True or False", f"{option} = True")
    if_match = view.get("if_match")
    if if_match not in IF_MATCH_MODES and _is_given(if_match):
        choices = ", ".join(f'"{choice}"' for choice in IF_MATCH_MODES)
        yield _wrong(view, "if_match", f"it must be one of {choices}", 'if_match = "required"')
    for option in ("etag_extra", "etag_ignores", "late_reads"):
        terms = view.get(option)
        if isinstance(terms, str):
            yield _wrong(view, option, "each letter is one term", f'{option} = ("{terms}",)')
        elif not isinstance(terms, Iterable) and _is_given(terms):
            yield _wrong(view, option, "it must be iterable", f"{option} = (…,)")
    yield from _check_cache_control(view)
    yield from _check_list_validator(view)
    if view.get("allow_create") is True and not hasattr(view.kind, "perform_create"):
        yield error(
            "E201",
            view.kind,
            f"{view.name} has allow_create = True, but no perform_create() to create by.",
            "Inherit from CreateModelMixin, or from VersionedCreateMixin.",
        )


def _check_cache_control(view: RoutedView) -> Iterator[checks.CheckMessage]:
    value = view.get("cache_control")
    if value is None or not _is_given(value):
        return
    if not isinstance(value, Mapping):
        form = 'cache_control = {"private": True, "max_age": 60}'
        yield _wrong(view, "cache_control", "it must be a dictionary", form)
        return
    try:
        check_cache_control(value)
    except ImproperlyConfigured as problem:
        yield error("E201", view.kind, f"{view.name}: {problem}", "Leave one of the two out.")


def _check_list_validator(view: RoutedView) -> Iterator[checks.CheckMessage]:
    # Of the class, as ``self.list_validator`` would be a bound method.
    value = view.get("list_validator")
    if value is None or isinstance(value, property):
        return
    if not callable(value):
        form = "list_validator = max_version_and_count"
        yield _wrong(view, "list_validator", "it must be a function", form)
    elif value is count_and_max_updated_at and view.model is not None:
        columns = state_columns(view.model)
        if columns.version is not None and columns.timestamp is None:
            yield _wrong(
                view,
                "list_validator",
                f"{view.model._meta.label} has no timestamp",
                "list_validator = max_version_and_count",
            )


def _is_given(value: Any) -> bool:
    """Whether a value is the option itself. A property is computed for each view."""
    return not hasattr(value, "__get__")


def _wrong(view: RoutedView, option: str, why: str, hint: str) -> checks.CheckMessage:
    value = view.get(option)
    shown = getattr(value, "__name__", repr(value))
    return error("E201", view.kind, f"{view.name} has {option} = {shown}; {why}.", hint)


def _check_lookups(view: RoutedView) -> Iterator[checks.CheckMessage]:
    """E203 and E204: a lookup that the route, or the model, does not have."""
    rows = view.queryset
    if rows is None or view.has_own("get_queryset"):
        rows = None  # Its rows may have annotations that nobody knows before a request.
    for option in ("lookup_field", "tag_key"):
        yield from check_lookup(view.kind, view.name, rows, option, view.get(option))
    if issubclass(view.kind, VersionedViewMixin) and view.needs_kwarg:
        kwarg = view.get("lookup_url_kwarg") or view.get("lookup_field")
        names = sorted({*view.route.kwargs} - {"format"})
        hint = f'lookup_url_kwarg = "{names[0] if len(names) == 1 else "…"}"'
        yield from check_kwarg(view.route, view.name, kwarg, hint)


def _check_late_reads(view: RoutedView) -> Iterator[checks.CheckMessage]:
    """
    W202: the project's own code around DRF's, which has to run before each 304. A method that is
    wholly the project's is no surprise, and neither is an ``@action``.
    """
    handler = "get" if view.actions is None else view.actions.get("get")
    if handler is None or handler in extra_actions(view.kind):
        return
    function = late_code(view.kind, handler)
    name = getattr(function, "__name__", handler)
    if not inspect.isfunction(function) or name in view.get("late_reads"):
        return
    code, method = function.__code__, f"{view.name}.{name}()"
    if hasattr(function, "__wrapped__"):
        # functools.wraps() has copied the names of the method.
        wrapper, _, _ = code.co_qualname.partition(".<locals>")
        what = f"{function.__globals__['__name__']}.{wrapper}(), around {method},"
    elif not {"super", *READING}.isdisjoint(code.co_names):
        what = method
    else:
        return
    yield checks.Warning(
        f"{what} may refuse a request, or show more than rows. So a 304 comes after it, and "
        f"costs as much as the 200.",
        hint=f"If it does neither, put @versioned_read above it. Or let get_queryset(), "
        f"permissions and the serializer do its work, and delete it. If it is meant: "
        f'late_reads = ("{name}",) on the view.',
        obj=view.kind,
        id="etag_versioning.W202",
    )


# What is another value at each call.
_NEVER_THE_SAME: Final = frozenset({"now", "utcnow", "localtime", "today", "time", "uuid4"})


def _check_paginator(view: RoutedView) -> Iterator[checks.CheckMessage]:
    """W203: a paginator that shows the time, so that no two of its answers are the same."""
    paginator = view.get("pagination_class")
    function = getattr(paginator, "get_paginated_response", None)
    names = _NEVER_THE_SAME & {*getattr(getattr(function, "__code__", None), "co_names", ())}
    if not names or view.get("etag_ignores") or not gives_tags(view.kind, detail=False):
        return
    if {"list", "alist", "get"}.isdisjoint(view.handlers):
        return
    yield checks.Warning(
        f"{paginator.__module__}.{paginator.__qualname__}, of {view.name}, calls "
        f"{', '.join(sorted(names))}() in get_paginated_response(). No two answers are the same, "
        f"so none is ever answered 304.",
        hint="Leave it out: each response has a Date header. If clients need it, name its key: "
        'etag_ignores = ("timestamp",) on the view.',
        obj=view.kind,
        id="etag_versioning.W203",
    )


def _check_serializer(view: RoutedView) -> Iterator[checks.CheckMessage]:
    """W201: a serializer that lets clients write the version or the timestamp."""
    kind = view.get("serializer_class")
    if not isinstance(kind, type) or not issubclass(kind, serializers.Serializer):
        return
    try:
        pending = [(kind(), view.model)]
        while pending:
            serializer, model = pending.pop()
            names = state_columns(model).names if is_model(model) else ()
            fields = list(serializer.fields.values())
            written = [field for field in fields if not field.read_only]
            wrong = [str(field.field_name) for field in written if field.source in names]
            if wrong:
                yield _writable(view, type(serializer), wrong)
            children = [getattr(field, "child", field) for field in written]
            pending += [
                (child, getattr(getattr(child, "Meta", None), "model", None))
                for child in children
                if isinstance(child, serializers.Serializer)
            ]
    except Exception:
        return  # It cannot be made without a request.


def _writable(view: RoutedView, kind: type, names: list[str]) -> checks.CheckMessage:
    listed = ", ".join(f'"{name}"' for name in names)
    return checks.Warning(
        f"{kind.__module__}.{kind.__qualname__}, of {view.name}, lets clients write {listed}. A "
        f"write that sends an old value can never succeed.",
        hint=f"class Meta: read_only_fields = ({listed},); a field that is declared: "
        f"{names[0]} = serializers.{'IntegerField' if names[0] == 'version' else 'DateTimeField'}"
        f"(read_only=True)",
        obj=view.kind,
        id="etag_versioning.W201",
    )
