"""
What is known of the rows of instances: the key under which each was read or written, and,
with ``skip_unchanged`` or ``stale_writes = "merge"``, what its columns hold.

The key stands in the instance's ``_state``, and goes with it into copies and pickles. What the
columns hold is kept beside the instances, by the ``_state`` that each has for itself, since not
every value can be copied or pickled. Of a copied or unpickled instance, it is not known.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import models
from django.db.models.fields.files import FieldFile

from .state_columns import State, StateColumns

__all__ = ["changed_columns", "forget", "is_unchanged", "remember_read", "remember_written"]


class Row(NamedTuple):
    """What the columns of a row held in one state, by the names of their attributes."""

    state: State
    values: dict[str, Any]


_rows: WeakKeyDictionary[Any, Row] = WeakKeyDictionary()


def remember_read(instance: Any, columns: StateColumns, names: Iterable[str] | None = None) -> None:
    """
    Keep what an instance was loaded with.

    Args:
        names: of the fields that were loaded; ``None`` for all that the instance has.
    """
    model: Any = type(instance)
    loaded, row = vars(instance), _rows.get(instance._state)
    if names is None or row is None:
        state, values, wanted = columns.state_of(instance), {}, _attnames(model)
    else:
        meta = instance._meta
        state, values = row.state, dict(row.values)
        wanted = frozenset(meta.get_field(name).attname for name in names)
    for name in wanted & loaded.keys():
        value = loaded[name]
        if type(value) in _IMMUTABLE:
            values[name] = value
        else:
            _keep(values, name, value)
    _rows[instance._state] = Row(state, values)


@cache
def _attnames(model: Any) -> frozenset[str]:
    return frozenset(field.attname for field in model._meta.concrete_fields)


def remember_written(instance: Any, columns: StateColumns, written: Iterable[Any]) -> None:
    """
    Keep what an UPDATE has stored. It compared the row with the state that was known, so
    what it did not write is as it was.

    Args:
        written: (field, model, value) triples, as Django's ``_do_update()`` has them.
    """
    row = _rows.get(instance._state)
    values = {} if row is None else dict(row.values)
    for field, _, value in written:
        values.pop(field.attname, None)
        _keep(values, field.attname, value)
    _rows[instance._state] = Row(columns.state_of(instance), values)


def forget(instance: Any) -> None:
    """No longer know what the columns of the row hold."""
    _rows.pop(instance._state, None)


def is_unchanged(instance: Any, columns: StateColumns, names: Any) -> bool:
    """
    Whether a save would write what the row holds already.

    Args:
        names: of the fields that are saved; ``None`` for all.
    """
    row = _rows.get(instance._state)
    return (
        row is not None
        and row.state == columns.state_of(instance)
        and all(
            field.attname in row.values
            and _are_same(vars(instance).get(field.attname, _NOTHING), row.values[field.attname])
            for field in instance._meta.concrete_fields
            if field.name not in columns.names
            and not field.generated
            and (names is None or field.name in names or field.attname in names)
        )
    )


def changed_columns(instance: Any, row: dict[str, Any]) -> Iterator[str]:
    """
    The columns of a row that hold neither what ``instance`` was read with, nor what it has now:
    somebody else has changed them. All, where it is not known what it was read with.

    Args:
        row: what the columns hold now, by the names of their attributes.
    """
    known = _rows.get(instance._state)
    read: dict[str, Any] = {} if known is None else known.values
    for name, value in row.items():
        written = vars(instance).get(name, _NOTHING)
        if not (
            (name in read and _are_same(value, read[name]))
            or _are_same(value, _comparable(written))
            or _follows_the_row(written)
        ):
            yield name


def _follows_the_row(value: Any) -> bool:
    """Whether a value is computed from the row as it is when it is written, as ``F()`` is."""
    return hasattr(value, "resolve_expression") and not isinstance(value, models.Value)


def _keep(values: dict[str, Any], name: str, value: Any) -> None:
    """Keep a value where it can be compared later: not an expression, nor what has no copy."""
    if not hasattr(value, "resolve_expression"):
        # JSON that is nested too deeply has no copy.
        with suppress(Exception):
            values[name] = copy.deepcopy(_comparable(value))


def _comparable(value: Any) -> Any:
    """A stored file is what its column holds, its name. Before it is stored, it is new."""
    if not isinstance(value, FieldFile):
        return value
    return (value.name or "") if value._committed else _NEW  # type: ignore[attr-defined]


def _are_same(one: Any, other: Any) -> bool:
    """Equal, and not only to Python, for which 1, 1.0 and True are."""
    one = _comparable(one)
    try:
        return one is not _NEW and bool(one == other) and repr(one) == repr(other)
    except Exception:
        # The equality of numpy's arrays is an array, and JSON may be nested too deeply.
        return False


_NOTHING, _NEW = object(), object()
# Values of these types need no copy.
_IMMUTABLE = frozenset(
    {bool, bytes, date, datetime, Decimal, float, int, str, time, timedelta, type(None), UUID}
)
