"""What an error of a write tells, by the codes of each database's driver."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from django.db import DatabaseError, IntegrityError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from ..exceptions import StaleWriteError

__all__ = [
    "RECORD_CHANGED",
    "is_aborted",
    "is_clash",
    "is_contention",
    "is_duplicate",
    "is_lost_race",
    "is_overtaken",
    "is_unreachable",
    "violates_foreign_key",
    "was_raised_after_commit",
]

# PQTRANS_INERROR of libpq.
_POSTGRESQL_ABORTED = 3
# SQLSTATEs: serialization failure, deadlock, lock not available.
_POSTGRESQL_CONTENTION = frozenset({"40001", "40P01", "55P03"})
# "Record has changed since last read" of MariaDB.
RECORD_CHANGED = 1020
# MariaDB's max_statement_time.
_MYSQL_TIMEOUT = 1969
# The same, lock wait timeout, deadlock.
_MYSQL_CONTENTION = frozenset({RECORD_CHANGED, 1205, 1213})
# A node of a Galera cluster that is not, or not yet, part of it; shutdown in progress; connection
# killed; then the client's own: cannot connect, server has gone away, connection lost.
_MYSQL_UNREACHABLE = frozenset({1047, 1053, 1927, 2002, 2003, 2006, 2013})
# SQLSTATEs: admin shutdown, crash shutdown, cannot connect now; class 08, connection exceptions.
_POSTGRESQL_UNREACHABLE = frozenset({"57P01", "57P02", "57P03"})
# SQLITE_BUSY and SQLITE_LOCKED; extended codes carry them in the low byte.
_SQLITE_CONTENTION = frozenset({5, 6})
# Django runs the callbacks of ``transaction.on_commit()`` in these: after the commit, or
# at once where there is no transaction.
_CALLBACKS = (BaseDatabaseWrapper.run_and_clear_commit_hooks, BaseDatabaseWrapper.on_commit)
_CALLBACK_CODES = frozenset(function.__code__ for function in _CALLBACKS)


def is_lost_race(error: Exception) -> bool:
    """
    Whether a write failed because of another request's. A statement that the database
    ended by a timeout counts: a write that takes long waits for a lock.
    """
    return isinstance(error, StaleWriteError) or is_contention(error) or _is_timeout(error)


def _is_timeout(error: Exception) -> bool:
    if not isinstance(error, DatabaseError):
        return False
    postgresql, mysql, _ = _codes(error)
    return postgresql == "57014" or mysql == _MYSQL_TIMEOUT


def is_contention(error: Exception) -> bool:
    """Whether a database ended a statement because others work on the same rows."""
    if not isinstance(error, DatabaseError):
        return False
    postgresql, mysql, sqlite = _codes(error)
    return (
        postgresql in _POSTGRESQL_CONTENTION
        or mysql in _MYSQL_CONTENTION
        or (sqlite & 0xFF) in _SQLITE_CONTENTION
    )


def is_unreachable(error: Exception) -> bool:
    """
    Whether the database took no statement, or the connection broke. If it broke at the COMMIT,
    nobody knows whether the transaction was committed.
    """
    if not isinstance(error, OperationalError):
        return False
    postgresql, mysql, _ = _codes(error)
    if postgresql is None and type(error.__cause__).__module__.startswith("psycopg"):
        return True  # libpq's own: only the server's errors have a SQLSTATE.
    return (
        mysql in _MYSQL_UNREACHABLE
        or postgresql in _POSTGRESQL_UNREACHABLE
        or str(postgresql).startswith("08")
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
    return postgresql == "40001" or mysql == RECORD_CHANGED


def is_duplicate(error: Exception) -> bool:
    """Whether a database refused a row because another has the same unique values."""
    if not isinstance(error, IntegrityError):
        return False
    postgresql, mysql, sqlite = _codes(error)
    # SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE.
    return postgresql == "23505" or mysql == 1062 or sqlite in (1555, 2067)


def violates_foreign_key(error: Exception) -> bool:
    """
    Whether a database refused a write because the row that it refers to is gone, or
    because another row refers to the one that was to be deleted.
    """
    if not isinstance(error, IntegrityError):
        return False
    postgresql, mysql, sqlite = _codes(error)
    # SQLITE_CONSTRAINT_FOREIGNKEY.
    return postgresql == "23503" or mysql in (1451, 1452) or sqlite == 787


def is_clash(error: Exception) -> bool:
    """Whether a database refused a write because of what other rows hold."""
    return is_duplicate(error) or violates_foreign_key(error)


def _codes(error: Exception) -> tuple[Any, Any, int]:
    """An error's code by each driver: SQLSTATE, MariaDB's number, SQLite's result code."""
    cause = error.__cause__
    sqlstate = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    return sqlstate, number, getattr(cause, "sqlite_errorcode", 0)


def is_aborted(connection: Any) -> bool:
    """Whether PostgreSQL takes no more statements in the transaction; it commits nothing."""
    if connection.vendor != "postgresql" or not connection.in_atomic_block:
        return False
    driver = connection.connection
    return driver is not None and int(driver.info.transaction_status) == _POSTGRESQL_ABORTED


def was_raised_after_commit(error: BaseException) -> bool:
    """
    Whether an ``on_commit()`` callback raised ``error``. What the request wrote is
    committed then, so the answer must not say that nothing was written.
    """
    frames: TracebackType | None = error.__traceback__
    while frames is not None:
        if frames.tb_frame.f_code in _CALLBACK_CODES:
            return True
        frames = frames.tb_next
    return False
