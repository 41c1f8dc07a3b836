"""
The SQL of validator queries, compiled once for each shape.

Two queries have the same *shape* if they only differ in the values that columns are compared
with. Django compiles the SQL of each shape once; after that, Django's lookups only prepare the
values. A query with more than comparisons of its own table's columns has no shape.

This module uses private parts of Django's ORM; docs/contributing.md lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.core.signals import setting_changed
from django.db import connections
from django.db.models import lookups
from django.db.models.expressions import Col
from django.db.models.fields import related_lookups
from django.db.models.sql.where import AND, OR, WhereNode
from django.dispatch import receiver

__all__ = ["Shaped", "Statement", "base_alias", "by_shape", "narrowed"]

# Comparisons whose SQL is the same for all values, apart from the right-hand side.
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
# The number of shapes that are kept. Projects have fewer, unless they generate queries.
_MOST_SHAPES = 1000


class Statement:
    """
    The compiled SQL of a shape.

    Args:
        text: the SQL.
        columns: the selected columns, for their converters.
    """

    def __init__(self, text: str, columns: Sequence[Any]) -> None:
        self.text = text
        self.columns = columns

    def run(self, params: Sequence[Any], connection: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(self.text, params)
            rows = list(cursor.fetchall())
        # Not kept: a converter may be a method of ``connection.ops``, and a reference to it
        # would keep the connection of a finished thread.
        converters = [
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


class Shaped(NamedTuple):
    """A query's statement and its parameters."""

    statement: Statement
    params: list[Any]


# By shape; ``None`` where Django has to compile the query each time.
_statements: dict[Any, Statement | None] = {}


@receiver(setting_changed)
def _forget(**kwargs: Any) -> None:
    # Tests change settings. USE_TZ changes converters, and DATABASES the engine.
    _statements.clear()


def by_shape(
    query: Any, names: tuple[str, ...], fields: tuple[Any, ...], condition: Any, using: str
) -> Shaped | None:
    """
    The compiled statement of a query and its parameters; ``None`` where it has no shape.

    Args:
        query: the query of a queryset.
        names, fields: the selected fields of its own table.
        condition: a further condition, or ``None``.
        using: the alias of the database.
    """
    if query.is_sliced or query.select_for_update or _joins(query):
        return None
    alias, connection = base_alias(query), connections[using]
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
        statement = _compiled(narrowed(query, fields, condition), params, connection)
        if len(_statements) >= _MOST_SHAPES:
            _statements.clear()
        _statements[shape] = statement
    return None if statement is None else Shaped(statement, params)


def narrowed(query: Any, fields: tuple[Any, ...], condition: Any) -> Any:
    """The query with these columns of its own table as the only selected ones, for two rows."""
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


class _NoShape(Exception):
    """A condition contains more than comparisons of columns with values."""


def _shape(node: Any, alias: str, connection: Any, params: list[Any]) -> tuple[Any, ...]:
    """
    The part of a condition that determines its SQL. Its values are appended to ``params``.
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
    """Whether Django compiles a boolean value into the SQL (``NOT active``, ``IS NULL``)."""
    if isinstance(lookup, lookups.IsNull):
        return True
    writable = connection.ops.conditional_expression_supported_in_where_clause
    return isinstance(lookup, lookups.Exact) and column.conditional and writable(column)


def _compiled(query: Any, params: list[Any], connection: Any) -> Statement | None:
    """The query's compiled statement, if Django's parameters are the expected ones."""
    text, expected = query.get_compiler(connection.alias).as_sql()
    if list(expected) != params:
        return None
    return Statement(text, query.select)


def _joins(query: Any) -> bool:
    aliases = query.alias_map
    return len(aliases) > 1 and any(query.alias_refcount[alias] for alias in [*aliases][1:])


def base_alias(query: Any) -> str:
    return next(iter(query.alias_map), query.model._meta.db_table)


@cache
def _is_comparison(lookup: Any) -> bool:
    return issubclass(lookup, _COMPARISONS) and lookup.__module__ in _LOOKUP_MODULES
