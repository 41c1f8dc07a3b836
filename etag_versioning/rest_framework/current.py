"""
How the view would answer a GET of the same row, while another method is answered: its request,
its action, and the representation part of its tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache, reduce
from typing import Any

from django.urls import NoReverseMatch
from rest_framework.generics import GenericAPIView
from rest_framework.request import clone_request
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer

from ..http.representation import Representation
from .options import ViewOptions

__all__ = [
    "acting",
    "address_of",
    "answers_as_get",
    "extra_actions",
    "is_extra_action",
    "is_whole",
    "lookup_value",
    "read_representation",
    "reading",
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
    For the block, let the view answer another method's request: views choose serializer and
    permissions by action, by method, or by the arguments of an ``@action``.
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
    """Whether the same code makes the answer to this request and to a GET of the row."""
    view_class: Any = type(view)
    if not _chooses(view_class, getattr(view, "action", None)):
        return True
    if is_extra_action(view) or not hasattr(view, "get_serializer"):
        return False
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


def address_of(view: Any, instance: Any) -> str | None:
    """The URL of a row, where a router has given the viewset one for it."""
    name = view.lookup_url_kwarg or view.lookup_field
    kwargs = {**view.kwargs, name: lookup_value(view, instance)}
    try:
        return str(view.reverse_action("detail", kwargs=kwargs))
    except (AttributeError, NoReverseMatch):
        return None


def lookup_value(view: Any, instance: Any) -> Any:
    """The value of the view's ``lookup_field``."""
    return reduce(getattr, view.lookup_field.split("__"), instance)


def is_whole(data: Any) -> bool:
    """
    Whether an answer has all fields of a GET. In the answer to a PATCH, DRF leaves out a
    field with a default whose source does not exist.
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
