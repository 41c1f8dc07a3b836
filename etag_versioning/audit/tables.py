"""Which models' tables stand in SQL, and which rows a request has loaded."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from typing import Any, NamedTuple, cast

from django.apps import apps
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import connections
from django.db.models.signals import post_init

__all__ = ["Reads", "Table", "links_field", "recording", "relations_of"]

_READS = re.compile(r"\s*[(\s]*(SELECT|WITH|VALUES|TABLE)\b", re.IGNORECASE)


class Table(NamedTuple):
    """A model's table in one of the databases."""

    model: Any
    alias: str

    @property
    def rows(self) -> Any:
        """All rows, those that the project's managers hide included."""
        return self.model._base_manager.using(self.alias)


def relations_of(model: Any) -> Iterator[tuple[Any, Any]]:
    """The relations that a query can follow from a model, each with the model at its other end."""
    for field in model._meta.get_fields():
        related: Any = field.related_model
        # A generic foreign key has no model, and a missing model is a string.
        if inspect.isclass(related) and hasattr(field, "get_path_info"):
            yield field, cast(Any, related)


def links_field(through: Any) -> Any:
    """The many-to-many field whose links an automatic table holds."""
    fields = through._meta.auto_created._meta.local_many_to_many
    return next(field for field in fields if field.remote_field.through is through)


class Reads:
    """What a request has read: statements, and the instances that were made of rows."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, str]] = []
        self.instances: list[Any] = []

    def tables(self) -> list[Table]:
        """The tables in the statements, in the order of their first use."""
        names, pattern = _known_tables()
        found = {
            Table(model, alias)
            if (model := names.get(name.lower()))
            else None: None  # Kept in order.
            for alias, sql in self.statements
            if _READS.match(sql)
            for name in pattern.findall(sql)
        }
        return [table for table in found if table is not None]

    def keys(self) -> dict[Table, list[Any]]:
        """The primary keys of the rows that were loaded as instances, in their order."""
        found: dict[Table, dict[Any, None]] = {}
        for instance in self.instances:
            if not instance._state.adding and instance.pk is not None:
                table = Table(instance._meta.concrete_model, instance._state.db)
                found.setdefault(table, {})[instance.pk] = None
        return {table: list(keys) for table, keys in found.items()}


@contextmanager
def recording(aliases: Iterable[str]) -> Iterator[Reads]:
    """Note what the block reads, by each of the connections."""
    reads = Reads()

    def note(sender: Any, instance: Any, **kwargs: Any) -> None:
        reads.instances.append(instance)

    post_init.connect(note)
    try:
        with ExitStack() as stack:
            for alias in aliases:
                execute = partial(_execute, reads, alias)
                stack.enter_context(connections[alias].execute_wrapper(execute))
            yield reads
    finally:
        post_init.disconnect(note)


def _execute(reads: Reads, alias: str, execute: Any, sql: Any, *arguments: Any) -> Any:
    reads.statements.append((alias, str(sql)))
    return execute(sql, *arguments)


@cache
def _known_tables() -> tuple[dict[str, Any], re.Pattern[str]]:
    """The models by the names of their tables, and what finds these names in SQL."""
    models: dict[str, Any] = {}
    for model in apps.get_models(include_auto_created=True):
        is_code = model._meta.label in ("contenttypes.ContentType", "auth.Permission")
        if model._meta.proxy or is_code or issubclass(model, AbstractBaseSession):
            continue
        name = model._meta.db_table.lower()
        if name not in models or not models[name]._meta.managed:
            models[name] = model
    longest_first = sorted(map(re.escape, models), key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)({'|'.join(longest_first)})(?!\w)", re.IGNORECASE)
    return models, pattern
