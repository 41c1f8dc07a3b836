"""One ``save()`` as compare-and-swap: what it goes by, what it reaches, and its way back."""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction

from .columns import StateColumns
from .exceptions import StaleWriteError
from .guards import State
from .paths import touches_of
from .touching import Touch
from .touching_writes import touch_for_save

__all__ = ["Swap"]


class Swap:
    """
    One ``save()`` on its way: the state it has reached, and its way back.

    Django has more than one table written, for an inherited model, and marks an
    enclosing transaction as broken for any error in between.
    """

    def __init__(
        self,
        instance: Any,
        columns: StateColumns,
        using: str,
        compares: bool,
        update_fields: Any,
    ) -> None:
        self.instance = instance
        self.columns = columns
        self.update_fields = update_fields
        # Whether every table's row must be there, in the state that is known.
        self.compares = compares
        self.after: State | None = None
        # Whether the save turned out to change nothing (``skip_unchanged``).
        self.unchanged: bool | None = None
        self.using = using
        self.connection = connections[using]
        self.several = bool(instance._meta.concrete_model._meta.parents)
        self.touches = touches_of(instance.__class__) is not None
        self.touch: Touch | None = None
        # Whether the instance's attributes are those of a row that is written.
        self.kept = False

    def __enter__(self) -> None:
        loaded = self.instance.__dict__
        self.before = {name: loaded[name] for name in self.columns.attnames if name in loaded}
        self.nested = self.connection.in_atomic_block
        self.needed_rollback = self.connection.needs_rollback
        self.savepoint = self.connection.savepoint() if self.several and self.nested else None

    def begin(self, *, insert: bool) -> None:
        """Lock what the instance shows up in, before its first table is written."""
        if self.touches and self.touch is None:
            self.touch = touch_for_save(
                self.instance,
                self.using,
                self.update_fields,
                insert=insert,
                compared=self.compares,
            )

    def finish(self) -> None:
        """All tables are written: only a failing COMMIT can undo it, if it is ours."""
        if self.savepoint is not None:
            self.connection.savepoint_commit(self.savepoint)
            self.savepoint = None
        if self.several and not self.nested:
            transaction.on_commit(self.keep, using=self.using)
        else:
            self.keep()

    def keep(self) -> None:
        self.kept = True

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is None:
            return
        if isinstance(error, StaleWriteError) and error.instance is self.instance and self.nested:
            # Nothing failed in the database: the enclosing transaction can go on.
            self.connection.needs_rollback = self.needed_rollback
            if self.savepoint is not None:
                self.connection.savepoint_rollback(self.savepoint)
                self.connection.savepoint_commit(self.savepoint)
        if not self.kept and (self.several or not self.compares):
            # An INSERT has left its stamp, or a COMMIT that failed its state.
            self.instance.__dict__.update(self.before)
