"""
Models whose rows carry their version, and whose writes are compare-and-swap.

``save()`` and ``delete()`` put the state that the instance was read in, version
and stamp, into the WHERE of their one statement. The only module that touches
private Django API, all of it in ``StatefulModel``: ``_save_table`` and
``_do_update`` are where Django decides between UPDATE and INSERT.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

from django.db import connections, models, router, transaction
from django.db.models.deletion import Collector
from django.db.models.lookups import Exact
from django.utils import timezone

from .columns import StateColumns, state_columns
from .exceptions import StaleWriteError, VersionNotLoaded
from .fields import UpdatedAtField, VersionField
from .guards import Guard, State, guards_of, lock_state

__all__ = [
    "UpdatedAtMixin",
    "VersionMixin",
    "VersionedManager",
    "VersionedModel",
    "VersionedQuerySet",
]


class VersionedQuerySet(models.QuerySet[Any]):
    """A query set whose ``update()`` moves the state of every row that it changes."""

    def update(self, **kwargs: Any) -> int:
        """
        Like Django's, in the same one statement, and version and stamp move too.

        Raises:
            StaleWriteError: in a guarded view, the row that the request names is
                no longer in the state that it names.
        """
        self._for_write = True
        columns = state_columns(self.model)  # type: ignore[arg-type]
        now = timezone.now()
        moves = columns.expressions(now)
        # Last, since MariaDB and MySQL assign from left to right.
        values = kwargs | {name: moves[name] for name in moves.keys() - kwargs.keys()}
        guards = guards_of(columns.owner, self.db)
        if not guards:
            return super().update(**values)
        with self._claimed(guards):
            count = super().update(**values)
            for guard in guards if count else ():
                if not guard.enforced:
                    guard.moved(None)
                elif guard.claimed and guard.state and self._is_only(guard, count, kwargs):
                    guard.moved(columns.after(guard.state, now))
                else:
                    guard.reread()
        return count

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        """
        Like Django's.

        Raises:
            StaleWriteError: as for ``update()``.
        """
        self._for_write = True
        guards = guards_of(state_columns(self.model).owner, self.db)  # type: ignore[arg-type]
        if not guards:
            return super().delete()
        with self._claimed(guards):
            result = super().delete()
            for guard in guards:
                if guard.enforced:
                    guard.reread()
                else:
                    guard.moved(None)
        return result

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    @contextmanager
    def _claimed(self, guards: list[Guard]) -> Iterator[None]:
        """Have every guarded row locked in a state that its guard admits."""
        unclaimed = [guard for guard in guards if guard.enforced and not guard.claimed]
        if not unclaimed:
            yield
            return
        with transaction.atomic(using=self.db):
            for guard in unclaimed:
                guard.lock()
            yield

    def _is_only(self, guard: Guard, count: int, values: dict[str, Any]) -> bool:
        """Whether the one row that was written is the guarded one, and moved by us."""
        where = self.query.where
        return (
            count == 1
            and values.keys().isdisjoint(guard.columns)
            and where.connector == "AND"
            and not where.negated
            and any(
                isinstance(condition, Exact)
                and getattr(getattr(condition.lhs, "target", None), "primary_key", False)
                and condition.rhs == guard.pk
                for condition in where.children
            )
        )


VersionedManager = models.Manager.from_queryset(VersionedQuerySet, "VersionedManager")


class _Swap:
    """One ``save()`` on its way: which columns, and the state it has reached."""

    def __init__(self, columns: StateColumns, compares: bool) -> None:
        self.columns = columns
        # Whether every table's row must be there, in the state that is known.
        self.compares = compares
        self.after: State | None = None


class StatefulModel(models.Model):
    """
    The compare-and-swap that the mixins below share.

    Attributes:
        tag_label: what the tags of this model's rows begin with; the model's
            name where it is ``None``.
        tag_key: the name of the field that stands for the row in its tags.
    """

    tag_label: ClassVar[str | None] = None
    tag_key: ClassVar[str] = "pk"

    objects = VersionedManager()

    class Meta:
        abstract = True

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
        compares = False
        if columns.version is not None and not raw and not force_insert:
            if self._has_state(using):
                self._require_loaded(columns)
                compares = True
            elif force_update or update_fields:
                raise self._no_state("be updated", using)
            else:
                force_insert = (columns.owner,) if self._meta.parents else True
        connection = connections[using]
        needed_rollback = connection.needs_rollback
        outer = self._state.__dict__.get("swap")
        self._state.swap = None if raw else _Swap(columns, compares)  # type: ignore[attr-defined]
        try:
            with self._savepoint(columns, using):
                super().save_base(raw, force_insert, force_update, using, update_fields)
        except StaleWriteError as error:
            # Django has marked the enclosing transaction as broken, though
            # nothing failed in the database and nothing was written.
            if error.instance is self and connection.in_atomic_block:
                connection.needs_rollback = needed_rollback
            raise
        finally:
            if outer is None:
                del self._state.swap  # type: ignore[attr-defined]
            else:
                self._state.swap = outer  # type: ignore[attr-defined]

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
        updated = super()._save_table(  # type: ignore[misc]
            raw, cls, force_insert, force_update, using, update_fields
        )
        # The model's own table is the last: only now has the whole row moved.
        if swap is not None and swap.after is not None and cls is self._meta.concrete_model:
            swap.columns.assign(self, swap.after)
            for guard in self._guards(swap.columns, using):
                guard.moved(swap.after)
        return updated

    def _do_update(  # type: ignore[override]  # Django 6.0 added a parameter.
        self, base_qs: Any, using: str, pk_val: Any, values: Any, *args: Any
    ) -> Any:
        swap = self._state.__dict__.get("swap")
        if swap is None:
            return super()._do_update(base_qs, using, pk_val, values, *args)
        columns, after = swap.columns, None
        if base_qs.model is columns.owner:
            before = columns.state_of(self)
            after = columns.after(before)
            for guard in self._guards(columns, using):
                guard.admit(before, self)
            base_qs = base_qs.filter(**columns.conditions(before))
            values = columns.replace(values, after)
        result = super()._do_update(base_qs, using, pk_val, values, *args)
        if result:
            swap.after = after or swap.after
        elif swap.compares:
            # Django would INSERT what was deleted.
            raise StaleWriteError(columns.owner, self._owner_pk(columns), using, self)
        return result

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
        for guard in self._guards(columns, using):
            guard.admit(state, self)
        if Collector(using=using, origin=self).can_fast_delete(self):
            rows: Any = models.QuerySet(type(self), using=using)
            with transaction.mark_for_rollback_on_error(using=using):
                count = rows.filter(pk=pk, **columns.conditions(state))._raw_delete(using)
            if not count:
                raise StaleWriteError(columns.owner, pk, using, self)
            self.pk = None
            return count, {self._meta.label: count}
        with transaction.atomic(using=using):
            lock_state(columns.owner, using, pk, columns.names, state, self)
            return super().delete(using=using, keep_parents=keep_parents)

    delete.alters_data = True  # type: ignore[attr-defined]

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
        return guards_of(columns.owner, using or "", self._owner_pk(columns))

    def _savepoint(self, columns: StateColumns, using: str) -> Any:
        """
        A savepoint where a table is written before the one that is compared.

        Of the tables of an inheritance chain, Django writes the parents' first.
        """
        first = self._meta.concrete_model
        while first is not None and first._meta.parents:
            first = next(iter(first._meta.parents))
        if first is columns.owner or not connections[using].in_atomic_block:
            return nullcontext()
        return transaction.atomic(using=using)


class VersionMixin(StatefulModel):
    """
    Adds ``version``, which every write raises, and compare-and-swap on it.

    >>> class Page(VersionMixin):
    ...     title = models.CharField(max_length=100)
    ...     class Meta:
    ...         app_label = "doctest"
    >>> Page(title="Home").version
    1

    With a version alone, a row that is deleted and made again under the same key
    can repeat a tag; ``VersionedModel`` cannot.
    """

    version = VersionField()

    class Meta:
        abstract = True


class UpdatedAtMixin(StatefulModel):
    """
    Adds ``updated_at``, which every write moves, for Last-Modified. Alone, it
    compares nothing: dates cannot guard a write.
    """

    updated_at = UpdatedAtField()

    class Meta:
        abstract = True


class VersionedModel(VersionMixin, UpdatedAtMixin):
    """
    ``version`` and ``updated_at`` together: what tags are made of.

    Other names for the columns::

        class Page(VersionedModel):
            version = None
            row_version = VersionField()
    """

    class Meta:
        abstract = True
