"""Where a model keeps its state, and what a write makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import django
from django.db import models

from .fields import NextStamp, NextVersion, UpdatedAtField, VersionField, next_stamp
from .guards import State

__all__ = ["StateColumns", "is_partly_computed", "is_unversioned", "state_columns"]


class StateColumns(NamedTuple):
    """
    Where a model keeps its state.

    Args:
        owner: the model whose table has the columns (a parent, under multi-table
            inheritance), or ``None`` where there are none.
        version: the field, or ``None``.
        stamp: the field, or ``None``.
        names: the fields' names, the version's first.
        attnames: the names of the attributes that hold the state, in the same order.
    """

    owner: Any
    version: Any
    stamp: Any
    names: tuple[str, ...]
    attnames: tuple[str, ...]

    def state_of(self, instance: models.Model) -> State:
        """The state in which ``instance`` was read or last saved."""
        loaded = instance.__dict__
        return State(
            loaded.get(self.version.attname) if self.version else None,  # type: ignore[arg-type]
            loaded.get(self.stamp.attname) if self.stamp else None,
        )

    def conditions(self, state: State) -> dict[str, Any]:
        """``state`` as keyword arguments for ``filter()``; none without a version."""
        if self.version is None:
            return {}
        return dict(zip(self.names, state, strict=False))

    def after(self, state: State, now: datetime | None = None) -> State:
        """The state that a write makes of ``state``."""
        return State(
            state.version + 1 if self.version else state.version,
            next_stamp(state.stamp, now) if self.stamp else None,
        )

    def assign(self, instance: models.Model, state: State) -> None:
        """Make ``instance`` say that its row is in ``state``."""
        for field, value in ((self.version, state.version), (self.stamp, state.stamp)):
            if field is not None:
                setattr(instance, field.attname, value)

    def replace(self, values: Any, state: State) -> list[Any]:
        """The (field, model, value) triples of an UPDATE, with ``state`` as its new state."""
        new = {self.version: state.version, self.stamp: state.stamp}
        return [(field, model, new.get(field, value)) for field, model, value in values]

    def expressions(self, now: datetime) -> dict[str, Any]:
        """What moves any row to its next state, as keyword arguments for ``update()``."""
        moves: dict[str, Any] = {}
        if self.version is not None:
            moves[self.version.name] = NextVersion(self.version)
        if self.stamp is not None:
            moves[self.stamp.name] = NextStamp(self.stamp, now)
        return moves


@cache
def state_columns(model: Any) -> StateColumns:
    """The state columns of a model, found by their fields' classes."""
    fields = model._meta.concrete_fields
    version = next((field for field in fields if isinstance(field, VersionField)), None)
    stamp = next((field for field in fields if isinstance(field, UpdatedAtField)), None)
    there = [field for field in (version, stamp) if field is not None]
    return StateColumns(
        there[0].model if there else None,
        version,
        stamp,
        tuple(field.name for field in there),
        tuple(field.attname for field in there),
    )


@cache
def is_partly_computed(model: Any) -> bool:
    """Whether a saved instance keeps old values of what the database computes."""
    computed = any(getattr(field, "generated", False) for field in model._meta.concrete_fields)
    return computed and django.VERSION < (6, 0)


def is_unversioned(model: Any, names: Iterable[str]) -> bool:
    """Whether a write of the fields of these names neither compares nor moves."""
    free, names = getattr(model, "unversioned_fields", ()), set(names)
    return bool(free) and bool(names) and names <= set(free)
