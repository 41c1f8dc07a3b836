"""Other values for columns: what a project might store there next."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import models

__all__ = ["first_value", "other_values"]


def other_values(field: Any, value: Any, using: str) -> Iterator[Any]:
    """
    Values that a column can have instead of ``value``, the likeliest first.

    Args:
        field: the field of the column.
        value: what the row has now.
        using: the database in which a foreign key finds other rows.
    """
    if field.is_relation:
        yield from _other_rows(field, value, using)
    elif field.choices:
        yield from (choice for choice, _ in field.flatchoices if choice != value)
    elif value is None:
        yield from _first(field)
    else:
        for kind, change in _CHANGES:
            if isinstance(value, kind):
                yield from (each for each in change(field, value) if each != value)
                break
    if field.null and value is not None:
        yield None


def first_value(field: Any, using: str) -> Any:
    """
    A value for a column of a new row.

    Raises:
        LookupError: none is known for this field.
    """
    if field.has_default():
        return field.get_default()
    if field.null:
        return None
    for value in other_values(field, None, using):
        return value
    raise LookupError(f"no value is known for {field.name}, a {type(field).__name__}")


def _other_rows(field: Any, value: Any, using: str) -> Iterator[Any]:
    rows = field.related_model._base_manager.using(using)
    rows = rows.complex_filter(field.get_limit_choices_to())
    name = field.target_field.attname
    yield from rows.exclude(**{name: value}).order_by("pk").values_list(name, flat=True)[:3]


def _first(field: Any) -> Iterator[Any]:
    for kind, value in _FIRST:
        if isinstance(field, kind):
            yield value() if callable(value) else value
            return


def _text(field: Any, value: str) -> Iterator[str]:
    longest = field.max_length
    if longest is None or len(value) < longest:
        yield f"x{value}"
    yield from (letter + value[1:] for letter in "xyz")


def _number(field: Any, value: Any) -> Iterator[Any]:
    yield from (value + 1, value - 1)


def _file(field: Any, value: Any) -> Iterator[str]:
    yield "etag-audit.txt"


def _json(field: Any, value: Any) -> Iterator[Any]:
    yield _other_json(value)


def _other_json(value: Any) -> Any:
    """The same structure with other values: a view may show a single one of them."""
    if isinstance(value, dict):
        return {key: _other_json(each) for key, each in value.items()} or {"etag_audit": 1}
    if isinstance(value, list):
        return [_other_json(each) for each in value] or [1]
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"x{value}"
    return 1 if value is None else value + 1


_Change = Callable[[Any, Any], Iterator[Any]]
# By the value's class: fields of other apps mostly store values of these.
_CHANGES: tuple[tuple[Any, _Change], ...] = (
    (bool, lambda field, value: iter([not value])),
    (int | float | Decimal, _number),
    (str, _text),
    (datetime | date, lambda field, value: iter([value + timedelta(days=1)])),
    (time, lambda field, value: iter([value.replace(hour=(value.hour + 1) % 24)])),
    (timedelta, lambda field, value: iter([value + timedelta(seconds=1)])),
    (uuid.UUID, lambda field, value: iter([uuid.uuid4()])),
    (bytes | memoryview, lambda field, value: iter([bytes(value) + b"x"])),
    (models.fields.files.FieldFile, _file),
    (dict | list, _json),
)
_FIRST: tuple[tuple[Any, Any], ...] = (
    (models.BooleanField, True),
    (models.DecimalField, Decimal(1)),
    (models.FloatField, 1.0),
    (models.IntegerField, 1),
    (models.DateTimeField, lambda: datetime.now(UTC)),
    (models.DateField, date.today),
    (models.TimeField, time(12)),
    (models.DurationField, timedelta(seconds=1)),
    (models.UUIDField, uuid.uuid4),
    (models.GenericIPAddressField, "192.0.2.1"),
    (models.EmailField, "audit@example.com"),
    (models.URLField, "https://example.com/audit"),
    (models.FileField, "etag-audit.txt"),
    (models.JSONField, dict),
    (models.BinaryField, b"x"),
    (models.CharField | models.TextField, "audit"),
)
