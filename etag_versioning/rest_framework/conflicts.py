"""
What a refused write shows of the row: its tag, and its content, to a caller who may GET it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

from asgiref.sync import async_to_sync
from django.core.exceptions import EmptyResultSet, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import APIException

from ..http.preconditions import Decision
from ..sources.rows import Row, for_write
from .current import (
    acting,
    extra_actions,
    is_extra_action,
    lookup_value,
    read_representation,
    reading,
)
from .exceptions import PreconditionError
from .hooks import hooked

__all__ = [
    "as_read",
    "conflict",
    "is_denied",
    "loading",
    "own_handler",
    "shown_content",
    "visible_row",
]

logger = logging.getLogger("etag_versioning")


def conflict(view: Any, decision: Decision, row: Row, instance: Any) -> PreconditionError:
    """
    The 412 or 409 for a row that is there. A caller who may GET the row sees its tag and,
    where the view has ``conflict_includes_current``, its content.

    Args:
        row: the row as it is now.
        instance: its object.
    """
    seen = as_read(view, instance)
    if seen is None:
        return PreconditionError(decision)
    if seen.instance is not instance:
        row = view.versioning.row_of(seen.instance)
    current = row.validators(read_representation(view))
    content = shown_content(view, seen) if view.conflict_includes_current else None
    return PreconditionError(decision, current.etag, content)


def shown_content(view: Any, seen: Seen) -> dict[str, Any]:
    """
    What a refusal shows of a row besides its tag: as ``current``, what a GET shows.

    Args:
        seen: the row, as ``as_read()`` returns it.
    """
    if seen.answer is not None:
        data = getattr(seen.answer, "data", None)
        return {} if data is None else {"current": data}
    if not hasattr(view, "get_serializer"):
        return {}
    with reading(view):
        return {"current": view.get_serializer(seen.instance).data}


class Seen(NamedTuple):
    """
    A row as a GET of it loads it.

    Args:
        instance: the row.
        answer: what the view's own handler of GET has returned; ``None`` without one.
    """

    instance: Any
    answer: Any = None


# The errors by which a view refuses a request.
_REFUSALS = (APIException, PermissionDenied, Http404)


def as_read(view: Any, instance: Any) -> Seen | None:
    """
    ``instance`` as a GET of it would load it; ``None`` for a caller who would not get it.

    It is loaded again only where a GET may load it in another way: by a
    ``get_object()`` of the view's own, or from another queryset. A handler of the
    view's own is called, since it may refuse, or show less than the serializer does.
    """
    versioning = view.versioning
    # The arguments of an ``@action`` may name other filters than a GET has.
    has_one_queryset = versioning.fixed_queryset is not None and not is_extra_action(view)
    try:
        rows = None if has_one_queryset else _rows(view)
        with acting(view, "GET", versioning.read_action), _at(view, instance):
            view.check_permissions(view.request)
            same = has_one_queryset or _load_the_same(rows, _rows(view))
            if same and versioning.loads_as_drf:
                view.check_object_permissions(view.request, instance)
                found = instance
            elif (found := _load(view)) != instance:
                return None
            return Seen(found, _own_answer(view))
    except _REFUSALS:
        return None


def is_denied(view: Any, instance: Any) -> bool:
    """Whether the view's own handler of GET refuses to show ``instance`` to the caller."""
    if own_handler(view) is None:
        return False
    try:
        with reading(view), _at(view, instance):
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
    # The preconditions of the request are not about this GET.
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
    name = view.lookup_url_kwarg or view.lookup_field
    return hooked(view, kwargs={**view.kwargs, name: lookup_value(view, instance)})


def _rows(view: Any) -> Any:
    if not hasattr(view, "get_queryset"):
        return view.get_versioned_queryset()
    return view.filter_queryset(view.get_queryset())


def _load_the_same(rows: Any, others: Any) -> bool:
    """Whether two querysets are known to load the same rows and columns, but for locks."""
    both_known = isinstance(rows, QuerySet) and isinstance(others, QuerySet)
    return both_known and bool(_selection(rows) == _selection(others))


def _selection(rows: Any) -> Any:
    query, prefetched = rows.query.clone(), rows._prefetch_related_lookups
    query.select_for_update = False
    if not all(isinstance(lookup, str) for lookup in prefetched):
        return object()  # One with a queryset of its own.
    try:
        return rows.model, query.get_compiler(rows.db).as_sql(), prefetched
    except EmptyResultSet:
        return rows.model, None, prefetched


def visible_row(view: Any) -> Any:
    """
    The row that the request is about, as it is now; ``None`` where it is gone, and
    for a caller who may not GET it.
    """
    try:
        with reading(view):
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
