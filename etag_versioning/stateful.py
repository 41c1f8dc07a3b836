"""
``save()`` and ``delete()`` as compare-and-swap: the state that the instance was read
in, version and stamp, is in the WHERE of their one statement.

With ``querysets``, ``managers`` and ``expressions``, the only place that touches private
Django API: ``_save_table`` and ``_do_update`` are where Django decides between UPDATE
and INSERT.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

from django.db import models, router, transaction
from django.db.models.deletion import Collector
from django.db.models.signals import class_prepared
from django.dispatch import receiver
from django.utils import timezone

from .columns import StateColumns, is_unversioned, state_columns
from .exceptions import StaleWriteError, VersionNotLoaded
from .expressions import restrict
from .guards import Guard, guards_of, lock_state
from .managers import VersionedManager, VersionedOptions
from .querysets import VersionedQuerySet
from .swaps import Swap
from .touching import in_transaction
from .touching_writes import may_touch_by_deletion, touch_for_deletion
from .unchanged import forget, is_unchanged, remember

__all__ = ["StatefulModel"]


class StatefulModel(models.Model):
    """
    The compare-and-swap that the mixins below share.

    Attributes:
        tag_label: what the tags of this model's rows begin with; the model's
            name where it is ``None``.
        tag_key: the name of the field that stands for the row in its tags.
        unversioned_fields: names of fields that no client sees. A ``save()``
            or ``update()`` of these alone neither compares nor moves.
        skip_unchanged: whether a ``save()`` that changes no column leaves the row
            and its state as they are. It still raises when it is stale.
        touches: names of relations, or paths of several with double underscores,
            to the rows that show this one: its writes move their state too.
    """

    tag_label: ClassVar[str | None] = None
    tag_key: ClassVar[str] = "pk"
    unversioned_fields: ClassVar[Collection[str]] = ()
    skip_unchanged: ClassVar[bool] = False
    touches: ClassVar[Collection[str]] = ()

    objects = VersionedManager()

    class Meta:
        abstract = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.skip_unchanged:
            # Only there, since it costs time for each instance that is loaded.
            cls.from_db = classmethod(_remembering_from_db)  # type: ignore[assignment]

    def save_base(
        self,
        raw: bool = False,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Any = None,
    ) -> None:
        """
        Django's, as compare-and-swap on the row's state.

        Raises:
            StaleWriteError: the row is not in the state that this instance was
                read in. Nothing is written, and the instance and an enclosing
                transaction are what they were.
            VersionNotLoaded: the instance does not say what it is based on.
        """
        columns = state_columns(type(self))
        using = using or router.db_for_write(type(self), instance=self)
        if raw or (update_fields and is_unversioned(type(self), update_fields)):
            with self._writing(None):
                super().save_base(raw, force_insert, force_update, using, update_fields)
            forget(self)
            return
        compares = False
        if columns.version is not None and not force_insert:
            if self._has_state(using):
                self._require_loaded(columns)
                compares = True
            elif force_update or update_fields:
                raise self._no_state("be updated", using)
            else:
                force_insert = (columns.owner,) if self._meta.parents else True
        swap = Swap(self, columns, using, compares, update_fields)
        with self._writing(swap), swap:
            super().save_base(raw, force_insert, force_update, using, update_fields)

    save_base.alters_data = True  # type: ignore[attr-defined]

    def _save_table(
        self,
        raw: bool = False,
        cls: Any = None,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Any = None,
    ) -> Any:
        # Loading a fixture comes here with ``raw`` past our save_base().
        swap = None if raw else self._state.__dict__.get("swap")
        if swap is not None and update_fields and cls is swap.columns.owner:
            # Here rather than earlier: signals see the caller's own names.
            update_fields = frozenset(update_fields).union(swap.columns.names)
        touches = swap is not None and swap.touches
        with in_transaction(using or "") if touches else nullcontext():
            updated = super()._save_table(  # type: ignore[misc]
                raw, cls, force_insert, force_update, using, update_fields
            )
            if swap is not None and swap.touch is not None and cls is self._meta.concrete_model:
                swap.touch.move()
        # The model's own table is the last: only now has the whole row moved.
        if swap is not None and cls is self._meta.concrete_model:
            swap.finish()
            if swap.after is not None:
                swap.columns.assign(self, swap.after)
                remember(self)
            if swap.after is not None or not updated:
                for guard in self._guards(swap.columns, using):
                    guard.moved(swap.columns.state_of(self))
        return updated

    @contextmanager
    def _writing(self, swap: Swap | None) -> Iterator[None]:
        """Let the private methods below know of the save; one can be in another's signals."""
        outer = self._state.__dict__.get("swap")
        self._state.swap = swap  # type: ignore[attr-defined]
        try:
            yield
        finally:
            self._state.swap = outer  # type: ignore[attr-defined]
            if outer is None:
                del self._state.swap  # type: ignore[attr-defined]

    def _do_update(  # type: ignore[override]  # Django 6.0 added a parameter.
        self,
        base_qs: Any,
        using: str,
        pk_val: Any,
        values: Any,
        update_fields: Any,
        forced_update: Any,
        *args: Any,
    ) -> Any:
        swap = self._state.__dict__.get("swap")
        # With ``select_on_save``, Django would ask a snapshot whether the row is there.
        args = (update_fields, forced_update or (swap is not None and swap.compares), *args)
        if swap is None:
            return super()._do_update(base_qs, using, pk_val, values, *args)
        columns, after = swap.columns, None
        if swap.unchanged is None:
            swap.unchanged = swap.compares and is_unchanged(self, swap.update_fields)
        if base_qs.model is columns.owner:
            before = columns.state_of(self)
            after = columns.after(before)
            for guard in self._guards(columns, using):
                guard.admit(before, self)
            row = restrict(base_qs, columns, pk_val, before)
            # Django would name the row once more, for a fifth of the time of the save.
            base_qs.filter = lambda **kwargs: row
            values = columns.replace(values, after)
        result: Any
        if swap.unchanged:
            result, after = ([()] if base_qs.filter(pk=pk_val).exists() else []), None
        else:
            swap.begin(insert=False)
            result = super()._do_update(base_qs, using, pk_val, values, *args)
        if result:
            swap.after = after or swap.after
        elif swap.compares:
            # Django would INSERT what was deleted.
            raise StaleWriteError(columns.owner, self._owner_pk(columns), using, self)
        return result

    def _do_insert(self, *args: Any) -> Any:
        swap = self._state.__dict__.get("swap")
        if swap is not None:
            swap.begin(insert=True)
        return super()._do_insert(*args)  # type: ignore[misc]

    def delete(self, using: str | None = None, keep_parents: bool = False) -> Any:
        """
        Django's, of the state that this instance was read in.

        One DELETE where nothing hangs on the row; otherwise the row is claimed
        first, in the same transaction, because Django then deletes by key alone.

        Raises:
            StaleWriteError: the row is not in that state; nothing is deleted.
            VersionNotLoaded: the instance does not say what it is based on.
        """
        columns = state_columns(type(self))
        if columns.version is None or not self._is_pk_set():  # type: ignore[attr-defined]
            return super().delete(using=using, keep_parents=keep_parents)
        using = using or router.db_for_write(type(self), instance=self)
        if not self._has_state(using):
            raise self._no_state("be deleted", using)
        self._require_loaded(columns)
        state, pk = columns.state_of(self), self._owner_pk(columns)
        guards = self._guards(columns, using)
        for guard in guards:
            guard.admit(state, self)
        if Collector(using=using, origin=self).can_fast_delete(self):
            row = restrict(models.QuerySet(type(self), using=using), columns, pk, state)
            with transaction.mark_for_rollback_on_error(using=using):
                count = row._raw_delete(using)
            if not count:
                raise StaleWriteError(columns.owner, pk, using, self)
            for guard in guards:
                guard.removed()
            self.pk = None
            return count, {self._meta.label: count}
        with self._touching_deletion(using), transaction.atomic(using=using):
            if keep_parents and columns.owner is not self._meta.concrete_model:
                # The row with the state stays, and has lost what its child showed.
                parents = VersionedQuerySet(columns.owner, using=using).filter(pk=pk)
                same = parents.filter(**columns.conditions(state))
                if not same._update_moving({}, timezone.now()):
                    raise StaleWriteError(columns.owner, pk, using, self)
                guards = []
            else:
                lock_state(columns.owner, using, pk, columns.names, [state], self)
            # Before, since signals may write other rows when it is gone.
            for guard in guards:
                guard.removed()
            try:
                return super().delete(using=using, keep_parents=keep_parents)
            except Exception:
                for guard in guards:
                    guard.moved(state)
                raise

    delete.alters_data = True  # type: ignore[attr-defined]

    @contextmanager
    def _touching_deletion(self, using: str) -> Iterator[None]:
        """Touch what the row shows up in before it is locked, and not again with its cascades."""
        if not may_touch_by_deletion(type(self)):
            yield
            return
        with in_transaction(using):
            touch = touch_for_deletion(self, using)
            self._touched = touch.done
            try:
                yield
            finally:
                del self._touched
            touch.move()

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        forget(self)

    refresh_from_db.alters_data = True  # type: ignore[attr-defined]

    def _has_state(self, using: str) -> bool:
        """Whether the instance was read from, or saved to, the database it goes to."""
        known = self._state.db
        return (
            not self._state.adding
            and self._is_pk_set()  # type: ignore[attr-defined]
            # Read from a replica counts: the router says where it is written.
            and (known == using or router.db_for_write(type(self), instance=self) == using)
        )

    def _require_loaded(self, columns: StateColumns) -> None:
        missing = [
            field.name
            for field in (columns.version, columns.stamp)
            if field is not None and field.attname not in self.__dict__
        ]
        if missing:
            names = ", ".join(f'"{name}"' for name in missing)
            raise VersionNotLoaded(
                f"This {self._meta.label} was loaded without {names}, so its write cannot be "
                f"compared with its row. Load them together with what you change: "
                f"{type(self).__name__}.objects.only(…, {names})."
            )

    def _no_state(self, verb: str, using: str) -> VersionNotLoaded:
        name = type(self).__name__
        return VersionNotLoaded(
            f"This {self._meta.label} was not read from the database {using!r}, so it cannot "
            f"{verb} there: it has no state to compare. Read it first: "
            f"{name}.objects.using({using!r}).get(pk={self.pk!r}); or address the row without "
            f"an instance: {name}.objects.using({using!r}).filter(pk={self.pk!r})."
        )

    def _owner_pk(self, columns: StateColumns) -> Any:
        return getattr(self, columns.owner._meta.pk.attname)

    def _guards(self, columns: StateColumns, using: str | None) -> list[Guard]:
        if columns.owner is None:
            return []
        return guards_of(columns.owner, using or "", self._owner_pk(columns))


def _remembering_from_db(cls: Any, *args: Any, **kwargs: Any) -> Any:
    instance = super(StatefulModel, cls).from_db(*args, **kwargs)
    remember(instance)
    return instance


@receiver(class_prepared)
def _give_base_manager(sender: Any, **kwargs: Any) -> None:
    if issubclass(sender, StatefulModel):
        sender._meta.__class__ = VersionedOptions
