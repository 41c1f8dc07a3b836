"""Tells the client how many queries its answer took, for the demonstration."""

import time
from inspect import iscoroutinefunction

from django.db import connection
from django.utils.decorators import sync_and_async_middleware


class QueryLog:
    """Counts the statements of one request and the time they take."""

    def __init__(self):
        self.count = 0
        self.seconds = 0.0

    def __call__(self, execute, sql, params, many, context):
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            self.seconds += time.perf_counter() - started


@sync_and_async_middleware
def count_queries(get_response):
    """Put the queries of a synchronous request into its answer's Server-Timing."""
    if iscoroutinefunction(get_response):
        return get_response

    def middleware(request):
        log = QueryLog()
        started = time.perf_counter()
        with connection.execute_wrapper(log):
            response = get_response(request)
        total = time.perf_counter() - started
        noun = "query" if log.count == 1 else "queries"
        response.headers["Server-Timing"] = (
            f'sql;dur={log.seconds * 1000:.1f};desc="{log.count} {noun}", '
            f"app;dur={total * 1000:.1f}"
        )
        return response

    return middleware
