"""
What is told of each evaluated request: a signal to count by, and a line in the log.

Logger ``etag_versioning``: INFO for what clients do every day (404, 412, 428 by a
precondition), WARNING where writes got into each other's way (409, 503). 304s and
requests that go on are not logged.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from django.dispatch import Signal
from django.http import HttpRequest

from .http.preconditions import Decision, Outcome, Reason
from .orm.stale_writes import stale_write_reported

__all__ = ["precondition_evaluated", "report", "stale_write_reported"]

logger = logging.getLogger("etag_versioning")

# Sent with request, outcome and reason (see preconditions.Outcome and .Reason) when
# a request's preconditions have been evaluated, whatever came of it; and once more,
# with what it is answered then, where a write that went on was lost to another.
precondition_evaluated: Final = Signal()

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
    Log a decision, and send the signal. A receiver that fails is logged by Django
    and changes no answer.

    Args:
        request: Django's or DRF's; the signal carries Django's.
        decision: what came of its preconditions.
    """
    request = getattr(request, "_request", request)
    level = _LEVELS[decision.outcome]
    if decision.outcome is Outcome.PROCEED and decision.reason is not Reason.NONE:
        level = logging.WARNING
    if level is not None and logger.isEnabledFor(level):
        _log(level, request, decision)
    precondition_evaluated.send_robust(
        sender=type(request), request=request, outcome=decision.outcome, reason=decision.reason
    )


def _log(level: int, request: HttpRequest, decision: Decision) -> None:
    # Method and path are the client's: no line breaks, no control characters. Its
    # headers are not logged at all.
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
        extra={"status_code": status, "reason": decision.reason.name, "request": request},
    )
