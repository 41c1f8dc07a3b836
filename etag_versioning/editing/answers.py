"""What a view answers to a form that is sent, where somebody else writes the same row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest

from ..exceptions import StaleWriteError
from ..http.error_responses import ErrorResponse
from ..http.preconditions import CONFLICT, UNAVAILABLE
from ..orm.database_errors import is_contention
from .guards import guard_of
from .snapshots import Snapshot, read_snapshots

__all__ = ["Call", "answer_form", "answer_once", "is_shown", "unavailable"]

Call = Callable[[], Any]


def is_shown(instance: Any, text: str | None) -> bool:
    """
    Whether a page showed the row in the state in which it was read now.

    Args:
        instance: the row.
        text: the value of the page's hidden field.
    """
    now = Snapshot.of(instance, {}, {})
    return any(each.is_of(now) and each.is_current(now) for each in read_snapshots(text))


def answer_form(request: HttpRequest, instance: Any, text: str | None, call: Call) -> Any:
    """
    The answer to a form that is sent, with its row locked in the state that the form showed. If the
    row is in another state, the form finds that, and shows the conflict.

    Args:
        request: the request.
        instance: the form's row, as it was read for this request; ``None`` for a new one.
        text: the value of the form's hidden field.
        call: validates and saves the form, and returns the response.
    """
    is_new = instance is None  # A view whose get_object() returns None creates a row.
    guard = None if is_new or not is_shown(instance, text) else guard_of(instance)
    if guard is None:
        return answer_once(request, call)
    try:
        with guard.locking(), guard.watch():
            return call()
    except StaleWriteError:
        # Nothing was saved. The form is validated once more, with the row as it is now.
        return answer_once(request, call)
    except DatabaseError as error:
        return unavailable(request, error)


def answer_once(request: HttpRequest, call: Call) -> Any:
    """The answer, or that another write came in between."""
    try:
        return call()
    except StaleWriteError:
        return ErrorResponse(request, CONFLICT)
    except DatabaseError as error:
        return unavailable(request, error)


def unavailable(request: HttpRequest, error: DatabaseError) -> ErrorResponse:
    """503 if the database reports contention; other errors are raised again."""
    if not is_contention(error):
        raise error
    return ErrorResponse(request, UNAVAILABLE)
