"""
Fast validator queries: most of the time of a 304 is spent in the ORM, not in the database.

A plain queryset that selects by one key runs the SQL that was compiled for its shape (see
``statements``). A queryset with more than that (a join, an annotation, a slice, a method of
the project's own) is compiled by Django each time.

This module uses private parts of Django's ORM; docs/contributing.md lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.apps import apps
from django.core.exceptions import EmptyResultSet, FieldDoesNotExist
from django.core.signals import setting_changed
from django.db import connections, models
from django.db.models import lookups, sql

from .statements import Statement, base_alias, by_shape, narrowed

__all__ = ["Key", "KeyedRows", "fixed_queryset", "from_database", "values_of"]

# The queryset methods that a validator query calls. If a subclass overrides one, use the ORM.
_CALLED = (
    *("__getitem__", "__iter__", "_chain", "_clone", "_fetch_all", "_filter_or_exclude"),
    *("_filter_or_exclude_inplace", "_values", "all", "db", "filter", "order_by"),
    *("prefetch_related", "query", "values_list"),
)
_KEYS = (int, str, UUID)


class Key(NamedTuple):
    """
    The condition that selects one row.

    Args:
        name: a field of the model, or a lookup, as for ``filter()``.
        value: its value.
    """

    name: str
    value: Any


def values_of(
    queryset: Any, names: tuple[str, ...], using: str, key: Key | None = None
) -> list[tuple[Any, ...]]:
    """
    The values of these names in the first two rows of a queryset: two, so that callers can
    tell one row from several.

    Args:
        queryset: the rows. Its order only matters where it is sliced, or distinct on fields.
        names: the names of fields and annotations.
        using: the alias of the database to read from.
        key: a further condition.
    """
    fields = _own_fields(queryset.model, names)
    if fields is None or not _is_plain(queryset):
        return _values_of(queryset.using(using), names, key)
    condition = None
    if key is not None:
        condition = _compared(_comparison(queryset, key.name), key.value)
        if condition is None:
            queryset = queryset.filter(**{key.name: key.value})
    found = by_shape(queryset.query, names, fields, condition, using)
    if found is not None:
        return found.statement.run(found.params, connections[using])
    query = narrowed(queryset.query, fields, condition)
    return list(query.get_compiler(using).results_iter(tuple_expected=True))


class _Known(NamedTuple):
    """A statement, the parameters before the key's, and the SQL for the key's value."""

    statement: Statement
    params: Sequence[Any]
    text: str


class KeyedRows:
    """
    ``values_of()`` for a queryset that stays the same, and a key whose value differs each
    time. Work that does not depend on the value is done once.

    Args:
        queryset, names: as for ``values_of()``.
        name: the key's, as for ``Key``.
    """

    def __init__(self, queryset: Any, names: tuple[str, ...], name: str) -> None:
        self.queryset = queryset
        self.names = names
        self.name = name
        self._comparison = _comparison(queryset, name) if _is_plain(queryset) else None
        # By alias; ``None`` where Django has to compile the query each time.
        self._known: dict[str, _Known | None] = {}
        setting_changed.connect(self._forget)

    def _forget(self, **kwargs: Any) -> None:
        # Tests change settings; the statements of shapes are dropped at the same time.
        self._known.clear()

    def values_of(self, value: Any, using: str) -> list[tuple[Any, ...]]:
        """The values in the first two rows that have this value of the key."""
        condition, connection = _compared(self._comparison, value), connections[using]
        if condition is not None:
            try:
                text, params = condition.process_rhs(None, connection)
            except EmptyResultSet:
                return []  # No column of this type can hold such a number.
            if using not in self._known:
                self._known[using] = self._learn(condition, text, len(params), using)
            known = self._known.get(using)
            if known is not None and known.text == text:
                return known.statement.run([*known.params, *params], connection)
        return values_of(self.queryset, self.names, using, Key(self.name, value))

    def _learn(self, condition: Any, text: str, count: int, using: str) -> _Known | None:
        fields = _own_fields(self.queryset.model, self.names)
        if fields is None:
            return None
        found = by_shape(self.queryset.query, self.names, fields, condition, using)
        return found and _Known(found.statement, found.params[:-count], text)


def fixed_queryset(source: Any) -> Any:
    """
    The queryset of a model, a manager or a queryset, if it is the same for all requests;
    ``None`` where it may be another one each time.
    """
    if isinstance(source, type) and issubclass(source, models.Model):
        source = source._default_manager
    if isinstance(source, models.Manager):
        # A related manager has a queryset for each instance.
        methods = (source.get_queryset, source.all)
        if any(method.__module__ != models.Manager.__base__.__module__ for method in methods):
            return None
        source = source.all()
    if isinstance(source, models.QuerySet) and _is_django_s(type(source)):
        return source
    return None


def _values_of(queryset: Any, names: Sequence[str], key: Key | None) -> list[tuple[Any, ...]]:
    """``values_of()`` by Django's public API."""
    if key is not None:
        queryset = queryset.filter(**{key.name: key.value})
    queryset = queryset.prefetch_related(None)
    if not queryset.query.is_sliced:
        # The joins of the order take part in how Django names the tables of extra().
        if not queryset.query.distinct_fields and not queryset.query.extra_tables:
            queryset = queryset.order_by()
        queryset = queryset[:2]
    return list(from_database(queryset.values_list(*names)))


def from_database(queryset: Any) -> Any:
    """
    The same queryset, read from the database. django-cacheops would answer it from Redis,
    which neither ``update()`` nor a touch invalidates, so the tag would be old.
    """
    if hasattr(queryset, "nocache") and apps.is_installed("cacheops"):
        return queryset.all().nocache()
    return queryset


def _comparison(queryset: Any, name: str) -> tuple[Any, Any] | None:
    """
    The lookup and the column that ``filter()`` would use; ``None`` where these may differ, or
    where ``filter()`` should raise its error.
    """
    fields = None if queryset.query.is_sliced else _own_fields(queryset.model, (name,))
    if fields is None:
        return None
    (field,) = fields
    lookup = field.get_lookup("exact")
    return (lookup, field.get_col(base_alias(queryset.query))) if _is_equality(lookup) else None


def _compared(comparison: tuple[Any, Any] | None, value: Any) -> Any:
    """The condition that ``filter()`` would build for a value; ``None`` to let it do so."""
    if comparison is None or type(value) not in _KEYS:
        return None
    lookup, column = comparison
    condition = lookup(column, value)
    return None if condition.rhs is None else condition


def _is_equality(lookup: Any) -> bool:
    """Whether a lookup is one of Django's own that compile to ``column = %s``."""
    return (
        isinstance(lookup, type)
        and issubclass(lookup, lookups.Exact)
        and lookup.__module__ == lookups.__name__
    )


@cache
def _own_fields(model: Any, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    """The model's fields of these names, if each is one column of its own table."""
    options = model._meta
    fields = []
    for name in names:
        try:
            field = options.pk if name == "pk" else options.get_field(name)
        except FieldDoesNotExist:
            return None
        if field not in options.local_concrete_fields:
            return None
        fields.append(field)
    return tuple(fields)


@cache
def _is_django_s(queryset_class: Any) -> bool:
    """Whether querysets of this class inherit every method that a validator query calls."""
    return all(_is_ours(getattr(queryset_class, name, None)) for name in _CALLED)


def _is_ours(method: Any) -> bool:
    function = getattr(method, "fget", method)
    return getattr(function, "__module__", "django.").startswith(("django.", "etag_versioning."))


def _is_plain(queryset: Any) -> bool:
    """Whether a queryset only filters and orders rows of its own table."""
    query = queryset.query
    return (
        _is_django_s(queryset.__class__)
        and type(query) is sql.Query
        and queryset._fields is None
        and not query.combinator
        and not query.annotations
        and not query.extra
        and not query.extra_tables
        and not query.distinct
    )
