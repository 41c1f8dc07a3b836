"""
The values of the row as an instance was read or written, for ``skip_unchanged`` and
``stale_writes = "merge"``.

They are kept beside the instance, by its ``_state``, because not every value can be copied or
pickled. So they are not known for a copied or unpickled instance.
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

from django.db import connections, models, transaction
from django.db.models.fields.files import FieldFile

from .state_columns import State, StateColumns

__all__ = [
    "Commit",
    "changed_columns",
    "forget",
    "is_unchanged",
    "remember_read",
    "remember_written",
]


class Commit:
    """Whether the transaction that wrote a row was committed."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.done = not connections[using].in_atomic_block
        if not self.done:
            transaction.on_commit(self._note, using=using)

    def _note(self) -> None:
        self.done = True

    def is_rolled_back(self) -> bool:
        """Django drops the callbacks of a transaction, or savepoint, that is rolled back."""
        waiting = (hook[1] for hook in connections[self.using].run_on_commit)
        return not self.done and self._note not in waiting


class Row(NamedTuple):
    """
    The values of a row's columns in one state, by attribute name.

    Args:
        commit: that of the transaction that wrote some of the values; ``None`` if it is not needed.
        before: what was known before that transaction, and holds again if it is rolled back.
    """

    state: State
    values: dict[str, Any]
    commit: Commit | None = None
    before: Row | None = None


_rows: WeakKeyDictionary[Any, Row] = WeakKeyDictionary()


def remember_read(instance: Any, columns: StateColumns, names: Iterable[str] | None = None) -> None:
    """
    Keep the values that an instance was loaded with.

    Args:
        names: the names that were given to ``refresh_from_db()``; ``None`` for all fields.
    """
    model: Any = type(instance)
    loaded, row = vars(instance), _rows.get(instance._state)
    if names is None:
        state, values, wanted = columns.state_of(instance), {}, _attnames(model)
        commit = None
    elif row is None:
        return  # Nobody knows which of the other attributes hold what was read.
    else:
        state, values, commit = row.state, dict(row.values), row.commit
        names = frozenset(names)
        # Names without a column are those of prefetched rows.
        wanted = frozenset(
            field.attname
            for field in instance._meta.concrete_fields
            if field.name in names or field.attname in names
        )
    for name in wanted & loaded.keys():
        value = loaded[name]
        if type(value) in _IMMUTABLE:
            values[name] = value
        else:
            _keep(values, name, value)
    _rows[instance._state] = Row(state, values, commit)


@cache
def _attnames(model: Any) -> frozenset[str]:
    return frozenset(field.attname for field in model._meta.concrete_fields)


def remember_written(
    instance: Any, columns: StateColumns, written: Iterable[Any], commit: Commit | None
) -> None:
    """
    Keep the values that an UPDATE has stored. It compared the row with the known state, so
    the other columns still have their known values.

    Args:
        written: (field, model, value) triples, as Django's ``_do_update()`` has them.
        commit: that of the transaction, for a merge; ``skip_unchanged`` compares the row anyway.
    """
    row = _rows.get(instance._state)
    values = {} if row is None else dict(row.values)
    for field, _, value in written:
        values.pop(field.attname, None)
        _keep(values, field.attname, value)
    before = None
    if row is not None and commit is not None and not commit.done:
        settled = row.commit is None or row.commit.done
        before = Row(row.state, row.values, row.commit) if settled else row.before
    _rows[instance._state] = Row(columns.state_of(instance), values, commit, before)


def forget(instance: Any) -> None:
    """Drop the values that are kept for an instance."""
    _rows.pop(instance._state, None)


def is_unchanged(instance: Any, columns: StateColumns, names: Any) -> bool:
    """
    Whether the row already holds the values that a save would write.

    Args:
        names: the names of the fields that are saved; ``None`` for all.
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
    The columns that somebody else has changed: their values are neither those that
    ``instance`` was read with, nor those that it has now. All columns, if the values that it
    was read with are not known. A save that was rolled back does not count.

    Args:
        row: the current values of the columns, by attribute name.
    """
    known = _rows.get(instance._state)
    if known is not None and known.commit is not None and known.commit.is_rolled_back():
        known = known.before
        if known is None:
            forget(instance)
        else:
            _rows[instance._state] = known
    read: dict[str, Any] = {} if known is None else known.values
    for name, value in row.items():
        written = vars(instance).get(name, _NOTHING)
        if not (
            (name in read and _are_same(value, read[name]))
            or _are_same(value, _comparable(written))
            or _reads_column(written, instance._meta.get_field(name))
        ):
            yield name


def _reads_column(value: Any, field: Any) -> bool:
    """
    Whether the database computes a field's value from what its column holds while it writes, as
    for ``F("count") + 1``.
    """
    parts = value.flatten() if isinstance(value, models.Expression) else [value]
    names = (field.name, field.attname)
    return any(
        isinstance(part, models.F) and getattr(part, "name", None) in names for part in parts
    )


def _keep(values: dict[str, Any], name: str, value: Any) -> None:
    """Keep a value if it can be compared later: no expressions, nothing that can't be copied."""
    if not hasattr(value, "resolve_expression"):
        # JSON that is nested too deeply has no copy.
        with suppress(Exception):
            values[name] = copy.deepcopy(_comparable(value))


def _comparable(value: Any) -> Any:
    """The value of a file's column is its name; a file that is not stored yet is always new."""
    if not isinstance(value, FieldFile):
        return value
    return (value.name or "") if value._committed else _NEW  # type: ignore[attr-defined]


def _are_same(one: Any, other: Any) -> bool:
    """Whether two values are equal and look alike: in Python, 1, 1.0 and True are equal."""
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
