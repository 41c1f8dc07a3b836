"""
A signal and a log record for each evaluated request.

Logger ``etag_versioning``: INFO for 404, 412 and 428 by a precondition, which clients cause
every day; WARNING for 409 and 503, where concurrent writes collided. A 304 and a request
that proceeds are not logged.
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

# Sent with request, outcome and reason (see preconditions.Outcome and .Reason) after a
# request's preconditions were evaluated, whatever the outcome. Sent a second time, with the
# new outcome, where the write then lost a race.
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
        extra={"status_code": status, "reason": decision.reason.name, "request": request},
    )
