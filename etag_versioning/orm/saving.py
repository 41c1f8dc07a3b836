"""
``save()`` and ``delete()`` as compare-and-swap: the state that the instance was read
in, version and timestamp, is in the WHERE of their one statement.

With ``querysets``, ``managers`` and ``expressions``, the only place that touches private
Django API: ``_save_table`` and ``_do_update`` are where Django decides between UPDATE
and INSERT.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models.deletion import Collector
from django.db.models.signals import class_prepared
from django.dispatch import receiver
from django.utils import timezone

from ..exceptions import StaleWriteError, VersionNotLoaded
from ..touching.paths import touches_of
from ..touching.touch import in_transaction
from ..touching.writes import Source, may_touch_by_deletion, touch_for_deletion, touch_for_rows
from .expressions import InState
from .guards import require_matched_rows
from .managers import VersionedManager, name_base_manager, share_objects
from .state import StateColumns, is_unversioned, state_columns
from .swaps import Swap, owner_key, touching_deletion
from .unchanged import forget, remember_key, remember_read, row_key

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
        unversioned_managers: names of managers that are meant to bump no version, so
            that no system check warns of them.
        skip_unchanged: whether a ``save()`` that changes no column leaves the row
            and its state as they are. It still raises when it is stale.
        touches: names of relations, or paths of several with double underscores,
            to the rows that show this one: its writes move their state too.
    """

    tag_label: ClassVar[str | None] = None
    tag_key: ClassVar[str] = "pk"
    unversioned_fields: ClassVar[Collection[str]] = ()
    unversioned_managers: ClassVar[Collection[str]] = ()
    skip_unchanged: ClassVar[bool] = False
    touches: ClassVar[Collection[str]] = ()

    objects = VersionedManager()
    # The base manager of models none of whose managers can be one.
    _versioned_rows = VersionedManager()

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().from_db(*args, **kwargs)
        columns = state_columns(cls)
        if columns.version is not None:
            remember_key(instance, owner_key(instance, columns))
        if cls.skip_unchanged:
            remember_read(instance, columns)
        return instance

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """
        Django's, as compare-and-swap on the row's state.

        Raises:
            StaleWriteError: the row is not in the state that this instance was
                read in. Nothing is written, and the instance and an enclosing
                transaction are what they were.
            VersionNotLoaded: the instance does not say what it is based on.
        """
        given = dict(zip(_SAVE_BASE, args, strict=False)) | kwargs
        names = given.get("update_fields")
        if given.get("raw"):
            return super().save_base(*args, **kwargs)
        if names and is_unversioned(type(self), names):
            super().save_base(*args, **kwargs)
            return forget(self)
        columns = state_columns(type(self))
        using = given.get("using") or router.db_for_write(type(self), instance=self)
        swap = Swap(self, columns, using, names)
        if swap.compares:
            self._require_loaded(columns)
        elif columns.version is not None and (given.get("force_update") or names):
            raise self._no_state("be updated", using)
        with swap.reversible(), swap.known():
            super().save_base(*args, **kwargs)

    save_base.alters_data = True  # type: ignore[attr-defined]

    def _save_table(self, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(_SAVE_TABLE, args, strict=False)) | kwargs
        if given.get("raw"):
            # Fixtures come here past our save_base().
            return self._save_raw_table(given, *args, **kwargs)
        swap = Swap.of(self)
        if swap is None:
            return super()._save_table(*args, **kwargs)  # type: ignore[misc]
        stores = swap.has_new_files()
        with in_transaction(swap.using) if swap.touches or stores else nullcontext():
            if stores:
                swap.lock()
            updated = super()._save_table(*args, **kwargs)  # type: ignore[misc]
            if given["cls"] is self._meta.concrete_model:
                # The model's own table is the last: only now is the whole row written.
                swap.finish(updated)
        return updated

    def _save_raw_table(self, given: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """
        Write one table as it is given, past the comparison: fixtures, reverted revisions.

        A row that is there gets a new state, whatever the instance says: clients may have
        seen later ones. One that is not there yet is inserted with the given state.
        """
        columns, names = state_columns(type(self)), given.get("update_fields")
        free = bool(names) and is_unversioned(type(self), names or ())
        touches = touches_of(type(self)) is not None and not free
        using = given.get("using") or router.db_for_write(type(self), instance=self)
        if free or (columns.owner is None and not touches):
            return super()._save_table(*args, **kwargs)  # type: ignore[misc]
        swap = Swap(self, columns, using, names, raw=True)
        with in_transaction(using), swap.known():
            if touches:
                swap.begin(insert=False)
            for guard in (guards := swap.guards()):
                if guard.enforced and not guard.claimed:
                    guard.lock()
            updated = super()._save_table(*args, **kwargs)  # type: ignore[misc]
            if columns.owner is not None:
                self._bump_raw(columns, using, given["cls"], updated)
            if swap.touch is not None:
                swap.touch.move()
            for guard in guards:
                guard.reread()
        forget(self)
        return updated

    def _bump_raw(self, columns: StateColumns, using: str, table: Any, updated: Any) -> None:
        """Bump the row that holds the state, if it was not written itself, and read it."""
        row: Any = models.QuerySet(columns.owner, using=using).filter(pk=self._owner_pk(columns))
        if table is not columns.owner:
            row.update(**columns.expressions(timezone.now()))
        elif not updated:
            return
        for values in row.values_list(*columns.names):
            vars(self).update(zip(columns.attnames, values, strict=True))

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
        columns = state_columns(type(self))
        owns = base_qs.model is columns.owner
        swap = Swap.of(self) or Swap(self, columns, using, update_fields)
        # With ``select_on_save``, Django would ask a snapshot whether the row is there.
        args = (update_fields, forced_update or swap.compares, *args)
        if swap.raw:
            if owns:
                values = columns.replace(values, columns.expressions(timezone.now()).values())
            return super()._do_update(base_qs, using, pk_val, values, *args)
        if update_fields and is_unversioned(type(self), update_fields):
            return super()._do_update(base_qs, using, pk_val, values, *args)
        if swap.changes_nothing():
            return self._compare_table(swap, base_qs.filter(pk=pk_val), owns)
        after, compares = None, swap.compares
        if owns:
            before = swap.state()
            if before is None:
                return []  # Django inserts it, as another program may have made the row.
            compares = columns.version is not None
            for guard in swap.guards():
                guard.admit(before, self)
            after = columns.after(before)
            if compares:
                base_qs = base_qs.filter(InState(columns, before))
            values = columns.replace(values, [state for state in after if state is not None])
        swap.begin(insert=False)
        result: Any = super()._do_update(base_qs, using, pk_val, values, *args)
        if result:
            swap.written += values
            if after is not None:
                columns.assign(self, after)
                swap.assign_to_parent(before, after)
                swap.bumped = True
        elif compares:
            # Django would INSERT what was deleted.
            require_matched_rows(using)
            raise StaleWriteError(columns.owner, self._owner_pk(columns), using, self)
        return result

    def _compare_table(self, swap: Swap, row: Any, owns: bool) -> Any:
        """Instead of an UPDATE that would change nothing. In a guarded view, it locks the row."""
        columns = swap.columns
        if owns and any(guard.enforced for guard in swap.guards()):
            swap.compare()
            return [()]
        if owns:
            row = row.filter(**columns.conditions(columns.state_of(self)))
        if not row.exists():
            raise StaleWriteError(columns.owner, self._owner_pk(columns), swap.using, self)
        return [()]

    def _do_insert(self, *args: Any, **kwargs: Any) -> Any:
        swap = Swap.of(self)
        if swap is not None and not swap.raw:
            swap.begin(insert=True)
        return super()._do_insert(*args, **kwargs)  # type: ignore[misc]

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """
        Django's, or another base class's, of the state that this instance was read in.

        One DELETE where nothing hangs on the row, and no other class has a ``delete()``
        of its own; otherwise the row is locked first, in the same transaction. Deleting a
        row that is gone deletes nothing, unless a request's precondition names the row.

        Raises:
            StaleWriteError: the row is not in that state; nothing is deleted.
            VersionNotLoaded: the instance does not say what it is based on.
        """
        columns = state_columns(type(self))
        if columns.version is None or not self._is_pk_set():  # type: ignore[attr-defined]
            return super().delete(*args, **kwargs)
        using = _alias(args, kwargs) or router.db_for_write(type(self), instance=self)
        if not self._has_state(using):
            raise self._no_state("be deleted", using)
        self._require_loaded(columns)
        swap = Swap(self, columns, using)
        for guard in swap.guards():
            guard.admit(columns.state_of(self), self)
        if getattr(super().delete, "__func__", None) is not models.Model.delete:
            return self._delete_as_others_do(swap, super().delete, args, kwargs)
        if Collector(using=using, origin=self).can_fast_delete(self):
            return self._delete_row(swap)
        with self._touching_deletion(using), transaction.atomic(using=using):
            return self._delete_by_key(swap, super().delete, args, kwargs)

    delete.alters_data = True  # type: ignore[attr-defined]

    def _delete_row(self, swap: Swap) -> tuple[int, dict[str, int]]:
        """By one statement, which compares."""
        columns, using = swap.columns, swap.using
        state = columns.conditions(columns.state_of(self))
        row: Any = models.QuerySet(type(self), using=using).filter(pk=self.pk, **state)
        with transaction.mark_for_rollback_on_error(using=using):
            count = row._raw_delete(using)
        if not count:
            self._require_gone(swap)
        else:
            for guard in swap.guards():
                guard.removed()
        self.pk = None
        return count, {self._meta.label: count}

    def _delete_by_key(self, swap: Swap, delete: Any, args: Any, kwargs: Any) -> Any:
        """By Django's own ``delete()``, which compares nothing: of a row that is locked."""
        columns, guards, label = swap.columns, swap.guards(), self._meta.label
        stays = _keeps_parents(args, kwargs) and columns.owner is not self._meta.concrete_model
        state, there = columns.state_of(self), self._lock_if_there(swap)
        if stays and there:
            # The parent's row survives without its child, so bump its version.
            parents: Any = models.QuerySet(columns.owner, using=swap.using)
            parents = parents.filter(pk=self._owner_pk(columns))
            parents.update(**columns.expressions(timezone.now()))
        for guard in () if stays or not there else guards:
            # Before, since signals may write other rows when it is gone.
            guard.removed()
        try:
            result = delete(*args, **kwargs)
        except Exception:
            for guard in guards:
                guard.moved(state)
            raise
        for guard in guards if stays else ():
            guard.reread()
        if not there and result[1].get(label):
            # Somebody has made the row again in the meantime.
            raise StaleWriteError(columns.owner, self._owner_pk(columns), swap.using, self)
        return result

    def _delete_as_others_do(self, swap: Swap, delete: Any, args: Any, kwargs: Any) -> Any:
        """By another base class's ``delete()``, which may hide the row: of a row that is locked."""
        with transaction.atomic(using=swap.using):
            if swap.touches:
                # What the row shows up in is locked before the row, whatever is written.
                touch_for_rows([Source(type(self), [self.pk])], swap.using, compared=True)
            there, guards = self._lock_if_there(swap), swap.guards()
            result = delete(*args, **kwargs)
            for guard in guards if there else ():
                if not guard.deleted:
                    guard.reread()
        return result

    def _lock_if_there(self, swap: Swap) -> bool:
        """Lock the row in its state; ``False`` if it is gone, and no precondition names it."""
        try:
            swap.compare()
        except StaleWriteError:
            self._require_gone(swap)
            return False
        return True

    def _require_gone(self, swap: Swap) -> None:
        """Raise unless the row is gone. Who names a state in a request wants that state."""
        columns, key = swap.columns, self._owner_pk(swap.columns)
        rows: Any = models.QuerySet(columns.owner, using=swap.using).filter(pk=key)
        if any(guard.enforced for guard in swap.guards()) or rows.exists():
            raise StaleWriteError(columns.owner, key, swap.using, self)

    @contextmanager
    def _touching_deletion(self, using: str) -> Iterator[None]:
        """Touch what the row shows up in before it is locked, and not again with its cascades."""
        if not may_touch_by_deletion(type(self)):
            yield
            return
        with in_transaction(using):
            touch = touch_for_deletion(self, using)
            with touching_deletion(self, touch.done):
                yield
            touch.move()

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        columns = state_columns(type(self))
        if columns.version is not None:
            remember_key(self, self._owner_pk(columns))
        forget(self)

    refresh_from_db.alters_data = True  # type: ignore[attr-defined]

    def _has_state(self, using: str) -> bool:
        """Whether the instance was read from, or saved to, the database it goes to."""
        known = self._state.db
        return (
            not self._state.adding
            and self._is_pk_set()  # type: ignore[attr-defined]
            and self._has_its_key()
            # Read from a replica counts: the router says where it is written.
            and (known == using or router.db_for_write(type(self), instance=self) == using)
        )

    def _has_its_key(self) -> bool:
        """Whether the key is still the one of the row that was read: another makes a new row."""
        known, columns = row_key(self), state_columns(type(self))
        if known is None or columns.owner is None:
            return True
        key = self._owner_pk(columns)
        if key == known:
            return True
        try:
            return bool(columns.owner._meta.pk.to_python(key) == known)
        except ValidationError:
            return False

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
        columns.require_usable(self)

    def _no_state(self, verb: str, using: str) -> VersionNotLoaded:
        name = type(self).__name__
        return VersionNotLoaded(
            f"This {self._meta.label} was not read from the database {using!r}, so it cannot "
            f"{verb} there: it has no state to compare. Read it first: "
            f"{name}.objects.using({using!r}).get(pk={self.pk!r}); or address the row without "
            f"an instance: {name}.objects.using({using!r}).filter(pk={self.pk!r})."
        )

    def _owner_pk(self, columns: StateColumns) -> Any:
        return owner_key(self, columns)


# The parameters of Django's methods that can be given by position.
_SAVE_BASE = ("raw", "force_insert", "force_update", "using", "update_fields")
_SAVE_TABLE = ("raw", "cls", "force_insert", "force_update", "using", "update_fields")


def _alias(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """The database that a ``delete()`` names; another class's may have other parameters."""
    given = kwargs.get("using") or (args[0] if args else None)
    return given if isinstance(given, str) else None


def _keeps_parents(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return bool(args[1] if len(args) > 1 else kwargs.get("keep_parents"))


@receiver(class_prepared)
def _prepare_managers(sender: Any, **kwargs: Any) -> None:
    if issubclass(sender, StatefulModel) and not sender._meta.swapped:
        share_objects(sender, StatefulModel)
        name_base_manager(sender)
