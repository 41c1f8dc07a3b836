"""The tag in a request's body or form, where a client can set no header."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework.exceptions import ValidationError

from ..http.etags import EntityTag, parse_entity_tags, state_part
from ..http.preconditions import ConditionalHeaders, Validators, names_any
from .fields import ETagField
from .representation import serializer_class_of

__all__ = ["tag_field", "tag_in", "with_tag"]


def tag_field(view: Any) -> str | None:
    """The name of the ``ETagField`` of the view's serializer, if it has one."""
    return _tag_field_of(serializer_class_of(view))


@cache
def _tag_field_of(serializer_class: Any) -> str | None:
    declared = getattr(serializer_class, "_declared_fields", {})
    return next((name for name, field in declared.items() if isinstance(field, ETagField)), None)


def tag_in(data: Any, name: str) -> str | None:
    """The tag that ``data`` holds; an empty field of a form is none."""
    value = data.get(name) if isinstance(data, Mapping) else None
    return None if value is None or value == "" else str(value)


def with_tag(
    headers: ConditionalHeaders, name: str, tag: str | None, current: Validators | None = None
) -> ConditionalHeaders:
    """
    ``headers`` with the body's tag for If-Match.

    Args:
        headers: the conditional request fields.
        name: the body's field.
        tag: what it holds.
        current: the row's validators, where they are known: under each secret key,
            one state has another tag.

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
