"""
The SQL of triggers that bump a row when a program writes past its model.

A row is bumped if a statement changes what clients see of it, and neither its version
nor its timestamp: so a write of the ORM, which sets both, is not bumped twice, and a
lock, which changes nothing, bumps nothing. "Changes" is meant to the letter: from
NULL, and from "ada" to "Ada", whatever the column's collation holds to be equal.

A trigger's name ends in a digest of its definition: by the names that a table has,
and those that it should have, one sees what is out of date.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from django.apps import apps

from ..fields import DatabaseTimestamp
from ..orm.state import StateColumns, state_columns, unversioned_names

__all__ = ["TriggerEditor"]

PREFIX = "etag_versioning_"


class Trigger(NamedTuple):
    """
    One trigger, in the SQL of its database.

    Args:
        event: INSERT, UPDATE or DELETE.
        moment: BEFORE or AFTER.
        unmoved: the condition that the statement leaves the state as it is, or "". Its name,
            as that of the others, is in the digest of the triggers that are installed.
        changed: the condition that it changes what clients see, or "".
        body: the statements.
    """

    event: str
    moment: str
    unmoved: str
    changed: str
    body: tuple[str, ...]


class Link(NamedTuple):
    """A column, and the key of the row that it leads to, of the model that has the state."""

    field: Any
    key: Any


class TriggerEditor:
    """
    Writes the statements that make, drop and find the triggers of a model's table.

    Args:
        connection: the database.
    """

    # When triggers act on other rows than the one that is written.
    touching_moment = "AFTER"
    same = "{} = {}"
    # The next timestamp, as ``fields.next_timestamp()`` has it: ``{old}`` is the row's, ``{now}``
    # the database's clock. A row whose timestamp is NULL gets ``{now}``.
    later: str

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.quote = connection.ops.quote_name
        # Formatted once, where Django would do it twice: here, nothing has parameters.
        compiler = connection.ops.compiler("SQLCompiler")(None, connection, None)
        self.now = compiler.compile(DatabaseTimestamp())[0] % ()

    def create(self, model: Any, touches: Collection[str] = ()) -> dict[str, list[str]]:
        """
        What makes the triggers of a model's table.

        Args:
            model: the model, also a historical one.
            touches: names of foreign keys whose rows are bumped with this model's.

        Returns:
            The statements of each trigger, by the trigger's name.

        Raises:
            ValueError: there is nothing to bump, or a name in ``touches`` is no
                foreign key to a model with a version.
        """
        triggers = list(self._triggers(model, touches))
        if not triggers:
            raise ValueError(
                f"The table of {model._meta.label} has neither a version nor a timestamp, so a "
                f"trigger has nothing to bump there. Name the model that has them, or the "
                f'foreign keys whose rows this one is shown in: touches=("…",).'
            )
        return {self._name(model, each): self._create(model, each) for each in triggers}

    def drop(self, model: Any, names: Iterable[str]) -> list[str]:
        """What drops triggers of these names, whether they are there or not."""
        return [f"DROP TRIGGER IF EXISTS {self._qualified(model, name)}" for name in names]

    def installed(self, model: Any) -> set[str]:
        """The names of the triggers that the model's table has, and that are enabled."""
        query, params = self._catalogue(model)
        with self.connection.cursor() as cursor:
            cursor.execute(query, params)
            names = {name for (name,) in cursor.fetchall()}
        return {name for name in names if name.startswith(PREFIX)}

    def _triggers(self, model: Any, touches: Collection[str]) -> Iterator[Trigger]:
        meta, columns = model._meta, state_columns(model)
        changed = self._changed([f for f in meta.local_concrete_fields if _is_seen(model, f)])
        links = [_link(model, name) for name in touches]
        if columns.owner is model:
            state = [field for field in (columns.version, columns.timestamp) if field]
            unmoved = " AND ".join(map(self._is_unmoved, state))
            yield self._bumping(model, columns, unmoved, changed)
        for event, rows in (("INSERT", ["NEW"]), ("UPDATE", ["OLD", "NEW"]), ("DELETE", ["OLD"])):
            if links:
                # All writers take their locks in one order.
                body = sorted(self._touch(link, rows) for link in links)
                condition = changed if event == "UPDATE" else ""
                yield Trigger(event, self.touching_moment, "", condition, tuple(body))

    def _bumping(self, model: Any, columns: StateColumns, unmoved: str, changed: str) -> Trigger:
        """The trigger that bumps the row itself, before it is written."""
        body = tuple(f"NEW.{bump}" for bump in self._assignments(columns, "OLD."))
        return Trigger("UPDATE", "BEFORE", unmoved, changed, body)

    def _touch(self, link: Link, rows: list[str]) -> str:
        """The statement that bumps the row that a column leads to, or led to."""
        keys = ", ".join(f"{row}.{self.quote(link.field.column)}" for row in rows)
        return (
            f"UPDATE {self._table(link.key.model)} "
            f"SET {', '.join(self._assignments(state_columns(link.key.model)))} "
            f"WHERE {self.quote(link.key.column)} IN ({keys})"
        )

    def _assignments(self, columns: StateColumns, row: str = "") -> list[str]:
        """Assignments that bump a row."""
        assignments = []
        if columns.version is not None:
            version = self.quote(columns.version.column)
            assignments.append(f"{version} = {row}{version} + 1")
        if columns.timestamp is not None:
            timestamp = self.quote(columns.timestamp.column)
            later = self.later.format(now=self.now, old=f"{row}{timestamp}")
            assignments.append(f"{timestamp} = {later}")
        return assignments

    def _is_unmoved(self, field: Any) -> str:
        name = self.quote(field.column)
        return self.same.format(f"OLD.{name}", f"NEW.{name}")

    def _changed(self, fields: list[Any]) -> str:
        """The condition that a statement changes one of these columns."""
        return f"NOT ({' AND '.join(map(self._is_same, fields))})"

    def _is_same(self, field: Any) -> str:
        raise NotImplementedError

    def _table(self, model: Any) -> str:
        return self.quote(model._meta.db_table)

    def _schema(self, model: Any) -> tuple[str, str]:
        """A table's schema, or "", and its name, neither quoted."""
        table = self._table(model)
        mark = table[0]
        schema, _, name = table.strip(mark).rpartition(f"{mark}.{mark}")
        return schema, name

    def _qualified(self, model: Any, name: str) -> str:
        """A name in the schema of the model's table."""
        schema, _ = self._schema(model)
        return f"{self.quote(schema)}.{self.quote(name)}" if schema else self.quote(name)

    def _name(self, model: Any, trigger: Trigger) -> str:
        text = repr((self._table(model), trigger))
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return f"{PREFIX}{trigger.event.lower()}_{digest}"

    def _create(self, model: Any, trigger: Trigger) -> list[str]:
        raise NotImplementedError

    def _catalogue(self, model: Any) -> tuple[str, list[Any]]:
        raise NotImplementedError


def _is_seen(model: Any, field: Any) -> bool:
    """Whether a change of the column changes what clients see."""
    columns = state_columns(model)
    # What the database computes changes with what it is computed from.
    return (
        field not in (columns.version, columns.timestamp)
        and field.name not in _unversioned_fields(model)
        and not field.generated
    )


def _unversioned_fields(model: Any) -> Collection[str]:
    """Those of the model of today: migrations keep no attributes of models."""
    with suppress(LookupError):
        model = apps.get_model(model._meta.label)
    return unversioned_names(model)


def _link(model: Any, name: str) -> Link:
    field = model._meta.get_field(name)
    if not field.concrete or not (field.many_to_one or field.one_to_one):
        raise ValueError(f'touches=("{name}",): {model._meta.label}.{name} is no foreign key.')
    key = field.target_field
    owner = state_columns(key.model).owner
    if owner is not key.model and owner is not None and key.primary_key:
        key = owner._meta.pk  # A child's key is its parent's.
    if owner is not key.model:
        raise ValueError(
            f'touches=("{name}",): {key.model._meta.label} has no version and no timestamp that a '
            f"trigger could bump by {key.name}."
        )
    return Link(field, key)
