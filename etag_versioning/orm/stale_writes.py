"""
What becomes of a ``save()`` or ``delete()`` that is stale: it raises, is reported, or is merged
(``stale_writes`` of the model, ``STALE_WRITES`` of the project).
"""

from __future__ import annotations

import logging
import traceback
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.dispatch import Signal

from ..conf import STALE_WRITES, settings
from ..exceptions import StaleWriteError
from ..touching.paths import touches_of
from .guards import Guard, guards_of
from .locks import StoredRow, lock_state, read_locked_state, require_matched_rows
from .state import State, is_unversioned, state_columns

__all__ = ["RowWrite", "remembers_columns", "stale_write_reported", "stale_writes"]

logger = logging.getLogger("etag_versioning")

# Sent with instance, using, expected, found and location, when a stale write was let through.
stale_write_reported = Signal()

# Folders whose code is not the project's: Django's, and this package's.
_NOT_THE_PROJECTS = (f"{Path(django.__file__).parent}/", f"{Path(__file__).parent.parent}/")


def stale_writes(model: Any) -> str:
    """
    What the stale writes of a model's instances do: "raise", "report" or "merge".

    Raises:
        ImproperlyConfigured: the model says something else.
    """
    mode = model.stale_writes or settings.stale_writes
    if mode not in STALE_WRITES:
        raise ImproperlyConfigured(
            f'{model._meta.label}.stale_writes is {mode!r}. Write "raise", "report" or "merge".'
        )
    return str(mode)


def remembers_columns(model: Any) -> bool:
    """Whether it is kept what the columns of a row held when it was read."""
    return model.skip_unchanged or stale_writes(model) == "merge"


class RowWrite:
    """
    A write of the row of one instance: the guards on that row, and whether the write goes on
    where it is stale.

    Args:
        instance: the instance.
        using: the database alias.
        update_fields: the names of the fields that are written; ``None`` for all.
    """

    def __init__(self, instance: Any, using: str, update_fields: Any = None) -> None:
        model: Any = type(instance)
        self.instance = instance
        self.using = using
        self.columns = state_columns(model)
        self.update_fields = update_fields
        # Whether these are fields that no client sees.
        self.free = bool(update_fields) and is_unversioned(model, update_fields)
        self.touches = touches_of(model) is not None
        # Whether Django's own save() raises where there is no row.
        self.forced = bool(update_fields)
        # Of a stale write that goes on: the state that it was based on, and that of the row.
        self.accepted: tuple[State | None, State | None] | None = None

    @cached_property
    def guards(self) -> list[Guard]:
        """The guards on the row."""
        owner, key = self.columns.owner, self.columns.key
        return [] if owner is None else guards_of(owner, self.using, getattr(self.instance, key))

    @property
    def row(self) -> StoredRow:
        """The row of the table that holds the state."""
        return StoredRow(self.columns, self.using, getattr(self.instance, self.columns.key))

    @property
    def mode(self) -> str:
        """What happens if the write is stale. A row that a request's If-Match names is strict."""
        if any(guard.enforced for guard in self.guards):
            return "raise"
        return stale_writes(type(self.instance))

    def compare(self, state: State | None) -> None:
        """
        Compare the row with a state and lock it, and leave it as it is.

        Raises:
            StaleWriteError: the row is in another state, or gone, and the write must not go on.
        """
        if state is None:
            self.accept_stale(None)
            return
        for guard in self.guards:
            guard.admit(state, self.instance)
        try:
            lock_state(self.row, [state], self.instance)
        except StaleWriteError:
            self.accept_stale(state)
        for guard in self.guards:
            guard.note_comparison()

    def accept_stale(self, expected: State | None) -> State | None:
        """
        Lock the row of a stale write, in whatever state it is, if the write may go on.

        Args:
            expected: the state that the write is based on; ``None`` if it is not known.

        Returns:
            The row's state; ``None`` if it is gone.

        Raises:
            StaleWriteError: the write must not go on.
        """
        require_matched_rows(self.using)
        mode = self.mode
        if mode == "raise":
            raise self.stale(expected)
        found = self._lock()
        if mode == "merge" and (found in (None, expected) or not self.can_merge()):
            raise self.stale(expected, found)
        if found != expected:
            self.accepted = expected, found
        return found

    def can_merge(self) -> bool:
        """Whether nobody else has changed what is written. The row is locked."""
        return False

    def _lock(self) -> State | None:
        try:
            lock_state(self.row, None)
        except StaleWriteError:
            return None
        return read_locked_state(self.row)

    def stale(self, expected: State | None, found: State | None = None) -> StaleWriteError:
        """The error for a write that is stale."""
        model: Any = type(self.instance)
        error = _not_updated(model) if self.forced else StaleWriteError
        row, instance = self.row, self.instance
        return error(row.columns.owner, row.pk, row.using, instance, expected=expected, found=found)

    def report(self) -> None:
        """Log a stale write that went on, and send the signal."""
        if self.accepted is None or self.mode != "report":
            return
        expected, found = self.accepted
        if expected is None:
            happened = "was written without having been read"
        elif found is None:
            happened = "was deleted since it was read, and is made again"
        else:
            happened = "was changed by another write since it was read, and is overwritten"
        location, label = _location(), self.instance._meta.label
        logger.warning(
            "%s: %s %r %s. To go on from what is there, read the row before you change it, or "
            "save only what you change: save(update_fields=[…]).",
            location,
            label,
            self.row.pk,
            happened,
            extra={"location": location, "expected": expected, "found": found},
        )
        stale_write_reported.send_robust(
            sender=type(self.instance),
            instance=self.instance,
            using=self.using,
            expected=expected,
            found=found,
            location=location,
        )


def _location() -> str:
    """Where in the project's code the write is: file and line."""
    for frame, line in traceback.walk_stack(None):
        if not frame.f_code.co_filename.startswith(_NOT_THE_PROJECTS):
            return f"{frame.f_code.co_filename}:{line}"
    return "?"


@cache
def _not_updated(model: Any) -> Any:
    """
    The class of a ``StaleWriteError`` that Django's own handlers catch too: the model's
    ``NotUpdated`` since Django 6.0, ``DatabaseError`` before. For a ``save()`` with
    ``force_update`` or ``update_fields``, where Django raises that if there is no row.
    """
    djangos = getattr(model, "NotUpdated", DatabaseError)
    return type("StaleWriteError", (_Picklable, StaleWriteError, djangos), {"of": model})


class _Picklable:
    of: Any

    def __reduce__(self) -> Any:
        return _rebuild, (self.of, self.args, vars(self))  # type: ignore[attr-defined]


def _rebuild(model: Any, args: Any, attributes: dict[str, Any]) -> Any:
    error = _not_updated(model)(*args)
    vars(error).update(attributes)
    return error
