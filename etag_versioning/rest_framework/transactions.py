"""Errors that come after the commit, and the one that ``atomic(durable=True)`` raises."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = [
    "log_omission",
    "optional",
    "raise_for_durable",
    "telling_durable",
    "was_raised_after_commit",
]

logger = logging.getLogger("etag_versioning")

# Django runs the callbacks of ``transaction.on_commit()`` in these: after the commit, or
# at once where there is no transaction.
_CALLBACKS = (BaseDatabaseWrapper.run_and_clear_commit_hooks, BaseDatabaseWrapper.on_commit)
_CALLBACK_CODES = frozenset(function.__code__ for function in _CALLBACKS)


def was_raised_after_commit(error: BaseException) -> bool:
    """
    Whether an ``on_commit()`` callback raised ``error``. The writes of the request are
    committed then, so the answer must not say that nothing was written.
    """
    frames: TracebackType | None = error.__traceback__
    while frames is not None:
        if frames.tb_frame.f_code in _CALLBACK_CODES:
            return True
        frames = frames.tb_next
    return False


@contextmanager
def optional(what: str) -> Iterator[None]:
    """
    Log an error of the block, and go on without ``what``. Once the row is committed, an error
    in what we do for the answer must not turn the success into a 500.
    """
    try:
        yield
    except Exception:
        log_omission(what)


def log_omission(what: str) -> None:
    """Log the exception that is being handled: the answer goes out without ``what``."""
    logger.exception("Left out of the answer, because of an error: %s", what)


@contextmanager
def telling_durable() -> Iterator[None]:
    """Say what to write instead of ``atomic(durable=True)``."""
    try:
        yield
    except RuntimeError as error:
        raise_for_durable(error)
        raise


def raise_for_durable(error: RuntimeError) -> None:
    """Raise what to write instead, if ``error`` is Django's about ``atomic(durable=True)``."""
    if str(error).startswith("A durable atomic block"):
        raise RuntimeError(
            "A guarded handler runs in a transaction, which holds its row locked, so it cannot "
            "begin a durable one. Write: with transaction.atomic(): … Call "
            "transaction.on_commit() for what has to wait for the commit."
        ) from error
