"""What the options of a view, ``if_match`` first, require of the preconditions of a write."""

from __future__ import annotations

from typing import Final, Literal, Protocol

from ..conf import settings
from .preconditions import Policy

__all__ = ["IF_MATCH_MODES", "IfMatch", "PolicyOptions", "policy_for"]

IfMatch = Literal["required", "optional", "report"]
IF_MATCH_MODES: Final[tuple[IfMatch, ...]] = ("required", "optional", "report")


class PolicyOptions(Protocol):
    """The options that belong to ``if_match``: a decorator's, or the attributes of a viewset."""

    @property
    def allow_wildcard(self) -> bool: ...

    @property
    def allow_unmodified_since(self) -> bool: ...


def policy_for(if_match: str, options: PolicyOptions, *, requires: bool = True) -> Policy:
    """
    The policy for one request.

    Args:
        if_match: "required": a write without If-Match is answered 428. "optional": it is
            performed. "report": it is performed, and reported as if it had been refused.
        options: the options beside it.
        requires: whether If-Match can be required of this request. It can't of one that
            does not write an existing row.
    """
    return Policy(
        if_match_required=requires and if_match != "optional",
        lets_pass=if_match == "report",
        allow_wildcard=options.allow_wildcard,
        allow_unmodified_since=options.allow_unmodified_since,
        strong=settings.strong_if_match,
    )
