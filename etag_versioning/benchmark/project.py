"""The project's own addresses, through its handler in this process, with their SQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import httpx
from django.conf import settings
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import connections

from ..http.hosts import allowed_host

__all__ = ["ProjectTransport", "project_address"]


def project_address() -> str:
    """The scheme and host under which the project's handler takes requests."""
    scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
    return f"{scheme}://{allowed_host()}"


class ProjectTransport(httpx.BaseTransport):
    """
    Answers requests by the project's WSGI application, in the calling thread.

    To each response it adds the extensions ``handler_seconds``, ``statements``
    and ``sql_seconds``: what the project took, without the client's own share.
    """

    def __init__(self) -> None:
        self.application = get_internal_wsgi_application()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        handler = _Counted(self.application)
        response = httpx.WSGITransport(app=handler).handle_request(request)
        response.extensions.update(
            handler_seconds=handler.seconds,
            statements=handler.statements,
            sql_seconds=handler.sql_seconds,
        )
        return response


class _Counted:
    """A WSGI application that counts what one request takes, its body and closing included."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application
        self.seconds = 0.0
        self.statements = 0
        self.sql_seconds = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(self._execute))
            started = time.perf_counter()
            response = self.application(environ, start_response)
            try:
                return list(response)
            finally:
                if hasattr(response, "close"):
                    response.close()
                self.seconds = time.perf_counter() - started

    def _execute(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.statements += 1
            self.sql_seconds += time.perf_counter() - started
