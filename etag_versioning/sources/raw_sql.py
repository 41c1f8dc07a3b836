"""The log of raw SQL in a guarded view that leaves the row's version as it was."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from django.db import connections, models

from ..orm.guards import Guard, State, guards_of
from .rows import Row

__all__ = ["is_unbumped", "noting_raw_writes", "warn_of_raw_sql", "warning_of_raw_sql"]

_UPDATES = re.compile(r"\s*(UPDATE|REPLACE|MERGE|WITH\b.*\bUPDATE)\b", re.DOTALL | re.IGNORECASE)

_logger = logging.getLogger("etag_versioning")
_warned: WeakSet[Any] = WeakSet()


@contextmanager
def warning_of_raw_sql(
    view: Any, row: Row | None, guard: Guard, answer: Callable[[], Any] = int
) -> Iterator[None]:
    """
    Log, once for each view, that raw SQL of the block wrote to the row's table and nothing
    bumped the row, although ``answer()`` is a success.

    Args:
        view: a function, or an instance of a class of views.
        row: the row as it was before the block; ``None`` where it was absent.
        guard: its guard.
        answer: returns the response, where it is known.
    """
    if row is None:
        yield
        return
    with noting_raw_writes(row, guard) as found:
        yield
    succeeded = getattr(answer(), "status_code", 200) < 400
    # A row that is locked was read again at the end, since triggers may bump it.
    if found and succeeded and guard.locked and guard.state == row.state:
        warn_of_raw_sql(view, row)


@contextmanager
def noting_raw_writes(row: Row, guard: Guard) -> Iterator[list[str]]:
    """The statements of the block that wrote to the row's table past the ORM, after the block."""
    updates: list[str] = []
    owner, wrappers = guard.model, connections[guard.using].execute_wrappers

    def watch(execute: Any, sql: Any, *args: Any) -> Any:
        # Coroutines share the connection with other requests, and each has its own guard.
        if _UPDATES.match(str(sql)) and (
            not guard.detached or guard in guards_of(owner, guard.using)
        ):
            updates.append(str(sql))
        return execute(sql, *args)

    # Django's execute_wrapper() removes the last one, which may be another coroutine's.
    wrappers.append(watch)
    try:
        yield updates
    finally:
        wrappers.remove(watch)
        updates[:] = [sql for sql in updates if _is_raw(sql, row.model, guard.using)]


def is_unbumped(row: Row, guard: Guard) -> bool:
    """Whether the row is still in the state that was read: no trigger has bumped it."""
    rows: Any = models.QuerySet(guard.model, using=guard.using).filter(pk=row.pk)
    values = rows.values_list(*guard.columns).first()
    return values is not None and State(*values) == row.state


def warn_of_raw_sql(view: Any, row: Row) -> None:
    """Log what to write instead, once for each view."""
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


def _is_raw(sql: str, model: Any, using: str) -> bool:
    """Whether an UPDATE names one of the model's tables, and is not the ORM's."""
    quote = connections[using].ops.quote_name
    tables = [each._meta.db_table for each in (model, *model._meta.get_parent_list())]
    # The ORM's bumps, or does not on purpose.
    return not any(sql.startswith(f"UPDATE {quote(table)} SET") for table in tables) and any(
        re.search(rf"\b{re.escape(table)}\b", sql, re.IGNORECASE) for table in tables
    )
