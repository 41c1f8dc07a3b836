"""
Related managers (``team.person_set``), which write rows by queryset, past the instances that
they are given: these stay as good as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.db import models, router

from ..touching.paths import touches_of
from ..touching.touch import in_transaction
from ..touching.writes import touch_for_update
from .expressions import InStates
from .guards import State
from .instances import has_state, owner_key
from .state import StateColumns, state_columns

__all__ = ["keep_instances_current"]

# Where Django makes a class for each relation, below that of the related model's manager.
_MODULES = (
    "django.contrib.contenttypes.fields",
    "django.db.models.fields.related_descriptors",
)


def keep_instances_current(manager: Any) -> None:
    """Let the methods of a related manager's class keep the instances current that they get."""
    if manager.__module__ in _MODULES:
        for name in ("add", "clear", "remove"):
            if name in vars(manager):
                setattr(manager, name, _keeping_current(vars(manager)[name]))
        manager.set = _remembering(manager.set)


def _remembering(write: Callable[..., Any]) -> Callable[..., Any]:
    """``set()``, which clears first, and then adds: clearing bumps what it will add."""

    @wraps(write)
    def wrapped(self: Any, objs: Iterable[Any], **options: Any) -> Any:
        objs = tuple(objs)
        self.to_be_set = objs
        try:
            return write(self, objs, **options)
        finally:
            del self.to_be_set

    return wrapped


def _keeping_current(write: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(write)
    def wrapped(self: Any, *objs: Any, **options: Any) -> Any:
        saves = write.__name__ == "add" and not options.get("bulk", True)
        # Links have receivers of their own.
        if saves or hasattr(self, "through"):
            return write(self, *objs, **options)
        instances = [*objs, *getattr(self, "to_be_set", ())]
        with _current(self, instances, None if write.__name__ != "add" else self.instance):
            return write(self, *objs, **options)

    return wrapped


@contextmanager
def _current(manager: Any, instances: list[Any], value: Any) -> Iterator[None]:
    """
    Lock the rows of instances in the states that they know, and give them those after the block.

    Args:
        manager: the related manager.
        instances: the instances; those that are not current stay what they are.
        value: what the foreign key will be.
    """
    columns = state_columns(manager.model)
    using = router.db_for_write(manager.model, instance=manager.instance)
    known = {
        owner_key(instance, columns): instance
        for instance in instances
        if columns.version is not None and _knows_its_row(instance, manager.model, columns, using)
    }
    if not known:
        yield
        return
    with in_transaction(using):
        if touches_of(manager.model) is not None:
            # What the rows show up in is locked before them. Their write touches it.
            rows: Any = models.QuerySet(manager.model, using=using)
            pks = [instance.pk for instance in known.values()]
            touch_for_update(rows.filter(pk__in=pks), _values(manager, value))
        current = _lock(known, columns, using)
        yield
        for key, state in _states(columns, using, current):
            columns.assign(known[key], state)


def _knows_its_row(instance: Any, model: Any, columns: StateColumns, using: str) -> bool:
    return (
        isinstance(instance, model)
        and has_state(instance, using)
        and all(name in vars(instance) for name in columns.attnames)
    )


def _values(manager: Any, value: Any) -> dict[str, Any]:
    """What a related manager stores in its foreign key."""
    field = getattr(manager, "field", None)
    return {} if field is None or not field.concrete else {field.name: value}


def _lock(known: dict[Any, Any], columns: StateColumns, using: str) -> list[Any]:
    """Lock the rows that are in the state that their instance knows; returns their keys."""
    states = {key: columns.state_of(instance) for key, instance in known.items()}
    rows: Any = models.QuerySet(columns.owner, using=using).filter(InStates(columns, states))
    version = columns.version.name
    if rows.update(**{version: models.F(version)}) == len(known):
        return list(known)
    return list(rows.values_list("pk", flat=True))


def _states(columns: StateColumns, using: str, keys: list[Any]) -> Iterator[tuple[Any, State]]:
    rows: Any = models.QuerySet(columns.owner, using=using).filter(pk__in=keys)
    for key, *state in rows.values_list("pk", *columns.names):
        yield key, State(*state)
