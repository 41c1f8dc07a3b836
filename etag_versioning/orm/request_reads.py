"""
Where one request reads: from a replica, or from the database that it writes to.

Django asks a database router for each query, and tells it nothing of the request. So views put
what the router has to know into a context variable: it is there in the coroutine, the task and
the thread that work for the request, and nowhere else. ``routers.ReadYourWritesRouter`` reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from typing import Any, Self, TypeVar

from django.db import router

__all__ = [
    "RequestReads",
    "current_reads",
    "is_streamed_from_replica",
    "newest",
    "reads_of_request",
]

Found = TypeVar("Found")


class RequestReads(AbstractContextManager["RequestReads"]):
    """
    Where one request reads, for as long as the block.

    Args:
        from_primary: whether it reads from the database that it writes to.

    Attributes:
        replicas: the alias that was read from first, by the alias that writes go to.
    """

    def __init__(self, from_primary: bool) -> None:
        self.from_primary = from_primary
        self.replicas: dict[str, str] = {}
        self.tokens: list[Token[RequestReads | None]] = []

    def __enter__(self) -> Self:
        self.tokens.append(current_reads.set(self))
        return self

    def __exit__(self, *error: Any) -> None:
        current_reads.reset(self.tokens.pop())

    @property
    def may_be_behind(self) -> bool:
        """Whether the request has read from a replica, and still does."""
        return not self.from_primary and any(
            alias != primary for primary, alias in self.replicas.items()
        )

    def choose(self, primary: str, chosen: str) -> str:
        """
        The alias to read from: the first one that was chosen for this primary. A replica that
        is further behind would show less than the tag says.
        """
        return self.replicas.setdefault(primary, chosen)


current_reads: ContextVar[RequestReads | None] = ContextVar(
    "etag_versioning_request_reads", default=None
)


def reads_of_request(*, writes: bool) -> AbstractContextManager[RequestReads | None]:
    """
    A block that works for one request.

    Args:
        writes: whether the request may write, and so has to read where it does.
    """
    reads = current_reads.get()
    if reads is not None:
        # A decorated view inside of another one: what the outer one has decided holds.
        reads.from_primary = reads.from_primary or writes
        return nullcontext(reads)
    return RequestReads(writes) if router.routers else nullcontext()


def is_streamed_from_replica(response: Any) -> bool:
    """
    Whether a response must have no tag: what is streamed is read after the view, from the replica
    again, and a tag that was read from the primary would be too new for it.
    """
    reads = current_reads.get()
    return reads is not None and reads.from_primary and getattr(response, "streaming", False)


def newest(
    read: Callable[[], Found],
    answers: Callable[[Found], bool],
    absent: type[Exception],
    key: Callable[[Found], Any] = lambda found: found,
) -> Found:
    """
    What a request shows, so that its client does not go back in time.

    Where a replica does not have what the client's tag names, ``read()`` is called a second
    time, and reads from the primary. If the replica is behind, the request goes on reading from
    the primary, since the rest of the answer has to fit the tag.

    Args:
        read: reads the validators.
        answers: whether what was read is what the client has already.
        absent: what ``read()`` raises where nothing is there.
        key: what has to be the same on the primary for the replica not to be behind.
    """
    reads = current_reads.get()
    if reads is None:
        return read()
    try:
        found = read()
    except absent:
        if not reads.may_be_behind:
            raise
        reads.from_primary = True
        return read()
    if not reads.may_be_behind or answers(found):
        return found
    reads.from_primary = True
    again = read()
    if key(again) == key(found):
        reads.from_primary = False
        return found
    return again
