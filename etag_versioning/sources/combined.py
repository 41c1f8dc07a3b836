"""Several sources of one answer, as one: a user, and the page of the team that it shows."""

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
    What several sources have read, as one.

    The tag has the state of the first, which is what a write compares and guards.
    What else the answer shows is told apart behind it, as representations are.
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
        # One that may still change under its tag takes the tag of all with it. The date
        # is that of the first, which a write compares: an older row can replace one of
        # the others, and no date would tell.
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
    Several sources of one answer. It is there if the first is; each of the
    others may be absent.
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
