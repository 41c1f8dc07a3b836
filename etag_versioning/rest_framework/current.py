"""What a GET of the same row would show, while another method is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.generics import GenericAPIView
from rest_framework.request import clone_request
from rest_framework.serializers import ListSerializer, Serializer

from ..tags import Representation
from ..validators import for_write
from .hooks import hooked, unhooked
from .options import ViewOptions

__all__ = [
    "acting",
    "answers_as_get",
    "as_read",
    "content_of",
    "extra_actions",
    "is_extra_action",
    "is_whole",
    "read_representation",
    "reading",
    "visible_row",
]


def is_extra_action(view: Any) -> bool:
    """Whether the request is for an ``@action``, rather than for one of DRF's methods."""
    view_class: Any = type(view)
    return getattr(view, "action", None) in extra_actions(view_class)


@cache
def extra_actions(view_class: Any) -> Mapping[str, Mapping[str, Any]]:
    """The arguments of each ``@action`` of a view set, by the names of its handlers."""
    extra: list[Any] = getattr(view_class, "get_extra_actions", list)()
    return {name: action.kwargs for action in extra for name in action.mapping.values()}


def reading(view: Any) -> AbstractContextManager[None]:
    """For the block, let the view be as at a GET of its row."""
    return acting(view, "GET", getattr(view, "_read_action", "retrieve"))


@contextmanager
def acting(view: Any, method: str, action: str) -> Iterator[None]:
    """
    For the block, let the view be as at another method's request.

    Views choose their serializer, and their permissions, by action, by method or
    by the arguments of an ``@action``.
    """
    loaded = vars(view)
    view_class: Any = type(view)
    own = extra_actions(view_class).get(loaded.get("action", ""), {})
    held = {name: loaded.pop(name) for name in ("action", *own) if name in loaded}
    request = view.request
    view.request = clone_request(request, method)
    if "action" in held:
        view.action = action
    try:
        yield
    finally:
        loaded.update(held, request=request)


def answers_as_get(view: Any) -> bool:
    """Whether an answer is made by the code that answers a GET of the row."""
    return not _chooses(view) or view._representation() == read_representation(view)


def _chooses(view: Any) -> bool:
    """Whether a view may choose by method or action how it shows a row."""
    view_class: Any = type(view)
    return _class_chooses(view_class) or is_extra_action(view)


@cache
def _class_chooses(view_class: Any) -> bool:
    own_serializer = getattr(view_class, "get_serializer_class", None)
    return (
        own_serializer is not GenericAPIView.get_serializer_class
        or view_class.get_representation is not ViewOptions.get_representation
        or view_class.get_etag_terms is not ViewOptions.get_etag_terms
    )


def is_whole(data: Any) -> bool:
    """
    Whether an answer has all that a GET shows: DRF leaves a field with a default out
    of the answer to a PATCH, where its source leads nowhere.
    """
    serializer = getattr(data, "serializer", None)
    return not getattr(serializer, "partial", False) or _has_all_fields(serializer, data)


def _has_all_fields(field: Any, data: Any) -> bool:
    if isinstance(field, ListSerializer):
        return all(_has_all_fields(field.child, item) for item in data)
    if not isinstance(field, Serializer) or not isinstance(data, Mapping):
        return True
    return all(
        inner.field_name in data and _has_all_fields(inner, data[inner.field_name])
        for inner in field._readable_fields
    )


def read_representation(view: Any) -> Representation:
    """The representation part of the tag that a GET of the row shows."""
    if not _chooses(view):
        own: Representation = view._representation()
        return own
    with reading(view):
        shown: Representation = view._representation()
    return shown


def as_read(view: Any, instance: Any) -> Any:
    """
    ``instance`` as a GET of it would load it; ``None`` for who would not get it.

    It is loaded again only where a GET may load it in another way: by a
    ``get_object()`` of the view's own, or from another query set.
    """
    with unhooked(view):
        try:
            rows = _rows(view)
            with reading(view), _at(view, instance):
                view.check_permissions(view.request)
                if view._loads_as_drf and _is_same(rows, _rows(view)):
                    view.check_object_permissions(view.request, instance)
                    return instance
                found = _load(view)
        except (APIException, PermissionDenied, Http404):
            return None
    return found if found == instance else None


def _at(view: Any, instance: Any) -> AbstractContextManager[None]:
    """For the block, let the view be at the address of ``instance``."""
    if view._is_about_one_row():
        return nullcontext()
    value = instance
    for name in view.lookup_field.split("__"):
        value = getattr(value, name)
    return hooked(view, kwargs={**view.kwargs, view.lookup_url_kwarg or view.lookup_field: value})


def _rows(view: Any) -> Any:
    fixed = view._fixed_queryset
    return view.filter_queryset(view.get_queryset()) if fixed is None else fixed


def _is_same(rows: Any, others: Any) -> bool:
    """Whether two query sets are known to load the same, but for locks."""
    return rows is others or (
        isinstance(rows, QuerySet)
        and isinstance(others, QuerySet)
        and _selection(rows) == _selection(others)
    )


def _selection(rows: Any) -> Any:
    query, prefetched = rows.query.clone(), rows._prefetch_related_lookups
    query.select_for_update = False
    if not all(isinstance(lookup, str) for lookup in prefetched):
        return object()  # One with a query set of its own.
    try:
        return rows.model, query.get_compiler(rows.db).as_sql(), prefetched
    except EmptyResultSet:
        return rows.model, None, prefetched


def content_of(view: Any, instance: Any) -> Any:
    """What a GET shows of ``instance``, as a GET has loaded it."""
    with reading(view):
        return view.get_serializer(instance).data


def visible_row(view: Any) -> Any:
    """
    The row that the request is about, as it is now; ``None`` where it is gone, and
    for a caller who may not GET it.
    """
    with unhooked(view), reading(view):
        try:
            view.check_permissions(view.request)
            return _load(view)
        except (APIException, PermissionDenied, Http404):
            return None


def _load(view: Any) -> Any:
    name = "get_queryset" if hasattr(view, "get_queryset") else "get_versioned_queryset"
    queryset = getattr(view, name)
    with hooked(view, **{name: lambda: for_write(queryset())}):
        return view._load_anew()
