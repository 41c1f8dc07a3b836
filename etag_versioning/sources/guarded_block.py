"""
The block in which a request writes its rows: decorated views, DRF's handlers and hooks, actions
and bulk updates have it in common.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

from django.db import connections
from django.db.transaction import TransactionManagementError

from ..orm.database_errors import is_lost_race
from ..orm.guards import Guard, Watch
from .raw_sql import warn_of_raw_sql
from .rows import Row

__all__ = ["GuardedBlock"]

_UPDATES_NOTHING = re.compile(
    r"\s*(INSERT|SELECT|SAVEPOINT|RELEASE|ROLLBACK TO)\b(?!.*\bUPDATE\b)", re.DOTALL
)


class GuardedBlock(Watch):
    """
    Holds the writes of a block against guards, in a transaction that is around it::

        with guard.locking():
            with GuardedBlock(guard.row.using, [guard], view=view, row=row) as block:
                block.response = response = view(request)
            # The transaction is still open, and guard.state is the row's state by now.

    At its end, it compares each row that no statement has compared, and makes sure of its state.
    It raises where the database will roll the transaction back, and ``response`` is a success all
    the same: a block that catches an error in a transaction cannot save what it wrote, since
    Django, or PostgreSQL itself, rolls it back without another error.
    ``transaction.set_rollback(True)`` is a decision of the project's own, as for a dry run: its
    response stands. It logs raw SQL that wrote the row without a new version.

    Args:
        using: the alias of the database.
        guards: the guards on the rows, of which there may be none.
        view: a function, or an instance of a class of views, for the log.
        row: the one row, as it was read; ``None`` where raw SQL is not looked for.

    Attributes:
        response: what the block answers; it counts as a success where it is ``None``.
        statements: the SQL of the block that may have changed a row that was there.

    Raises:
        TransactionManagementError: the transaction will be rolled back.
        DatabaseError, StaleWriteError: the error that was caught, where it comes of
            another's write; or a row that was not compared is in another state.
    """

    def __init__(
        self, using: str, guards: Sequence[Guard] = (), *, view: Any = None, row: Row | None = None
    ) -> None:
        self.using = using
        self.guards = guards
        self.view = view
        self.row = row
        self.response: Any = None
        self.statements: list[str] = []
        # Whether the block has called set_rollback(True) for its own transaction, and not for
        # a savepoint in it.
        self.rollback_is_meant = False

    def __enter__(self) -> Self:
        connection: Any = connections[self.using]
        self.connection, self.earlier_error = connection, connection.rollback_exc
        connection.execute_wrappers.append(self._note_statement)
        # Django sets the same flag where an error leaves atomic(savepoint=False), as that of a
        # save() of several tables, and does not keep the reason. So the method is replaced.
        self.was_replaced = "set_rollback" in vars(connection)
        self.original = connection.set_rollback
        self.savepoint_ids = list(filter(None, connection.savepoint_ids))
        connection.set_rollback = self._set_rollback
        return super().__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self.connection.execute_wrappers.remove(self._note_statement)
        if self.was_replaced:
            self.connection.set_rollback = self.original
        else:
            del self.connection.set_rollback
        # Where the statements are more than the rows, some may have gone past the instances.
        self.unseen = len(self.statements) > len(self.guards)
        super().__exit__(kind, error, traceback)
        if self.is_broken:
            self._refuse_success()
        if self.is_broken or error is not None:
            return
        for guard in self.guards:
            if not guard.compared:
                guard.lock()
            if self.row is not None and guard.state == self.row.state and self._succeeds():
                warn_of_raw_sql(self.view, self.row, guard, self.statements)

    def _note_statement(self, execute: Any, sql: Any, *args: Any) -> Any:
        if not _UPDATES_NOTHING.match(str(sql)):
            self.statements.append(str(sql))
        return execute(sql, *args)

    def _set_rollback(self, rollback: bool) -> None:
        self.original(rollback)
        is_own = list(filter(None, self.connection.savepoint_ids)) == self.savepoint_ids
        self.rollback_is_meant = rollback and is_own

    def _succeeds(self) -> bool:
        return getattr(self.response, "status_code", 200) < 400

    def _refuse_success(self) -> None:
        """Raise, if the response is a success although the transaction will be rolled back."""
        if self.rollback_is_meant or not self._succeeds():
            return
        error = self.connection.rollback_exc
        caught = None if error is self.earlier_error else error  # Django never resets it.
        if caught is not None and is_lost_race(caught):
            raise caught
        raise TransactionManagementError(
            "The transaction of a guarded write will be rolled back, so its answer can't be a "
            "success. If a database error was caught in it, put the statement that may fail into "
            "a block of its own: with transaction.atomic(): team.save(). If the rollback is "
            "meant, call transaction.set_rollback(True)."
        ) from caught
