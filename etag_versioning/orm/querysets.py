"""Writes of many rows at once, each in the one statement that Django makes of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections, models, transaction
from django.db.models import sql
from django.db.models.constants import OnConflict
from django.db.models.deletion import Collector
from django.db.models.lookups import Exact
from django.utils import timezone

from ..exceptions import StaleWriteError
from ..touching.deletions import delete_collected, may_touch_by_cascade
from ..touching.touch import Touch, keep_current, touching
from ..touching.writes import touch_for_batch, touch_for_create, touch_for_update
from .expressions import BumpingInsertQuery, InStates
from .guards import Guard, guards_of
from .instances import has_state, owner_key, require_loaded
from .stale_writes import stale_writes, write_batch
from .state_columns import StateColumns, is_unversioned, state_columns
from .unchanged import forget
from .write_options import note_update, set_write_options, touches_others, write_options

__all__ = ["VersionedQuerySet"]


_Model = TypeVar("_Model", bound=models.Model, covariant=True)


class VersionedQuerySet(models.QuerySet[_Model]):
    """A queryset whose writes bump the version of every row that they change."""

    def unversioned(self) -> Self:
        """
        A queryset whose ``update()`` and ``bulk_update()`` neither compare nor
        bump: for what no client sees, like ``last_seen``.
        """
        clone: Self = self.all()
        set_write_options(clone, bumps=False)
        return clone

    def expect(self, **state: Any) -> Self:
        """
        Compare-and-swap without loading the row: ``update()``, ``touch()`` and ``delete()``
        raise unless they find a row in this state.

        Args:
            state: the version and, if wanted, the timestamp, by their fields' names.

        Raises:
            TypeError: the version is missing, or a name is none of the state's.

        Example::

            User.objects.filter(pk=7).expect(version=3).update(name="Ada")
        """
        columns = _columns(self)
        if columns.version is None or columns.version.name not in state:
            raise TypeError("expect() needs the version: .expect(version=3).")
        if unknown := state.keys() - set(columns.names):
            raise TypeError(f"expect() takes {columns.names}, and not {sorted(unknown)}.")
        clone = self.filter(**state)
        set_write_options(clone, expected=state)
        return clone

    def update(self, **kwargs: Any) -> int:
        """
        Like Django's, in the same one statement, which also bumps version and timestamp.

        Raises:
            StaleWriteError: no row is in the state that ``expect()`` names; or,
                in a guarded view, the row that the request names is no longer in
                the state that it names.
        """
        if not kwargs or self.query.is_sliced:
            return super().update(**kwargs)
        if (chunk := write_options(self).chunk) is not None:
            condition, now = chunk
            return _update(self.filter(condition), kwargs, now)
        with _touching_rows(self, kwargs) as rows:
            count = _update(rows, kwargs, timezone.now())
        self._result_cache = None  # As Django's update() does; ``rows`` may be a clone.
        return count

    update.alters_data = True  # type: ignore[attr-defined]

    def touch(self) -> int:
        """
        Bump the version and the timestamp of these rows, and what they touch, without another
        write: for what ``touches`` cannot follow, such as a generic foreign key or raw SQL.

        Returns:
            The number of rows. Those of a model without a version only touch others.

        Raises:
            StaleWriteError: as for ``update()``.

        Example::

            Recipe.objects.filter(pk__in=changed).touch()
        """
        if self.query.is_sliced or self.query.combinator:
            return super().update()  # It raises.
        rows: Any = self.all()
        set_write_options(rows, bumps=True)
        with _touching_rows(rows, {}) as rows:
            names = _columns(self).names
            count = _update(rows, {}, timezone.now()) if names else rows.count()
        self._result_cache = None
        return count

    touch.alters_data = True  # type: ignore[attr-defined]

    async def atouch(self) -> int:
        """``touch()`` for asynchronous code."""
        return await sync_to_async(self.touch)()

    atouch.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        """
        Like Django's.

        Raises:
            StaleWriteError: as for ``update()``.
        """
        self._for_write = True
        if write_options(self).expected is not None:
            with _touching_rows(self, {}) as rows, transaction.atomic(using=self.db):
                result = _delete(_lock_expected(rows))
            self._result_cache = None
            return result
        return _delete(self)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

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
        columns, objs = _columns(self), list({id(obj): obj for obj in objs}.values())
        if columns.version is None or not write_options(self).bumps:
            return _bulk_update_plainly(self, objs, fields, *args, **kwargs)
        names = [name for name in fields if name not in columns.names]
        if is_unversioned(self.model, names):
            return _bulk_update_plainly(self, objs, names, *args, **kwargs)
        batch_size = args[0] if args else kwargs.get("batch_size")
        if batch_size is not None and batch_size <= 0:
            return super().bulk_update(objs, names, *args, **kwargs)  # It raises.
        guarded = any(guard.enforced for guard in guards_of(columns.owner, self.db))
        if not guarded and stale_writes(self.model) == "report":
            write = super().bulk_update
            with keep_current(objs):
                count = write_batch(self, objs, lambda: write(objs, names, batch_size))
            for obj in objs:
                forget(obj)
            return count
        known = _in_queryset(self, [obj for obj in objs if has_state(obj, self.db)], columns)
        by_hand = [obj for obj in objs if not has_state(obj, self.db)]
        if not known:
            with keep_current(by_hand):
                return super().bulk_update(by_hand, names, *args, **kwargs)
        states = {owner_key(obj, columns): columns.state_of(obj) for obj in known}
        count = 0
        try:
            with (
                _touching(self, lambda: touch_for_batch(known, self.db, names)),
                transaction.atomic(using=self.db),
            ):
                if by_hand:
                    count = super().bulk_update(by_hand, names, *args, **kwargs)
                chunks = _chunks(self, known, names, columns, batch_size)
                written = [_swap(self, chunk, names, columns) for chunk in chunks]
        except _StaleChunk as stale:
            keys = _stale(self, columns, {pk: states[pk] for pk in stale.keys})
            raise StaleWriteError(columns.owner, keys or stale.keys, self.db) from None
        for chunk in written:
            for obj, state in chunk:
                columns.assign(obj, state)
                forget(obj)  # The row no longer holds the values that it was read with.
        return count + len(known)

    bulk_update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """
        Like Django's. With ``update_conflicts``, the rows that were there already
        bump their versions in the same statement. With ``ignore_conflicts``, nobody
        knows which rows are new: an instance whose row was there is stale.
        """
        objs, columns = list(objs), _columns(self)
        # What the caller gave, by name.
        given = _BULK_CREATE.bind(self, objs, *args, **kwargs).arguments
        options = {name: given[name] for name in given if name not in ("self", "objs")}
        update_fields = options.get("update_fields") or ()
        updates = bool(options.get("update_conflicts") and update_fields)
        if updates and _bumps(self, update_fields):
            others = (name for name in update_fields if name not in columns.names)
            options["update_fields"] = [*others, *columns.names]
        updates = updates and not is_unversioned(self.model, update_fields)
        unique = options.get("unique_fields")
        with _touching(self, lambda: touch_for_create(self, objs, updates, unique)):
            created = super().bulk_create(objs, **options)
        if options.get("ignore_conflicts") and columns.version and not columns.timestamp:
            # Without a timestamp, an old row can look like the new one. No row has version 0.
            for obj in created:
                setattr(obj, columns.version.attname, 0)
        return created

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def _insert(self, objs: Any, fields: Any, *args: Any, **kwargs: Any) -> Any:
        names = [field.name for field in kwargs.get("update_fields") or ()]
        if kwargs.get("on_conflict") is not OnConflict.UPDATE or not _bumps(self, names):
            return super()._insert(objs, fields, *args, **kwargs)  # type: ignore[misc]
        given = dict(zip(_INSERT, args, strict=False)) | kwargs
        returning, raw, using = (given.pop(name, None) for name in _INSERT)
        self._for_write = True
        query: sql.InsertQuery = BumpingInsertQuery(self.model, _columns(self), **given)
        query.insert_values(fields, objs, raw=bool(raw))
        return query.get_compiler(using=using or self.db).execute_sql(returning)

    _insert.alters_data = True  # type: ignore[attr-defined]
    _insert.queryset_only = False  # type: ignore[attr-defined]


# Functions, and no methods: a project's queryset may use any other name than those above.


def _columns(rows: Any) -> StateColumns:
    return state_columns(rows.model)


def _next(rows: Any) -> Any:
    """The methods of the class behind VersionedQuerySet: Django's, or another app's."""
    return super(VersionedQuerySet, rows)


def _update(rows: Any, values: dict[str, Any], now: datetime) -> int:
    """Write ``values``, maybe none, and bump the rows, in one statement; returns their number."""
    rows._for_write = True
    columns = _columns(rows)
    if write_options(rows).expected is not None and _has_other_tables(rows):
        with transaction.atomic(using=rows.db):
            return _update(_lock_expected(rows), values, now)
    if not _bumps(rows, values):
        return _found(rows, _next(rows).update(**values))
    note_update(now)
    bumps = columns.expressions(now)
    # Last, since MariaDB and MySQL assign from left to right.
    both = values | {name: bumps[name] for name in bumps.keys() - values.keys()}
    guards = guards_of(columns.owner, rows.db)
    with _locking_guarded(rows, guards):
        count = _found(rows, _next(rows).update(**both))
        for guard in guards if count else ():
            if guard.locked and guard.state and _is_only(rows, guard, count, values):
                guard.note_bump(columns.after(guard.state, now))
            else:
                guard.reread()
    return count


def _bumps(rows: Any, names: Iterable[str]) -> bool:
    """Whether a write of these fields bumps the rows."""
    bumps = write_options(rows).bumps and not is_unversioned(rows.model, names)
    return bumps and bool(_columns(rows).names)


def _found(rows: Any, count: int) -> int:
    """The count of rows, of which ``expect()`` wants at least one."""
    if not count and write_options(rows).expected is not None:
        raise StaleWriteError(_columns(rows).owner, None, rows.db)
    return count


def _has_other_tables(rows: Any) -> bool:
    """Whether Django looks for the rows first, and then updates by key alone."""
    return bool(rows.model._meta.parents) or len(rows.query.alias_map) > 1


def _lock_expected(rows: Any) -> Any:
    """The rows by key alone, locked in the state that ``expect()`` names."""
    columns, state = _columns(rows), write_options(rows).expected or {}
    owner = columns.owner
    keys = set(rows.order_by().values_list(owner._meta.pk.name, flat=True))
    locked: Any = models.QuerySet(owner, using=rows.db).filter(pk__in=keys, **state)
    version = columns.version.name
    if not keys or locked.update(**{version: models.F(version)}) != len(keys):
        raise StaleWriteError(owner, None, rows.db)
    return _all_rows(rows).filter(**{f"{owner._meta.pk.name}__in": keys})


def _all_rows(rows: Any) -> Any:
    """A queryset without its conditions; a subclass's attributes and its Query stay."""
    every, options = rows.using(rows.db), write_options(rows)
    every.query = type(rows)(rows.model, using=rows.db).query
    set_write_options(every, bumps=options.bumps, touched=options.touched)
    return every


@contextmanager
def _touching(rows: Any, lock: Callable[[], Touch]) -> Iterator[None]:
    """Bump what shows the rows that the block writes; ``lock`` finds it, and locks it."""
    if not touches_others(rows):
        yield
        return
    rows._for_write = True
    with touching(rows.db, lock):
        yield


@contextmanager
def _touching_rows(rows: Any, values: dict[str, Any]) -> Iterator[Any]:
    """The same for an update of rows, which the block is given, by new values."""
    if not touches_others(rows) or is_unversioned(rows.model, values):
        yield rows
        return
    found = rows

    def lock() -> Touch:
        nonlocal found
        found, touch = touch_for_update(rows, values)
        set_write_options(found, touched=touch.done)
        return touch

    rows._for_write = True
    with touching(rows.db, lock):
        yield found


@contextmanager
def _locking_guarded(rows: Any, guards: list[Guard]) -> Iterator[None]:
    """Have every guarded row locked in a state that its guard admits."""
    unlocked = [guard for guard in guards if guard.enforced and not guard.locked]
    if not unlocked:
        yield
        return
    with transaction.atomic(using=rows.db):
        for guard in unlocked:
            guard.lock()
        yield


def _is_only(rows: Any, guard: Guard, count: int, values: Collection[str]) -> bool:
    """Whether the one row that was written is the guarded one, and bumped by us."""
    where = rows.query.where
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


def _delete(rows: Any) -> tuple[int, dict[str, int]]:
    guards = guards_of(_columns(rows).owner, rows.db)
    if not guards:
        return _delete_collected(rows)
    with transaction.atomic(using=rows.db), _locking_guarded(rows, guards):
        result = _delete_collected(rows)
        for guard in guards if result[0] else ():
            guard.reread()
    return result


def _delete_collected(rows: Any) -> tuple[int, dict[str, int]]:
    """By Django's own way with a collector that we know, if the rows may touch others."""
    delete = _next(rows).delete
    takes_all = not (rows.query.is_sliced or rows.query.distinct_fields or rows._fields)
    if (
        delete.__func__ is not _DJANGOS_DELETE
        or not takes_all
        or rows.query.combinator
        or not may_touch_by_cascade(rows.model)
    ):
        deleted: tuple[int, dict[str, int]] = delete()
        return deleted
    collector = Collector(using=rows.db, origin=rows)
    collector.collect(rows.all().order_by().select_related(None))
    result = delete_collected(collector, write_options(rows).touched)
    rows._result_cache = None
    return result


def _in_queryset(rows: Any, objs: list[Any], columns: StateColumns) -> list[Any]:
    """
    The instances, each of a row of its own, whose rows the queryset's filters let through.

    Raises:
        VersionNotLoaded: an instance does not say what it is based on.
        ValueError: two of the instances are the same row.
    """
    for obj in objs:
        require_loaded(obj, columns)
    if len({obj.pk for obj in objs}) < len(objs):
        raise ValueError("bulk_update() was given two instances of the same row.")
    if not objs or not (rows.query.where or rows.query.is_sliced):
        return objs
    found = set(rows.filter(pk__in=[obj.pk for obj in objs]).values_list("pk", flat=True))
    return [obj for obj in objs if obj.pk in found]


def _bulk_update_plainly(rows: Any, objs: Any, *args: Any, **kwargs: Any) -> int:
    with keep_current(objs):
        count: int = _next(rows).bulk_update(objs, *args, **kwargs)
    for obj in objs:
        forget(obj)
    return count


def _chunks(
    rows: Any, objs: list[Any], names: list[str], columns: StateColumns, batch_size: int | None
) -> Iterator[list[Any]]:
    """As many objects at a time as the database takes parameters for."""
    meta = rows.model._meta
    parameters = [
        *(meta.pk_fields * 3),
        *(meta.get_field(name) for name in (*names, *columns.names)),
    ]
    size = connections[rows.db].ops.bulk_batch_size(parameters, objs)
    size = max(1, min(size, batch_size) if batch_size else size)
    for start in range(0, len(objs), size):
        yield objs[start : start + size]


def _swap(
    rows: Any, objs: list[Any], names: list[str], columns: StateColumns
) -> list[tuple[Any, Any]]:
    """Write one chunk; returns each object with the state that its row has now."""
    now = timezone.now()
    states = {owner_key(obj, columns): columns.state_of(obj) for obj in objs}
    after = {pk: columns.after(state, now) for pk, state in states.items()}
    condition = InStates(columns, states)
    # The rows passed the queryset's conditions already; joins would lose the comparison.
    every = _all_rows(rows)
    if rows.model._meta.parents:
        # Django updates several tables by key: the comparison comes first.
        owners: Any = VersionedQuerySet(columns.owner, using=rows.db).filter(condition)
        count = _update(owners, {}, now)
        set_write_options(every, bumps=False)
        _next(every).bulk_update(objs, names, batch_size=len(objs))
    else:
        set_write_options(every, chunk=(condition, now))
        count = _next(every).bulk_update(objs, names, batch_size=len(objs))
    if count != len(states):
        raise _StaleChunk(list(states))
    return [(obj, after[owner_key(obj, columns)]) for obj in objs]


def _stale(rows: Any, columns: StateColumns, states: dict[Any, Any]) -> list[Any]:
    """The keys of rows in other states; none where the transaction cannot see them."""
    there: Any = models.QuerySet(columns.owner, using=rows.db).filter(pk__in=list(states))
    now = {pk: tuple(state) for pk, *state in there.values_list("pk", *columns.names)}
    return [pk for pk, state in states.items() if now.get(pk) != state[: len(columns.names)]]


class _StaleChunk(Exception):
    """Leads out of the transaction, after which the stale rows can be told."""

    def __init__(self, keys: list[Any]) -> None:
        self.keys = keys


# The parameters of Django's _insert() that can be given by position.
_INSERT = ("returning_fields", "raw", "using")
# Not what another app may put in its place later.
_DJANGOS_DELETE = models.QuerySet.delete
_BULK_CREATE = inspect.signature(models.QuerySet.bulk_create)
