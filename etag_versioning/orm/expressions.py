"""SQL that Django has no expressions for: compare the states of rows, and bump on conflict."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connections, models
from django.db.models import sql
from django.utils import timezone

from ..fields import is_timestamp
from .state_columns import State, StateColumns

__all__ = ["BumpingInsertQuery", "InState", "InStates"]


class InState(models.Lookup):
    """
    The condition that a row is in a state, for ``filter()``. It has no names to resolve:
    comparing two columns by name would take a third of the time of a ``save()``. It is a
    lookup, because Django puts lookups into the WHERE unchanged, and compares other
    expressions with True.

    Args:
        columns: the model's state columns, the version among them.
        state: the state; NULL where it is ``None``.
    """

    # Shared, because creating a field takes longer than the rest.
    output_field = models.BooleanField()

    def __init__(self, columns: StateColumns, state: State) -> None:
        self.lhs, self.rhs = columns, state

    def get_source_expressions(self) -> Any:
        return []

    def set_source_expressions(self, new_exprs: Any) -> None:
        """Nothing: Django sets them where a base manager's query has joins."""

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        (version, timestamp), state = (self.lhs.version, self.lhs.timestamp), self.rhs
        quote = connection.ops.quote_name
        table = quote(version.model._meta.db_table)
        if state.version is None:
            text, params = f"{table}.{quote(version.column)} IS NULL", []
        else:
            text = f"{table}.{quote(version.column)} = %s"
            params = [version.get_db_prep_value(state.version, connection)]
        if timestamp is None:
            return text, params
        column = f"{table}.{quote(timestamp.column)}"
        if state.timestamp is None:
            return f"{text} AND {column} IS NULL", params
        condition, moments = is_timestamp(column, state.timestamp, connection)
        return f"{text} AND {condition}", [*params, *moments]


class InStates(models.Expression):
    """
    The condition that a row is in the state given for its key.

    Args:
        columns: the model's state columns.
        states: state by primary key.
    """

    conditional = True

    def __init__(self, columns: StateColumns, states: dict[Any, State]) -> None:
        super().__init__(output_field=models.BooleanField())
        both = (columns.version, columns.timestamp)
        state_fields = [field for field in both if field is not None]
        self.fields = [*columns.owner._meta.pk_fields, *state_fields]
        self.rows = [
            (*(pk if isinstance(pk, tuple) else (pk,)), *state[: len(state_fields)])
            for pk, state in states.items()
        ]
        self.has_timestamp = columns.timestamp is not None
        self.set_source_expressions([models.F(field.name) for field in self.fields])

    def get_source_expressions(self) -> Any:
        return self._sources

    def set_source_expressions(self, exprs: Any) -> None:
        self._sources = list(exprs)

    def as_sql(self, compiler: Any, connection: Any, values: str = "") -> Any:
        names = [compiler.compile(source)[0] for source in self._sources]
        params = [
            field.get_db_prep_value(value, connection)
            for row in self.rows
            for field, value in zip(self.fields, row, strict=True)
        ]
        place = f"({', '.join(['%s'] * len(names))})"
        places = ", ".join([place] * len(self.rows))
        return f"({', '.join(names)}) IN ({values}{places})", params

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        # VALUES becomes a hashed table; a list would be searched from its beginning for each
        # row. The first row determines the types.
        text, params = self.as_sql(compiler, connection, values="VALUES ")
        types = [field.db_type(connection) for field in self.fields]
        head, _, tail = text.partition("VALUES ")
        rest = tail.split("%s", len(types))[-1]
        return f"{head}VALUES ({', '.join(f'%s::{name}' for name in types)}{rest}", params

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        text, params = self.as_sql(compiler, connection, values="VALUES ")
        if not self.has_timestamp:
            return text, params
        # SQLite stores datetimes as text with up to six digits, so pad them to six.
        name, _ = compiler.compile(self._sources[-1])
        tail = f"CASE WHEN INSTR({name}, '.') THEN '000000' ELSE '.000000' END"
        width = len(self._sources)
        for index in range(width - 1, len(params), width):
            head, _, digits = params[index].partition(".")
            params[index] = f"{head}.{digits:0<6}"
        return text.replace(name, f"SUBSTR({name} || {tail}, 1, 26)"), params


class BumpingInsertQuery(sql.InsertQuery):
    """
    An INSERT whose conflict clause bumps the existing row.

    Args:
        model: the model.
        columns: its state columns, which are among ``update_fields``.
        kwargs: as for Django's ``InsertQuery``.
    """

    def __init__(self, model: Any, columns: StateColumns, **kwargs: Any) -> None:
        super().__init__(model, **kwargs)
        self.columns = columns

    def get_compiler(
        self, using: str | None = None, connection: Any = None, elide_empty: bool = True
    ) -> Any:
        connection = connections[using] if using else connection
        plain = connection.ops.compiler(self.compiler)
        return _bumping(plain)(self, connection, using, elide_empty)

    def bump(self, compiler: Any, text: str, params: Any) -> tuple[str, Any]:
        """Put expressions in the places where Django takes the new row's values."""
        ops = compiler.connection.ops
        conflict: Any = self
        unique = [field.column for field in conflict.unique_fields or ()]
        bumps = self.columns.expressions(timezone.now())
        query = sql.UpdateQuery(self.model)
        query.get_initial_alias()
        for field in (self.columns.version, self.columns.timestamp):
            if field is None:
                continue
            suffix = ops.on_conflict_suffix_sql(
                [field], conflict.on_conflict, [field.column], unique
            )
            assignment = suffix.rpartition("SET " if " SET " in suffix else "UPDATE ")[2]
            expression = bumps[field.name].resolve_expression(query)
            bump, bump_params = compiler.compile(expression)
            head, found, tail = text.rpartition(assignment)
            assert found, text
            text = f"{head}{ops.quote_name(field.column)} = {bump}{tail}"
            params = (*params, *bump_params)
        return text, params


class _BumpingCompiler:
    """
    The database's own compiler of an INSERT, with another conflict clause. Django's upsert
    takes no expressions, and a second statement would open a race.
    """

    def as_sql(self) -> list[Any]:
        compiler: Any = super()
        query: Any = self.query  # type: ignore[attr-defined]
        return [query.bump(self, *part) for part in compiler.as_sql()]


@cache
def _bumping(compiler: type) -> type:
    return type(f"Bumping{compiler.__name__}", (_BumpingCompiler, compiler), {})
