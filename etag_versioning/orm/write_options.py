"""How the rows of a queryset are written: kept on its query, and so by its clones."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..touching.paths import Found
    from .expressions import InStates

__all__ = ["WriteOptions", "set_write_options", "write_options"]


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
