"""Optional: an answer for stale writes in views that nothing else guards."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from .exceptions import StaleWriteError
from .http.preconditions import CONFLICT, UNAVAILABLE
from .http.responses import ErrorResponse
from .orm.database_errors import is_contention
from .signals import report

__all__ = ["StaleWriteMiddleware"]


class StaleWriteMiddleware(MiddlewareMixin):
    """
    Answers 409 (RFC 9110 §15.5.10) where a view lets a ``StaleWriteError`` out, and
    503 where the database gave up for the sake of others' writes: at the COMMIT
    of ``ATOMIC_REQUESTS`` under SERIALIZABLE too, which no view can catch.

    Without it such a request is answered 500, and its client not told why.
    """

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if isinstance(exception, StaleWriteError):
            decision = CONFLICT
        elif is_contention(exception):
            decision = UNAVAILABLE
        else:
            return None
        report(request, decision)
        return ErrorResponse(request, decision)
