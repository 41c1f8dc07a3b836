"""Links of a many-to-many relation that are about to be deleted, and the rows at their ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db import connections, models

from .paths import Found, Path

__all__ = ["Links"]


class Links:
    """
    The links that start at some rows.

    Args:
        through: the model of the links.
        using: the database alias.
        start: the foreign key to those rows.
        keys: what it holds.
        end: the foreign key to the other ends, where only some links are meant …
        ends: … and what that one holds.
    """

    def __init__(
        self,
        through: Any,
        using: str,
        start: str,
        keys: Collection[Any],
        end: str = "",
        ends: Collection[Any] | None = None,
    ) -> None:
        self.through = through
        self.using = using
        self.start = start
        self.keys = keys
        self.rows: Any = models.QuerySet(through, using=using).filter(**{f"{start}__in": keys})
        # Whether others can add links to them while the rows at the other ends are locked.
        self.open = ends is None
        if ends is not None:
            self.rows = self.rows.filter(**{f"{end}__in": ends})

    def shown_in(self, paths: Iterable[Path], *, again: bool) -> Found:
        """
        The rows that paths from these links lead to.

        Args:
            paths: from the model of the links on.
            again: whether to see the links as they are for good: what was found before is
                locked by now.
        """
        paths = tuple(paths)
        keys = self._read(paths, lock=again)
        if self.open and not again and not any(keys.values()):
            # Nothing gets locked that would keep others from adding the first link.
            keys = self._read(paths, lock=True)
        found: Found = defaultdict(set)
        for path in paths:
            found[path.target] |= path.keys_from(keys[path.first.name], self.using)
        return found

    def _read(self, paths: tuple[Path, ...], *, lock: bool) -> dict[str, set[Any]]:
        rows = self.rows
        if lock and connections[self.using].features.has_select_for_update:
            if self.open:
                self._lock_start()
            rows = rows.select_for_update()
        names = {path.first.name for path in paths}
        values = list(rows.values_list(*names))
        return {name: {row[index] for row in values} for index, name in enumerate(names)}

    def _lock_start(self) -> None:
        """Lock the rows at which the links start, so that an INSERT of a link has to wait."""
        field = self.through._meta.get_field(self.start)
        rows: Any = models.QuerySet(field.related_model, using=self.using)
        rows = rows.filter(**{f"{field.target_field.name}__in": self.keys}).order_by("pk")
        list(rows.select_for_update().values_list("pk"))
