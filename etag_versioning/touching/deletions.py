"""
Deletions that cascade: what all their rows show up in is locked in one order, and bumped once.

A ``delete()`` of ours collects the rows with a Collector of its own, and so knows them. Of
others, as of plain models, Django tells by ``pre_delete``, row by row, with what it began with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any
from weakref import ref

from django.db import models, transaction
from django.db.models.deletion import CASCADE, Collector

from ..orm.write_options import write_options
from .paths import Found
from .touch import in_transaction, touching
from .writes import (
    Source,
    deleted_links,
    may_touch_by_deletion,
    touch_for_collected,
    touch_for_rows,
)

__all__ = ["delete_collected", "may_touch_by_cascade", "touch_before_deletion"]


def delete_collected(collector: Collector, done: Found | None = None) -> tuple[int, dict[str, int]]:
    """
    Delete what a collector of ours has collected, and touch what shows it.

    Args:
        collector: the collector.
        done: the keys of rows that need no touch, by the model that owns the version.
    """
    if not any(map(may_touch_by_deletion, collector.data)):
        return collector.delete()
    using = collector.using
    with (
        touching(using, lambda: touch_for_collected(collector, using, done, ours=True)),
        _ours(collector.origin),
    ):
        return collector.delete()


@cache
def may_touch_by_cascade(model: Any) -> bool:
    """Whether a deletion of rows of ``model`` may delete some that touch others."""
    reached: set[Any] = set()
    following = {model._meta.concrete_model}
    while following:
        reached |= following
        following = {
            related
            for each in following
            for related in (*_deleted_with(each), *each._meta.all_parents)
        } - reached
    return any(map(may_touch_by_deletion, reached))


def _deleted_with(model: Any) -> Iterator[Any]:
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and relation.on_delete is CASCADE:
            yield relation.related_model


# What our deletions began with, while they go on: their rows are touched already.
_going_on: ContextVar[tuple[Any, ...]] = ContextVar("etag_versioning_deletions", default=())


@contextmanager
def _ours(origin: Any) -> Iterator[None]:
    token = _going_on.set((*_going_on.get(), origin))
    try:
        yield
    finally:
        _going_on.reset(token)


class _Touched:
    """
    The rows of one deletion that is not ours, which have been touched at its first signal.

    Django does not say when the deletion ends. So each row is struck out with its signal; and
    if the deletion fails, the rollback lets go of the only reference, an on_commit() callback.
    """

    def __init__(self, origin: Any, using: str, keys: set[tuple[Any, Any]]) -> None:
        self.origin = origin
        self.keys = keys
        transaction.on_commit(self.end, using=using)

    def end(self) -> None:
        self.keys.clear()

    def strike_out(self, origin: Any, row: tuple[Any, Any]) -> bool:
        if origin is not self.origin or row not in self.keys:
            return False
        self.keys.remove(row)
        return True


_touched: ContextVar[tuple[ref[_Touched], ...]] = ContextVar("etag_versioning_touched", default=())


def touch_before_deletion(
    sender: Any, instance: Any, using: str, origin: Any = None, **kwargs: Any
) -> None:
    """The receiver of ``pre_delete`` for models whose deletion touches others."""
    if any(each is origin for each in _going_on.get()):
        return
    row = (sender, instance.pk)
    known = [each for each in (reference() for reference in _touched.get()) if each is not None]
    if any(each.strike_out(origin, row) for each in known):
        return
    collector = _collect(origin, using)
    keys = {(model, each.pk) for model in collector.data for each in collector.data[model]}
    if row not in keys:
        # Another app's deletion, which may have opened no transaction for the locks.
        with in_transaction(using):
            sources = [Source(sender, [instance.pk]), *deleted_links([instance])]
            touch_for_rows(sources, using).bump()
        return
    done = write_options(origin).touched if isinstance(origin, models.QuerySet) else None
    touch_for_collected(collector, using, done, ours=False).bump()
    touched = _Touched(
        origin, using, {key for key in keys if may_touch_by_deletion(key[0])} - {row}
    )
    _touched.set((*map(ref, known), ref(touched)))


def _collect(origin: Any, using: str) -> Collector:
    """The rows that go with what a deletion began with."""
    collector = Collector(using=using, origin=origin)
    try:
        if isinstance(origin, models.Model):
            collector.collect([origin])
        elif isinstance(origin, models.QuerySet):
            rows = origin.using(using).order_by().select_related(None).prefetch_related(None)
            collector.collect(rows)
    except (models.ProtectedError, models.RestrictedError):
        # With keep_parents, Django collects less.
        collector.data.clear()
    return collector
