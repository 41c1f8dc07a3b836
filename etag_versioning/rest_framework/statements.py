"""
How a row is written: whether one statement does it, and what the answer shows after it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import models
from django.db.models.deletion import Collector
from django.db.models.signals import post_save, pre_save
from django.utils.functional import LazyObject
from rest_framework.serializers import ModelSerializer

from ..orm.guards import Guard
from ..orm.instances import instance_itself
from ..orm.state_columns import is_partly_computed, state_columns
from ..orm.stateful_model import StatefulModel

__all__ = ["is_one_unit", "refresh", "saves_in_own_way"]


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
    if isinstance(written, LazyObject):
        written = instance_itself(written)
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
    if isinstance(instance, LazyObject):
        instance = instance_itself(instance)
    if guard.state is None or not isinstance(instance, guard.row.columns.owner):
        return
    model: Any = type(instance)
    known = state_columns(model).state_of(instance)
    # Something wrote the row past the instance, or the database computes a column.
    if known != guard.state or is_partly_computed(model):
        pk = getattr(instance, guard.row.columns.owner._meta.pk.attname)
        if guard.is_on(pk):
            instance.refresh_from_db(using=guard.row.using)
