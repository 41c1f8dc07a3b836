"""How often the first statement of a write is tried while the database is busy with others'."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from django.db import DatabaseError

from .database_errors import is_contention

__all__ = ["ATTEMPTS", "pause", "retry"]

ATTEMPTS = 4


def retry(write: Callable[[], None]) -> None:
    """
    Do what is one statement, or begins a transaction with one; and again, a few
    times, where the database gives it up for the sake of others.

    Raises:
        DatabaseError: there is no getting at the row, or ``write`` raised it.
    """
    for last in range(ATTEMPTS - 1, -1, -1):
        try:
            return write()
        except DatabaseError as error:
            if not last or not is_contention(error):
                raise
            pause()


def pause() -> None:
    """Wait before the next attempt, not as long as the others that wait."""
    time.sleep(random.uniform(0.005, 0.05))
