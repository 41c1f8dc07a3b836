"""``touch()`` of an instance: its row is bumped without another write."""

from __future__ import annotations

from typing import Any

from django.db import models

from ..exceptions import StaleWriteError
from ..orm.expressions import InState
from ..orm.guards import State, guards_of
from ..orm.instances import has_state, no_state, owner_key, require_loaded
from ..orm.state import StateColumns, state_columns
from .paths import touches_of
from .touch import in_transaction, touching
from .writes import touch_for_save

__all__ = ["touch_instance"]


def touch_instance(instance: Any, using: str) -> None:
    """
    Bump the row of an instance, and what it touches.

    Args:
        instance: the instance, which says the new state afterwards.
        using: the database alias.

    Raises:
        StaleWriteError: the row is not in the state that the instance was read in.
        VersionNotLoaded: the instance does not say what it is based on.
    """
    model: Any = type(instance)
    if not has_state(instance, using):
        raise no_state(instance, "be touched", using)
    columns = state_columns(model)
    if touches_of(model) is None:
        with in_transaction(using):
            after = _bump(instance, columns, using)
    else:
        compared = columns.version is not None
        with touching(
            using, lambda: touch_for_save(instance, using, (), insert=False, compared=compared)
        ):
            after = _bump(instance, columns, using)
    columns.assign(instance, after)


def _bump(instance: Any, columns: StateColumns, using: str) -> State:
    """Bump the row of an instance that is in its state; returns the state after it."""
    before = columns.state_of(instance)
    if columns.owner is None:
        return before
    require_loaded(instance, columns)
    key = owner_key(instance, columns)
    guards = guards_of(columns.owner, using, key)
    for guard in guards:
        guard.admit(before, instance)
    rows: Any = models.QuerySet(columns.owner, using=using).filter(pk=key)
    if columns.version is not None:
        rows = rows.filter(InState(columns, before))
    after = columns.after(before)
    written = [value for value in after if value is not None]
    if not rows.update(**dict(zip(columns.names, written, strict=True))):
        raise StaleWriteError(columns.owner, key, using, instance, expected=before)
    for guard in guards:
        guard.moved(after)
    return after
