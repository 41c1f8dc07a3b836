"""
Writes that bump other rows too: ``touches`` on a model, and links of many-to-many fields.

A write first finds the rows that its own rows show up in, as they are and as they
will be, and locks them in one order; then writes; then bumps them. Who writes what
the same rows show waits for the first lock, with nothing that others wait for; and a
write that fails has bumped nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from typing import Any, Self
from weakref import ref

from django.db import connections, models, transaction
from django.utils import timezone

from ..orm.guards import guards_of
from ..orm.state_columns import State, state_columns
from .caches import invalidate_rows
from .paths import Found, onward, touches_of

__all__ = ["Touch", "in_transaction", "keep_current", "note_links_of", "touching"]

# What the methods of related managers, and delete(), keep current: Django hands the instances
# that these are given on by their keys alone.
_kept: ContextVar[tuple[Any, ...]] = ContextVar("etag_versioning_kept", default=())


@contextmanager
def keep_current(instances: Iterable[Any]) -> Iterator[None]:
    """
    Keep instances current while the block runs, whatever touches their rows.

    Args:
        instances: the instances, and those that are cached on them; keys among them are ignored.
    """
    token = _kept.set((*_kept.get(), *instances))
    try:
        yield
    finally:
        _kept.reset(token)


# The instance whose links are changing, where a plain model's manager adds rows of a through
# model. Only m2m_changed tells of the instance: once before the change, and once after it.
_linking: ContextVar[ref[Any] | None] = ContextVar("etag_versioning_linking", default=None)


def note_links_of(instance: Any) -> None:
    """Keep this instance current until the next call; ``None``: no longer."""
    _linking.set(None if instance is None else ref(instance))


def _reachable(instances: Iterable[Any]) -> Iterator[models.Model]:
    """These instances, those that are cached on them, on these in turn, and those kept current."""
    linking = _linking.get()
    following = [*instances, *_kept.get(), linking() if linking is not None else None]
    seen: set[int] = set()
    while following:
        instance = following.pop()
        if isinstance(instance, models.Model) and id(instance) not in seen:
            seen.add(id(instance))
            following += instance._state.fields_cache.values()
            yield instance


class Touch:
    """
    What one statement touches.

    Args:
        using: the database alias.
        certain: whether the statement itself makes sure that its rows are still as
            they were found. What these touch in their turn may still change hands.
        done: keys of rows that need no touch, by the model that owns the version.
        at_hand: instances that the caller may go on with, as may those that are cached on
            them. One that is in its row's state before the touch is in its state after it.
    """

    def __init__(
        self,
        using: str,
        *,
        certain: bool = False,
        done: Found | None = None,
        at_hand: Iterable[Any] = (),
    ) -> None:
        self.using = using
        self.at_hand = at_hand
        # Instances that were given a new state, with the one before and the new one.
        self.assigned: list[tuple[Any, State, State]] = []
        # SQLite locks all there is with a transaction's first write.
        self.locks_rows = connections[using].features.has_select_for_update
        self.certain = certain
        self.written: Found = defaultdict(set, done or {})
        self.locked: Found = defaultdict(set)
        self.found: Found = defaultdict(set)

    def wrote(self, model: Any, keys: Iterable[Any]) -> None:
        """Take note of rows whose own write bumps them."""
        self.written[state_columns(model).owner] |= set(keys)

    def lock(self, find: Callable[[bool], Iterable[Found]]) -> Self:
        """
        Lock what ``find`` finds, and ask it again until it finds nothing else: before
        the first rows were locked, another transaction may have written what leads to others.

        Args:
            find: called with whether it is asked again, and is to lock what it reads.
        """
        first = _union(find(False))
        while True:
            self.found = defaultdict(set)
            for target, keys in onward(first, self.using, self.locked).items():
                owner = state_columns(target).owner
                self.found[owner] |= keys - self.written[owner]
            if not self._lock() or not self._may_differ_by_now(first):
                return self
            if not self.certain:
                first = _union(find(True))

    def _may_differ_by_now(self, first: Found) -> bool:
        """Whether another transaction may have changed what is to be found, before the locks."""
        further = any(keys and touches_of(target) for target, keys in first.items())
        return self.locks_rows and (further or not self.certain)

    def _lock(self) -> bool:
        """Lock what is found and not locked yet; whether there was any."""
        wanted = {owner: self.found[owner] - self.locked[owner] for owner in self.found}
        wanted = {owner: keys for owner, keys in wanted.items() if keys}
        # In a circle of models, no row is written after what it touches: all are locked.
        ranks = {_rank(owner) for owner in wanted}
        for owner in set(self.written) - {None}:
            if _rank(owner) in ranks and self.written[owner]:
                wanted[owner] = wanted.get(owner, set()) | self.written[owner]
        for owner in sorted(wanted, key=_rank):
            self.locked[owner] |= wanted[owner]
            _lock_rows(owner, self.using, wanted[owner], self.locks_rows)
        return bool(wanted)

    def bump(self) -> None:
        """Bump what was found, when the statement has written its rows."""
        for owner in sorted(self.found, key=_rank):
            if self.found[owner]:
                self._bump_rows(owner, self.found[owner])

    def restore(self) -> None:
        """Give the instances at hand the states back that they had: the write has failed."""
        for instance, before, after in self.assigned:
            model: Any = type(instance)
            columns = state_columns(model)
            if columns.state_of(instance) == after:
                columns.assign(instance, before)
        self.assigned.clear()

    @property
    def done(self) -> Found:
        """What needs no touch any more, by the model that owns the version."""
        return _union([self.written, self.found])

    def _bump_rows(self, owner: Any, keys: set[Any]) -> None:
        columns, now, rest = state_columns(owner), timezone.now(), keys
        states = _states_at_hand(owner, keys, _reachable(self.at_hand))
        if len(states) == 1:
            # One statement compares and bumps.
            current = {key for key in states if _bump(owner, self.using, [key[0]], now, key[1])}
            rest = keys - {pk for pk, _ in current}
        else:
            current = _current(owner, self.using, states) if states else set()
        _bump(owner, self.using, sorted(rest), now)
        invalidate_rows(owner, self.using, keys)
        for key in current:
            for instance in states[key]:
                before = columns.state_of(instance)
                after = columns.after(before, now)
                columns.assign(instance, after)
                self.assigned.append((instance, before, after))
        for guard in guards_of(owner, self.using):
            if guard.deleted or not guard.is_among(keys):
                continue
            if guard.locked and guard.state:
                guard.note_bump(columns.after(guard.state, now))
            else:
                guard.reread()


@contextmanager
def touching(using: str, lock: Callable[[], Touch]) -> Iterator[Touch]:
    """
    Lock what a write touches, let the block write, and then bump it, in one transaction.

    Args:
        using: the database alias.
        lock: finds and locks it, when the transaction has begun.
    """
    touch = None
    try:
        with in_transaction(using):
            touch = lock()
            yield touch
            touch.bump()
    except BaseException:
        if touch is not None:
            touch.restore()
        raise


@contextmanager
def in_transaction(using: str) -> Iterator[None]:
    """
    A transaction, where there is none. No savepoint where there is one: PostgreSQL's
    waiting lines for a row that was locked in a savepoint of a savepoint outlast the
    rollback of the outer one, and can then be waited for in a circle.
    """
    if connections[using].in_atomic_block:
        yield
    else:
        with transaction.atomic(using=using):
            yield


@cache
def _rank(owner: Any) -> tuple[int, str]:
    """
    A model's place in the order of locks: before all that touch it, and then by label.
    """
    reached: set[Any] = set()
    following = {owner}
    while following:
        reached |= following
        touches = filter(None, map(touches_of, following))
        paths = [path for found in touches for path in found.paths]
        following = {target for path in paths for target in path.targets} - reached
    return len(reached), owner._meta.label


def _lock_rows(owner: Any, using: str, keys: set[Any], locks_rows: bool) -> None:
    if locks_rows:
        no_key = connections[using].features.has_select_for_no_key_update
        rows = _rows(owner, using).filter(pk__in=keys).order_by("pk")
        list(rows.select_for_update(no_key=no_key).values_list("pk"))
    for guard in guards_of(owner, using):
        if guard.is_among(keys):
            guard.lock()


def _bump(owner: Any, using: str, keys: Sequence[Any], now: datetime, state: Any = None) -> int:
    """Bump rows, or only those in one state; returns their number."""
    columns, count = state_columns(owner), 0
    same = {} if state is None else dict(zip(columns.names, state, strict=True))
    size = max(1, connections[using].ops.bulk_batch_size(owner._meta.pk_fields, keys))
    for start in range(0, len(keys), size):
        rows = _rows(owner, using).filter(pk__in=keys[start : start + size], **same)
        count += rows.update(**columns.expressions(now))
    return count


# Instances, by the key and the state of their row as they know it.
AtHand = dict[tuple[Any, tuple[Any, ...]], list[Any]]


def _states_at_hand(owner: Any, keys: set[Any], instances: Iterable[Any]) -> AtHand:
    columns = state_columns(owner)
    states: AtHand = defaultdict(list)
    for instance in instances:
        loaded = instance.__dict__
        if isinstance(instance, owner) and all(name in loaded for name in columns.attnames):
            pk = getattr(instance, owner._meta.pk.attname)
            if pk in keys:
                states[pk, tuple(loaded[name] for name in columns.attnames)].append(instance)
    return states


def _current(owner: Any, using: str, states: AtHand) -> set[Any]:
    """Those states that rows really are in, which stay locked."""
    names = state_columns(owner).names
    rows = _rows(owner, using).filter(pk__in={pk for pk, _ in states}).order_by("pk")
    found = rows.select_for_update().values_list("pk", *names)
    return {(pk, tuple(state)) for pk, *state in found} & states.keys()


def _union(parts: Iterable[Found]) -> Found:
    union: Found = defaultdict(set)
    for part in parts:
        for target, keys in part.items():
            union[target] |= keys
    return union


def _rows(model: Any, using: str) -> Any:
    return models.QuerySet(model, using=using)
