"""The loop of a client that repeats its change on what is there now, once for both clients."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import httpx

Result = TypeVar("Result")

# Seconds. Before the second attempt a client waits up to FIRST_WAIT, then up to twice as long
# each time. The wait is random, since clients that wait equally long meet again.
FIRST_WAIT = 0.05
LONGEST_WAIT = 2.0
# A server that is busy for longer is the caller's to know.
LONGEST_RETRY_AFTER = 5


async def write_until_current(
    ask: Callable[..., Awaitable[httpx.Response]],
    change: Callable[[Any], Awaitable[Any]],
    wait: Callable[[float], Awaitable[None]],
    url: httpx.URL | str,
    *,
    method: str,
    attempts: int,
    **options: Any,
) -> httpx.Response:
    """
    Read, change, write; after a 412, again with what is there now.

    It is a coroutine for both clients. The synchronous one passes functions that return without
    waiting in an event loop, and calls it by `run_at_once()`.

    Args:
        ask: sends a request: `Client.request()`.
        change: makes what is written of what was read.
        wait: sleeps.
        options: for each `ask()`.
    """
    if attempts < 1:
        raise ValueError(f"attempts={attempts}: at least one is needed to write anything.")
    headers = httpx.Headers(options.pop("headers", None))
    attempt = 0
    while True:
        attempt += 1
        again = with_header(headers, "Cache-Control", "no-cache")
        response = await ask("GET", url, headers=again, **options)
        if response.is_success:
            guarded = with_header(headers, "If-Match", tag_of(response))
            data = response.json()
            changed = await change(data)
            if changed is None:
                if data != response.json():
                    raise TypeError("The change altered the data and returned None: return them.")
                return response
            response = await ask(method, url, headers=guarded, json=changed, **options)
        pause = seconds_before_another(response, attempt)
        if pause is None or attempt == attempts:
            return response.raise_for_status()
        await wait(pause)


def seconds_before_another(response: httpx.Response, attempt: int) -> float | None:
    """How long to wait before the next attempt; None if this answer is the last."""
    jitter = random.uniform(0, min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT))
    if response.status_code == 412:
        return jitter
    if response.status_code == 503 and wrote_nothing(response):
        # A date is not waited for: this package's servers send seconds.
        seconds = response.headers.get("Retry-After", "")
        if seconds.isdecimal() and int(seconds) <= LONGEST_RETRY_AFTER:
            return int(seconds) + jitter
    return None


def wrote_nothing(response: httpx.Response) -> bool:
    """Whether a 503 says so. After another one, the change might be made for a second time."""
    # A write may have been made, and redirected to a GET of what it left.
    asked = response.history[0].request if response.history else response.request
    if asked.method == "GET":
        return True
    try:
        return bool(response.json()["reason"] == "contention")
    except (ValueError, LookupError, TypeError):
        return False


def tag_of(response: httpx.Response) -> str:
    if tag := response.headers.get("ETag"):
        return tag
    raise ValueError(f"{response.url} has no ETag, so that nothing would guard the write.")


def with_header(headers: httpx.Headers, name: str, value: str) -> httpx.Headers:
    copy = httpx.Headers(headers)
    copy[name] = value
    return copy


def run_at_once(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that awaits nothing which needs an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    raise AssertionError("The coroutine waits for an event loop.")
