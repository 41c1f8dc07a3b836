"""Throttles that do not count a 304."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from rest_framework.throttling import SimpleRateThrottle

from .versioning import versioning_of

__all__ = ["UncountedNotModifiedMixin"]


class UncountedNotModifiedMixin(SimpleRateThrottle):
    """
    To put before DRF's throttles: a request that ends in 304 does not count. The view needs the
    package's mixins; in other views each request counts.

    A request counts until it is answered, so that no burst passes the limit. A 304 still costs
    authentication and one query: limit these by a wider throttle beside this one.

    Example::

        class UserThrottle(UncountedNotModifiedMixin, UserRateThrottle):
            rate = "100/min"
    """

    num_requests: int
    duration: int

    def allow_request(self, request: Any, view: Any) -> bool:
        self.counted = False
        allowed = super().allow_request(request, view)
        if self.counted:
            versioning = versioning_of(view)
            if versioning is not None:
                versioning.on_not_modified.append(self._give_back)
        return allowed

    def throttle_success(self) -> bool:
        self.counted = super().throttle_success()
        return self.counted

    def throttle_failure(self) -> bool:
        """The limit is reached, unless some of these requests were given back."""
        returned = self.cache.get_many({self._name(moment) for moment in self.history})
        kept = []
        for moment in self.history:
            name = self._name(moment)
            if returned.get(name, 0) > 0:
                returned[name] -= 1
                self._count(name, -1)
            else:
                kept.append(moment)
        self.history = kept
        if len(kept) < self.num_requests:
            return self.throttle_success()
        return super().throttle_failure()

    # Each request that is given back has its own key, and the cache's atomic operations count
    # it: rewriting the list of requests could lose those that others added meanwhile.

    def _give_back(self) -> None:
        name = self._name(self.now)
        if not self.cache.add(name, 1, self.duration):
            self._count(name, 1)

    def _count(self, name: str, delta: int) -> None:
        with suppress(ValueError):  # The key has expired.
            self.cache.incr(name, delta)

    def _name(self, moment: float) -> str:
        return f"{self.key}_304_{moment!r}"
