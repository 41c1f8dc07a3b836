"""Where a model keeps its state, and what a write makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from ..fields import NextTimestamp, NextVersion, UpdatedAtField, VersionField, next_timestamp

__all__ = [
    "State",
    "StateColumns",
    "has_version",
    "is_model",
    "is_partly_computed",
    "is_unversioned",
    "state_columns",
    "unversioned_names",
]


class State(NamedTuple):
    """What a row's two columns hold; ``timestamp`` is ``None`` without that column."""

    version: int
    timestamp: datetime | None = None


class StateColumns(NamedTuple):
    """
    Where a model keeps its state.

    Args:
        owner: the model whose table has the columns (a parent, under multi-table
            inheritance), or ``None`` where there are none.
        version: the field, or ``None``.
        timestamp: the field, or ``None``.
        fields: those of the two that the model has, the version first.
        names: the fields' names, in the same order.
        attnames: the names of the attributes that hold the state, in the same order.
        kinds: the types of the values, in the same order.
        key: the name of the attribute that holds the key of the owner's row.
    """

    owner: Any
    version: Any
    timestamp: Any
    fields: tuple[Any, ...]
    names: tuple[str, ...]
    attnames: tuple[str, ...]
    kinds: tuple[type, ...]
    key: str

    def state_of(self, instance: models.Model) -> State:
        """The state in which ``instance`` was read or last saved."""
        loaded = instance.__dict__
        return State(
            loaded.get(self.version.attname) if self.version else None,  # type: ignore[arg-type]
            loaded.get(self.timestamp.attname) if self.timestamp else None,
        )

    def conditions(self, state: State) -> dict[str, Any]:
        """``state`` as keyword arguments for ``filter()``; none without a version."""
        if self.version is None:
            return {}
        return dict(zip(self.names, state, strict=False))

    def after(self, state: State, now: datetime | None = None) -> State:
        """The state that a write makes of ``state``; a row without a version gets its first."""
        return State(
            (state.version or 0) + 1 if self.version else state.version,
            next_timestamp(state.timestamp, now) if self.timestamp else None,
        )

    def assign(self, instance: models.Model, state: State) -> None:
        """Make ``instance`` say that its row is in ``state``."""
        if self.version is not None:
            setattr(instance, self.version.attname, state.version)
        if self.timestamp is not None:
            setattr(instance, self.timestamp.attname, state.timestamp)

    def replace(self, values: Any, new: Iterable[Any]) -> list[Any]:
        """
        The (field, model, value) triples of an UPDATE, with ``new`` values of the state's
        columns. They come last, since MariaDB and MySQL assign from left to right.
        """
        version, timestamp = self.version, self.timestamp
        # By identity, since comparing fields takes long.
        others = [each for each in values if each[0] is not version and each[0] is not timestamp]
        return [
            *others,
            *((field, None, value) for field, value in zip(self.fields, new, strict=True)),
        ]

    def require_usable(self, instance: models.Model) -> None:
        """
        Raise ``ImproperlyConfigured`` where ``instance`` holds what no version, or no
        timestamp, can be.
        """
        for field, kind in zip(self.fields, self.kinds, strict=True):
            value = instance.__dict__.get(field.attname)
            if value is not None and not isinstance(value, kind):
                label = instance._meta.label
                name = "an integer" if kind is int else "a datetime"
                raise ImproperlyConfigured(
                    f"{label} with primary key {instance.pk!r} has {value!r} as its "
                    f'"{field.name}", which is not {name}, so no write can be compared with it. '
                    f"Mend the row: {type(instance).__name__}.objects.filter("
                    f"pk={instance.pk!r}).unversioned().update({field.name}=…)."
                )

    def expressions(self, now: datetime) -> dict[str, Any]:
        """The expressions that bump any row, as keyword arguments for ``update()``."""
        bumps: dict[str, Any] = {}
        if self.version is not None:
            bumps[self.version.name] = NextVersion(self.version)
        if self.timestamp is not None:
            bumps[self.timestamp.name] = NextTimestamp(self.timestamp, now)
        return bumps


@cache
def state_columns(model: Any) -> StateColumns:
    """The state columns of a model, found by their fields' classes."""
    fields = model._meta.concrete_fields
    version = next((field for field in fields if isinstance(field, VersionField)), None)
    timestamp = next((field for field in fields if isinstance(field, UpdatedAtField)), None)
    there = tuple(field for field in (version, timestamp) if field is not None)
    owner = there[0].model if there else None
    return StateColumns(
        owner,
        version,
        timestamp,
        there,
        tuple(field.name for field in there),
        tuple(field.attname for field in there),
        tuple(int if field is version else datetime for field in there),
        "pk" if owner is None else owner._meta.pk.attname,
    )


def has_version(model: Any) -> bool:
    """Whether ``model`` is a model whose rows have a version."""
    return is_model(model) and state_columns(model).version is not None


def is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, models.Model)


@cache
def is_partly_computed(model: Any) -> bool:
    """Whether a saved instance keeps old values of what the database computes."""
    computed = any(getattr(field, "generated", False) for field in model._meta.concrete_fields)
    return computed and django.VERSION < (6, 0)


def is_unversioned(model: Any, names: Iterable[str]) -> bool:
    """Whether a write of the fields of these names neither compares nor bumps."""
    free = unversioned_names(model)
    names = set(names) if free else ()
    return bool(names) and free.issuperset(names)


def unversioned_names(model: Any) -> frozenset[str]:
    """
    What ``unversioned_fields`` names: each field by its name, and by its column's attribute.

    Raises:
        ImproperlyConfigured: it is a string, whose characters would be the names.
    """
    given = getattr(model, "unversioned_fields", ())
    if isinstance(given, str):
        raise ImproperlyConfigured(
            f"{model._meta.label}.unversioned_fields is a string. "
            f'Write unversioned_fields = ("{given}",).'
        )
    return _names_of(model, frozenset(given)) if given else frozenset()


@cache
def _names_of(model: Any, given: frozenset[str]) -> frozenset[str]:
    """Fields by their names, and by the attributes of their columns."""
    found = {
        name
        for field in model._meta.concrete_fields
        if field.name in given or field.attname in given
        for name in (field.name, field.attname)
    }
    return frozenset(found.union(given))
