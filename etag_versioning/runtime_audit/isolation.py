"""Undo what a view writes, and what it changes on its request."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy, deepcopy
from typing import Any

from django.contrib.messages import get_messages
from django.db import DEFAULT_DB_ALIAS, connections, transaction

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
    Undo what the block writes to the default database, and to others that this thread is
    connected to. No other is worth a connection.
    """
    connected = [
        connection.alias
        for connection in connections.all(initialized_only=True)
        if connection.connection is not None
    ]
    with ExitStack() as stack:
        aliases = dict.fromkeys([*connected, DEFAULT_DB_ALIAS])
        begun = [alias for alias in aliases if _begins(stack, alias)]
        try:
            yield
        finally:
            roll_back(begun)


def _begins(stack: ExitStack, alias: str) -> bool:
    try:
        stack.enter_context(transaction.atomic(using=alias))
    except Exception:
        # A connection that was lost since it was last used, a database that cannot be reached, and
        # one that a test may not use, take no writes either.
        return False
    return True


class RequestState:
    """
    What middleware looks at after the view, and a view changes: META with the CSRF token, the
    session, and the messages.

    Args:
        request: Django's request, before the view.
    """

    def __init__(self, request: Any) -> None:
        self.request = request
        self.meta = dict(request.META)
        # Tests may give a request plain dictionaries and lists, which have no attributes.
        session = getattr(getattr(request, "session", None), "__dict__", {})
        messages = getattr(get_messages(request), "__dict__", {})
        self.session = session, dict(session)
        self.messages = messages, dict(messages)
        # Only data is copied to its depth: a session in a cache has the cache's connection,
        # too, and the message storages have the request.
        for _, before in (self.session, self.messages):
            for name, value in before.items():
                if isinstance(value, dict):
                    before[name] = deepcopy(value)
                elif isinstance(value, list):
                    before[name] = copy(value)

    def restore(self) -> None:
        """Let the request be as it was, so that a 304 gets the headers that it would have had."""
        self.request.META.clear()
        self.request.META.update(self.meta)
        vars(self.request).pop("headers", None)  # They are made of META once.
        for attributes, before in (self.session, self.messages):
            attributes.clear()
            attributes.update(before)

    def restore_session(self) -> None:
        """
        Let the session be as it was, for a 200 whose view ran under ``undone()``: a session that
        the view began is in no table. SessionMiddleware would answer 400 when it saves it.
        """
        attributes, before = self.session
        accessed = attributes.get("accessed", False)
        attributes.clear()
        attributes.update(before)
        if accessed:
            attributes["accessed"] = accessed  # The 200 depends on it: Vary says so.
