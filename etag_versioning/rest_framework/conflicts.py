"""What the answer to a stale write tells: what is there now."""

from __future__ import annotations

from typing import Any

from ..http.preconditions import Decision
from ..sources.rows import Row
from .current import Seen, as_read, content_of, read_representation
from .exceptions import PreconditionError

__all__ = ["conflict", "shown_content"]


def conflict(view: Any, decision: Decision, row: Row, instance: Any) -> PreconditionError:
    """
    The 412 for a row that is there: for who may GET it with its tag, and with its
    content where the view has ``conflict_includes_current``.

    Args:
        row: the row as it is now.
        instance: its object.
    """
    seen = as_read(view, instance)
    if seen is None:
        return PreconditionError(decision)
    if seen.instance is not instance:
        row = view.versioning.row_of(seen.instance)
    current = row.validators(read_representation(view))
    shown = content_of(view, seen) if view.conflict_includes_current else None
    return PreconditionError(decision, current.etag, shown)


def shown_content(view: Any, seen: Seen) -> dict[str, Any]:
    """What a 412 shows of a row besides its tag; ``seen`` as ``as_read()`` has it."""
    return content_of(view, seen) if view.conflict_includes_current else {}
