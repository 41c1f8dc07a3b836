"""What to answer where the preconditions held, and another request wrote first."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.transaction import TransactionManagementError
from django.http import Http404

from ..exceptions import StaleWriteError
from ..http.preconditions import (
    ABSENT,
    CONFLICT,
    DUPLICATE,
    EXISTS,
    GONE,
    STALE,
    UNAVAILABLE,
    ConditionalHeaders,
    Decision,
    names_any,
)
from ..orm.database_errors import is_clash, is_duplicate, is_lost_race, is_overtaken
from ..orm.locks import read_locked_state
from ..orm.state_columns import State
from .rows import Row

__all__ = ["decide_creation_in_transaction", "decide_in_transaction", "not_created"]


def decide_in_transaction(
    row: Row, error: Exception, headers: ConditionalHeaders, may_create: bool
) -> Decision:
    """
    The decision while the request's transaction goes on. A locking read tells whether the
    row is there, and has changed; where it is refused, the error has to tell.

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
    names_tags = headers.if_match is not None and not names_any(headers)
    try:
        state = read_locked_state(row.stored)
    except (DatabaseError, TransactionManagementError) as failure:
        overtaken = is_overtaken(error) or is_overtaken(failure)
        return _decide_by_error(error, headers, names_tags, overtaken)
    if state is None:
        return ABSENT if may_create and headers.if_match is not None else GONE
    return _decide_by_state(row, state, error, headers, names_tags)


def _decide_by_error(
    error: Exception, headers: ConditionalHeaders, names_tags: bool, overtaken: bool
) -> Decision:
    if names_tags and (isinstance(error, StaleWriteError) or overtaken):
        return STALE
    if not isinstance(error, StaleWriteError):
        return UNAVAILABLE
    # ``*`` is true of every state, so the row is gone.
    return CONFLICT if headers.if_match is None else GONE


def _decide_by_state(
    row: Row, state: State, error: Exception, headers: ConditionalHeaders, names_tags: bool
) -> Decision:
    has_changed = state != row.state
    if names_tags:
        return STALE if has_changed else UNAVAILABLE
    overtaken = has_changed and headers.if_match is None
    return CONFLICT if isinstance(error, StaleWriteError) or overtaken else UNAVAILABLE


def decide_creation_in_transaction(
    look: Callable[[], Row | None], error: Exception, headers: ConditionalHeaders
) -> Decision:
    """
    The same for a row that was absent.

    Args:
        look: reads the row by a locking read.
        error, headers: as above.
    """
    decision = not_created(error)
    try:
        row = look()
    except (Http404, PermissionDenied):
        return decision
    except TransactionManagementError:
        return UNAVAILABLE
    except DatabaseError as failure:
        if not is_overtaken(failure):
            return UNAVAILABLE
    else:
        if row is None or not row.concerns(error):
            return decision
    return CONFLICT if headers.if_none_match is None else EXISTS


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
