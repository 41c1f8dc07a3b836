"""The options for writes by a queryset. They are kept on its query, so clones have them too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..touching.paths import Found, touches_of

if TYPE_CHECKING:
    from .expressions import InStates

__all__ = [
    "WriteOptions",
    "note_update",
    "noted_updates",
    "set_write_options",
    "touches_others",
    "write_options",
]


class WriteOptions(NamedTuple):
    """
    Options for writes by a queryset.

    Args:
        bumps: whether a write bumps the rows.
        expected: the state that ``expect()`` names.
        touched: the keys of the rows that are already touched for the next write, by model.
        chunk: for one chunk of a ``bulk_update()``, the states to compare and the time of the
            write.
    """

    bumps: bool = True
    expected: dict[str, Any] | None = None
    touched: Found | None = None
    chunk: tuple[InStates, datetime] | None = None


_DEFAULT = WriteOptions()


def write_options(queryset: Any) -> WriteOptions:
    """The options of a queryset of any class."""
    options: WriteOptions = getattr(queryset.query, "etag_versioning", _DEFAULT)
    return options


def set_write_options(queryset: Any, **changes: Any) -> None:
    """Change the options of a queryset, and so of its later clones."""
    # Cloning a query copies all of its attributes; cloning a queryset does not.
    queryset.query.etag_versioning = write_options(queryset)._replace(**changes)


def touches_others(queryset: Any) -> bool:
    """Whether a write of these rows has to touch others, which are not touched already."""
    if touches_of(queryset.model) is None:
        return False
    options = write_options(queryset)
    return options.bumps and options.touched is None


# A related manager's add() writes by a queryset that Django creates internally.
_noted: ContextVar[list[datetime] | None] = ContextVar("etag_versioning_noted", default=None)


@contextmanager
def noted_updates() -> Iterator[list[datetime]]:
    """The times of the updates by querysets in the block."""
    moments: list[datetime] = []
    token = _noted.set(moments)
    try:
        yield moments
    finally:
        _noted.reset(token)


def note_update(now: datetime) -> None:
    """Note the time of an update that bumps rows."""
    moments = _noted.get()
    if moments is not None:
        moments.append(now)
