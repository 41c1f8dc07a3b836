"""The options of a decorated view: the arguments of ``versioned_condition``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..http.etags import parse_entity_tags
from ..http.policy import policy_for
from ..http.preconditions import ConditionalHeaders, Policy
from ..http.representation import EtagExtra
from ..sources.base import RowSource, Source

__all__ = ["Options"]


class Options(NamedTuple):
    """The arguments of ``versioned_condition``; ``creates`` is the row that may be absent."""

    source: Source | None
    etag_func: Callable[..., Any] | None
    last_modified_func: Callable[..., Any] | None
    if_match: str
    allow_wildcard: bool
    allow_unmodified_since: bool
    creates: RowSource | None
    cache_control: Mapping[str, Any] | None
    etag_extra: EtagExtra | None
    expose_tag: bool
    methods: tuple[str, ...] | None

    def policy(self, headers: ConditionalHeaders) -> Policy:
        """What is asked of a write, or of a read with If-Match."""
        return policy_for("required" if self._is_unreadable(headers) else self.if_match, self)

    def _is_unreadable(self, headers: ConditionalHeaders) -> bool:
        """
        Whether a client that may create the row meant to say ``If-None-Match: *``, and
        sent what cannot be read: its write does not go on as if it had said nothing.
        """
        value = headers.if_none_match
        return self.creates is not None and value is not None and parse_entity_tags(value) is None
