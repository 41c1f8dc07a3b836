"""How often the first statement of a write is tried again after contention."""

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
    Call ``write``, and again a few times if the database reports contention.

    Args:
        write: one statement, or what begins a transaction with one: all of it is repeated.

    Raises:
        DatabaseError: the last attempt met contention too, or another error.
    """
    for last in range(ATTEMPTS - 1, -1, -1):
        try:
            return write()
        except DatabaseError as error:
            if not last or not is_contention(error):
                raise
            pause()


def pause() -> None:
    """Wait before the next attempt, for a random time, so that not all waiting requests collide."""
    time.sleep(random.uniform(0.005, 0.05))
