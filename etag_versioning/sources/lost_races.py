"""What to answer where the preconditions held, and another request wrote first."""

from __future__ import annotations

from ..exceptions import StaleWriteError
from ..http.preconditions import (
    CONFLICT,
    DUPLICATE,
    GONE,
    UNAVAILABLE,
    ConditionalHeaders,
    Decision,
    Outcome,
    Reason,
    names_any,
)
from ..orm.guards import is_clash, is_duplicate, is_lost_race, is_overtaken
from .rows import Row

__all__ = ["decide_by_error", "not_created"]


def decide_by_error(
    row: Row, error: Exception, headers: ConditionalHeaders, may_create: bool
) -> Decision:
    """
    The decision inside of a transaction that may not see what others wrote, so it names no
    tag.

    Args:
        row: the row as it was when the preconditions were evaluated.
        error: what ended the write.
        headers: the conditional request fields.
        may_create: whether the request may create the row where it is absent.
    """
    if is_duplicate(error):
        return DUPLICATE
    if is_clash(error) or not row.concerns(error):
        return CONFLICT
    if not isinstance(error, StaleWriteError) and not is_overtaken(error):
        return UNAVAILABLE
    if headers.if_match is None:
        return CONFLICT
    if not names_any(headers):
        return Decision(Outcome.PRECONDITION_FAILED, Reason.STALE)
    # ``*`` is true of every state, so the row is gone.
    return Decision(Outcome.PRECONDITION_FAILED, Reason.ABSENT) if may_create else GONE


def not_created(error: Exception) -> Decision:
    """
    The decision where the row was not created, and nobody else has created it.

    Raises:
        Exception: ``error``, where it does not come of another request's write.
    """
    if isinstance(error, StaleWriteError):
        return CONFLICT
    if is_duplicate(error):
        return DUPLICATE
    if is_lost_race(error):
        return UNAVAILABLE
    raise error
