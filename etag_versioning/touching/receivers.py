"""Writes that no code of a model's own makes: cascades, and links of many-to-many relations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.models.constants import LOOKUP_SEP
from django.db.models.signals import m2m_changed, pre_delete

from .deletions import touch_before_deletion
from .links import Links
from .paths import Found, Path, links_to, resolve_path, touches_of
from .touch import Touch, note_links_of

__all__ = ["connect"]


def connect(all_models: Iterable[Any]) -> None:
    """
    Have deletions and links announced that change the state of other rows.

    Django then loads the rows that touch others before a cascade deletes them, and looks
    for links before it adds them; for other models nothing changes.
    """
    linked: dict[Any, dict[str, Path]] = defaultdict(dict)
    for model in all_models:
        try:
            touches = touches_of(model)
            own = {
                field: touches_of(field.remote_field.through)
                for field in model._meta.local_many_to_many
                if _is_automatic(field.remote_field.through)
            }
            goes_with_links = links_to(model)
        except ImproperlyConfigured:
            continue  # A system check tells of it, and so does the first write.
        if touches is not None or goes_with_links:
            pre_delete.connect(touch_before_deletion, sender=model)
        if touches is not None and not model._meta.auto_created:
            m2m_changed.connect(_note_instance, sender=model)
        for field, shown in own.items():
            linked[field] |= {path.name: path for path in (shown.paths if shown else ())}
        for path in touches.paths if touches else ():
            linked[_field(path)] |= {path.name: path for path in _from_links(path)}
    for field, paths in linked.items():
        if paths:
            m2m_changed.connect(
                _LinkReceiver(field, tuple(paths.values())),
                sender=field.remote_field.through,
                weak=False,
                dispatch_uid=f"{field.model._meta.label}.{field.name}",
            )


def _note_instance(sender: Any, action: str, instance: Any, **kwargs: Any) -> None:
    """A through model of the project's own: its rows touch the instance whose links they are."""
    note_links_of(instance if action.startswith("pre_") else None)


def _is_automatic(through: Any) -> bool:
    # Still a string where a model is missing; Django's own checks name it.
    return hasattr(through, "_meta") and bool(through._meta.auto_created)


def _field(path: Path) -> Any:
    """The field of the relation that a path begins with."""
    return getattr(path.first, "field", path.first)


def _from_links(path: Path) -> Iterator[Path]:
    """The same path from the links on, where it begins with a many-to-many relation."""
    field = _field(path)
    through = getattr(field.remote_field, "through", None)
    if through is None:
        return
    ends = [field.m2m_field_name(), field.m2m_reverse_field_name()]
    if not field.remote_field.symmetrical:
        del ends[0 if field is path.first else 1]
    for end in ends:
        yield resolve_path(through, LOOKUP_SEP.join(filter(None, (end, path.rest))))


class _LinkReceiver:
    """
    Touches what shows the links of a many-to-many field, when they are about to change.

    Args:
        field: the field.
        paths: from the model of its links on.
    """

    def __init__(self, field: Any, paths: tuple[Path, ...]) -> None:
        self.field = field
        self.paths = paths

    def __call__(self, sender: Any, action: str, **kwargs: Any) -> None:
        find = {
            "pre_add": self._find_added,
            "pre_remove": self._find_deleted,
            "pre_clear": self._find_deleted,
        }.get(action)
        if find is None:
            return
        certain = action == "pre_add" and all(path.direct for path in self.paths)
        using, instance = kwargs["using"], kwargs["instance"]
        touch = Touch(using, certain=certain, at_hand=[instance])
        touch.lock(partial(find, **kwargs)).bump()

    def _find_added(self, again: bool, **change: Any) -> Iterable[Found]:
        start, key, end = self._ends(**change)
        if ends := change["pk_set"]:
            yield self._shown_in({start: {key}, end: ends}, change["using"])

    def _find_deleted(self, again: bool, **change: Any) -> Iterable[Found]:
        start, key, end = self._ends(**change)
        ends, using = change["pk_set"], change["using"]
        known = {start: {key}} | ({} if ends is None else {end: ends})
        locks = connections[using].features.has_select_for_update
        if locks and not again and all(path.first.name in known for path in self.paths):
            # Locked before anybody looks which of these links are there.
            yield self._shown_in(known, using)
        else:
            links = Links(self.field.remote_field.through, using, start, [key], end, ends)
            yield links.shown_in(self.paths, again=again)

    def _shown_in(self, keys: dict[str, Collection[Any]], using: str) -> Found:
        found: Found = defaultdict(set)
        for path in self.paths:
            found[path.target] |= path.keys_from(keys[path.first.name], using)
        return found

    def _ends(self, instance: Any, reverse: bool, **change: Any) -> tuple[str, Any, str]:
        """The foreign key to the instance, what it holds, and the one to the other ends."""
        start, end = self.field.m2m_field_name(), self.field.m2m_reverse_field_name()
        if reverse:
            start, end = end, start
        target = self.field.remote_field.through._meta.get_field(start).target_field
        return start, getattr(instance, target.attname), end
