"""Writes that go by no model's own code: cascades, and links of a many-to-many relation."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.deletion import Collector
from django.db.models.signals import m2m_changed, pre_delete

from .paths import Path, touches_of
from .querysets import VersionedQuerySet
from .swaps import touched_by_deletion
from .touching import Touch
from .touching_writes import Source, touch_for_rows

__all__ = ["connect"]


def connect(all_models: Iterable[Any]) -> None:
    """
    Have the models that touch others told of deletions and links.

    Django then loads the rows of theirs that a cascade deletes, and looks for links
    before it adds them; for other models nothing changes.
    """
    for model in all_models:
        try:
            touches = touches_of(model)
        except ImproperlyConfigured:
            continue  # A system check tells of it, and so does the first write.
        if touches is None:
            continue
        pre_delete.connect(_touch_before_deletion, sender=model)
        for through in {_through(path) for path in touches.paths} - {None}:
            m2m_changed.connect(
                _LinkReceiver(model, through),
                sender=through,
                weak=False,
                dispatch_uid=(model._meta.label, through._meta.label),
            )


def _touch_before_deletion(sender: Any, instance: Any, using: str, **kwargs: Any) -> None:
    collector = _sending_collector()
    if collector is None:
        touch_for_rows([Source(sender, [instance.pk])], using).move()
    elif "touched" not in collector.__dict__:
        updates = [
            (field, value, rows)
            for (field, value), parts in collector.field_updates.items()
            for rows in parts
            if isinstance(rows, VersionedQuerySet) and rows._touches()
        ]
        sources = [
            *(Source(model, [row.pk for row in rows]) for model, rows in collector.data.items()),
            *(
                Source(rows.model, _keys(rows), {field.attname: [value]})
                for field, value, rows in updates
            ),
        ]
        origin = collector.origin
        done = touched_by_deletion(origin) or getattr(origin, "_touched", None)
        touch = touch_for_rows(sources, using, done=done)
        touch.move()
        collector.touched = touch.done
        for _, _, rows in updates:
            rows._touched = touch.done


def _keys(rows: Any) -> list[Any]:
    return list(rows.values_list("pk", flat=True))


def _sending_collector() -> Any:
    """
    The collector that sends the signal. It alone knows all the rows that go, and Django
    does not name it: a signal for each row, one after another, would touch in any
    order, and the same parent again and again.
    """
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code is not Collector.delete.__code__:
        frame = frame.f_back
    return None if frame is None else frame.f_locals["self"]


class _LinkReceiver:
    """What links between a model that touches and the rows that it touches are about to change."""

    def __init__(self, model: Any, through: Any) -> None:
        touches: Any = touches_of(model)
        self.paths = [path for path in touches.paths if _through(path) is through]

    def __call__(self, sender: Any, **kwargs: Any) -> None:
        action, using = kwargs["action"], kwargs["using"]
        if action.startswith("pre_"):
            linked = _Links(sender, **kwargs)
            touch = Touch(using).lock(
                lambda again: [
                    {path.target: path.keys_from(linked.ends(path), using)} for path in self.paths
                ]
            )
            touch.move()


class _Links:
    """The links that one ``m2m_changed`` is about."""

    def __init__(
        self,
        through: Any,
        action: str,
        instance: Any,
        reverse: bool,
        pk_set: Collection[Any] | None,
        using: str,
        **kwargs: Any,
    ) -> None:
        self.through = through
        self.adds = action == "pre_add"
        self.instance = instance
        self.reverse = reverse
        self.pk_set = pk_set
        self.using = using

    def ends(self, path: Path) -> set[Any]:
        """The keys at the far end of the path's first relation."""
        field = getattr(path.first, "field", path.first)
        forward = field is path.first
        ends = self._ends(field, far=self.reverse is not forward)
        if field.remote_field.symmetrical:
            ends |= self._ends(field, far=self.reverse is forward)
        return ends

    def _ends(self, field: Any, *, far: bool) -> set[Any]:
        names = [field.m2m_field_name(), field.m2m_reverse_field_name()]
        near_name, far_name = reversed(names) if self.reverse else names
        near = self.through._meta.get_field(near_name).target_field.attname
        near_key = getattr(self.instance, near)
        if self.adds:
            keys = set(self.pk_set or ())
            return keys if far else {near_key} if keys else set()
        rows: Any = models.QuerySet(self.through, using=self.using)
        rows = rows.filter(**{near_name: near_key})
        if self.pk_set is not None:
            rows = rows.filter(**{f"{far_name}__in": self.pk_set})
        return set(rows.values_list(far_name if far else near_name, flat=True))


def _through(path: Path) -> Any:
    """The table of links that a path begins with, if it does."""
    return getattr(getattr(path.first, "field", path.first).remote_field, "through", None)
