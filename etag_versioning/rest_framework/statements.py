"""
How a row is written: whether one statement does it, and what a block of code wrote past the
instance at hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.models.deletion import Collector
from django.db.models.signals import post_save, pre_save
from rest_framework.serializers import ModelSerializer

from ..orm.guards import Guard
from ..orm.saving import StatefulModel
from ..orm.state import is_partly_computed, state_columns

__all__ = [
    "counting_updates",
    "is_one_unit",
    "refresh",
    "saves_in_own_way",
    "watching",
]

_UPDATES_NOTHING = re.compile(
    r"\s*(INSERT|SELECT|SAVEPOINT|RELEASE|ROLLBACK TO)\b(?!.*\bUPDATE\b)", re.DOTALL
)


@cache
def saves_in_own_way(kind: Any) -> bool:
    """Whether a serializer class has a ``save()`` or an ``update()`` of the project's own."""
    if not hasattr(kind, "update"):
        return False  # An instance, which is deleted.
    return kind.save is not ModelSerializer.save or kind.update is not ModelSerializer.update


def is_one_unit(written: Any) -> bool:
    """
    Whether DRF saves a serializer, or deletes an instance, with no code of the
    project's own around it, by one statement that compares the row's state; or, where
    it takes several (tables of parents, ``touches``), in a transaction of their own.
    """
    if isinstance(written, StatefulModel):
        collector: Any = Collector(written._state.db, written)  # type: ignore[arg-type]
        plain = type(written).delete is StatefulModel.delete
        return plain and bool(collector.can_fast_delete(written))
    if not isinstance(written, ModelSerializer) or saves_in_own_way(type(written)):
        return False
    model: Any = type(written.instance)
    return (
        _is_saved_plainly(model)
        and not pre_save.has_listeners(model)
        and not post_save.has_listeners(model)
        and written.validated_data.keys() <= _column_names(model)
    )


@cache
def _is_saved_plainly(model: Any) -> bool:
    return (
        issubclass(model, StatefulModel)
        and model.save is models.Model.save
        and model.save_base is StatefulModel.save_base
        and not is_partly_computed(model)
    )


@cache
def _column_names(model: Any) -> frozenset[str]:
    return frozenset(field.name for field in model._meta.concrete_fields)


def refresh(written: Any, guard: Guard) -> None:
    """
    Let an answer show the guarded row as the request's writes have left it.

    Args:
        written: the serializer that was saved, or anything else that has no instance.
        guard: the row's, which knows its state.
    """
    instance = getattr(written, "instance", None)
    if guard.state is None or not isinstance(instance, guard.model):
        return
    model: Any = type(instance)
    known = state_columns(model).state_of(instance)
    pk = getattr(instance, guard.model._meta.pk.attname)
    # Something wrote the row past the instance, or the database computes a column.
    if guard.is_on(pk) and (known != guard.state or is_partly_computed(model)):
        instance.refresh_from_db(using=guard.using)


@contextmanager
def counting_updates(using: str) -> Iterator[Callable[[], int]]:
    """Count the statements of the block that may have changed an existing row."""
    count = 0

    def watch(execute: Any, sql: Any, *args: Any) -> Any:
        nonlocal count
        count += not _UPDATES_NOTHING.match(str(sql))
        return execute(sql, *args)

    with connections[using].execute_wrapper(watch):
        yield lambda: count


@contextmanager
def watching(guard: Guard) -> Iterator[None]:
    """
    ``guard.watch()``, for code that may write the row in ways that the guard does not
    see: raw SQL and triggers. After more than one statement, the row is read again.
    """
    with guard.watch(), counting_updates(guard.using) as updates:
        yield
        unknown = guard.enforced and not guard.deleted and updates() > 1
        if unknown and not connections[guard.using].needs_rollback:
            guard.reread()
