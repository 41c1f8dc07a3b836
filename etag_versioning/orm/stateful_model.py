"""
The base of the model mixins: it overrides the methods of ``Model`` by which Django reads and
writes a row. The save itself is in ``compare_and_swap``, the deletion in ``deletions``.

Django decides between UPDATE and INSERT in ``_save_table()`` and ``_do_update()``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from asgiref.sync import sync_to_async
from django.db import models, router
from django.db.models.signals import class_prepared
from django.dispatch import receiver

from ..conf import settings
from ..touching.instances import touch_instance
from .active_saves import active_save
from .compare_and_swap import Swap
from .deletions import Deletion
from .instances import remember_key
from .managers import VersionedManager, name_base_manager, share_objects
from .raw_saves import RawSave
from .stale_writes import remembers_columns
from .state_columns import state_columns
from .unchanged import remember_read

__all__ = ["StatefulModel"]

if TYPE_CHECKING:
    from .manager_types import WithVersionedObjects

    class _Model(models.Model, metaclass=WithVersionedObjects):
        class Meta:
            abstract = True

else:
    _Model = models.Model


class StatefulModel(_Model):
    """
    The options and the compare-and-swap of all mixins.

    Attributes:
        tag_label: the beginning of the tags of this model's rows; ``None`` for the model's
            name.
        tag_key: the name of the field that stands for the row in its tags.
        unversioned_fields: names of fields that no client sees. A ``save()`` or ``update()``
            of these fields alone neither compares nor bumps the row.
        unversioned_managers: names of managers that bump no version on purpose, so that no
            system check warns about them.
        skip_unchanged: whether a ``save()`` that changes no column leaves the row and its
            state unchanged. It still raises if it is stale.
        stale_writes: the effect of a ``save()`` or ``delete()`` whose row was changed or
            deleted since the instance was read. "raise": ``StaleWriteError``. "report": it
            writes, and is logged. "merge": a ``save()`` writes if nobody else has changed the
            same columns. ``None``: the setting ``STALE_WRITES``, by default "raise". For a row
            that a request's If-Match names, it always raises.
        touches: names of relations to the rows that show this one, or paths of relations with
            double underscores: a write of this row bumps them too.
    """

    tag_label: ClassVar[str | None] = None
    tag_key: ClassVar[str] = "pk"
    unversioned_fields: ClassVar[Collection[str]] = ()
    unversioned_managers: ClassVar[Collection[str]] = ()
    skip_unchanged: ClassVar[bool] = False
    stale_writes: ClassVar[str | None] = None
    touches: ClassVar[Collection[str]] = ()

    if not TYPE_CHECKING:
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
            # As remember_key() does, which would cost each row that is read another call.
            instance._state.row_key = getattr(instance, columns.key)  # type: ignore[attr-defined]
            if cls.skip_unchanged or (cls.stale_writes or settings.stale_writes) == "merge":
                remember_read(instance, columns)
        return instance

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """
        Django's, as compare-and-swap on the row's state.

        Raises:
            StaleWriteError: the row is not in the state that this instance was
                read in. Nothing is written, and the instance and an enclosing
                transaction are what they were. With ``force_update`` or ``update_fields``,
                it is a ``NotUpdated`` of the model as well (Django 5.2: a ``DatabaseError``).
            VersionNotLoaded: the instance does not say what it is based on.
        """
        given = dict(zip(_SAVE_BASE, args, strict=False)) | kwargs if args else kwargs
        if given.get("raw"):
            return super().save_base(*args, **kwargs)
        using = given.get("using") or router.db_for_write(type(self), instance=self)
        with Swap(self, using, given.get("update_fields"), given.get("force_update")):
            super().save_base(*args, **kwargs)

    save_base.alters_data = True  # type: ignore[attr-defined]

    def _save_table(self, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(_SAVE_TABLE, args, strict=False)) | kwargs if args else kwargs
        save: Any = super()._save_table  # type: ignore[misc]
        if given.get("raw"):
            # Fixtures come here past our save_base().
            return RawSave(self, given).save_table(save, args, kwargs)
        swap = active_save(self)
        return save(*args, **kwargs) if swap is None else swap.save_table(given, save, args, kwargs)

    def _do_update(  # type: ignore[override]  # Django 6.0 added a parameter.
        self,
        base_qs: Any,
        using: str,
        pk_val: Any,
        values: Any,
        update_fields: Any,
        forced_update: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        update: Any = super()._do_update
        swap = active_save(self) or Swap(self, using, update_fields, forced_update)
        # With ``select_on_save``, Django would ask a snapshot whether the row is there.
        args = (update_fields, forced_update or swap.compares, *args)
        return swap.update_table(
            base_qs,
            pk_val,
            values,
            lambda rows, values: update(rows, using, pk_val, values, *args, **kwargs),
        )

    def _do_insert(self, *args: Any, **kwargs: Any) -> Any:
        insert: Any = super()._do_insert  # type: ignore[misc]
        swap = active_save(self)
        return insert(*args, **kwargs) if swap is None else swap.insert(insert, args, kwargs)

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
        if not self._is_pk_set():  # type: ignore[attr-defined]
            return super().delete(*args, **kwargs)  # It raises.
        return Deletion(self, super().delete, args, kwargs).run()

    delete.alters_data = True  # type: ignore[attr-defined]

    def touch(self, using: str | None = None) -> None:
        """
        Bump the row's version and timestamp, and what ``touches`` names, without another write:
        for what ``touches`` cannot follow, such as a generic foreign key or raw SQL.

        Args:
            using: the database alias; the one that the row is written to where it is ``None``.

        Raises:
            StaleWriteError: the row is not in the state that this instance was read in.
            VersionNotLoaded: the instance does not say what it is based on.

        Example::

            comment.content_object.touch()
        """
        using = using or router.db_for_write(type(self), instance=self)
        touch_instance(self, using)

    touch.alters_data = True  # type: ignore[attr-defined]

    async def atouch(self, using: str | None = None) -> None:
        """``touch()`` for asynchronous code."""
        await sync_to_async(self.touch)(using)

    atouch.alters_data = True  # type: ignore[attr-defined]

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        remember_key(self, state_columns(type(self)))
        given = args[1] if len(args) > 1 else kwargs.get("fields")
        if remembers_columns(type(self)):
            remember_read(self, state_columns(type(self)), given)

    refresh_from_db.alters_data = True  # type: ignore[attr-defined]


# The parameters of Django's methods that can be given by position.
_SAVE_BASE = ("raw", "force_insert", "force_update", "using", "update_fields")
_SAVE_TABLE = ("raw", "cls", "force_insert", "force_update", "using", "update_fields")


@receiver(class_prepared)
def _prepare_managers(sender: Any, **kwargs: Any) -> None:
    if issubclass(sender, StatefulModel) and not sender._meta.swapped:
        share_objects(sender, StatefulModel)
        name_base_manager(sender)
