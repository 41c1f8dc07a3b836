"""Optional: an answer for stale writes in views that nothing else guards."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from .exceptions import StaleWriteError
from .http import ErrorResponse
from .preconditions import Decision, Outcome, Reason

__all__ = ["StaleWriteMiddleware"]


class StaleWriteMiddleware(MiddlewareMixin):
    """
    Answers 409 (RFC 9110 §15.5.10) where a view lets a ``StaleWriteError`` out.

    Without it such a view answers 500: the write was refused, and its client was
    not told why.
    """

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if not isinstance(exception, StaleWriteError):
            return None
        return ErrorResponse(Decision(Outcome.CONFLICT, Reason.CONFLICT)).render()
