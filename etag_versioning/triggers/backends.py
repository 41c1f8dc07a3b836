"""How each kind of database wants its triggers to be written, and where it keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import NotSupportedError

from ..fields import CLOCKS_DIFFER, NextTimestamp
from ..orm.state import StateColumns
from .base import Trigger, TriggerEditor

__all__ = ["trigger_editor"]

_AHEAD = int(CLOCKS_DIFFER.total_seconds())


def _later(vendor: str, ahead: str) -> str:
    """The next timestamp, where another program than Django can compute what the ORM does."""
    second, microsecond = NextTimestamp.templates[vendor]
    return (
        f"CASE WHEN {{old}} > {{now}} + {ahead} THEN {microsecond} "
        f"WHEN {{old}} >= {{now}} THEN {second} ELSE {{now}} END"
    )


class PostgreSQLTriggers(TriggerEditor):
    """
    A function for each trigger. WHEN asks whether the statement has bumped the row itself, so
    that a write of the ORM calls no function. The function asks for the columns, since
    PostgreSQL changes no type of a column that a WHEN names.
    """

    same = "{} IS NOT DISTINCT FROM {}"
    later = _later("postgresql", f"INTERVAL '{_AHEAD} seconds'")

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        # The time when the row is locked. A statement that began earlier, and waited for the
        # lock, would find a timestamp that is ahead of its own time.
        self.now = "CLOCK_TIMESTAMP()"

    def drop(self, model: Any, names: Iterable[str]) -> list[str]:
        # A table that is dropped takes its triggers along, and leaves the functions.
        return [
            f"DROP FUNCTION IF EXISTS {self._qualified(model, name)}() CASCADE" for name in names
        ]

    def _create(self, model: Any, trigger: Trigger) -> list[str]:
        name = self._name(model, trigger)
        function, body = f"{self._qualified(model, name)}()", "; ".join(trigger.body)
        if trigger.changed:
            body = f"IF {trigger.changed} THEN {body}; END IF"
        when = f" WHEN ({trigger.unmoved})" if trigger.unmoved else ""
        # What other tables are called is settled here, and not by who writes.
        path = "" if trigger.unmoved else " SET search_path FROM CURRENT"
        return [
            f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql{path} "
            f"AS $etag$ BEGIN {body}; RETURN NEW; END $etag$",
            f"CREATE TRIGGER {self.quote(name)} {trigger.moment} {trigger.event} "
            f"ON {self._table(model)} FOR EACH ROW{when} EXECUTE FUNCTION {function}",
        ]

    def _changed(self, fields: list[Any]) -> str:
        # By their bytes: there are types without equality, and texts that only seem equal.
        old, new = (
            ", ".join(f"{row}.{self.quote(field.column)}" for field in fields)
            for row in ("OLD", "NEW")
        )
        return f"ROW({old})::record *<> ROW({new})::record"

    def _catalogue(self, model: Any) -> tuple[str, list[Any]]:
        query = (
            "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) "
            "AND NOT tgisinternal AND tgenabled <> 'D'"
        )
        return query, [self._table(model)]


class MySQLTriggers(TriggerEditor):
    """
    MariaDB's and MySQL's. Parents are touched before the child is inserted: InnoDB
    would have its foreign key lock the parent for reading first, so that two
    inserts wait for each other.
    """

    touching_moment = "BEFORE"
    same = "{} <=> {}"
    later = _later("mysql", f"INTERVAL {_AHEAD} SECOND")

    def _create(self, model: Any, trigger: Trigger) -> list[str]:
        name = self._qualified(model, self._name(model, trigger))
        body = "; ".join(trigger.body)
        condition = " AND ".join(filter(None, (trigger.unmoved, trigger.changed)))
        if condition:
            body = f"IF {condition} THEN {body}; END IF"
        return [
            f"CREATE TRIGGER {name} {trigger.moment} {trigger.event} ON {self._table(model)} "
            f"FOR EACH ROW BEGIN {body}; END"
        ]

    def _bumping(self, model: Any, columns: StateColumns, unmoved: str, changed: str) -> Trigger:
        trigger = super()._bumping(model, columns, unmoved, changed)
        return trigger._replace(body=tuple(f"SET {bump}" for bump in trigger.body))

    def _is_same(self, field: Any) -> str:
        # Most collations hold "ada" and "Ada", or "a" and "a ", to be equal.
        name, kind = self.quote(field.column), field.db_type(self.connection).lower()
        cast = "CAST({} AS BINARY)" if any(word in kind for word in _TEXTS) else "{}"
        return self.same.format(cast.format(f"OLD.{name}"), cast.format(f"NEW.{name}"))

    def _catalogue(self, model: Any) -> tuple[str, list[Any]]:
        schema, table = self._schema(model)
        query = (
            "SELECT trigger_name FROM information_schema.triggers "
            "WHERE event_object_schema = COALESCE(%s, DATABASE()) AND event_object_table = %s"
        )
        return query, [schema or None, table]


class SQLiteTriggers(TriggerEditor):
    """
    SQLite's, which cannot change a row that is being written: it is written again.
    So RETURNING gives the state before the bump.
    """

    same = "{} IS {}"
    # Datetimes are text, with more or fewer digits. The clock gives milliseconds: a timestamp of
    # the same millisecond is not ahead of it, and rises by a microsecond.
    later = (
        "CASE WHEN SUBSTR({old}, 1, 23) > SUBSTR({now}, 1, 23) "
        f"AND {{old}} <= STRFTIME('%Y-%m-%d %H:%M:%f', {{now}}, '+{_AHEAD} seconds') "
        "THEN CASE WHEN CAST(SUBSTR({old}, 21) AS INTEGER) "
        "THEN STRFTIME('%Y-%m-%d %H:%M:%S', SUBSTR({old}, 1, 19), '+1 second') "
        "ELSE SUBSTR({old}, 1, 19) END || '.000001' "
        "ELSE MAX({now}, COALESCE(CASE WHEN SUBSTR({old}, 21) LIKE '999999%' "
        "THEN STRFTIME('%Y-%m-%d %H:%M:%S', SUBSTR({old}, 1, 19), '+1 second') || '.000000' "
        "ELSE SUBSTR({old}, 1, 19) || PRINTF('.%06d', SUBSTR(SUBSTR({old}, 21) || '000000', 1, 6) "
        "+ 1) END, '')) END"
    )

    def _create(self, model: Any, trigger: Trigger) -> list[str]:
        name = self.quote(self._name(model, trigger))
        condition = " AND ".join(filter(None, (trigger.unmoved, trigger.changed)))
        when = f" WHEN {condition}" if condition else ""
        return [
            f"CREATE TRIGGER {name} {trigger.moment} {trigger.event} ON {self._table(model)} "
            f"FOR EACH ROW{when} BEGIN {'; '.join(trigger.body)}; END"
        ]

    def _bumping(self, model: Any, columns: StateColumns, unmoved: str, changed: str) -> Trigger:
        keys = [self.quote(field.column) for field in model._meta.pk_fields]
        update = (
            f"UPDATE {self._table(model)} SET {', '.join(self._assignments(columns, 'OLD.'))} "
            f"WHERE {' AND '.join(f'{key} = NEW.{key}' for key in keys)}"
        )
        return Trigger("UPDATE", "AFTER", unmoved, changed, (update,))

    def _is_same(self, field: Any) -> str:
        name = self.quote(field.column)
        return f"OLD.{name} IS NEW.{name} COLLATE BINARY"

    def _catalogue(self, model: Any) -> tuple[str, list[Any]]:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND LOWER(tbl_name) = %s"
        return query, [self._schema(model)[1].lower()]


def trigger_editor(connection: Any) -> TriggerEditor:
    """
    The editor for a connection's kind of database.

    Raises:
        NotSupportedError: there is none.
    """
    editor = _EDITORS.get(connection.vendor)
    if editor is None:
        raise NotSupportedError(f"There are no version triggers for {connection.display_name}.")
    return editor(connection)


# What the types of columns are called that have a collation.
_TEXTS = ("char", "text", "enum", "set", "json")

_EDITORS = {
    "postgresql": PostgreSQLTriggers,
    "mysql": MySQLTriggers,
    "sqlite": SQLiteTriggers,
}
