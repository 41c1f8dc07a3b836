"""What became of a transaction, and what may be done after it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["log_omission", "optional", "raise_for_durable", "telling_durable"]

logger = logging.getLogger("etag_versioning")


@contextmanager
def optional(what: str) -> Iterator[None]:
    """
    Leave ``what`` out of the answer, and log why, where the block fails. For all that is
    done after a commit: it must not turn a success into a 500.
    """
    try:
        yield
    except Exception:
        log_omission(what)


def log_omission(what: str) -> None:
    """Log the exception that is being handled, for which ``what`` is left out of the answer."""
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
            "begin a durable one. Write: with transaction.atomic(): … What has to come after "
            "the commit belongs into transaction.on_commit()."
        ) from error
