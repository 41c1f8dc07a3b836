"""
Narrow queries, at little cost: what saves time in a 304 is less the database than what
the ORM does around a query.

A query that is the same for everyone is compiled once, and run with another key each
time: it is one whose text and parameters nothing in a request, a time zone or a
language can change. Any other is cloned once, and no names are resolved in it. Where
Django's way could be another than this one (a query set or a lookup of the project's
own, a join, an annotation), the query goes Django's way.

Private parts of Django's ORM are used here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import EmptyResultSet, FieldDoesNotExist
from django.db import connections, models
from django.db.models import sql
from django.db.models.lookups import Exact, Lookup
from django.db.models.sql.where import AND, WhereNode

__all__ = ["Key", "fixed_queryset", "values_of"]

# The methods that a narrow query would call. A class that has its own is heard.
_CALLED = (
    *("__getitem__", "__iter__", "_chain", "_clone", "_fetch_all", "_filter_or_exclude"),
    *("_filter_or_exclude_inplace", "_values", "all", "db", "filter", "order_by"),
    *("prefetch_related", "query", "values_list"),
)
# Values that are the same in each request; a datetime depends on a time zone.
_PLAIN = (bool, bytes, date, Decimal, float, int, str, type(None), UUID)
_KEYS = (int, str, UUID)
# Oracle compares some columns by a function.
_ENGINES = ("mysql", "postgresql", "sqlite")


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
    queryset: Any, names: Sequence[str], key: Key | None = None, *, fixed: bool = False
) -> list[tuple[Any, ...]]:
    """
    The values of these names in the first two rows of a query set.

    Args:
        queryset: what selects the rows. Its order matters where it is sliced, or
            distinct by some fields.
        names: fields of its model, and annotations.
        key: what else selects them.
        fixed: whether the query set is one object for all requests.
    """
    if fixed and key is not None and type(key.value) in _KEYS:
        statement = _statement(queryset, key.name, tuple(names), queryset.db)
        found = None if statement is None else statement.run(key.value)
        if found is not None:
            return found
    fields = _own_fields(queryset.model, tuple(names))
    if fields is None or not _is_django_s(queryset.__class__) or not _selects_columns(queryset):
        return _values_of(queryset, names, key)
    using = queryset.db
    condition = _condition(queryset, key)
    if key is not None and condition is None:
        queryset = queryset.filter(**{key.name: key.value})
    query = queryset.query.clone()
    if condition is not None:
        query.where.add(condition, AND)
    _narrow(query, fields)
    return list(query.get_compiler(using).results_iter(tuple_expected=True))


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
    return list(queryset.values_list(*names))


def _condition(queryset: Any, key: Key | None) -> Any:
    """
    The condition that ``filter()`` would make of a key; ``None`` where it could be
    another, or where ``filter()`` is to refuse.
    """
    if key is None or queryset.query.is_sliced or type(key.value) not in _KEYS:
        return None
    fields = _own_fields(queryset.model, (key.name,))
    if fields is None:
        return None
    (field,) = fields
    lookup = field.get_lookup("exact")
    if not _is_equality(lookup):
        return None
    condition = lookup(field.get_col(queryset.query.get_initial_alias()), key.value)
    return None if condition.rhs is None else condition


def fixed_queryset(source: Any) -> Any:
    """
    The query set of a model, a manager or a query set, if that is one for all
    requests; ``None`` where it may be another each time.
    """
    if isinstance(source, type) and issubclass(source, models.Model):
        source = source._default_manager
    if isinstance(source, models.Manager):
        # A related manager has a query set for each instance.
        methods = (source.get_queryset, source.all)
        if any(method.__module__ != models.Manager.__base__.__module__ for method in methods):
            return None
        source = source.all()
    if isinstance(source, models.QuerySet) and _is_django_s(type(source)):
        return source
    return None


class _Statement(NamedTuple):
    """
    A compiled query for one row.

    Args:
        using: the alias of the database that it was compiled for.
        text: the SQL.
        params: its parameters but the last, which is the key.
        key: the column that the key is compared with.
        lookup: the class by which it is.
        columns: what is selected, each column once.
        places: where in ``columns`` each value is.
    """

    using: str
    text: str
    params: tuple[Any, ...]
    key: Any
    lookup: type[Lookup]
    columns: tuple[Any, ...]
    places: tuple[int, ...]

    def run(self, key: Any) -> list[tuple[Any, ...]] | None:
        """The rows' values; ``None`` where Django would write another statement."""
        if self.key.output_field.get_lookup("exact") is not self.lookup:
            return None  # Another one was registered.
        connection = connections[self.using]
        # Field and lookup prepare each value as they do in any query.
        lookup = self.lookup(self.key, key)
        if lookup.rhs is None:
            return None  # Django would ask for IS NULL.
        try:
            _, params = lookup.process_rhs(None, connection)
        except EmptyResultSet:
            return []
        with connection.cursor() as cursor:
            cursor.execute(self.text, (*self.params, *params))
            rows = cursor.fetchall()
        return [self._converted(row, connection) for row in rows]

    def _converted(self, row: Any, connection: Any) -> tuple[Any, ...]:
        values = []
        for value, column in zip(row, self.columns, strict=True):
            for convert in (
                *connection.ops.get_db_converters(column),
                *column.get_db_converters(connection),
            ):
                value = convert(value, column, connection)
            values.append(value)
        return tuple(values[place] for place in self.places)


class _AnyKey:
    """The condition that a column is the key to come."""

    contains_aggregate = contains_over_clause = False

    def __init__(self, column: Any) -> None:
        self.column = column

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"{compiler.compile(self.column)[0]} = %s", [self]


@lru_cache(maxsize=1000)
def _statement(queryset: Any, name: str, names: tuple[str, ...], using: str) -> _Statement | None:
    """The compiled query, where there can be one."""
    unique = list(dict.fromkeys(names))
    fields = _own_fields(queryset.model, (name, *unique))
    if fields is None or not _is_django_s(queryset.__class__) or not _is_fixed(queryset):
        return None
    lookup = fields[0].get_lookup("exact")
    if connections[using].vendor not in _ENGINES or not _is_equality(lookup):
        return None
    query = queryset.query.clone()
    _narrow(query, fields[1:])
    column = fields[0].get_col(query.get_initial_alias())
    query.where.add(_AnyKey(column), AND)
    try:
        text, params = query.get_compiler(using).as_sql()
    except EmptyResultSet:
        return None
    *params, last = params
    assert type(last) is _AnyKey, text
    places = tuple(unique.index(name) for name in names)
    return _Statement(using, text, tuple(params), column, lookup, query.select, places)


def _is_equality(lookup: Any) -> bool:
    """Whether a lookup is one of Django's own, which write ``column = %s``."""
    return (
        isinstance(lookup, type)
        and issubclass(lookup, Exact)
        and lookup.__module__ == Exact.__module__
    )


def _narrow(query: Any, fields: Sequence[Any]) -> None:
    """Let a query select these columns of its own table, of two rows."""
    if not query.is_sliced:
        if not query.distinct_fields:
            query.clear_ordering(force=True)
        query.set_limits(high=2)
    alias = query.get_initial_alias()
    query.select_related = False
    query.set_select([field.get_col(alias) for field in fields])


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
    """Whether a query set of this class does as Django's does."""
    return all(_is_ours(getattr(queryset_class, name, None)) for name in _CALLED)


def _is_ours(method: Any) -> bool:
    function = getattr(method, "fget", method)
    return getattr(function, "__module__", "django.").startswith(("django.", "etag_versioning."))


def _selects_columns(queryset: Any) -> bool:
    """Whether a query set selects rows of a table, and computes nothing beside it."""
    query = queryset.query
    return (
        type(query) is sql.Query
        and queryset._fields is None
        and not query.combinator
        and not query.annotations
        and not query.extra
        and not query.extra_tables
        and not query.distinct
    )


def _is_fixed(queryset: Any) -> bool:
    """Whether nothing can change the text of a query but the query itself."""
    query = queryset.query
    return (
        _selects_columns(queryset)
        and not query.is_sliced
        and not query.select_for_update
        and not any(query.alias_refcount[alias] for alias in [*query.alias_map][1:])
        and all(map(_is_plain_condition, _leaves(query.where)))
    )


def _leaves(node: Any) -> Iterator[Any]:
    for child in node.children:
        if isinstance(child, WhereNode):
            yield from _leaves(child)
        else:
            yield child


def _is_plain_condition(lookup: Any) -> bool:
    """Whether a condition compares a column with values that are always the same."""
    if not isinstance(lookup, Lookup) or not type(lookup).__module__.startswith("django."):
        return False
    column, values = lookup.lhs, lookup.rhs
    if type(column).__name__ != "Col" or not type(column.target).__module__.startswith("django."):
        return False
    values = values if type(values) in (frozenset, list, set, tuple) else [values]
    return all(_is_plain(value) for value in values)


def _is_plain(value: Any) -> bool:
    # Not isinstance(), to which a lazy object is what it will be.
    return issubclass(type(value), _PLAIN) and not issubclass(type(value), datetime)
