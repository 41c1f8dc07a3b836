"""One row's lock: compared and taken by one statement, which bumps nothing."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, Self

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models

from ..exceptions import StaleWriteError
from .state import State, StateColumns, state_columns

__all__ = ["StoredRow", "lock_state", "read_locked_state", "require_matched_rows"]

# As in MySQLdb.constants.CLIENT.
_FOUND_ROWS = 2


class StoredRow(NamedTuple):
    """
    The table's row that holds a state.

    Args:
        columns: where its model keeps the state.
        using: the database alias.
        pk: the row's primary key; ``None`` where it is not known yet.
    """

    columns: StateColumns
    using: str
    pk: Any

    @classmethod
    def of(cls, model: Any, using: str, pk: Any) -> Self:
        """The row with this key; of an inherited model, in the table that has the columns."""
        return cls(state_columns(model), using, pk)

    def queryset(self) -> Any:
        """The row alone, past any manager of the model."""
        return models.QuerySet(self.columns.owner, using=self.using).filter(pk=self.pk)


def lock_state(
    row: StoredRow, states: Collection[State] | None, instance: models.Model | None = None
) -> None:
    """
    Lock a row: compare and lock in one statement, which bumps nothing.

    An UPDATE, because it takes the row's lock on every engine, SQLite included,
    where ``SELECT … FOR UPDATE`` is no guard.

    Raises:
        StaleWriteError: the row is in none of ``states`` (or, for ``None``, is gone).
    """
    rows, columns = row.queryset(), row.columns
    if states is not None:
        admitted = [models.Q(**dict(zip(columns.names, each, strict=False))) for each in states]
        rows = rows.filter(reduce(or_, admitted))
    if not rows.update(**{columns.names[0]: models.F(columns.names[0])}):
        require_matched_rows(row.using)
        expected = next(iter(states)) if states and len(states) == 1 else None
        raise StaleWriteError(columns.owner, row.pk, row.using, instance, expected=expected)


def read_locked_state(row: StoredRow) -> State | None:
    """
    A row's state by a locking read, which sees what others have committed; ``None`` where it
    is gone.
    """
    values = row.queryset().select_for_update().values_list(*row.columns.names).first()
    return None if values is None else State(*values)


def require_matched_rows(using: str) -> None:
    """
    Raise where no row of MariaDB or MySQL counts as written unless it was changed. Django
    asks for the rows that were matched, but a ``client_flag`` in OPTIONS replaces that.
    """
    connection = connections[using]
    if connection.vendor == "mysql":
        flag = connection.settings_dict["OPTIONS"].get("client_flag")
        if flag is not None and not flag & _FOUND_ROWS:
            raise ImproperlyConfigured(
                f'The "client_flag" in the OPTIONS of the database {using!r} takes '
                f"CLIENT.FOUND_ROWS away, so rows that are compared seem to be gone. Write "
                f'"client_flag": CLIENT.FOUND_ROWS | …, with CLIENT from MySQLdb.constants.'
            )
