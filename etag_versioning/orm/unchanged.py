"""
What is known of the rows of instances: the key under which each was read or written, and,
with ``skip_unchanged``, what its columns hold.

The key stands in the instance's ``_state``, and goes with it into copies and pickles. What the
columns hold is kept beside the instances, by the ``_state`` that each has for itself, since it
may have no copy. Of a copy, it is not known.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.db.models.fields.files import FieldFile

from .state import State, StateColumns

__all__ = ["forget", "is_unchanged", "remember_key", "remember_read", "remember_written", "row_key"]


class Row(NamedTuple):
    """What the columns of a row held in one state, by the names of their attributes."""

    state: State
    values: dict[str, Any]


_rows: WeakKeyDictionary[Any, Row] = WeakKeyDictionary()


def row_key(instance: Any) -> Any:
    """The key under which the row of ``instance`` was read or written; ``None``: not known."""
    return vars(instance._state).get("row_key")


def remember_key(instance: Any, key: Any) -> None:
    """Keep the key of the row that ``instance`` was read from, or written to."""
    instance._state.row_key = key


def remember_read(instance: Any, columns: StateColumns) -> None:
    """Keep all that an instance was loaded with."""
    values: dict[str, Any] = {}
    loaded = vars(instance)
    for field in instance._meta.concrete_fields:
        if field.attname in loaded:
            _keep(values, field.attname, loaded[field.attname])
    _rows[instance._state] = Row(columns.state_of(instance), values)


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


def _keep(values: dict[str, Any], name: str, value: Any) -> None:
    """Keep a value where it can be compared later: not an expression, nor what has no copy."""
    if not hasattr(value, "resolve_expression"):
        # Such as JSON that is nested too deeply.
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
        # Such as an array's equality, which is none, and JSON that is nested too deeply.
        return False


_NOTHING, _NEW = object(), object()
