"""Optional: a response for stale writes in views without the decorator or the mixins."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from .exceptions import StaleWriteError
from .http.error_responses import ErrorResponse
from .http.preconditions import CONFLICT, UNAVAILABLE, UNREACHABLE
from .http.reporting import report
from .orm.database_errors import is_contention, is_unreachable

__all__ = ["StaleWriteMiddleware"]


class StaleWriteMiddleware(MiddlewareMixin):
    """
    Answers 409 (RFC 9110 §15.5.10) where a view raises ``StaleWriteError``, and 503 where the
    database gave up because of concurrent writes, or cannot be reached. It does so at the COMMIT
    of ``ATOMIC_REQUESTS``, too, which a view cannot catch: PostgreSQL refuses one under
    SERIALIZABLE, and a Galera cluster where another node has written the row.

    Without it, such a request is answered 500, and its client does not learn why.
    """

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        if isinstance(exception, StaleWriteError):
            decision = CONFLICT
        elif is_contention(exception):
            decision = UNAVAILABLE
        elif is_unreachable(exception):
            decision = UNREACHABLE
        else:
            return None
        report(request, decision)
        return ErrorResponse(request, decision)
