"""What a GET of the same row would show, while another method is answered."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

from asgiref.sync import async_to_sync
from django.core.exceptions import EmptyResultSet, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.generics import GenericAPIView
from rest_framework.request import clone_request
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer

from ..http.representation import Representation
from ..sources.rows import for_write
from .hooks import hooked, unhooked
from .options import ViewOptions

logger = logging.getLogger("etag_versioning")

__all__ = [
    "Seen",
    "acting",
    "answers_as_get",
    "as_read",
    "content_of",
    "extra_actions",
    "is_denied",
    "is_extra_action",
    "is_whole",
    "loading",
    "own_handler",
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
    """The arguments of each ``@action`` of a viewset, by the names of its handlers."""
    extra: list[Any] = getattr(view_class, "get_extra_actions", list)()
    return {name: action.kwargs for action in extra for name in action.mapping.values()}


def reading(view: Any) -> AbstractContextManager[None]:
    """For the block, let the view be as at a GET of its row."""
    return acting(view, "GET", view.versioning.read_action)


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
    view_class: Any = type(view)
    if not _chooses(view_class, getattr(view, "action", None)):
        return True
    return bool(view.versioning.representation() == read_representation(view))


@cache
def _chooses(view_class: Any, action: str | None) -> bool:
    """Whether a view may choose by method or action how it shows a row."""
    own_serializer = getattr(view_class, "get_serializer_class", None)
    return (
        own_serializer is not GenericAPIView.get_serializer_class
        or view_class.get_representation is not ViewOptions.get_representation
        or view_class.get_etag_extra is not ViewOptions.get_etag_extra
        or action in extra_actions(view_class)
    )


def is_whole(data: Any) -> bool:
    """
    Whether an answer has all that a GET shows: DRF leaves a field with a default out
    of the answer to a PATCH, where its source leads nowhere.
    """
    serializer = getattr(data, "serializer", None)
    if not getattr(serializer, "partial", False):
        return True
    pending = [(serializer, data)]
    while pending:
        field, shown = pending.pop()
        if isinstance(field, ListSerializer):
            pending += [(field.child, item) for item in shown]
        elif isinstance(field, Serializer) and isinstance(shown, Mapping):
            for inner in field._readable_fields:
                if inner.field_name not in shown:
                    return False
                if isinstance(inner, BaseSerializer):
                    pending.append((inner, shown[inner.field_name]))
    return True


def read_representation(view: Any) -> Representation:
    """The representation part of the tag that a GET of the row shows."""
    view_class: Any = type(view)
    if not _chooses(view_class, getattr(view, "action", None)):
        own: Representation = view.versioning.representation()
        return own
    with reading(view):
        shown: Representation = view.versioning.representation()
    return shown


class Seen(NamedTuple):
    """
    A row as a GET of it loads it.

    Args:
        instance: the row.
        answer: what the view's own handler of GET has returned; ``None`` without one.
    """

    instance: Any
    answer: Any = None


# What refuses a request.
_REFUSALS = (APIException, PermissionDenied, Http404)


def as_read(view: Any, instance: Any) -> Seen | None:
    """
    ``instance`` as a GET of it would load it; ``None`` for who would not get it.

    It is loaded again only where a GET may load it in another way: by a
    ``get_object()`` of the view's own, or from another queryset. A handler of the
    view's own is called, since it may refuse, or show less than the serializer does.
    """
    versioning = view.versioning
    with unhooked(view):
        try:
            rows = _rows(view)
            with acting(view, "GET", versioning.read_action), _at(view, instance):
                view.check_permissions(view.request)
                others = _rows(view)
                if versioning.loads_as_drf and (rows is others or _is_same(rows, others)):
                    view.check_object_permissions(view.request, instance)
                    return Seen(instance, _own_answer(view))
                found = _load(view)
                return Seen(found, _own_answer(view)) if found == instance else None
        except _REFUSALS:
            return None


def is_denied(view: Any, instance: Any) -> bool:
    """Whether the view's own handler of GET refuses to show ``instance`` to the caller."""
    if own_handler(view) is None:
        return False
    with unhooked(view), reading(view), _at(view, instance):
        try:
            _own_answer(view)
        except _REFUSALS:
            return True
    return False


def own_handler(view: Any) -> str | None:
    """The name of the project's own handler of a GET of the row, if it has one."""
    actions: Any = getattr(view, "action_map", None)
    name: str = view.versioning.read_action
    names: tuple[str, ...]
    view_class: Any = type(view)
    if actions is None:
        names = ("get", name)
    elif view.versioning.is_about_one_row and view.action not in extra_actions(view_class):
        names = (actions.get("get", name),)
    else:
        names = (name,)
    return _first_own(view_class, names)


@cache
def _first_own(view_class: Any, names: tuple[str, ...]) -> str | None:
    return next((each for each in names if _is_own(view_class, each)), None)


def _is_own(view_class: Any, name: str) -> bool:
    return any(
        name in vars(base) and base.__module__.partition(".")[0] not in _PACKAGES
        for base in view_class.__mro__
    )


_PACKAGES = frozenset({"rest_framework", "adrf", "etag_versioning"})


def _own_answer(view: Any) -> Any:
    """
    What the project's own handler of GET returns; ``None`` without one.

    Raises:
        Http404: it answers with another status than 2xx, or fails.
    """
    name = own_handler(view)
    if name is None:
        return None
    handler = getattr(view, name)
    if iscoroutinefunction(handler):
        handler = async_to_sync(handler)
    # Whole, whatever the request's preconditions are.
    with hooked(view, versioning=view.versioning.for_nested_read()):
        try:
            answer = handler(view.request, *view.args, **view.kwargs)
        except _REFUSALS:
            raise
        except Exception:
            logger.exception("Taken for a refusal: %s.%s()", type(view).__name__, name)
            raise Http404 from None
    if not 200 <= answer.status_code < 300:
        raise Http404
    return answer


@contextmanager
def loading(view: Any, instance: Any) -> Iterator[None]:
    """For the block, let the view load ``instance`` as for a write of it alone."""
    queryset = view.get_queryset
    with _at(view, instance), hooked(view, get_queryset=lambda: for_write(queryset())):
        yield


def _at(view: Any, instance: Any) -> AbstractContextManager[None]:
    """For the block, let the view be at the address of ``instance``."""
    if view.versioning.is_about_one_row:
        return nullcontext()
    value = instance
    for name in view.lookup_field.split("__"):
        value = getattr(value, name)
    return hooked(view, kwargs={**view.kwargs, view.lookup_url_kwarg or view.lookup_field: value})


def _rows(view: Any) -> Any:
    if not hasattr(view, "get_queryset"):
        return view.get_versioned_queryset()
    fixed = view.versioning.fixed_queryset
    return view.filter_queryset(view.get_queryset()) if fixed is None else fixed


def _is_same(rows: Any, others: Any) -> bool:
    """Whether two querysets are known to load the same, but for locks."""
    return (
        isinstance(rows, QuerySet)
        and isinstance(others, QuerySet)
        and _selection(rows) == _selection(others)
    )


def _selection(rows: Any) -> Any:
    query, prefetched = rows.query.clone(), rows._prefetch_related_lookups
    query.select_for_update = False
    if not all(isinstance(lookup, str) for lookup in prefetched):
        return object()  # One with a queryset of its own.
    try:
        return rows.model, query.get_compiler(rows.db).as_sql(), prefetched
    except EmptyResultSet:
        return rows.model, None, prefetched


def content_of(view: Any, seen: Seen) -> dict[str, Any]:
    """As ``current``, what a GET shows of the row; nothing where that is no data."""
    if seen.answer is not None:
        data = getattr(seen.answer, "data", None)
        return {} if data is None else {"current": data}
    if not hasattr(view, "get_serializer"):
        return {}
    with reading(view):
        return {"current": view.get_serializer(seen.instance).data}


def visible_row(view: Any) -> Any:
    """
    The row that the request is about, as it is now; ``None`` where it is gone, and
    for a caller who may not GET it.
    """
    with unhooked(view), reading(view):
        try:
            view.check_permissions(view.request)
            row = _load(view)
            _own_answer(view)
        except _REFUSALS:
            return None
    return row


def _load(view: Any) -> Any:
    name = "get_queryset" if hasattr(view, "get_queryset") else "get_versioned_queryset"
    queryset = getattr(view, name)
    with hooked(view, **{name: lambda: for_write(queryset())}):
        return view.versioning.load_again()
