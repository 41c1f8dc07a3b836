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
from ..touching.touch import in_transaction, keep_current
from ..touching.writes import touch_for_update
from .expressions import InStates
from .instances import has_state, owner_key
from .state import State, StateColumns, state_columns
from .write_options import noted_updates

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
        for name in ("add", "clear", "remove", "create", "get_or_create", "update_or_create"):
            if name in vars(manager):
                setattr(manager, name, _when_touched(vars(manager)[name]))
        manager.set = _remembering(manager.set)


def _when_touched(write: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the manager's instance current, and what the method is given, if it touches them."""

    @wraps(write)
    def wrapped(self: Any, *objs: Any, **options: Any) -> Any:
        with keep_current([self.instance, *objs]):
            return write(self, *objs, **options)

    return wrapped


def _remembering(write: Callable[..., Any]) -> Callable[..., Any]:
    """``set()``, which clears first, and then adds: clearing bumps what it will add."""

    @wraps(write)
    def wrapped(self: Any, objs: Iterable[Any], **options: Any) -> Any:
        objs = tuple(objs)
        self.to_be_set, self.to_be_saved = objs, not options.get("bulk", True)
        try:
            with keep_current([self.instance, *objs]):
                return write(self, objs, **options)
        finally:
            del self.to_be_set, self.to_be_saved

    return wrapped


def _keeping_current(write: Callable[..., Any]) -> Callable[..., Any]:
    adds = write.__name__ == "add"

    @wraps(write)
    def wrapped(self: Any, *objs: Any, **options: Any) -> Any:
        # An object that is saved by itself is current, and links bump no row that they join.
        if hasattr(self, "through") or (adds and not options.get("bulk", True)):
            return write(self, *objs, **options)
        columns = state_columns(self.model)
        using = router.db_for_write(self.model, instance=self.instance)
        known = {
            owner_key(instance, columns): instance
            for instance in (*objs, *(() if adds else getattr(self, "to_be_set", ())))
            if columns.version is not None and _knows_its_row(instance, self.model, columns, using)
        }
        if not known:
            return write(self, *objs, **options)
        if adds and columns.timestamp is not None:
            return _add(known, columns, lambda: write(self, *objs, **options))
        with _locked(self, known, columns, using):
            return write(self, *objs, **options)

    return wrapped


def _add(known: dict[Any, Any], columns: StateColumns, write: Callable[[], Any]) -> Any:
    """
    Write all the rows, in whatever state they are, and give the instances the state that
    follows theirs. One that was stale is stale after it: its row has a later version.
    """
    with noted_updates() as moments:
        result = write()
    if len(moments) == 1:
        for instance in known.values():
            columns.assign(instance, columns.after(columns.state_of(instance), moments[0]))
    return result


@contextmanager
def _locked(
    manager: Any, known: dict[Any, Any], columns: StateColumns, using: str
) -> Iterator[None]:
    """
    Lock the rows that are in the states that their instances know, and give these instances the
    states after the block: which rows it writes is not known.
    """
    with in_transaction(using):
        if touches_of(manager.model) is not None:
            # What the rows show up in is locked before them. Their write touches it.
            rows: Any = models.QuerySet(manager.model, using=using)
            pks = [instance.pk for instance in known.values()]
            touch_for_update(rows.filter(pk__in=pks), {})
        current = _lock(known, columns, using)
        yield
        states = dict(_states(columns, using, current))
        for key in current:
            if key in states:
                columns.assign(known[key], states[key])
            elif getattr(manager, "to_be_saved", False):
                # A generic relation clears by deleting; what it saves next, it makes again.
                known[key]._state.adding = True


def _knows_its_row(instance: Any, model: Any, columns: StateColumns, using: str) -> bool:
    return (
        isinstance(instance, model)
        and has_state(instance, using)
        and all(name in vars(instance) for name in columns.attnames)
    )


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
