"""Serializer fields for tags, the tag in a request's body, and the columns that no client sets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import models
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from ..http.etags import EntityTag, parse_entity_tags, state_part
from ..http.preconditions import ConditionalHeaders, Validators, names_any
from ..orm.state import state_columns
from ..sources.rows import row_of
from .representation import serializer_class_of

__all__ = ["ETagField", "ignore_written_state", "tag_field", "tag_in", "with_tag"]


class ETagField(serializers.Field):
    """
    The tag that a write of this row needs in If-Match, for lists and nested rows.

    It names the state alone: it guards a write whatever the row was read as, and is
    not the tag that a GET of the row has. Sent back in the body or form of a write,
    it stands for If-Match, where a client can set no header.

    Args:
        tag_key: the field that stands for the row in its tags; by default the
            view's, for the rows that the view is about, and the model's.

    Example::

        class UserSerializer(serializers.ModelSerializer):
            etag = ETagField()
    """

    def __init__(self, *, tag_key: str | None = None, **kwargs: Any) -> None:
        self.tag_key = tag_key
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        return str(row_of(value, self.tag_key or self._view_tag_key()).validators().etag)

    def _view_tag_key(self) -> str | None:
        """The view's, unless this is a row that is nested in one of the view's."""
        serializer: Any = self.parent
        items = serializer.parent if serializer.parent is not None else serializer
        if items is not serializer.root or (
            items is not serializer and not isinstance(items, serializers.ListSerializer)
        ):
            return None
        return getattr(self.context.get("view"), "tag_key", None)


# The tag in a request's body or form, where a client can set no header.


def tag_field(view: Any) -> str | None:
    """The name of the ``ETagField`` of the view's serializer, if it has one."""
    return _tag_field_of(serializer_class_of(view))


@cache
def _tag_field_of(serializer_class: Any) -> str | None:
    declared = getattr(serializer_class, "_declared_fields", {})
    return next((name for name, field in declared.items() if isinstance(field, ETagField)), None)


def tag_in(data: Any, name: str) -> str | None:
    """The tag that ``data`` holds; an empty field of a form counts as no tag."""
    value = data.get(name) if isinstance(data, Mapping) else None
    return None if value is None or value == "" else str(value)


def with_tag(
    headers: ConditionalHeaders, name: str, tag: str | None, current: Validators | None = None
) -> ConditionalHeaders:
    """
    ``headers`` with the body's tag as If-Match.

    Args:
        headers: the conditional request fields.
        name: the body's field.
        tag: what it holds.
        current: the row's validators, where they are known: one state has several
            tags while a secret key is being retired.

    Raises:
        ValidationError: If-Match names other states.
    """
    if tag is None:
        return headers
    if headers.if_match is not None and not names_any(headers):
        named, given = parse_entity_tags(headers.if_match), parse_entity_tags(tag)
        if not isinstance(named, tuple):
            return headers  # Malformed, and answered as that.
        states, same = set(map(_state, named)), set(current.states if current else ())
        if states & same:
            states |= same
        if not isinstance(given, tuple) or not set(map(_state, given)) <= states:
            raise ValidationError({name: ["This is not the tag that If-Match names."]})
    return headers._replace(if_match=tag)


def _state(tag: EntityTag) -> str:
    return state_part(tag.opaque)


def ignore_written_state(serializer: Any) -> None:
    """
    Make the version and the timestamp read-only in a serializer and those nested in it.

    A client sends back what it was shown. An old version that is set on the instance
    would make its write stale, however often the client fetched the row again.
    """
    serializer = getattr(serializer, "child", serializer)
    if not isinstance(serializer, serializers.Serializer):
        return
    model = getattr(getattr(serializer, "Meta", None), "model", None)
    is_model = isinstance(model, type) and issubclass(model, models.Model)
    names = state_columns(model).names if is_model else ()
    for field in serializer.fields.values():
        if field.source in names:
            field.read_only = True
        elif isinstance(field, serializers.BaseSerializer) and not field.read_only:
            ignore_written_state(field)
