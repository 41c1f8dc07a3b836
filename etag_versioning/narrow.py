"""
Narrow queries, at little cost: what saves time in a 304 is less the database than what
the ORM does around a query.

Two queries have one *shape* where they differ in nothing but the values that columns
are compared with. Of each shape the SQL is compiled once, by Django; after that, only
the values are prepared, by Django's own lookups. Where a query has more than plain
comparisons of its own table's columns (a join, an annotation, a lookup or a query set
of the project's own), it goes Django's way.

Private parts of Django's ORM are used here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from django.core.exceptions import EmptyResultSet, FieldDoesNotExist, FullResultSet
from django.core.signals import setting_changed
from django.db import connections, models
from django.db.models import lookups, sql
from django.db.models.expressions import Col
from django.db.models.fields import related_lookups
from django.db.models.sql.where import AND, OR, WhereNode
from django.dispatch import receiver

__all__ = ["Key", "fixed_queryset", "values_of"]

# The methods that a narrow query would call. A class that has its own is heard.
_CALLED = (
    *("__getitem__", "__iter__", "_chain", "_clone", "_fetch_all", "_filter_or_exclude"),
    *("_filter_or_exclude_inplace", "_values", "all", "db", "filter", "order_by"),
    *("prefetch_related", "query", "values_list"),
)
_KEYS = (int, str, UUID)
# Comparisons of which Django writes the same for all values, but for what stands in
# the right-hand side's own SQL.
_COMPARISONS = (
    lookups.Exact,
    lookups.GreaterThan,
    lookups.GreaterThanOrEqual,
    lookups.In,
    lookups.IsNull,
    lookups.LessThan,
    lookups.LessThanOrEqual,
)
_LOOKUP_MODULES = (lookups.__name__, related_lookups.__name__)
# How many shapes are kept: more than a project has, unless it makes them up as it goes.
_MOST_SHAPES = 1000


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
    The values of these names in the first two rows of a query set.

    Args:
        queryset: what selects the rows. Its order matters where it is sliced, or
            distinct by some fields.
        names: fields of its model, and annotations.
        using: the alias of the database to read from.
        key: what else selects them.
    """
    fields = _own_fields(queryset.model, names)
    if fields is None or not _is_django_s(queryset.__class__) or not _selects_columns(queryset):
        return _values_of(queryset.using(using), names, key)
    condition = _condition(queryset, key)
    if key is not None and condition is None:
        queryset = queryset.filter(**{key.name: key.value})
    found = _by_shape(queryset.query, names, fields, condition, using)
    if found is not None:
        return found
    query = _narrowed(queryset.query, fields, condition)
    return list(query.get_compiler(using).results_iter(tuple_expected=True))


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
    condition = lookup(field.get_col(_base_alias(queryset.query)), key.value)
    return None if condition.rhs is None else condition


def _narrowed(query: Any, fields: tuple[Any, ...], condition: Any) -> Any:
    """A query that selects these columns of its own table, of two rows."""
    query = query.clone()
    if condition is not None:
        query.where.add(condition, AND)
    if not query.is_sliced:
        if not query.distinct_fields:
            query.clear_ordering(force=True)
        query.set_limits(high=2)
    alias = query.get_initial_alias()
    query.select_related = False
    query.set_select([field.get_col(alias) for field in fields])
    return query


class _Statement:
    """
    The SQL of a shape.

    Args:
        text: the SQL.
        columns: what it selects.
    """

    def __init__(self, text: str, columns: Sequence[Any]) -> None:
        self.text = text
        self.columns = columns
        # An engine's converters belong to one of its connections.
        self.converters: WeakKeyDictionary[Any, list[tuple[int, Any, Any]]] = WeakKeyDictionary()

    def run(self, params: Sequence[Any], connection: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(self.text, params)
            rows = list(cursor.fetchall())
        converters = self.converters.get(connection)
        if converters is None:
            converters = self.converters[connection] = [
                (place, column, convert)
                for place, column in enumerate(self.columns)
                for convert in (
                    *connection.ops.get_db_converters(column),
                    *column.get_db_converters(connection),
                )
            ]
        if not converters:
            return rows
        values_of_rows = [list(row) for row in rows]
        for values in values_of_rows:
            for place, column, convert in converters:
                values[place] = convert(values[place], column, connection)
        return [tuple(values) for values in values_of_rows]


# By shape; ``None`` for one that Django writes in a way of its own.
_statements: dict[Any, _Statement | None] = {}


@receiver(setting_changed)
def _forget(**kwargs: Any) -> None:
    # In tests: some engines convert by USE_TZ, or are others altogether.
    _statements.clear()


def _by_shape(
    query: Any, names: tuple[str, ...], fields: tuple[Any, ...], condition: Any, using: str
) -> list[tuple[Any, ...]] | None:
    """The values, by the SQL of the query's shape; ``None`` where it has none."""
    if query.is_sliced or query.select_for_update or _joins(query):
        return None
    alias, connection = _base_alias(query), connections[using]
    params: list[Any] = []
    try:
        where = _shape(query.where, alias, connection, params)
        last = condition and _shape_of_leaf(condition, alias, connection, params)
    except (EmptyResultSet, FullResultSet, _NoShape):
        return None
    shape = (query.model, alias, using, names, where, last)
    try:
        statement = _statements[shape]
    except KeyError:
        statement = _compiled(_narrowed(query, fields, condition), params, connection)
        if len(_statements) >= _MOST_SHAPES:
            _statements.clear()
        _statements[shape] = statement
    return None if statement is None else statement.run(params, connection)


class _NoShape(Exception):
    """There is more in a condition than a comparison of a column with values."""


def _shape(node: Any, alias: str, connection: Any, params: list[Any]) -> tuple[Any, ...]:
    """
    What decides the SQL of a condition, but for its values, which are added to
    ``params`` in their order.
    """
    if type(node) is not WhereNode:
        return _shape_of_leaf(node, alias, connection, params)
    if node.connector not in (AND, OR):
        raise _NoShape
    parts = [_shape(child, alias, connection, params) for child in node.children]
    return (node.connector, node.negated, *parts)


def _shape_of_leaf(lookup: Any, alias: str, connection: Any, params: list[Any]) -> tuple[Any, ...]:
    column, value = getattr(lookup, "lhs", None), getattr(lookup, "rhs", None)
    if (
        type(column) is not Col
        or column.alias != alias
        or hasattr(value, "as_sql")
        or not _is_comparison(lookup.__class__)
    ):
        raise _NoShape
    name = column.target.column
    if isinstance(value, bool) and _is_in_text(lookup, column, connection):
        return (type(lookup), name, value)
    text, values = lookup.process_rhs(None, connection)
    params.extend(values)
    return (type(lookup), name, text)


def _is_in_text(lookup: Any, column: Any, connection: Any) -> bool:
    """Whether Django writes a truth value as SQL (``active``, ``NOT active``, ``IS NULL``)."""
    if isinstance(lookup, lookups.IsNull):
        return True
    writable = connection.ops.conditional_expression_supported_in_where_clause
    return isinstance(lookup, lookups.Exact) and column.conditional and writable(column)


def _compiled(query: Any, params: list[Any], connection: Any) -> _Statement | None:
    """A query's statement, if it takes these parameters."""
    text, expected = query.get_compiler(connection.alias).as_sql()
    if list(expected) != params:
        return None
    return _Statement(text, query.select)


def _joins(query: Any) -> bool:
    aliases = query.alias_map
    return len(aliases) > 1 and any(query.alias_refcount[alias] for alias in [*aliases][1:])


def _base_alias(query: Any) -> str:
    return next(iter(query.alias_map), query.model._meta.db_table)


@cache
def _is_comparison(lookup: Any) -> bool:
    return issubclass(lookup, _COMPARISONS) and lookup.__module__ in _LOOKUP_MODULES


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
