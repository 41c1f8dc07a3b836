"""Requests through Django's own handlers, in this process: no network, no client's share."""

import asyncio
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections
from django.test import AsyncRequestFactory, RequestFactory

from benchmarks.clock import processor_clock


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes


class Client:
    """Asks the WSGI handler."""

    requests = RequestFactory()

    def __init__(self):
        self.application = WSGIHandler()
        self.clock = processor_clock()

    def prepare(self, method, path, body=b"", **headers):
        """A request that ``send()`` can send once; ``If_Match="…"`` is a header."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.made(
            self.requests.generic(method, path, body, "application/json", headers=names)
        )

    @staticmethod
    def made(request):
        return request.environ

    def send(self, environ):
        """The answer, and the seconds of processor time that it took."""
        head = []
        started = self.clock()
        response = self.application(environ, lambda *arguments: head.append(arguments))
        body = b"".join(response)
        response.close()
        took = self.clock() - started
        (status, headers), *_ = head
        return Answer(int(status[:3]), dict(headers), body), took

    def ask(self, method, path, body=b"", **headers):
        return self.send(self.prepare(method, path, body, **headers))[0]

    def statements(self, request):
        """How many SQL statements a request takes."""
        counted = []

        def count(execute, *arguments):
            counted.append(arguments[0])
            return execute(*arguments)

        with connection.execute_wrapper(count):
            self.send(request)
        return len(counted)


class AsyncClient(Client):
    """
    Asks the ASGI handler, in an event loop of its own. All its queries take one
    connection, as they would with a pool.
    """

    requests = AsyncRequestFactory()

    def __init__(self):
        self.application = ASGIHandler()
        self.loop = asyncio.new_event_loop()
        self.clock = self.loop.run_until_complete(sync_to_async(processor_clock)())

    @staticmethod
    def made(request):
        return request.scope

    def send(self, scope):
        return self.loop.run_until_complete(self._send(scope))

    def statements(self, request):
        return None  # They run in another thread's connection.

    def close(self):
        self.loop.run_until_complete(sync_to_async(connections.close_all)())
        self.loop.close()

    async def _send(self, scope):
        sent = []
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            return await asyncio.Future()  # The client stays.

        async def send(message):
            sent.append(message)

        started = self.clock()
        await self.application.handle(scope, receive, send)
        took = self.clock() - started
        headers = {name.decode().title(): value.decode() for name, value in sent[0]["headers"]}
        headers = {{"Etag": "ETag"}.get(name, name): value for name, value in headers.items()}
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], headers, body), took
