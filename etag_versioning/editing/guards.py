"""The guard on the row of one instance, for a save that a person has confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from ..orm.guards import Demand, Guard
from ..orm.instances import instance_itself
from ..orm.state_columns import state_columns
from ..sources.rows import row_of
from ..touching.paths import touches_of

__all__ = ["guard_of", "guarded"]


def guard_of(instance: Any) -> Guard | None:
    """
    The guard that holds all writes of the instance's row to the state that it was read in,
    whatever the model's ``stale_writes`` says; ``None`` if the model has no version.
    """
    model: Any = type(instance_itself(instance))
    if state_columns(model).version is None:
        return None
    row = row_of(instance)
    lock_touched = None if touches_of(row.model) is None else row.lock_touched
    return Guard(row.stored, row.state, Demand.THIS_STATE, lock_touched)


@contextmanager
def guarded(guard: Guard | None) -> Iterator[None]:
    """A transaction whose writes are held to the guard, if there is one."""
    if guard is None:
        yield
        return
    with transaction.atomic(using=guard.row.using), guard.watch():
        yield
