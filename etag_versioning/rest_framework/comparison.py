"""What a user has entered, beside what is there now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.files import File
from rest_framework.fields import SkipField, empty
from rest_framework.serializers import ValidationError
from rest_framework.utils.encoders import JSONEncoder

__all__ = ["Difference", "contents", "differences"]

# What a field raises about a value that is not one of its own.
_UNFIT = (ValidationError, DjangoValidationError, SkipField, TypeError, ValueError, LookupError)


class Difference(NamedTuple):
    """One field, with both values as a person reads them."""

    label: str
    now: str
    entered: str = ""


def differences(serializer: Any) -> list[Difference]:
    """
    The fields in which what was entered is not what is there.

    Args:
        serializer: one with the row and the request's data; it need not be valid.
    """
    now = type(serializer)(serializer.instance, context=serializer.context).data
    return [
        Difference(str(field.label or name), _text(now.get(name)), _text(value))
        for name, field, value in _entered(serializer)
        if name in now and value != now[name]
    ]


def contents(serializer: Any) -> list[Difference]:
    """All fields of the serializer's row."""
    fields = serializer.fields
    return [
        Difference(str(fields[name].label or name), _text(value))
        for name, value in serializer.data.items()
    ]


def _entered(serializer: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each field that was sent, with its value as the row would be shown with it."""
    if not isinstance(serializer.initial_data, Mapping):
        return  # JSON that is no object has no fields.
    for name, field in serializer.fields.items():
        if field.read_only or field.write_only:
            continue
        raw = field.get_value(serializer.initial_data)
        if raw is not empty:
            yield name, field, _shown(field, raw)


def _shown(field: Any, raw: Any) -> Any:
    """``raw`` as a GET would show it; as it was entered where it is no value of the field."""
    if isinstance(raw, File):
        return raw.name
    try:
        is_empty, value = field.validate_empty_values(raw)
        if not is_empty:
            value = field.to_internal_value(value)
        return None if value is None else field.to_representation(value)
    except _UNFIT:
        return raw


def _text(value: Any) -> str:
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, str):
        return value
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False)
