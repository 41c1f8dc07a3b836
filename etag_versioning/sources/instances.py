"""
Loads the bare instance of a row, for permissions that look at the object: without the joins
and prefetches of the view's queryset, and by a compiled statement.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from django.db.models.query import ModelIterable

from .fast_select import Key, KeyedRows, values_of

__all__ = ["instance_reader", "loads_plainly", "read_instance"]


def loads_plainly(queryset: Any) -> bool:
    """Whether a queryset's instances hold the row's columns and nothing else."""
    query = queryset.query
    return (
        queryset._iterable_class is ModelIterable
        and query.deferred_loading == (frozenset(), True)
        and not query.annotation_select
        and not query.extra_select
    )


def read_instance(queryset: Any, key: Key) -> Any:
    """
    The one instance that has this value of the key; ``None`` where there is none.

    Args:
        queryset: one for which ``loads_plainly()`` is true.
    """
    using = queryset.db
    found = values_of(queryset, _field_names(queryset.model), using, key)
    return _one_instance(queryset.model, using, found)


class InstanceReader:
    """``read_instance()`` for a queryset that stays the same, and values that differ."""

    def __init__(self, queryset: Any, name: str) -> None:
        self.queryset = queryset
        self.rows = KeyedRows(queryset, _field_names(queryset.model), name)

    def read(self, value: Any) -> Any:
        using = self.queryset.db
        return _one_instance(self.queryset.model, using, self.rows.values_of(value, using))


# Cached by queryset: a view class keeps the same one for all requests.
instance_reader = lru_cache(maxsize=1000)(InstanceReader)


def _one_instance(model: Any, using: str, found: Any) -> Any:
    if not found:
        return None
    instance = model.from_db(using, _attribute_names(model), found[0])
    # A join may return the same row twice.
    if any(values != found[0] for values in found[1:]):
        raise model.MultipleObjectsReturned(
            f"The key of one {model._meta.label} is that of several."
        )
    return instance


@cache
def _field_names(model: Any) -> tuple[str, ...]:
    return tuple(field.name for field in model._meta.concrete_fields)


@cache
def _attribute_names(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]
