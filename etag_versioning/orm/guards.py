"""
The one row that a request may write, and the state in which it may write it.

A decorated view, or a viewset, puts a guard around its work; whatever the work
does to that row through the ORM, ``models`` holds it against the guard. The
guard travels in a context variable: it is there in the coroutine, the task and
the thread that work for the request, and nowhere else.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, IntegrityError, connections, models, transaction
from django.db.transaction import TransactionManagementError

from ..exceptions import StaleWriteError

__all__ = [
    "Guard",
    "ReadOnlyGuard",
    "State",
    "WriteForbidden",
    "guards_of",
    "insist",
    "is_aborted",
    "is_clash",
    "is_contention",
    "is_duplicate",
    "is_lost_race",
    "is_overtaken",
    "lock_state",
    "read_locked_state",
    "refusing_rolled_back",
    "require_matched_rows",
    "violates_foreign_key",
]


class State(NamedTuple):
    """What a row's two columns hold; ``timestamp`` is ``None`` without that column."""

    version: int
    timestamp: datetime | None = None


@dataclass(eq=False)
class Guard:
    """
    One row under guard.

    Args:
        model: the model that owns the version column.
        using: the database alias.
        pk: the row's primary key.
        columns: the names of the version column and, if any, the timestamp column.
        state: the row's last known state; ``None`` where it is not known.
        any_state: whether the row may be written in any state (``If-Match: *``).
        enforced: whether writes are held to the guard. One that is not enforced
            only takes note of what the request itself makes of the row.
        lock_touched: locks what a write of the row will touch, where it does: that is
            locked before the row itself, by everybody.
    """

    model: type[models.Model]
    using: str
    pk: Any
    columns: tuple[str, ...]
    state: State | None
    any_state: bool = False
    enforced: bool = True
    lock_touched: Callable[[], None] | None = None
    # Whether the writes of the request are each committed by themselves, as in a
    # coroutine, rather than with the guard's block.
    detached: bool = False
    # Whether the row is locked by the transaction around the guard.
    locked: bool = False
    # Whether writes of the request are committed. What fails after that, as an
    # on_commit() callback may, must not be told as if nothing had been written.
    committed: bool = False
    # Whether a statement of the request has compared the row's state …
    compared: bool = False
    # … whether one has deleted the row, and whether the request is over.
    deleted: bool = False
    closed: bool = False
    # The states in which the row may be written: the one that was evaluated, and
    # those that the request's own writes made of it. None admits all.
    admitted: set[State] | None = field(init=False)

    def __post_init__(self) -> None:
        held = self.enforced and not self.any_state
        self.admitted = {self.state} if held and self.state is not None else None

    def is_on(self, pk: Any) -> bool:
        """Whether a write of the row with this key is to be held against the guard."""
        return bool(self.pk == pk)

    def is_among(self, pks: Collection[Any]) -> bool:
        """Whether the row is one of these, which a write elsewhere moves too."""
        return self.pk in pks

    def lock(self) -> None:
        """
        Lock the row in a state that the guard admits, until the transaction ends.

        Raises:
            StaleWriteError: the row is in another state, or gone.
        """
        if self.deleted:
            return
        lock_state(self.model, self.using, self.pk, self.columns, self.admitted)
        self.compared = True

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """
        Django's ``atomic()`` on the guard's database. ``committed`` is true as soon as the
        transaction is committed, before the block's own on_commit() callbacks run.
        """
        with transaction.atomic(using=self.using):
            transaction.on_commit(self._note_commit, using=self.using)
            yield

    def _note_commit(self) -> None:
        self.committed = True

    @contextmanager
    def locking(self) -> Iterator[None]:
        """
        Hold the row locked, in a transaction as long as the block.

        The lock is the transaction's first statement, but for what is locked before
        it, so where the database gives it up it is tried again, a few times. The block
        is never repeated.

        Raises:
            StaleWriteError: the row is in another state, or gone.
            DatabaseError: there is no getting at the row, or the block raised it.
        """
        with ExitStack() as stack:

            def begin() -> None:
                with ExitStack() as attempt:
                    attempt.enter_context(self.atomic())
                    if self.lock_touched is not None and not self.any_state:
                        self.lock_touched()
                    self.lock()
                    stack.enter_context(attempt.pop_all())

            nested = connections[self.using].in_atomic_block
            insist(begin, 1 if nested else _ATTEMPTS)
            self.locked = True
            if self.any_state:
                self.state = None  # Locked now, in a state that was not compared.
                self._require_seen(nested)
            yield

    def _require_seen(self, nested: bool) -> None:
        """
        Raise what MariaDB itself does with ``innodb_snapshot_isolation``, where a
        transaction that began before the lock is shown an old version of the row.
        """
        # Others refuse such a lock, or show what is there.
        if nested and connections[self.using].vendor == "mysql":
            rows: Any = models.QuerySet(self.model, using=self.using).filter(pk=self.pk)
            states = rows.values_list(*self.columns)
            if states.first() != states.select_for_update().first():
                raise DatabaseError(_CHANGED, "Record has changed since last read")

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Hold the writes of the block against the guard, and know their result."""
        token = _active.set((*_active.get(), self))
        self.closed = False
        connection, before = connections[self.using], self.state
        savepoints = connection.savepoint_state
        try:
            yield
            if not self.detached:
                self._settle(connection, before, connection.savepoint_state != savepoints)
        finally:
            self.closed = True
            _active.reset(token)

    def _settle(self, connection: Any, before: State | None, rolled_back: bool) -> None:
        """Make sure of the state after the block, inside of its transaction."""
        if connection.needs_rollback:
            self.state = None
        elif not self.deleted and (
            (self.locked and self.state in (before, None))
            # A savepoint that the block rolled back took a write of its with it.
            or (rolled_back and self.state != before)
        ):
            self.reread()

    def admit(self, state: State, instance: models.Model) -> None:
        """Raise ``StaleWriteError`` unless ``instance`` may be written in ``state``."""
        # Under the guard's own lock, a trigger may have moved the row for the request.
        if not self.locked and self.admitted is not None and state not in self.admitted:
            raise StaleWriteError(
                self.model, self.pk, self.using, instance, expected=self.state, found=state
            )

    def moved(self, state: State) -> None:
        """Take note of a write by the request itself, in its transaction."""
        self.compared = True
        self.deleted = False
        if self.detached and connections[self.using].in_atomic_block:
            # Nobody tells the guard of a rollback; a timestamp makes the state its own.
            if state.timestamp is not None:
                self._admit_later(state)
            self.state = None
            transaction.on_commit(lambda: self._reached(state), using=self.using)
        else:
            self._reached(state)

    def _reached(self, state: State) -> None:
        self.state = state
        self.committed = self.committed or self.detached
        self._admit_later(state)

    def _admit_later(self, state: State) -> None:
        if self.admitted is not None:
            self.admitted.add(state)

    def removed(self) -> None:
        """Take note that the request has deleted the row."""
        self.state = None
        self.compared = self.deleted = True
        if self.detached:
            transaction.on_commit(self._note_commit, using=self.using)

    def reread(self) -> None:
        """Take note of a write whose result is not known, in its transaction."""
        if not self.enforced:
            self.state = None
            return
        # Locking, since a snapshot may be older than what was locked.
        state = read_locked_state(self.model, self.using, self.pk, self.columns)
        if state is None:
            self.removed()
        else:
            self.moved(state)


class WriteForbidden(Exception):
    """A request wrote whose method must not."""


class ReadOnlyGuard(Guard):
    """Refuses all writes of rows that are there, for a method that carries no precondition."""

    def lock(self) -> None:
        raise WriteForbidden(self.model, self.pk)

    def admit(self, state: State, instance: models.Model) -> None:
        self.lock()


_active: ContextVar[tuple[Guard, ...]] = ContextVar("etag_versioning_guards", default=())


def guards_of(model: type[models.Model], using: str, pk: Any = None) -> list[Guard]:
    """The guards on rows of ``model`` (the one that owns the version), or on one row."""
    active = _active.get()
    if not active:
        return []
    return [
        guard
        for guard in active
        if guard.model is model
        and guard.using == using
        and (pk is None or guard.is_on(pk))
        and not guard.closed
    ]


@contextmanager
def refusing_rolled_back(using: str, answer: Callable[[], Any] = int) -> Iterator[None]:
    """
    Raise an error where the database will roll the block's transaction back, and ``answer()``
    is a success all the same.

    A block that catches an error in a transaction cannot save what it wrote: Django, or
    PostgreSQL itself, rolls it back without another error. ``transaction.set_rollback(True)``
    is a decision of the project's own, as for a dry run: its answer stands.

    Args:
        using: the database alias.
        answer: returns the response, where it is known.

    Raises:
        TransactionManagementError: the transaction will be rolled back.
        DatabaseError, StaleWriteError: the error that was caught, where it comes of
            another's write.
    """
    connection: Any = connections[using]
    before = connection.rollback_exc  # Django never resets it.
    with _noting_set_rollback(connection) as is_meant:
        yield
    if is_meant() or not (connection.needs_rollback or is_aborted(connection)):
        return
    if getattr(answer(), "status_code", 200) >= 400:
        return
    caught = None if connection.rollback_exc is before else connection.rollback_exc
    if caught is not None and is_lost_race(caught):
        raise caught
    raise TransactionManagementError(
        "The transaction of a guarded write will be rolled back, so its answer can't be a success. "
        "If a database error was caught in it, put the statement that may fail into a block of "
        "its own: with transaction.atomic(): team.save(). If the rollback is meant, call "
        "transaction.set_rollback(True)."
    ) from caught


@contextmanager
def _noting_set_rollback(connection: Any) -> Iterator[Callable[[], bool]]:
    """
    Know whether the block has called ``transaction.set_rollback(True)`` for its own
    transaction, and not for a savepoint in it.

    Django sets the same flag where an error leaves ``atomic(savepoint=False)``, as that of a
    ``save()`` of several tables, and keeps no word of the reason. So the method is replaced.
    """
    meant, original, replaced = False, connection.set_rollback, vars(connection)
    earlier = replaced.get("set_rollback")
    savepoints = [each for each in connection.savepoint_ids if each is not None]

    def set_rollback(rollback: bool) -> None:
        nonlocal meant
        original(rollback)
        own = savepoints == [each for each in connection.savepoint_ids if each is not None]
        meant = rollback and own

    connection.set_rollback = set_rollback
    try:
        yield lambda: meant
    finally:
        if earlier is None:
            del connection.set_rollback
        else:
            connection.set_rollback = earlier


def is_aborted(connection: Any) -> bool:
    """Whether PostgreSQL takes no more statements in the transaction; it commits nothing."""
    if connection.vendor != "postgresql" or not connection.in_atomic_block:
        return False
    driver = connection.connection
    return driver is not None and int(driver.info.transaction_status) == _POSTGRESQL_ABORTED


def read_locked_state(
    model: type[models.Model], using: str, pk: Any, columns: tuple[str, ...]
) -> State | None:
    """
    A row's state by a locking read, which sees what others have committed; ``None`` where it
    is gone.
    """
    rows: Any = models.QuerySet(model, using=using).filter(pk=pk)
    values = rows.select_for_update().values_list(*columns).first()
    return None if values is None else State(*values)


def lock_state(
    model: type[models.Model],
    using: str,
    pk: Any,
    columns: tuple[str, ...],
    states: Collection[State] | None,
    instance: models.Model | None = None,
) -> None:
    """
    Lock a row: compare and lock in one statement, which moves nothing.

    An UPDATE, because it takes the row's lock on every engine, SQLite included,
    where ``SELECT … FOR UPDATE`` is no guard.

    Raises:
        StaleWriteError: the row is in none of ``states`` (or, for ``None``, is gone).
    """
    rows: Any = models.QuerySet(model, using=using).filter(pk=pk)
    if states is not None:
        admitted = (models.Q(**dict(zip(columns, each, strict=False))) for each in states)
        rows = rows.filter(reduce(or_, admitted))
    if not rows.update(**{columns[0]: models.F(columns[0])}):
        require_matched_rows(using)
        expected = next(iter(states)) if states and len(states) == 1 else None
        raise StaleWriteError(model, pk, using, instance, expected=expected)


def require_matched_rows(using: str) -> None:
    """
    Raise where no row of MariaDB or MySQL counts as written unless it was changed. Django
    asks for the rows that were matched, but a ``client_flag`` in OPTIONS replaces that.
    """
    connection = connections[using]
    if connection.vendor == "mysql":
        flag = connection.settings_dict["OPTIONS"].get("client_flag")
        if flag is not None and not flag & _FOUND_ROWS:
            raise ImproperlyConfigured(
                f'The "client_flag" in the OPTIONS of the database {using!r} takes '
                f"CLIENT.FOUND_ROWS away, so rows that are compared seem to be gone. Write "
                f'"client_flag": CLIENT.FOUND_ROWS | …, with CLIENT from MySQLdb.constants.'
            )


# As in MySQLdb.constants.CLIENT.
_FOUND_ROWS = 2


# How often the first statement of a write is tried before it is given up.
_ATTEMPTS = 4


def insist(write: Callable[[], None], attempts: int = _ATTEMPTS) -> None:
    """
    Do what is one statement, or begins a transaction with one; and again, a few
    times, where the database gives it up for the sake of others.

    Raises:
        DatabaseError: there is no getting at the row, or ``write`` raised it.
    """
    while True:
        attempts -= 1
        try:
            return write()
        except DatabaseError as error:
            if not attempts or not is_contention(error):
                raise
            time.sleep(random.uniform(0.005, 0.05))


# PQTRANS_INERROR of libpq.
_POSTGRESQL_ABORTED = 3
# SQLSTATEs: serialization failure, deadlock, lock not available.
_POSTGRESQL_CONTENTION = frozenset({"40001", "40P01", "55P03"})
# Record changed since last read, lock wait timeout, deadlock.
_CHANGED = 1020
# MariaDB's max_statement_time.
_MYSQL_TIMEOUT = 1969
_MYSQL_CONTENTION = frozenset({_CHANGED, 1205, 1213})
# SQLITE_BUSY and SQLITE_LOCKED; extended codes carry them in the low byte.
_SQLITE_CONTENTION = frozenset({5, 6})


def is_lost_race(error: Exception) -> bool:
    """
    Whether a write failed for no other reason than somebody else's. A statement that the
    database ended by a timeout counts: a write that takes long waits for a lock.
    """
    return isinstance(error, StaleWriteError) or is_contention(error) or _is_timeout(error)


def _is_timeout(error: Exception) -> bool:
    if not isinstance(error, DatabaseError):
        return False
    postgresql, mysql, _ = _codes(error)
    return postgresql == "57014" or mysql == _MYSQL_TIMEOUT


def is_contention(error: Exception) -> bool:
    """Whether a database gave up because of somebody else's work on the same rows."""
    if not isinstance(error, DatabaseError):
        return False
    postgresql, mysql, sqlite = _codes(error)
    return (
        postgresql in _POSTGRESQL_CONTENTION
        or mysql in _MYSQL_CONTENTION
        or (sqlite & 0xFF) in _SQLITE_CONTENTION
    )


def is_overtaken(error: Exception) -> bool:
    """
    Whether a database refused to write a row because another transaction has changed it
    since this one began: PostgreSQL under REPEATABLE READ, MariaDB with
    ``innodb_snapshot_isolation``.
    """
    if not isinstance(error, DatabaseError):
        return False
    postgresql, mysql, _ = _codes(error)
    return postgresql == "40001" or mysql == _CHANGED


def is_duplicate(error: Exception) -> bool:
    """Whether a database refused a row for another that has the same unique values."""
    if not isinstance(error, IntegrityError):
        return False
    postgresql, mysql, sqlite = _codes(error)
    # SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE.
    return postgresql == "23505" or mysql == 1062 or sqlite in (1555, 2067)


def violates_foreign_key(error: Exception) -> bool:
    """
    Whether a database refused a write for a row that it refers to, which is gone, or
    for one that refers to what was to be deleted.
    """
    if not isinstance(error, IntegrityError):
        return False
    postgresql, mysql, sqlite = _codes(error)
    # SQLITE_CONSTRAINT_FOREIGNKEY.
    return postgresql == "23503" or mysql in (1451, 1452) or sqlite == 787


def is_clash(error: Exception) -> bool:
    """Whether a database refused a write for what is, or is not, in other rows."""
    return is_duplicate(error) or violates_foreign_key(error)


def _codes(error: Exception) -> tuple[Any, Any, int]:
    """What each engine's driver says that an error is: SQLSTATE, number, result code."""
    cause = error.__cause__
    sqlstate = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    return sqlstate, number, getattr(cause, "sqlite_errorcode", 0)
