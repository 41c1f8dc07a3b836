"""
The validator query of one row: it selects the key, the version and the timestamp, and the
annotations of the queryset, but no joins that only the representation needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import models

from ..orm.state_columns import State, state_columns
from .fast_select import Key, KeyedRows, values_of
from .rows import Row, for_write, require_version

__all__ = [
    "RowReader",
    "annotation_names",
    "combined_annotation_names",
    "key_names",
    "read_row",
    "row_from_values",
    "row_reader",
    "validator_names",
]


def read_row(
    queryset: models.QuerySet[Any],
    tag_key: str | None = None,
    *,
    key: Key | None = None,
) -> Row | None:
    """
    Read one row's key and state by one validator query.

    Args:
        queryset: the rows to select from.
        tag_key: the field that stands for the row in its tags; the model's
            ``tag_key`` where it is ``None``.
        key: the condition that selects the row; ``None`` where the queryset selects it.

    Raises:
        ImproperlyConfigured: the model has no version.
        MultipleObjectsReturned: the queryset selects several rows.
    """
    using = queryset.db
    names = validator_names(queryset.model, tag_key) + annotation_names(queryset)
    found = values_of(queryset, names, using, key)
    _require_one(queryset.model, found)
    return row_from_values(queryset.model, using, found[0]) if found else None


class RowReader:
    """
    ``read_row()`` for a queryset that stays the same, and a key whose value differs.

    Args:
        queryset, tag_key: as for ``read_row()``.
        name: a field of the model, or a lookup, as for ``filter()``.
    """

    def __init__(self, queryset: Any, tag_key: str | None, name: str) -> None:
        names = validator_names(queryset.model, tag_key) + annotation_names(queryset)
        self.queryset = queryset
        self.model = queryset.model
        self.rows = KeyedRows(queryset, names, name)
        # Whether the lookup is by the primary key, which never changes.
        self.is_fixed = name in key_names(queryset.model)

    def read(self, value: Any, *, writes: bool = False) -> Row | None:
        """
        The row that has this value of the key.

        Args:
            value: of the key.
            writes: read from the database that writes go to.
        """
        using = for_write(self.queryset).db if writes else self.queryset.db
        found = self.rows.values_of(value, using)
        if len(found) > 1:
            _require_one(self.model, found)
        return row_from_values(self.model, using, found[0], self.is_fixed) if found else None


# Cached by queryset: a view class keeps the same one for all requests.
row_reader = lru_cache(maxsize=1000)(RowReader)


def key_names(model: Any) -> tuple[str, ...]:
    """The names of the primary key in a lookup: "pk", and the names of its fields."""
    return ("pk", model._meta.pk.name, require_version(model).owner._meta.pk.name)


def _require_one(model: Any, found: Sequence[Sequence[Any]]) -> None:
    # A join may return the same row twice.
    if any(values[0] != found[0][0] for values in found[1:]):
        raise model.MultipleObjectsReturned(
            f"A validator query for one {model._meta.label} found several."
        )


def validator_names(model: Any, tag_key: str | None = None) -> tuple[str, ...]:
    """
    The names that a validator query selects: owner's key, tag's key, version, timestamp.

    Raises:
        ImproperlyConfigured: the model has no version.
    """
    columns = require_version(model)
    return (columns.owner._meta.pk.name, tag_key or model.tag_key, *columns.names)


def annotation_names(queryset: Any) -> tuple[str, ...]:
    """
    The names of the selected annotations of a queryset, by ``annotate()`` or ``extra()``. A
    response may show them, so the tag must depend on them. ``alias()`` selects nothing.
    """
    query = getattr(queryset, "query", None)
    if query is None or getattr(query, "combinator", None):
        return ()
    return (*query.extra_select, *query.annotation_select)


def combined_annotation_names(queryset: Any) -> tuple[str, ...]:
    """
    The names of the annotations of a union, an intersection or a difference. No values of these
    can be selected by name, since each of the querysets may give its column another; its
    instances have them.
    """
    query = getattr(queryset, "query", None)
    if query is None or not getattr(query, "combinator", None):
        return ()
    return (*query.extra_select, *query.annotation_select)


def row_from_values(model: Any, using: str, values: Sequence[Any], is_fixed: bool = True) -> Row:
    """The row for the values that a validator query returned, annotations last."""
    end = 2 + len(state_columns(model).names)
    state = State(*values[2:end])
    return Row(model, using, values[0], values[1], state, tuple(values[end:]), is_fixed)
