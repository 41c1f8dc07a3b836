"""Saves past the comparison: fixtures, and revisions that another app reverts to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import router
from django.utils import timezone

from ..touching.touch import in_transaction
from .active_saves import ActiveSave, as_active
from .unchanged import forget

__all__ = ["RawSave"]


class RawSave(ActiveSave):
    """
    One save with ``raw=True``, which compares nothing.

    An existing row gets a new state and not the instance's, because clients may have seen later
    states. A new row is inserted with the instance's state.

    Args:
        instance: the instance.
        given: the arguments of ``_save_table()``, by name.
    """

    def __init__(self, instance: Any, given: dict[str, Any]) -> None:
        using = given.get("using") or router.db_for_write(type(instance), instance=instance)
        super().__init__(instance, using, given.get("update_fields"))
        self.table = given["cls"]

    def save_table(self, save: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if self.free or (self.columns.owner is None and not self.touches):
            return save(*args, **kwargs)
        with in_transaction(self.using), as_active(self):
            if self.touches:
                self.begin(insert=False)
            for guard in self.guards:
                guard.lock()
            updated = save(*args, **kwargs)
            if self.columns.owner is not None:
                self._bump(updated)
            if self.touch is not None:
                self.touch.bump()
            for guard in self.guards:
                guard.reread()
        forget(self.instance)
        return updated

    def insert(self, insert: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        return insert(*args, **kwargs)

    def update_table(
        self, rows: Any, pk: Any, values: Any, update: Callable[[Any, Any], Any]
    ) -> Any:
        if rows.model is self.columns.owner:
            bumps = self.columns.expressions(timezone.now())
            values = self.columns.replace(values, bumps.values())
        return update(rows, values)

    def _bump(self, updated: Any) -> None:
        """Bump the row that holds the state, if it was not written itself, and read it."""
        columns = self.columns
        row = self.row.queryset()
        if self.table is not columns.owner:
            row.update(**columns.expressions(timezone.now()))
        elif not updated:
            return
        for values in row.values_list(*columns.names):
            vars(self.instance).update(zip(columns.attnames, values, strict=True))
