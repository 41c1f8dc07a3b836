"""The page of a refused write: what the user entered, beside what is there now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.core.files import File
from rest_framework.fields import empty
from rest_framework.serializers import ListSerializer, Serializer
from rest_framework.utils.encoders import JSONEncoder

__all__ = ["Difference", "contents", "differences"]


class Difference(NamedTuple):
    """One field, with both values as a person reads them."""

    label: str
    now: str
    entered: str = ""


def differences(serializer: Any) -> list[Difference]:
    """
    The fields whose input differs from what is there now.

    Args:
        serializer: one with the row and the request's data; it need not be valid.
    """
    now = type(serializer)(serializer.instance, context=serializer.context).data
    compared = []
    for name, field, raw in _entered(serializer.fields, serializer.initial_data):
        if name in now:
            entered = _shown(field, raw)
            compared.append((str(field.label or name), _part(field, now[name], entered), entered))
    return [
        Difference(label, _text(there), _text(entered))
        for label, there, entered in compared
        if there != entered
    ]


def contents(serializer: Any) -> list[Difference]:
    """All fields of the serializer's row."""
    fields = serializer.fields
    return [
        Difference(str(fields[name].label or name), _text(value))
        for name, value in serializer.data.items()
    ]


def _entered(fields: Mapping[str, Any], data: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each field that was sent, with its raw value."""
    if not isinstance(data, Mapping):
        return  # JSON that is no object has no fields.
    for name, field in fields.items():
        if field.read_only or field.write_only:
            continue
        raw = field.get_value(data)
        if raw is not empty:
            yield name, field, raw


def _shown(field: Any, raw: Any) -> Any:
    """``raw`` as a GET would show it; as it was entered where the field does not accept it."""
    if isinstance(raw, File):
        return raw.name
    try:
        # A nested serializer shows instances, and raw values are none: show each of its fields.
        if isinstance(field, ListSerializer) and isinstance(raw, list):
            return [_shown(field.child, each) for each in raw]
        if isinstance(field, Serializer) and isinstance(raw, Mapping):
            return {name: _shown(*each) for name, *each in _entered(field.fields, raw)}
        is_empty, value = field.validate_empty_values(raw)
        if not is_empty:
            value = field.to_internal_value(value)
        return None if value is None else field.to_representation(value)
    except Exception:  # Fields run code of the project's own.
        return raw


def _part(field: Any, there: Any, entered: Any) -> Any:
    """``there``, and of nested serializers only the fields that were entered."""
    kinds = (there, entered)
    if isinstance(field, ListSerializer) and all(isinstance(each, list) for each in kinds):
        if len(there) == len(entered):
            return [_part(field.child, *pair) for pair in zip(there, entered, strict=True)]
    elif isinstance(field, Serializer) and all(isinstance(each, Mapping) for each in kinds):
        fields = field.fields
        names = [name for name in entered if name in fields]
        return {name: _part(fields[name], there.get(name), entered[name]) for name in names}
    return there


def _text(value: Any) -> str:
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, cls=JSONEncoder, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(value)
