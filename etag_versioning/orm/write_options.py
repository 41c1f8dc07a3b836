"""How the rows of a queryset are written: kept on its query, and so by its clones."""

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
    How the rows of a queryset are written.

    Args:
        bumps: whether a write bumps their versions.
        expected: the state that ``expect()`` names.
        touched: the keys of the rows that have been touched for the next write, by model.
        chunk: for one chunk of a ``bulk_update()``, the states to compare, and the moment of
            the write.
    """

    bumps: bool = True
    expected: dict[str, Any] | None = None
    touched: Found | None = None
    chunk: tuple[InStates, datetime] | None = None


_DEFAULT = WriteOptions()


def write_options(queryset: Any) -> WriteOptions:
    """How the rows of a queryset are written, whatever its class."""
    options: WriteOptions = getattr(queryset.query, "etag_versioning", _DEFAULT)
    return options


def set_write_options(queryset: Any, **changes: Any) -> None:
    """Change how the rows of a queryset are written. Its clones take over what it has."""
    # On the query, since that is cloned with all of its attributes: a queryset is not.
    queryset.query.etag_versioning = write_options(queryset)._replace(**changes)


def touches_others(queryset: Any) -> bool:
    """Whether a write of these rows has to bump others: they are not seen to already."""
    if touches_of(queryset.model) is None:
        return False
    options = write_options(queryset)
    return options.bumps and options.touched is None


# A related manager's add() writes by a queryset that Django makes, and that nobody else sees.
_noted: ContextVar[list[datetime] | None] = ContextVar("etag_versioning_noted", default=None)


@contextmanager
def noted_updates() -> Iterator[list[datetime]]:
    """The moments of the updates by querysets in the block."""
    moments: list[datetime] = []
    token = _noted.set(moments)
    try:
        yield moments
    finally:
        _noted.reset(token)


def note_update(now: datetime) -> None:
    """Take note of an update that bumps rows."""
    moments = _noted.get()
    if moments is not None:
        moments.append(now)
