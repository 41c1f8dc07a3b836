"""
One row's instance, for those who only have to look at it: without the joins and the
prefetches of its queryset, and by the statement that is known already.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from django.db.models.query import ModelIterable

from .fast_select import Key, KeyedRows, values_of

__all__ = ["instance_reader", "loads_plainly", "read_instance"]


def loads_plainly(queryset: Any) -> bool:
    """Whether the instances of a queryset are what its model's ``from_db()`` makes of the row."""
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
        queryset: one that ``loads_plainly()``.
    """
    using = queryset.db
    found = values_of(queryset, _field_names(queryset.model), using, key)
    return _one_instance(queryset.model, using, found)


class InstanceReader:
    """``read_instance()`` of a queryset that does not change, by one value after another."""

    def __init__(self, queryset: Any, name: str) -> None:
        self.queryset = queryset
        self.rows = KeyedRows(queryset, _field_names(queryset.model), name)

    def read(self, value: Any) -> Any:
        using = self.queryset.db
        return _one_instance(self.queryset.model, using, self.rows.values_of(value, using))


# One for each queryset, which a view class keeps for all of its requests.
instance_reader = lru_cache(maxsize=1000)(InstanceReader)


def _one_instance(model: Any, using: str, found: Any) -> Any:
    if not found:
        return None
    instance = model.from_db(using, _attribute_names(model), found[0])
    # A join may repeat the one row.
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
