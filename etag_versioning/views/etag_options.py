"""The options of a decorated view: the arguments of ``versioned_condition``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..http.etags import parse_entity_tags
from ..http.preconditions import ConditionalHeaders
from ..sources.base import RowSource, Source
from ..sources.extra_terms import EtagExtra

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
    fingerprint: bool = False

    def if_match_of(self, headers: ConditionalHeaders) -> str:
        """
        ``if_match`` for a request that may create the row. A malformed If-None-Match was
        perhaps meant to be ``*``, so such a write is not performed as if it had none.
        """
        value = headers.if_none_match
        malformed = value is not None and parse_entity_tags(value) is None
        return "required" if malformed else self.if_match
