"""The log of raw SQL in a guarded view that leaves the row's version as it was."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from django.db import connections

from ..orm.guards import Guard, Status, guards_of
from ..orm.state import State
from .rows import Row

__all__ = ["noting_raw_writes", "warn_if_unbumped", "warn_of_raw_sql"]

_UPDATES = re.compile(r"\s*(UPDATE|REPLACE|MERGE|WITH\b.*\bUPDATE)\b", re.DOTALL | re.IGNORECASE)

_logger = logging.getLogger("etag_versioning")
_warned: WeakSet[Any] = WeakSet()


def warn_of_raw_sql(view: Any, row: Row, guard: Guard, statements: Iterable[str]) -> None:
    """
    Log what to write instead, once for each view, if raw SQL wrote to the row's table and
    nothing bumped the row, which is locked.

    Args:
        view: a function, or an instance of a class of views.
        row: the row as it was before the view.
        guard: its guard, after the view.
        statements: what the view has written.
    """
    # A row that is locked was read again at the end, since triggers may bump it.
    unbumped = guard.status is Status.LOCKED and guard.state == row.state
    if unbumped and any(_is_raw(sql, row) for sql in statements):
        _log(view, row)


@contextmanager
def noting_raw_writes(row: Row, guard: Guard) -> Iterator[list[str]]:
    """The raw UPDATEs of the row's table while a coroutine runs, which shares its connection."""
    statements: list[str] = []
    wrappers = connections[row.using].execute_wrappers

    def note(execute: Any, sql: Any, *args: Any) -> Any:
        # Each request has its own guard.
        if guard in guards_of(guard.row.columns.owner, row.using) and _is_raw(str(sql), row):
            statements.append(str(sql))
        return execute(sql, *args)

    # Django's execute_wrapper() removes the last one, which may be another coroutine's.
    wrappers.append(note)
    try:
        yield statements
    finally:
        wrappers.remove(note)


def warn_if_unbumped(view: Any, row: Row) -> None:
    """Log what to write instead of raw SQL, unless a trigger has bumped the row."""
    values = row.stored.queryset().values_list(*row.stored.columns.names).first()
    if values is not None and State(*values) == row.state:
        _log(view, row)


def _log(view: Any, row: Row) -> None:
    """Log what to write instead of raw SQL, once for each view."""
    kind = _kind_of(view)
    if kind in _warned:
        return
    _warned.add(kind)
    name = row.model.__name__
    _logger.warning(
        "%s.%s wrote to the table of %s by raw SQL, which bumps no version: its clients keep "
        "stale copies, and overwrite each other. Write instance.save() or "
        "%s.objects.filter(…).update(…); or let a trigger bump it, by the operation "
        "AddVersionTrigger in a migration.",
        kind.__module__,
        kind.__qualname__,
        name,
        name,
    )


def _kind_of(view: Any) -> Any:
    """The function, or the class of the views: Django makes an instance for each request."""
    bound = getattr(view, "func", view)  # ``method_decorator`` hands over a partial.
    kind = getattr(bound, "view_class", bound)
    owner = getattr(bound, "__self__", None)
    if owner is not None:
        return type(owner)
    return kind if hasattr(kind, "__qualname__") else type(kind)


def _is_raw(sql: str, row: Row) -> bool:
    """Whether an UPDATE names one of the row's tables, and is not the ORM's."""
    if not _UPDATES.match(sql):
        return False
    quote = connections[row.using].ops.quote_name
    tables = [each._meta.db_table for each in (row.model, *row.model._meta.get_parent_list())]
    # An UPDATE by the ORM bumps the row, or leaves its version on purpose.
    return not any(sql.startswith(f"UPDATE {quote(table)} SET") for table in tables) and any(
        re.search(rf"\b{re.escape(table)}\b", sql, re.IGNORECASE) for table in tables
    )
