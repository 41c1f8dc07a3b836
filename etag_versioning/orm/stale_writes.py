"""
What becomes of a ``save()`` or ``delete()`` that is stale: it raises, is reported, or is merged
(``stale_writes`` of the model, ``STALE_WRITES`` of the project).
"""

from __future__ import annotations

import copyreg
import logging
import sys
import traceback
from collections.abc import Callable, Collection
from functools import cache, cached_property
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, models, transaction

from ..conf import STALE_WRITES, settings
from ..exceptions import StaleWriteError
from ..signals import stale_write_reported
from ..touching.paths import touches_of
from .guards import Guard, guards_of
from .instances import has_state, is_loaded
from .locks import StoredRow, lock_state, read_locked_state, require_matched_rows
from .state_columns import State, is_unversioned, state_columns

__all__ = [
    "RowWrite",
    "remembers_columns",
    "stale_writes",
    "write_batch",
]

logger = logging.getLogger("etag_versioning")

# Packages whose code calls save() for the project.
_CALLERS = frozenset(
    {"__main__", "adrf", "asgiref", "django", "etag_versioning", "rest_framework"}
    | sys.stdlib_module_names
)
_WRITING_METHODS = frozenset({"adelete", "asave", "delete", "save", "save_base"})


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
    return model.skip_unchanged or (model.stale_writes or settings.stale_writes) == "merge"


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
        report_stale(self.instance, self.using, *self.accepted)


def report_stale(instance: Any, using: str, expected: State | None, found: State | None) -> None:
    """
    Log a stale write that went on, and send the signal.

    Args:
        instance: the instance.
        using: the database alias.
        expected: the state that it was read in; ``None`` if it was not read.
        found: the state of its row; ``None`` if that was gone.
    """
    if expected is None:
        happened = "was written without having been read"
    elif found is None:
        happened = "was deleted since it was read, and is made again"
    else:
        happened = "was changed by another write since it was read"
    model: Any = type(instance)
    location, key = _location(instance), getattr(instance, state_columns(model).key)
    logger.warning(
        "%s: %s %r %s. To go on from what is there, read the row before you change it, or "
        "save only what you change: save(update_fields=[…]).",
        location,
        instance._meta.label,
        key,
        happened,
        extra={"location": location, "expected": expected, "found": found},
    )
    stale_write_reported.send_robust(
        sender=type(instance),
        instance=instance,
        using=using,
        expected=expected,
        found=found,
        location=location,
    )


def write_batch(rows: Any, objs: Collection[Any], write: Callable[[], int]) -> int:
    """
    A ``bulk_update()`` that compares nothing, of a model whose stale writes are reported.

    Args:
        rows: the queryset.
        objs: the instances.
        write: writes them, and bumps their rows by one; returns the number of rows.

    Returns:
        What ``write`` returned. An instance that was in its row's state is in the new one.
        One that the queryset's filters leave out stays as it is.
    """
    columns, using = state_columns(rows.model), rows.db
    keys = {getattr(obj, columns.key) for obj in objs}
    certain = True
    with transaction.atomic(using=using):
        if rows.query.where:
            mine = rows.filter(pk__in=[obj.pk for obj in objs]).order_by()
            keys = set(mine.values_list(columns.key, flat=True))
        count = write()
        if rows.query.where:
            # Another write may have changed what the filters let through.
            certain = count == len(keys)
        owners: Any = models.QuerySet(columns.owner, using=using)
        found = owners.filter(pk__in=keys).values_list("pk", *columns.names)
        states = {key: State(*state) for key, *state in found}
    for obj in objs:
        after = states.get(getattr(obj, columns.key))
        known = has_state(obj, using) and is_loaded(obj, columns)
        if after is None or not known:
            continue
        before = columns.state_of(obj)
        steps = after.version - (before.version or 0)
        if certain and steps == 1:
            columns.assign(obj, after)
        elif certain or steps > 1:
            report_stale(obj, using, before, State(after.version - 1))
    return count


def _location(instance: Any) -> str:
    """
    The place in the project's code that wrote: file and line. A model's own ``save()`` calls
    ``super()`` at the same line for every write, so its caller is named; where the project's
    code did not call it, as in a generic view, its own line.
    """
    override = "?"
    for frame, line in traceback.walk_stack(None):
        code, module = frame.f_code, frame.f_globals.get("__name__", "")
        if module.partition(".")[0] in _CALLERS:
            continue
        place, first = f"{code.co_filename}:{line}", next(iter(code.co_varnames), "")
        if code.co_name not in _WRITING_METHODS or frame.f_locals.get(first) is not instance:
            return place
        override = place
    return override


@cache
def _not_updated(model: Any) -> Any:
    """
    The class of a ``StaleWriteError`` that Django's own handlers catch too: the model's
    ``NotUpdated`` since Django 6.0, ``DatabaseError`` before. For a ``save()`` with
    ``force_update`` or ``update_fields``, where Django raises that if there is no row.
    """
    djangos = getattr(model, "NotUpdated", DatabaseError)
    return _ErrorOfModel("StaleWriteError", (_Picklable, StaleWriteError, djangos), {"of": model})


class _ErrorOfModel(type):
    """The class of these classes, which pickle can't find by their name in a module."""

    of: Any


copyreg.pickle(_ErrorOfModel, lambda kind: (_not_updated, (kind.of,)))


class _Picklable:
    of: Any

    def __reduce__(self) -> Any:
        return _rebuild, (self.of, self.args, vars(self))  # type: ignore[attr-defined]


def _rebuild(model: Any, args: Any, attributes: dict[str, Any]) -> Any:
    error = _not_updated(model)(*args)
    vars(error).update(attributes)
    return error
