"""``touch()`` of an instance: its row is bumped without another write."""

from __future__ import annotations

from typing import Any

from django.db import models

from ..orm.expressions import InState
from ..orm.instances import has_state, no_state, require_loaded
from ..orm.stale_writes import RowWrite, stale_writes
from ..orm.state_columns import State
from .touch import in_transaction, touching
from .writes import touch_for_save

__all__ = ["touch_instance"]


def touch_instance(instance: Any, using: str) -> None:
    """
    Bump the row of an instance, and what it touches.

    Args:
        instance: the instance. It has the new state afterwards, unless it was stale.
        using: the database alias.

    Raises:
        StaleWriteError: the row is not in the state that the instance was read in, and its model
            refuses stale writes.
        VersionNotLoaded: the instance does not say what it is based on.
    """
    if not has_state(instance, using):
        raise no_state(instance, "be touched", using)
    bump = _Bump(instance, using)
    compared = bump.columns.version is not None and stale_writes(type(instance)) == "raise"
    with (
        touching(
            using, lambda: touch_for_save(instance, using, (), insert=False, compared=compared)
        )
        if bump.touches
        else in_transaction(using)
    ):
        after = bump.run()
    # An instance that was stale shows an older state than the row's, and stays stale.
    if bump.accepted is None:
        bump.columns.assign(instance, after)
    bump.report()


class _Bump(RowWrite):
    """A write of the state alone."""

    def can_merge(self) -> bool:
        # It writes no column that somebody else may have changed.
        return True

    def run(self) -> State:
        """Bump the row; returns the state after it."""
        columns, instance = self.columns, self.instance
        before = columns.state_of(instance)
        if columns.owner is None:
            return before
        require_loaded(instance, columns)
        for guard in self.guards:
            guard.admit(before, instance)
        after = self._update(before)
        if after is None and columns.version is not None:
            found = self.accept_stale(before)
            after = None if found is None else self._update(found)
        if after is None:
            raise self.stale(before)
        for guard in self.guards:
            guard.note_bump(after)
        return after

    def _update(self, before: State) -> State | None:
        """Bump the row if it is in a state; returns the state after it, or ``None``."""
        columns, row = self.columns, self.row
        rows: Any = models.QuerySet(columns.owner, using=self.using).filter(pk=row.pk)
        if columns.version is not None:
            rows = rows.filter(InState(columns, before))
        after = columns.after(before)
        written = [value for value in after if value is not None]
        return after if rows.update(**dict(zip(columns.names, written, strict=True))) else None
