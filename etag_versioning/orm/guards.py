"""
The one row that a request may write, and the state in which it may write it.

A decorated view, or a viewset, puts a guard around its work, and each write of that
row through the ORM is compared with the guard. The guard travels in a context
variable, since Django has no argument that leads from a view to ``save()``: it is there
in the coroutine, the task and the thread that work for the request, and nowhere else.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Any, Self

from django.db import DatabaseError, connections, models, transaction

from ..exceptions import StaleWriteError
from .database_errors import RECORD_CHANGED, is_aborted, is_contention
from .locks import StoredRow, lock_state, read_locked_state
from .retries import ATTEMPTS, pause
from .state_columns import State

__all__ = [
    "Demand",
    "DetachedGuard",
    "Guard",
    "ReadOnlyGuard",
    "Status",
    "Watch",
    "WriteForbidden",
    "guards_of",
]


class Demand(enum.Enum):
    """What the request's precondition demands of the row that it writes."""

    # The guard only takes note of what the request makes of the row.
    NOTHING = "no precondition holds writes"
    ANY_STATE = "If-Match: *, so the row has to be there"
    THIS_STATE = "the state that was evaluated"


class Status(enum.Enum):
    """What the request has done about the row so far."""

    OPEN = "nothing"
    COMPARED = "a statement has compared the row's state"
    LOCKED = "the transaction around the guard holds the row's lock"
    DELETED = "the row is deleted"


@dataclass(eq=False)
class Guard:
    """
    One row under guard.

    Args:
        row: the row.
        state: its last known state; ``None`` where it is not known.
        demand: what the request demands of it.
        lock_touched: locks what a write of the row will touch, where it does: that is
            locked before the row itself, by everybody.
    """

    row: StoredRow
    state: State | None
    demand: Demand = Demand.THIS_STATE
    lock_touched: Callable[[], None] | None = None
    status: Status = field(default=Status.OPEN, init=False)
    # Whether the request is over. Tasks that it has started may go on, with their copy
    # of the context variable.
    closed: bool = field(default=False, init=False)
    # The states in which the row may be written: the one that was evaluated, and
    # those that the request's own writes made of it. None admits all.
    admitted: set[State] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.demand is Demand.THIS_STATE and self.state is not None:
            self.admitted = {self.state}

    @property
    def enforced(self) -> bool:
        """Whether writes are held to the guard."""
        return self.demand is not Demand.NOTHING

    @property
    def compared(self) -> bool:
        """Whether a statement of the request has compared, or deleted, the row."""
        return self.status is not Status.OPEN

    @property
    def locked(self) -> bool:
        return self.status is Status.LOCKED

    @property
    def deleted(self) -> bool:
        return self.status is Status.DELETED

    def is_on(self, pk: Any) -> bool:
        """Whether a write of the row with this key is to be held against the guard."""
        return self.row.pk in (pk, None)

    def is_among(self, pks: Collection[Any]) -> bool:
        """Whether the row is one of these, which a write elsewhere bumps too."""
        return self.row.pk in pks

    # Before a write.

    def lock(self) -> None:
        """
        Lock the row in a state that the guard admits, until the transaction ends.

        Raises:
            StaleWriteError: the row is in another state, or gone.
        """
        if self.demand is Demand.NOTHING or self.status in (Status.LOCKED, Status.DELETED):
            return
        lock_state(self.row, self.admitted)
        self.status = Status.COMPARED

    @contextmanager
    def locking(self) -> Iterator[None]:
        """
        Begin a transaction, with the row's lock for as long as the block. Without a
        precondition, it locks nothing.

        The transaction begins with the lock (and that of the rows that this one touches), so
        it is begun again a few times if the database reports contention. The block is never
        repeated.

        Raises:
            StaleWriteError: the row is in another state, or gone.
            DatabaseError: the lock met contention each time, or the block raised it.
        """
        connection = connections[self.row.using]
        nested, begun = connection.in_atomic_block, False
        attempts = 1 if nested else ATTEMPTS
        while not begun:
            attempts -= 1
            try:
                with transaction.atomic(using=self.row.using):
                    first = self.status is not Status.LOCKED
                    if first and self.demand is Demand.THIS_STATE and self.lock_touched:
                        self.lock_touched()
                    self.lock()
                    begun = True
                    self.keep_lock()
                    if self.demand is Demand.ANY_STATE and nested:
                        self._require_seen()
                    yield
                if not nested:
                    self._note_end_of_lock()
            except DatabaseError as error:
                if begun or not attempts or not is_contention(error):
                    raise
                pause()

    def keep_lock(self) -> None:
        """
        Take note that the row stays locked as long as the guard is there: what changes it
        from now on, a trigger too, does so for the request.
        """
        if self.status is Status.COMPARED:
            self.status, self.admitted = Status.LOCKED, None
            if self.demand is Demand.ANY_STATE:
                self.state = None  # It was not compared.

    def _note_end_of_lock(self) -> None:
        """After the transaction: the next one has to compare the row with what this one left."""
        if self.status is Status.LOCKED:
            self.status = Status.OPEN
            if self.demand is Demand.THIS_STATE and self.state is not None:
                self.admitted = {self.state}

    def _require_seen(self) -> None:
        """
        Raise what MariaDB itself does with ``innodb_snapshot_isolation``, where a
        transaction that began before the lock is shown an old version of the row.
        """
        # Others refuse such a lock, or show what is there.
        if connections[self.row.using].vendor == "mysql":
            states = self.row.queryset().values_list(*self.row.columns.names)
            if states.first() != states.select_for_update().first():
                raise DatabaseError(RECORD_CHANGED, "Record has changed since last read")

    def admit(self, state: State, instance: models.Model) -> None:
        """Raise ``StaleWriteError`` unless ``instance`` may be written in ``state``."""
        if self.admitted is not None and state not in self.admitted:
            owner, using, pk = self.row.columns.owner, self.row.using, self.row.pk
            raise StaleWriteError(owner, pk, using, instance, expected=self.state, found=state)

    def admit_insert(self, pk: Any, instance: models.Model) -> None:
        """
        Raise ``StaleWriteError`` where ``instance`` would take the place of the row, which
        another request has deleted since it was evaluated.
        """
        is_it = pk is not None and self.row.pk == pk
        if is_it and self.enforced and self.status is Status.OPEN:
            owner, using = self.row.columns.owner, self.row.using
            raise StaleWriteError(owner, pk, using, instance, expected=self.state)

    # After a write.

    def note_comparison(self) -> None:
        """Take note that a statement of the request has compared the row."""
        if self.status is Status.OPEN:
            self.status = Status.COMPARED

    def note_bump(self, state: State) -> None:
        """Take note of a write by the request itself, in its transaction."""
        if self.status is not Status.LOCKED:
            self.status = Status.COMPARED
        self.state = state
        if self.admitted is not None:
            self.admitted.add(state)

    def note_deletion(self) -> None:
        """Take note that the request has deleted the row."""
        self.state, self.status = None, Status.DELETED

    def reread(self) -> None:
        """Take note of a write whose result is not known, in its transaction."""
        if self.demand is Demand.NOTHING:
            self.state = None
            return
        # Locking, since a snapshot may be older than what was locked.
        state = read_locked_state(self.row)
        if state is None:
            self.note_deletion()
        else:
            self.note_bump(state)

    def watch(self) -> Watch:
        """A block whose writes are held against this guard."""
        return Watch(self.row.using, (self,))

    def confirm_state(self, before: State | None, *, rolled_back: bool, unseen: bool) -> None:
        """
        Make sure of the state after a block, inside of its transaction.

        Args:
            before: the state before the block.
            rolled_back: whether a savepoint in the block may have been rolled back.
            unseen: whether the row may have been written in ways that the guard does not see.
        """
        if self.status is not Status.DELETED and (
            (unseen and self.demand is not Demand.NOTHING)
            # A trigger, or raw SQL, may have bumped what seems to be as it was.
            or (self.status is Status.LOCKED and self.state in (before, None))
            # The savepoint took a write of the block with it.
            or (rolled_back and self.state != before)
        ):
            self.reread()


class DetachedGuard(Guard):
    """
    The guard of a request that holds no transaction, as a coroutine: each of its writes is
    committed by itself.
    """

    # Whether one is. What fails after that must not be told as if nothing had been written.
    committed = False

    def note_bump(self, state: State) -> None:
        if not connections[self.row.using].in_atomic_block:
            self._note_commit(state)
            return
        # Nobody tells the guard of a rollback; a timestamp makes the state its own.
        if self.admitted is not None and state.timestamp is not None:
            self.admitted.add(state)
        self.state, self.status = None, Status.COMPARED
        transaction.on_commit(lambda: self._note_commit(state), using=self.row.using)

    def note_deletion(self) -> None:
        # Until the COMMIT, a rollback may bring the row back, and others may write it then.
        self.state, self.status = None, Status.COMPARED
        transaction.on_commit(self._note_committed_deletion, using=self.row.using)

    def _note_commit(self, state: State) -> None:
        self.committed = True
        super().note_bump(state)

    def _note_committed_deletion(self) -> None:
        self.committed = True
        super().note_deletion()

    def confirm_state(self, *args: Any, **kwargs: Any) -> None:
        """There is no transaction in which the state could stay as it is read."""


class WriteForbidden(Exception):
    """A request wrote whose method must not."""


class ReadOnlyGuard(Guard):
    """Refuses all writes of rows that are there, for a method that carries no precondition."""

    def lock(self) -> None:
        raise WriteForbidden(self.row.columns.owner, self.row.pk)

    def admit(self, state: State, instance: models.Model) -> None:
        self.lock()

    def confirm_state(self, *args: Any, **kwargs: Any) -> None:
        """Nothing was written."""


_active: ContextVar[tuple[Guard, ...]] = ContextVar("etag_versioning_guards", default=())


def guards_of(model: type[models.Model], using: str, pk: Any = None) -> list[Guard]:
    """The guards on rows of ``model`` (the one that owns the version), or on one row."""
    active = _active.get()
    if not active:
        return []
    return [
        guard
        for guard in active
        if guard.row.columns.owner is model
        and guard.row.using == using
        and (pk is None or guard.row.pk in (pk, None))
        and not guard.closed
    ]


@dataclass(eq=False)
class Watch:
    """
    Holds the writes of a block against guards, which know the states of their rows after it.

    Args:
        using: the alias of the rows' database.
        guards: the guards.
    """

    using: str
    guards: Sequence[Guard]
    # Whether the rows may have been written in ways that the guards do not see.
    unseen: bool = field(default=False, init=False)
    # After the block: whether the database will roll back what it wrote.
    is_broken: bool = field(default=False, init=False)

    def __enter__(self) -> Self:
        self.token: Token[Any] = _active.set((*_active.get(), *self.guards))
        self.before = [guard.state for guard in self.guards]
        self.savepoints = connections[self.using].savepoint_state
        for guard in self.guards:
            guard.closed = False
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        _active.reset(self.token)
        for guard in self.guards:
            guard.closed = True
        if error is not None:
            return
        connection = connections[self.using]
        self.is_broken = connection.needs_rollback or is_aborted(connection)
        rolled_back = connection.savepoint_state != self.savepoints
        for guard, before in zip(self.guards, self.before, strict=True):
            if self.is_broken:
                guard.state = None
            else:
                guard.confirm_state(before, rolled_back=rolled_back, unseen=self.unseen)
