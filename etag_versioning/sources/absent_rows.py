"""The guard on a row that is not there, and that a request may create."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction

from ..exceptions import StaleWriteError
from ..orm.guards import Guard, Status
from ..orm.state_columns import State
from .rows import Row

__all__ = ["CreationGuard", "DetachedCreationGuard"]


@dataclass(eq=False, kw_only=True)
class CreationGuard(Guard):
    """
    Keeps a request that may create a row from writing one that another has created.

    An INSERT needs no guard: the unique constraint decides. But a view that looks
    again, as ``update_or_create()`` does, finds the other request's row, and would
    overwrite it. Its key is not known before it is there.

    Args:
        row: the table, with no key.
        look: reads the row that is at the request's address now.
    """

    look: Callable[[], Row | None]
    state: State | None = None
    # There is no row that a statement could compare.
    status: Status = field(default=Status.COMPARED, init=False)
    # Whether a row was there before the statement that is under way.
    there: bool = field(default=False, init=False)
    # The key of the row that another request has created, after its write was refused.
    taken: Any = field(default=None, init=False)
    # The keys of rows that the request has written, and that were there before …
    others: set[Any] = field(default_factory=set, init=False)
    # … and whether it has created any.
    creates: bool = field(default=False, init=False)
    # The instance that is being saved, if it was read and not made.
    updating: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.admitted: set[State] = set()

    def is_among(self, pks: Collection[Any]) -> bool:
        row = self.look()
        return row is not None and row.pk in pks

    def owns(self, row: Row) -> bool:
        """Whether the row is in a state that the request itself has made."""
        return row.state in self.admitted

    @contextmanager
    def locking(self) -> Iterator[None]:
        """Begin the transaction; there is nothing to lock."""
        with transaction.atomic(using=self.row.using):
            yield

    def confirm_state(self, *args: Any, **kwargs: Any) -> None:
        """``check()`` tells."""

    def admit(self, state: State, instance: models.Model) -> None:
        # Django tries an UPDATE of a new row's parent table first, and then an INSERT.
        self.updating = None if instance._state.adding else instance
        if state in self.admitted:
            return
        row, pk = self.look(), self.key_of(instance)
        if row is not None and row.pk == pk:
            raise self.refusal(pk, instance)
        if self.updating is not None:
            self.note_other(pk, instance)

    def note_other(self, pk: Any, instance: models.Model | None = None) -> None:
        """
        Take note of the write of a row that was there before. ``check()`` tells later whether
        it is the one that was to be created.
        """
        self.others.add(pk)

    def key_of(self, instance: models.Model) -> Any:
        return getattr(instance, self.row.columns.owner._meta.pk.attname)

    def refusal(self, pk: Any, instance: models.Model | None = None) -> StaleWriteError:
        """The error for a row that another request has created."""
        self.taken = pk
        return StaleWriteError(self.row.columns.owner, pk, self.row.using, instance)

    def check(self, created: models.Model | None) -> None:
        """
        After the view: the created row must not have been there before. The view may have
        found it by a condition that ``look`` does not know.

        Args:
            created: the row, if the view tells which it is.

        Raises:
            StaleWriteError: it was there, and was written.
        """
        self.check_key(
            self.key_of(created) if isinstance(created, self.row.columns.owner) else None
        )

    def check_key(self, key: Any) -> None:
        """``check()`` by the key of the row at the request's address; ``None`` without one."""
        if key is not None:
            overwritten = self.others & {key}
        else:
            overwritten = set() if self.creates else self.others
        if overwritten:
            raise self.refusal(next(iter(overwritten)))

    def lock(self) -> None:
        """Before a write by query: the row at the address must be the request's own."""
        row = self.look()
        self.there = row is not None
        if row is not None and not self.owns(row):
            raise self.refusal(row.pk)

    def reread(self) -> None:
        """After it: a row that was not there before comes from another request."""
        row = self.look()
        if row is not None and not self.there:
            raise self.refusal(row.pk)
        if row is not None:
            self.admitted.add(row.state)
        elif not self.creates:
            self.note_other(None)  # The rows that were written were there before.

    def note_bump(self, state: State) -> None:
        self.creates = self.creates or self.updating is None
        self.updating = None
        self.admitted.add(state)

    def note_deletion(self) -> None:
        """What is deleted was not there to be created."""


@dataclass(eq=False, kw_only=True)
class DetachedCreationGuard(CreationGuard):
    """
    The guard of a coroutine, which commits each of its writes: ``check()`` would come too late,
    so it has to create its row before it writes others.

    Args:
        sees_hidden: whether ``look`` also finds a row that the view's source hides.
    """

    sees_hidden: bool = False

    def note_other(self, pk: Any, instance: models.Model | None = None) -> None:
        if not self.sees_hidden and not self.creates:
            raise self.refusal(pk, instance)
        super().note_other(pk, instance)
