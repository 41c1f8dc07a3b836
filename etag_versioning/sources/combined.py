"""Several sources of one response: for instance a user, and the page of the user's team."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest

from ..http.preconditions import Validators
from ..http.representation import PLAIN, UNSEALED, Representation
from .base import Current, Source
from .rows import Row

__all__ = ["Combination", "CombinedSource"]


class Combination(NamedTuple):
    """
    The results of several sources.

    The tag has the state of the first source, which is what a write compares and guards. The
    tags of the others are terms of the representation part.
    """

    first: Current
    others: tuple[Current | None, ...]

    @property
    def row(self) -> Row | None:
        return self.first.row

    def validators(self, representation: Representation = PLAIN) -> Validators:
        others = [None if other is None else other.validators(UNSEALED) for other in self.others]
        tags = [None if other is None else str(other.etag) for other in others]
        own = self.first.validators(representation.with_terms("with", tags))
        # If one source has no tag yet (a file that was written just now), the response has
        # none. The date is the first source's, for If-Unmodified-Since on writes; it is not
        # sent, because an older row could replace one of the others.
        tagged = all(other is None or other.etag is not None for other in others)
        return Validators(
            own.etag if tagged else None,
            own.state,
            own.last_modified,
            own.former if tagged else (),
            dated=False,
        )


class CombinedSource(NamedTuple):
    """
    Several sources of one response. It is absent if the first is; each of the others may be
    absent.
    """

    first: Source
    others: tuple[Source, ...]

    def read(
        self, request: HttpRequest, args: Any, kwargs: Any, *, writes: bool = False
    ) -> Combination | None:
        first = self.first.read(request, args, kwargs, writes=writes)
        if first is None:
            return None
        return Combination(
            first,
            tuple(other.read(request, args, kwargs, writes=writes) for other in self.others),
        )
