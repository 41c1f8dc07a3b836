"""Undo what a view writes, and what it changes on its request."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.contrib.messages import get_messages
from django.db import connections, transaction

__all__ = ["RequestState", "roll_back", "rolled_back", "undone"]


@contextmanager
def rolled_back(aliases: Collection[str]) -> Iterator[None]:
    """Undo what the block writes; inside a transaction, by savepoints."""
    with ExitStack() as stack:
        for alias in aliases:
            stack.enter_context(transaction.atomic(using=alias))
        try:
            yield
        finally:
            roll_back(aliases)


def roll_back(aliases: Collection[str]) -> None:
    """Let the innermost transaction or savepoint of each database end with a rollback."""
    for alias in aliases:
        transaction.set_rollback(True, using=alias)


@contextmanager
def undone() -> Iterator[None]:
    """
    Undo what the block writes to the databases that this thread is connected to. No other is
    worth a connection.
    """
    with ExitStack() as stack:
        begun = [
            connection.alias
            for connection in connections.all(initialized_only=True)
            if connection.connection is not None and _begins(stack, connection.alias)
        ]
        try:
            yield
        finally:
            roll_back(begun)


def _begins(stack: ExitStack, alias: str) -> bool:
    try:
        stack.enter_context(transaction.atomic(using=alias))
    except Exception:
        # A connection that was lost since it was last used, and a database that a test may not
        # use, take no writes either.
        return False
    return True


class RequestState:
    """
    What middleware looks at after the view, and a view changes by reading: whether the session
    was used, whether the CSRF token or the messages were shown.

    Args:
        request: Django's request, before the view.
    """

    def __init__(self, request: Any) -> None:
        self.request = request
        self.meta = dict(request.META)
        self.flags = [
            (holder, name, getattr(holder, name))
            for holder, name in (
                (getattr(request, "session", None), "accessed"),
                (getattr(request, "session", None), "modified"),
                (get_messages(request), "used"),
            )
            if hasattr(holder, name)
        ]

    def restore(self) -> None:
        """Let the request be as it was, so that a 304 gets the headers that it would have had."""
        self.request.META.clear()
        self.request.META.update(self.meta)
        vars(self.request).pop("headers", None)  # They are made of META once.
        for holder, name, value in self.flags:
            setattr(holder, name, value)
