"""Writes of many rows at once, each in the one statement that Django makes of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

from django.db import connections, models, transaction
from django.db.models import sql
from django.db.models.constants import OnConflict
from django.db.models.deletion import Collector
from django.db.models.lookups import Exact
from django.utils import timezone

from ..exceptions import StaleWriteError
from ..touching.deletions import delete_collected, may_touch_by_cascade
from ..touching.paths import touches_of
from ..touching.touch import Touch, in_transaction, note_created
from ..touching.writes import touch_for_batch, touch_for_create, touch_for_update
from .expressions import InStates, MovingInsertQuery
from .guards import Guard, guards_of
from .instances import has_state, owner_key, require_loaded
from .state import StateColumns, is_unversioned, state_columns
from .unchanged import forget
from .write_options import note_update, set_write_options, write_options

__all__ = ["VersionedQuerySet"]


class VersionedQuerySet(models.QuerySet[Any]):
    """A queryset whose writes bump the version of every row that they change."""

    @property
    def _columns(self) -> StateColumns:
        model: Any = self.model
        return state_columns(model)

    def unversioned(self) -> Self:
        """
        A queryset whose ``update()`` and ``bulk_update()`` neither compare nor
        move: for what no client sees, like ``last_seen``.
        """
        clone: Self = self.all()
        set_write_options(clone, bumps=False)
        return clone

    def expect(self, **state: Any) -> Self:
        """
        Compare-and-swap without loading the row: ``update()`` and ``delete()``
        raise unless they find a row in this state.

        Args:
            state: the version and, if wanted, the timestamp, by their fields' names.

        Example::

            User.objects.filter(pk=7).expect(version=3).update(name="Ada")
        """
        columns = self._columns
        if columns.version is None or columns.version.name not in state:
            raise TypeError("expect() needs the version: .expect(version=3).")
        if unknown := state.keys() - set(columns.names):
            raise TypeError(f"expect() takes {columns.names}, and not {sorted(unknown)}.")
        clone = self.filter(**state)
        set_write_options(clone, expected=state)
        return clone

    def update(self, **kwargs: Any) -> int:
        """
        Like Django's, in the same one statement, and version and timestamp move too.

        Raises:
            StaleWriteError: no row is in the state that ``expect()`` names; or,
                in a guarded view, the row that the request names is no longer in
                the state that it names.
        """
        if not kwargs or self.query.is_sliced:
            return super().update(**kwargs)
        if (chunk := write_options(self).chunk) is not None:
            condition, now = chunk
            return self.filter(condition)._update_moving(kwargs, now)
        with self._touching_rows(kwargs) as rows:
            return rows._update_moving(kwargs, timezone.now())

    update.alters_data = True  # type: ignore[attr-defined]

    def _update_moving(self, kwargs: dict[str, Any], now: datetime) -> int:
        self._for_write = True
        columns = self._columns
        if write_options(self).expected is not None and self._has_other_tables():
            with transaction.atomic(using=self.db):
                return self._lock_expected()._update_moving(kwargs, now)
        if not self._will_move(kwargs):
            return self._found(super().update(**kwargs))
        note_update(now)
        moves = columns.expressions(now)
        # Last, since MariaDB and MySQL assign from left to right.
        values = kwargs | {name: moves[name] for name in moves.keys() - kwargs.keys()}
        guards = guards_of(columns.owner, self.db)
        with self._locking_guarded(guards):
            count = self._found(super().update(**values))
            for guard in guards if count else ():
                if guard.locked and guard.state and self._is_only(guard, count, kwargs):
                    guard.note_bump(columns.after(guard.state, now))
                else:
                    guard.reread()
        return count

    def _found(self, count: int) -> int:
        """The count of rows, of which ``expect()`` wants at least one."""
        if not count and write_options(self).expected is not None:
            raise StaleWriteError(self._columns.owner, None, self.db)
        return count

    def _has_other_tables(self) -> bool:
        """Whether Django looks for the rows first, and then updates by key alone."""
        return bool(self.model._meta.parents) or len(self.query.alias_map) > 1

    def _lock_expected(self) -> VersionedQuerySet:
        """The rows by key alone, locked in the state that ``expect()`` names."""
        owner, state = self._columns.owner, write_options(self).expected or {}
        keys = set(self.order_by().values_list(owner._meta.pk.name, flat=True))
        rows: Any = models.QuerySet(owner, using=self.db).filter(pk__in=keys, **state)
        version = self._columns.version.name
        if not keys or rows.update(**{version: models.F(version)}) != len(keys):
            raise StaleWriteError(owner, None, self.db)
        return self._all_rows().filter(**{f"{owner._meta.pk.name}__in": keys})

    def _all_rows(self) -> Self:
        """This queryset without its conditions; a subclass's attributes and its Query stay."""
        rows: Self = self.using(self.db)
        options = write_options(self)
        rows.query = type(self)(self.model, using=self.db).query
        set_write_options(rows, bumps=options.bumps, touched=options.touched)
        return rows

    def delete(self) -> tuple[int, dict[str, int]]:
        """
        Like Django's.

        Raises:
            StaleWriteError: as for ``update()``.
        """
        self._for_write = True
        if write_options(self).expected is not None:
            with self._touching_rows({}) as rows, transaction.atomic(using=self.db):
                return rows._lock_expected()._delete_guarded()
        return self._delete_guarded()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _delete_guarded(self) -> tuple[int, dict[str, int]]:
        guards = guards_of(self._columns.owner, self.db)
        if not guards:
            return self._delete_collected()
        with transaction.atomic(using=self.db), self._locking_guarded(guards):
            result = self._delete_collected()
            for guard in guards if result[0] else ():
                guard.reread()
        return result

    def _delete_collected(self) -> tuple[int, dict[str, int]]:
        """By Django's own way with a collector that we know, if the rows may touch others."""
        delete: Any = super().delete
        model: Any = self.model
        takes_all = not (self.query.is_sliced or self.query.distinct_fields or self._fields)  # type: ignore[attr-defined]
        if (
            delete.__func__ is not _DJANGOS_DELETE
            or not takes_all
            or self.query.combinator
            or not may_touch_by_cascade(model)
        ):
            return delete()
        collector = Collector(using=self.db, origin=self)
        collector.collect(self.all().order_by().select_related(None))
        result = delete_collected(collector, write_options(self).touched)
        self._result_cache = None
        return result

    def bulk_update(
        self, objs: Iterable[Any], fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> int:
        """
        Like Django's, as compare-and-swap for the whole batch. Instances that
        were not read from this database are written without comparing; those
        that the queryset's filters leave out are not written.

        Raises:
            StaleWriteError: some rows are not in the state in which the instances
                were read; its ``pk`` lists their keys. Nothing is written.
            VersionNotLoaded: an instance does not say what it is based on.
            ValueError: two of the instances are the same row.
        """
        self._for_write = True
        columns, objs = self._columns, tuple({id(obj): obj for obj in objs}.values())
        if columns.version is None or not write_options(self).bumps:
            return self._bulk_update_plainly(objs, fields, *args, **kwargs)
        names = [name for name in fields if name not in columns.names]
        if is_unversioned(self.model, names):
            return self._bulk_update_plainly(objs, names, *args, **kwargs)
        batch_size = args[0] if args else kwargs.get("batch_size")
        if batch_size is not None and batch_size <= 0:
            return super().bulk_update(objs, names, *args, **kwargs)  # It raises.
        known = [obj for obj in objs if has_state(obj, self.db)]
        by_hand = [obj for obj in objs if not has_state(obj, self.db)]
        for obj in known:
            require_loaded(obj, columns)
        if len({obj.pk for obj in known}) < len(known):
            raise ValueError("bulk_update() was given two instances of the same row.")
        if known and (self.query.where or self.query.is_sliced):
            found = set(self.filter(pk__in=[obj.pk for obj in known]).values_list("pk", flat=True))
            known = [obj for obj in known if obj.pk in found]
        if not known:
            return super().bulk_update(by_hand, names, *args, **kwargs)
        states = {owner_key(obj, columns): columns.state_of(obj) for obj in known}
        count = 0
        try:
            with (
                self._touching(touch_for_batch, known, self.db, names),
                transaction.atomic(using=self.db),
            ):
                if by_hand:
                    count = super().bulk_update(by_hand, names, *args, **kwargs)
                chunks = self._chunks(known, names, columns, batch_size)
                moved = [self._swap(chunk, names, columns) for chunk in chunks]
        except _StaleChunk as stale:
            keys = self._stale(columns, {pk: states[pk] for pk in stale.keys})
            raise StaleWriteError(columns.owner, keys or stale.keys, self.db) from None
        for chunk in moved:
            for obj, state in chunk:
                columns.assign(obj, state)
        return count + len(known)

    bulk_update.alters_data = True  # type: ignore[attr-defined]

    def _bulk_update_plainly(self, objs: Any, *args: Any, **kwargs: Any) -> int:
        count = super().bulk_update(objs, *args, **kwargs)
        for obj in objs:
            forget(obj)
        return count

    def _chunks(
        self, objs: list[Any], names: list[str], columns: StateColumns, batch_size: int | None
    ) -> Iterator[list[Any]]:
        """As many objects at a time as the database takes parameters for."""
        meta = self.model._meta
        parameters = [
            *(meta.pk_fields * 3),
            *(meta.get_field(name) for name in (*names, *columns.names)),
        ]
        size = connections[self.db].ops.bulk_batch_size(parameters, objs)
        size = max(1, min(size, batch_size) if batch_size else size)
        for start in range(0, len(objs), size):
            yield objs[start : start + size]

    def _swap(
        self, objs: list[Any], names: list[str], columns: StateColumns
    ) -> list[tuple[Any, Any]]:
        """Write one chunk; returns each object with the state that its row has now."""
        now = timezone.now()
        states = {owner_key(obj, columns): columns.state_of(obj) for obj in objs}
        after = {pk: columns.after(state, now) for pk, state in states.items()}
        condition = InStates(columns, states)
        # The conditions of the queryset have been asked; joins would lose the comparison.
        rows = self._all_rows()
        if self.model._meta.parents:
            # Django updates several tables by key: the comparison comes first.
            owners = VersionedQuerySet(columns.owner, using=self.db).filter(condition)
            count = owners._update_moving({}, now)
            set_write_options(rows, bumps=False)
            super(VersionedQuerySet, rows).bulk_update(objs, names, batch_size=len(objs))
        else:
            set_write_options(rows, chunk=(condition, now))
            count = super(VersionedQuerySet, rows).bulk_update(objs, names, batch_size=len(objs))
        if count != len(states):
            raise _StaleChunk(list(states))
        return [(obj, after[owner_key(obj, columns)]) for obj in objs]

    def _stale(self, columns: StateColumns, states: dict[Any, Any]) -> list[Any]:
        """The keys of rows in other states; none where the transaction cannot see them."""
        rows: Any = models.QuerySet(columns.owner, using=self.db).filter(pk__in=list(states))
        now = {pk: tuple(state) for pk, *state in rows.values_list("pk", *columns.names)}
        return [pk for pk, state in states.items() if now.get(pk) != state[: len(columns.names)]]

    def create(self, **kwargs: Any) -> Any:
        created = super().create(**kwargs)
        if self._hints:  # type: ignore[attr-defined]
            note_created(created)
        return created

    create.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """
        Like Django's. With ``update_conflicts``, the rows that were there already
        bump their versions in the same statement. With ``ignore_conflicts``, nobody
        knows which rows are new: an instance whose row was there is stale.
        """
        objs, columns = list(objs), self._columns
        # What the caller gave, by name.
        given = _BULK_CREATE.bind(self, objs, *args, **kwargs).arguments
        options = {name: given[name] for name in given if name not in ("self", "objs")}
        update_fields = options.get("update_fields") or ()
        updates = bool(options.get("update_conflicts") and update_fields)
        if updates and self._will_move(update_fields):
            others = (name for name in update_fields if name not in columns.names)
            options["update_fields"] = [*others, *columns.names]
        updates = updates and not is_unversioned(self.model, update_fields)
        unique_fields = options.get("unique_fields")
        with self._touching(touch_for_create, self, objs, updates, unique_fields):
            created = super().bulk_create(objs, **options)
        if options.get("ignore_conflicts") and columns.version and not columns.timestamp:
            # Without a timestamp, an old row can look like the new one. No row has version 0.
            for obj in created:
                setattr(obj, columns.version.attname, 0)
        return created

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def _insert(self, objs: Any, fields: Any, *args: Any, **kwargs: Any) -> Any:
        names = [field.name for field in kwargs.get("update_fields") or ()]
        if kwargs.get("on_conflict") is not OnConflict.UPDATE or not self._will_move(names):
            return super()._insert(objs, fields, *args, **kwargs)  # type: ignore[misc]
        given = dict(zip(_INSERT, args, strict=False)) | kwargs
        returning, raw, using = (given.pop(name, None) for name in _INSERT)
        self._for_write = True
        query: sql.InsertQuery = MovingInsertQuery(self.model, self._columns, **given)
        query.insert_values(fields, objs, raw=bool(raw))
        return query.get_compiler(using=using or self.db).execute_sql(returning)

    _insert.alters_data = True  # type: ignore[attr-defined]
    _insert.queryset_only = False  # type: ignore[attr-defined]

    def _will_move(self, names: Iterable[str]) -> bool:
        """Whether a write of these fields moves the state of its rows."""
        moves = write_options(self).bumps and not is_unversioned(self.model, names)
        return moves and bool(self._columns.names)

    def _touches(self) -> bool:
        """Whether a write of these rows moves others, and they are not seen to already."""
        model: Any = self.model
        if touches_of(model) is None:
            return False
        options = write_options(self)
        return options.bumps and options.touched is None

    @contextmanager
    def _touching(self, lock: Callable[..., Touch], *args: Any) -> Iterator[None]:
        """Move what shows the rows that the block writes; ``lock`` finds it, and locks it."""
        if not self._touches():
            yield
            return
        self._for_write = True
        with in_transaction(self.db):
            touch = lock(*args)
            yield
            touch.move()

    @contextmanager
    def _touching_rows(self, values: dict[str, Any]) -> Iterator[VersionedQuerySet]:
        """The same for these rows, which the block is given, and new values of theirs."""
        if not self._touches() or is_unversioned(self.model, values):
            yield self
            return
        self._for_write = True
        with in_transaction(self.db):
            rows, touch = touch_for_update(self, values)
            set_write_options(rows, touched=touch.done)
            yield rows
            touch.move()

    @contextmanager
    def _locking_guarded(self, guards: list[Guard]) -> Iterator[None]:
        """Have every guarded row locked in a state that its guard admits."""
        unlocked = [guard for guard in guards if guard.enforced and not guard.locked]
        if not unlocked:
            yield
            return
        with transaction.atomic(using=self.db):
            for guard in unlocked:
                guard.lock()
            yield

    def _is_only(self, guard: Guard, count: int, values: Collection[str]) -> bool:
        """Whether the one row that was written is the guarded one, and moved by us."""
        where = self.query.where
        return (
            count == 1
            and set(values).isdisjoint(guard.row.columns.names)
            and where.connector == "AND"
            and not where.negated
            and any(
                isinstance(condition, Exact)
                and getattr(getattr(condition.lhs, "target", None), "primary_key", False)
                and condition.rhs == guard.row.pk
                for condition in where.children
            )
        )


class _StaleChunk(Exception):
    """Leads out of the transaction, after which the stale rows can be told."""

    def __init__(self, keys: list[Any]) -> None:
        self.keys = keys


# The parameters of Django's _insert() that can be given by position.
_INSERT = ("returning_fields", "raw", "using")
# Not what another app may put in its place later.
_DJANGOS_DELETE = models.QuerySet.delete
_BULK_CREATE = inspect.signature(models.QuerySet.bulk_create)
