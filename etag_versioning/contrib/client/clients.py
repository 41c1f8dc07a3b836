"""The two clients: httpx's own, with preconditions around each request."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any

import anyio  # httpx requires it, and runs under trio by it.
import httpx
from httpx._client import BaseClient

from .memory import Entry, Memory
from .preconditions import EXCHANGE, address_of, conclude, prepare
from .retries import run_at_once, write_until_current


class RememberingClient(BaseClient):
    """What both clients have in common: their memory."""

    def __init__(self, *, remembered: int = 100, **options: Any):
        self._memory = Memory(remembered)
        super().__init__(**options)

    def etag(self, url: httpx.URL | str) -> str | None:
        """The tag that a write of this address would name."""
        return self._memory.get(self._address(url)).tag

    def remember(self, url: httpx.URL | str, etag: str) -> None:
        """Let the next write of this address name a tag that came in another way."""
        self._memory.put(self._address(url), Entry(self._memory.next_number(), etag))

    def forget(self, url: httpx.URL | str | None = None) -> None:
        """Forget one address, or all of them: when somebody logs out."""
        if url is None:
            self._memory.forget_all()
        else:
            self._memory.forget(self._address(url))

    def _address(self, url: httpx.URL | str) -> str:
        """As `request()` would ask for it: with base_url and params."""
        return address_of(self.build_request("GET", url).url)

    def _build_redirect_request(
        self, request: httpx.Request, response: httpx.Response
    ) -> httpx.Request:
        # Private: httpx has no public way to see the requests that follow redirects. Each gets
        # the precondition of its own address, in the place of the one before (RFC 9110, 15.4).
        following = super()._build_redirect_request(request, response)
        if exchange := request.extensions.get(EXCHANGE):
            prepare(self._memory, following, exchange.stream)
        return following


class VersionedClient(RememberingClient, httpx.Client):
    """
    An `httpx.Client` that remembers, for each address, the tag and the content of the last answer.

    - GET and HEAD send If-None-Match. A 304 becomes the 200 that is remembered.
    - PUT, PATCH and DELETE send If-Match, and remember the tag of the answer. After a 412 the stale
      tag stays until a read brings another: a write that is sent again is refused again.

    A client stands for one editor: a write names the state that this client has read last. Let
    nothing else read the same address through it, or send If-Match. A request to which the
    caller gives a precondition is sent as it is.

    Args:
        remembered: how many addresses; the one that was answered least recently goes.
        options: those of `httpx.Client`.
    """

    def send(
        self, request: httpx.Request, *, stream: bool = False, **options: Any
    ) -> httpx.Response:
        """As httpx's: each other method calls it."""
        prepare(self._memory, request, stream)
        return conclude(self._memory, super().send(request, stream=stream, **options))

    def retry_on_conflict(
        self,
        url: httpx.URL | str,
        change: Callable[[Any], Any],
        *,
        method: str = "PATCH",
        attempts: int = 10,
        **options: Any,
    ) -> httpx.Response:
        """
        Read, change and write; if another client has written in between, do it again.

        Args:
            change: is given the JSON that was read, and returns the JSON to write, or None to
                write nothing. It is called again after each 412.
            attempts: how often it is tried. In between it waits for a random time: up to 0.05
                seconds at first, and up to twice as long each time, at most 2. A busy server is
                waited for too: a 503 whose Retry-After is at most 5 seconds, if it is the answer
                to a read, or says that contention kept the write from being made.
            options: those of `request()`, for the reads and the writes.

        Returns:
            the answer to the write, or to the read if nothing was to be written.

        Raises:
            httpx.HTTPStatusError: the last answer, if it is no success.
            ValueError: the resource has no tag.
            TypeError: ``change`` altered the data in place, and returned None.
        """

        async def ask(method: str, url: httpx.URL | str, **more: Any) -> httpx.Response:
            return self.request(method, url, **more)

        async def changed(data: Any) -> Any:
            return change(data)

        async def wait(seconds: float) -> None:
            time.sleep(seconds)

        return run_at_once(
            write_until_current(
                ask, changed, wait, url, method=method, attempts=attempts, **options
            )
        )


class AsyncVersionedClient(RememberingClient, httpx.AsyncClient):
    """The same as an `httpx.AsyncClient`."""

    async def send(
        self, request: httpx.Request, *, stream: bool = False, **options: Any
    ) -> httpx.Response:
        """As httpx's: each other method calls it."""
        prepare(self._memory, request, stream)
        return conclude(self._memory, await super().send(request, stream=stream, **options))

    async def retry_on_conflict(
        self,
        url: httpx.URL | str,
        change: Callable[[Any], Any],
        *,
        method: str = "PATCH",
        attempts: int = 10,
        **options: Any,
    ) -> httpx.Response:
        """As `VersionedClient.retry_on_conflict()`; ``change`` may be a coroutine function."""

        async def changed(data: Any) -> Any:
            result = change(data)
            return await result if inspect.isawaitable(result) else result

        return await write_until_current(
            self.request, changed, anyio.sleep, url, method=method, attempts=attempts, **options
        )
