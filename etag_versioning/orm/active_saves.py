"""
The saves that are running: the methods that Django calls for each table of a row find theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any

from ..touching.touch import Touch
from ..touching.writes import touch_for_save
from .stale_writes import RowWrite, stale_writes

__all__ = ["ActiveSave", "active_save", "active_saves", "as_active"]

# Django calls ``_save_table()``, ``_do_update()`` and ``_do_insert()`` for each table, without an
# argument by which ``save_base()`` could pass an object to them. The object is not put on the
# instance, because signals and other overrides may copy or pickle the instance in between.
active_saves: ContextVar[tuple[ActiveSave, ...]] = ContextVar("etag_versioning_saves", default=())


def active_save(instance: Any) -> Any:
    """The innermost running save of ``instance``, or ``None``."""
    for save in reversed(active_saves.get()):
        if save.instance is instance:
            return save
    return None


@contextmanager
def as_active(save: ActiveSave) -> Iterator[None]:
    token = active_saves.set((*active_saves.get(), save))
    try:
        yield
    finally:
        active_saves.reset(token)


class ActiveSave(RowWrite):
    """A running save, which the methods that Django calls for each table find while it runs."""

    touch: Touch | None = None
    # Whether each table's row must exist, in the state that the instance was read in.
    compares = False
    token: Token[Any]

    def begin(self, *, insert: bool) -> None:
        """Lock the rows that the write touches, before the first table is written."""
        if self.touch is None:
            self.touch = touch_for_save(
                self.instance,
                self.using,
                self.update_fields,
                insert=insert,
                # A stale write that is let through has another base state than the instance.
                compared=self.compares and stale_writes(type(self.instance)) == "raise",
            )
