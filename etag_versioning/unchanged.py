"""What rows hold, as far as instances know: for saves that change nothing (``skip_unchanged``)."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

from .columns import StateColumns, state_columns

__all__ = ["forget", "is_unchanged", "remember"]


def remember(instance: Any) -> None:
    """Keep what the row of ``instance`` holds, where a save that changes nothing is skipped."""
    if instance.skip_unchanged:
        names = [field.attname for field in instance._meta.concrete_fields]
        loaded = {name: vars(instance)[name] for name in names if name in vars(instance)}
        state = _columns(instance).state_of(instance)
        instance._state.loaded = state, copy.deepcopy(loaded)


def forget(instance: Any) -> None:
    """No longer know what the row holds."""
    vars(instance._state).pop("loaded", None)


def is_unchanged(instance: Any, names: Collection[str] | None) -> bool:
    """
    Whether a save would write what the row holds already.

    Args:
        names: of the fields that are saved; ``None`` for all.
    """
    columns = _columns(instance)
    state, loaded = vars(instance._state).get("loaded", (None, {}))
    if state != columns.state_of(instance):
        return False
    return all(
        field.attname in loaded and _are_same(vars(instance)[field.attname], loaded[field.attname])
        for field in instance._meta.concrete_fields
        if field.name not in columns.names
        and (names is None or field.name in names or field.attname in names)
    )


def _columns(instance: Any) -> StateColumns:
    model: Any = type(instance)
    return state_columns(model)


def _are_same(one: Any, other: Any) -> bool:
    """Equal, and not only to Python, for which 1, 1.0 and True are."""
    return bool(one == other) and repr(one) == repr(other)
