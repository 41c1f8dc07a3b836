"""What a block of code has written, by its statements: past the ORM's instances too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from ..guards import Guard

__all__ = ["counting_moves", "watching"]

_MOVES_NOTHING = re.compile(
    r"\s*(INSERT|SELECT|SAVEPOINT|RELEASE|ROLLBACK TO)\b(?!.*\bUPDATE\b)", re.DOTALL
)


@contextmanager
def counting_moves(using: str) -> Iterator[Callable[[], int]]:
    """Know how many of the block's statements may have changed a row that was there."""
    count = 0

    def watch(execute: Any, sql: Any, *args: Any) -> Any:
        nonlocal count
        count += not _MOVES_NOTHING.match(str(sql))
        return execute(sql, *args)

    with connections[using].execute_wrapper(watch):
        yield lambda: count


@contextmanager
def watching(guard: Guard) -> Iterator[None]:
    """
    ``guard.watch()``, for code that may write the row in ways that the guard does not
    see: raw SQL, and triggers. More than one statement, and it is read again.
    """
    with guard.watch(), counting_moves(guard.using) as moves:
        yield
        unknown = guard.enforced and not guard.deleted and moves() > 1
        if unknown and not connections[guard.using].needs_rollback:
            guard.reread()
