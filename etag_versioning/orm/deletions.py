"""``delete()`` of an instance, which deletes its row only in the state that was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models, router, transaction
from django.db.models.deletion import Collector
from django.utils import timezone

from ..exceptions import StaleWriteError
from ..touching.deletions import delete_collected, may_touch_by_cascade
from ..touching.paths import Found
from ..touching.touch import in_transaction, keep_current, touching
from ..touching.writes import (
    Source,
    may_touch_by_deletion,
    touch_for_deletion,
    touch_for_rows,
)
from .expressions import InState
from .instances import has_state, is_loaded, no_state, not_loaded
from .stale_writes import RowWrite
from .state_columns import State

__all__ = ["Deletion"]


class Deletion:
    """
    One ``delete()`` of an instance.

    Args:
        instance: the instance.
        delete: the ``delete()`` of the next class.
        args, kwargs: the caller's arguments; another class's ``delete()`` may have parameters
            of its own.
    """

    def __init__(
        self, instance: Any, delete: Callable[..., Any], args: tuple[Any, ...], kwargs: Any
    ) -> None:
        self.instance, self.delete, self.args, self.kwargs = instance, delete, args, kwargs
        self.using = self._alias() or router.db_for_write(type(instance), instance=instance)
        self.write = RowWrite(instance, self.using)
        self.columns = self.write.columns
        # The state that the deletion is based on.
        self.state: State | None = None

    def run(self) -> Any:
        if self.columns.version is None:
            return self._run_without_version()
        if self._has_state():
            self.state = self.columns.state_of(self.instance)
            for guard in self.write.guards:
                guard.admit(self.state, self.instance)
        if not self._is_djangos():
            result = self._run_anothers()
        elif Collector(using=self.using, origin=self.instance).can_fast_delete(self.instance):
            result = self._delete_row()
        else:
            with self._touching() as done, transaction.atomic(using=self.using):
                result = self._run_djangos(done)
        if self.write.accepted is not None and self.write.accepted[1] is not None:
            self.write.report()
        return result

    def _has_state(self) -> bool:
        """
        Whether the instance has a state to compare.

        Raises:
            VersionNotLoaded: it has none, and ``stale_writes`` demands one.
        """
        if not has_state(self.instance, self.using):
            error = no_state(self.instance, "be deleted", self.using)
        elif not is_loaded(self.instance, self.columns):
            error = not_loaded(self.instance, self.columns)
        else:
            return True
        if self.write.mode != "report":
            raise error
        return False

    def _run_without_version(self) -> Any:
        """The deletion of an instance that has no state, but may touch others."""
        with keep_current([self.instance]):
            if self._is_djangos() and may_touch_by_cascade(self.instance._meta.concrete_model):
                return self._delete_collected(None)
            return self.delete(*self.args, **self.kwargs)

    def _is_djangos(self) -> bool:
        return getattr(self.delete, "__func__", None) is _DJANGOS_DELETE

    def _delete_collected(self, done: Found | None) -> tuple[int, dict[str, int]]:
        """As Django's own ``delete()``, with a collector whose rows are known in advance."""
        collector = Collector(using=self.using, origin=self.instance)
        collector.collect([self.instance], keep_parents=self._keeps_parents())
        return delete_collected(collector, done)

    def _delete_row(self) -> tuple[int, dict[str, int]]:
        """Delete the row by one statement, which compares its state."""
        instance, guards = self.instance, self.write.guards
        rows: Any = models.QuerySet(type(instance), using=self.using).filter(pk=instance.pk)
        count = 0
        if self.state is not None:
            with transaction.mark_for_rollback_on_error(using=self.using):
                in_state = rows.filter(InState(self.columns, self.state))
                count = in_state._raw_delete(self.using)
        kept = not count and self._is_kept()
        if not count and not kept and self.write.mode == "report":
            with in_transaction(self.using):
                if self.write.accept_stale(self.state) is not None:
                    count = rows._raw_delete(self.using)
        for guard in guards:
            if count:
                guard.note_deletion()
            elif kept:
                with in_transaction(self.using):  # For its locking read.
                    guard.reread()
        instance.pk = None
        return count, {instance._meta.label: count}

    def _run_djangos(self, done: Found | None) -> Any:
        """As Django's own ``delete()``, which compares nothing; so the row is locked first."""
        instance, columns, guards = self.instance, self.columns, self.write.guards
        label = instance._meta.label
        stays = self._keeps_parents() and columns.owner is not instance._meta.concrete_model
        there = self._lock_if_there()
        if stays and there:
            # The parent's row survives without its child, so bump its version.
            self.write.row.queryset().update(**columns.expressions(timezone.now()))
        for guard in () if stays or not there else guards:
            # Noted in advance, because signals may write other rows once the row is gone.
            guard.note_deletion()
        try:
            result = self._delete_collected(done)
        except Exception:
            for guard in guards:
                guard.reread() if self.state is None else guard.note_bump(self.state)
            raise
        for guard in guards if stays or (there and not result[1].get(label)) else ():
            # The row still exists: the parent's, or one that a database trigger keeps.
            guard.reread()
        if not there and result[1].get(label):
            # Another transaction has created the row again in the meantime.
            raise self.write.stale(self.state)
        return result

    def _run_anothers(self) -> Any:
        """By another base class's ``delete()``, which may only hide the row; it is locked first."""
        with transaction.atomic(using=self.using), keep_current([self.instance]):
            if self.write.touches:
                # Rows that are touched are always locked before the row itself.
                sources = [Source(type(self.instance), [self.instance.pk])]
                compared = self.write.mode == "raise"
                touch_for_rows(sources, self.using, compared=compared)
            there, guards = self._lock_if_there(), self.write.guards
            result = self.delete(*self.args, **self.kwargs)
            for guard in guards if there else ():
                if not guard.deleted:
                    guard.reread()
        return result

    def _lock_if_there(self) -> bool:
        """Lock the row in its state; ``False`` if it is gone and no precondition names it."""
        try:
            self.write.compare(self.state)
        except StaleWriteError:
            if self._is_kept():
                raise
            return False
        return self.write.accepted is None or self.write.accepted[1] is not None

    def _is_kept(self) -> bool:
        """
        Whether the deleted row still exists in its state: a database trigger has kept it, and
        may have hidden it.

        Raises:
            StaleWriteError: the row is in another state, and ``stale_writes`` is not "report";
                or it is gone, and a request's precondition names it.
        """
        found = self.write.row.queryset().values_list(*self.columns.names).first()
        state = None if found is None else State(*found)
        if state is not None and state == self.state:
            return True
        named = any(guard.enforced for guard in self.write.guards)
        if named or (state is not None and self.write.mode != "report"):
            raise self.write.stale(self.state, state)
        return False

    @contextmanager
    def _touching(self) -> Iterator[Found | None]:
        """Touch rows before this row is locked, and don't touch them again for its cascades."""
        if not may_touch_by_deletion(type(self.instance)):
            yield None
            return
        with touching(self.using, lambda: touch_for_deletion(self.instance, self.using)) as touch:
            yield touch.done

    def _alias(self) -> str | None:
        given = self.kwargs.get("using") or (self.args[0] if self.args else None)
        return given if isinstance(given, str) else None

    def _keeps_parents(self) -> bool:
        given = self.args[1] if len(self.args) > 1 else self.kwargs.get("keep_parents")
        return bool(given)


# Read at import time, because another app may replace the method later.
_DJANGOS_DELETE = models.Model.delete
