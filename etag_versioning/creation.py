"""The guard on a row that is not there, and that a request may create."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction

from .exceptions import StaleWriteError
from .guards import Guard, State
from .validators import Row

__all__ = ["CreationGuard"]


@dataclass(eq=False, kw_only=True)
class CreationGuard(Guard):
    """
    Keeps a request that may create a row from writing one that another has created.

    An INSERT needs no guard: the unique constraint decides. But a view that looks
    again, as ``update_or_create()`` does, finds the other's row, and would write
    over it. Which row that would be is not known before it is there.

    Args:
        look: reads the row that is at the request's address now.
    """

    look: Callable[[], Row | None]
    pk: Any = None
    state: State | None = None
    # Whether a row was there before the statement that is under way.
    there: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.lineage: set[State | None] = set()

    def is_on(self, pk: Any) -> bool:
        return True

    def owns(self, row: Row) -> bool:
        """Whether the row is in a state that the request itself has made."""
        return row.state in self.lineage

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Begin the transaction; there is nothing to lock."""
        with transaction.atomic(using=self.using):
            yield

    def _settle(self, *args: Any) -> None:
        pass

    def admit(self, state: State, instance: models.Model) -> None:
        if state in self.lineage:
            return
        row, key = self.look(), self.model._meta.pk.attname
        if row is not None and row.pk == getattr(instance, key):
            raise StaleWriteError(self.model, row.pk, self.using, instance)

    def lock(self) -> None:
        """Before a write of many rows: the one at the address must be the request's own."""
        row = self.look()
        self.there = row is not None
        if row is not None and not self.owns(row):
            raise StaleWriteError(self.model, row.pk, self.using)

    def reread(self) -> None:
        """After it: one that was not there before has been created by another."""
        row = self.look()
        if row is not None and not self.there:
            raise StaleWriteError(self.model, row.pk, self.using)
        if row is not None:
            self.moved(row.state)

    def moved(self, state: State) -> None:
        self.lineage.add(state)

    def removed(self) -> None:
        pass
