"""
Reports the decision on a request's preconditions: a log record, and the signal.

Logger ``etag_versioning``: INFO for 404, 412 and 428 by a precondition, which clients cause
every day; WARNING for 409 and 503, where concurrent writes collided, and for a write that
"report" lets through; ERROR, with the traceback, where the database cannot be reached. A 304 and
other requests that proceed are not logged.
"""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest

from ..signals import precondition_evaluated
from .preconditions import Decision, Outcome, Reason

__all__ = ["report", "view_name"]

logger = logging.getLogger("etag_versioning")

_LEVELS = {
    Outcome.PROCEED: None,
    Outcome.NOT_MODIFIED: None,
    Outcome.GONE: logging.INFO,
    Outcome.PRECONDITION_FAILED: logging.INFO,
    Outcome.PRECONDITION_REQUIRED: logging.INFO,
    Outcome.CONFLICT: logging.WARNING,
    Outcome.UNAVAILABLE: logging.WARNING,
}


def report(request: Any, decision: Decision) -> None:
    """
    Log a decision, and send the signal. Django logs a receiver that fails; the response
    stays the same.

    Args:
        request: Django's or DRF's; the signal carries Django's.
        decision: the decision on its preconditions.
    """
    request = getattr(request, "_request", request)
    level = _LEVELS[decision.outcome]
    if decision.outcome is Outcome.PROCEED and decision.reason is not Reason.NONE:
        level = logging.WARNING
    if decision.reason is Reason.UNREACHABLE:
        level = logging.ERROR
    if level is not None and logger.isEnabledFor(level):
        _log(level, request, decision)
    precondition_evaluated.send_robust(
        sender=type(request), request=request, outcome=decision.outcome, reason=decision.reason
    )


def _log(level: int, request: HttpRequest, decision: Decision) -> None:
    # The client chose method and path, so line breaks and control characters are escaped.
    # Header values are not logged at all.
    method, path = (
        text.encode("unicode_escape").decode("ascii")
        for text in (request.method or "", request.path)
    )
    goes_on = decision.outcome is Outcome.PROCEED
    status = None if goes_on else int(decision.outcome.value)
    logger.log(
        level,
        "%s %s: %s, %s",
        method,
        path,
        "let through" if goes_on else status,
        decision.reason.value,
        exc_info=decision.reason is Reason.UNREACHABLE,
        extra={"status_code": status, "reason": decision.reason.name, "request": request},
    )


def view_name(view: Any) -> str:
    """The name of a view in the project's code; of a class, whatever made the function."""
    found = getattr(view, "cls", None) or getattr(view, "view_class", None)
    while found is None and hasattr(view, "func"):
        view = view.func
    kind = found or view
    if not hasattr(kind, "__qualname__"):
        kind = type(kind)
    return f"{kind.__module__}.{kind.__qualname__}"
