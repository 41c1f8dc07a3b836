"""
Validator queries, at little cost: what saves time in a 304 is less the database than what
the ORM does around a query.

What a plain queryset selects by one key is run by the SQL of its shape. Where a query
set has more than that (a join, an annotation, a slice, a method of the project's own),
it goes Django's way.

Private parts of Django's ORM are used here.
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

# The methods that a validator query would call. A class that has its own is heard.
_CALLED = (
    *("__getitem__", "__iter__", "_chain", "_clone", "_fetch_all", "_filter_or_exclude"),
    *("_filter_or_exclude_inplace", "_values", "all", "db", "filter", "order_by"),
    *("prefetch_related", "query", "values_list"),
)
_KEYS = (int, str, UUID)


class Key(NamedTuple):
    """
    What one row is selected by.

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
    The values of these names in the first two rows of a queryset.

    Args:
        queryset: what selects the rows. Its order matters where it is sliced, or
            distinct by some fields.
        names: fields of its model, and annotations.
        using: the alias of the database to read from.
        key: what else selects them.
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
    """A statement, the parameters before the key's, and the SQL in the key's place."""

    statement: Statement
    params: Sequence[Any]
    text: str


class KeyedRows:
    """
    The same, of a queryset that does not change, by one value of a key after another:
    what does not depend on the value is done once.

    Args:
        queryset, names: as for ``values_of()``.
        name: the key's, as for ``Key``.
    """

    def __init__(self, queryset: Any, names: tuple[str, ...], name: str) -> None:
        self.queryset = queryset
        self.names = names
        self.name = name
        self._comparison = _comparison(queryset, name) if _is_plain(queryset) else None
        # By alias; ``None`` where Django writes the query in a way of its own.
        self._known: dict[str, _Known | None] = {}
        setting_changed.connect(self._forget)

    def _forget(self, **kwargs: Any) -> None:
        # In tests, and with the shapes.
        self._known.clear()

    def values_of(self, value: Any, using: str) -> list[tuple[Any, ...]]:
        """The values in the first two rows that have this value of the key."""
        condition, connection = _compared(self._comparison, value), connections[using]
        if condition is not None:
            try:
                text, params = condition.process_rhs(None, connection)
            except EmptyResultSet:
                return []  # A number that no column of its type can hold.
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
    The queryset of a model, a manager or a queryset, if that is one for all
    requests; ``None`` where it may be another each time.
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
    """The same, by what Django promises."""
    if key is not None:
        queryset = queryset.filter(**{key.name: key.value})
    queryset = queryset.prefetch_related(None)
    if not queryset.query.is_sliced:
        # Django tells extra tables apart by the joins that an order needs, too.
        if not queryset.query.distinct_fields and not queryset.query.extra_tables:
            queryset = queryset.order_by()
        queryset = queryset[:2]
    return list(from_database(queryset.values_list(*names)))


def from_database(queryset: Any) -> Any:
    """
    A queryset that reads the table. django-cacheops answers others from Redis, which an
    ``update()`` and a touch do not reach: the tag would be an old one.
    """
    if hasattr(queryset, "nocache") and apps.is_installed("cacheops"):
        return queryset.all().nocache()
    return queryset


def _comparison(queryset: Any, name: str) -> tuple[Any, Any] | None:
    """
    The lookup and the column that ``filter()`` would compare by; ``None`` where it
    could be another, or where ``filter()`` is to refuse.
    """
    fields = None if queryset.query.is_sliced else _own_fields(queryset.model, (name,))
    if fields is None:
        return None
    (field,) = fields
    lookup = field.get_lookup("exact")
    return (lookup, field.get_col(base_alias(queryset.query))) if _is_equality(lookup) else None


def _compared(comparison: tuple[Any, Any] | None, value: Any) -> Any:
    """The condition that ``filter()`` would make of a value; ``None`` as above."""
    if comparison is None or type(value) not in _KEYS:
        return None
    lookup, column = comparison
    condition = lookup(column, value)
    return None if condition.rhs is None else condition


def _is_equality(lookup: Any) -> bool:
    """Whether a lookup is one of Django's own, which write ``column = %s``."""
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
    """Whether a queryset of this class does as Django's does."""
    return all(_is_ours(getattr(queryset_class, name, None)) for name in _CALLED)


def _is_ours(method: Any) -> bool:
    function = getattr(method, "fget", method)
    return getattr(function, "__module__", "django.").startswith(("django.", "etag_versioning."))


def _is_plain(queryset: Any) -> bool:
    """Whether a queryset selects rows as Django does, and computes nothing beside them."""
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
