"""Errors of preconditions as API exceptions, which a project's exception handler sees."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.response import Response

from ..http.etags import EntityTag
from ..http.negotiation import JSON, PROBLEM, preferred_type
from ..http.preconditions import Decision, Outcome
from ..http.responses import ERRORS, error_body, problem_body

__all__ = ["LostRace", "PreconditionError", "log_omission", "optional", "set_problem_details"]

logger = logging.getLogger("etag_versioning")


class PreconditionError(APIException):
    """
    A 404, 409, 412, 428 or 503 that a precondition, or a lost race, led to.

    Args:
        decision: the outcome and its reason.
        etag: the current tag to show, if any.
        extra: what else the body shows, by its names.
    """

    def __init__(
        self,
        decision: Decision,
        etag: EntityTag | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.decision = decision
        self.etag = etag
        self.extra = extra or {}
        self.status_code, code = ERRORS[decision.outcome]
        super().__init__(error_body(decision, etag), code.lower())


class LostRace(APIException):
    """
    Another request wrote first, and the answer depends on the row as it is now.

    Args:
        by_row: reads the row, and returns what to answer: to be called when the
            transaction has ended.
        by_error: returns what to answer where a transaction is still open, which may not
            see what others wrote.
    """

    def __init__(self, by_row: Callable[[], Exception], by_error: Callable[[], Exception]) -> None:
        self.by_row = by_row
        self.by_error = by_error
        self.status_code = ERRORS[Outcome.CONFLICT][0]
        super().__init__()


def set_problem_details(request: Any, response: Response, error: PreconditionError) -> None:
    """Turn a JSON answer into problem details (RFC 9457), if the client accepts them."""
    renderer = getattr(request, "accepted_renderer", None)
    if getattr(renderer, "media_type", None) != JSON:
        return
    if preferred_type(request.META.get("HTTP_ACCEPT")) == PROBLEM:
        response.data = problem_body(error.decision, error.etag)
        response.content_type = PROBLEM


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
