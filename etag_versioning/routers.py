"""
A database router for projects with read replicas: ``ReadYourWritesRouter``.

It chooses no replica itself. That is left to the project's own router, which stands behind it::

    DATABASE_ROUTERS = [
        "etag_versioning.routers.ReadYourWritesRouter",
        "project.routers.PrimaryReplicaRouter",
    ]
"""

from __future__ import annotations

from typing import Any

from django.db import router

from .orm.request_reads import current_reads

__all__ = ["ReadYourWritesRouter"]


class ReadYourWritesRouter:
    """
    Sends a request's reads where they show its client's own writes. Put it first in
    ``DATABASE_ROUTERS``.

    In views with ``versioned_condition`` or a mixin for DRF:

    - A request that may write reads where it writes: the view's own queries, serializers and
      permissions, from the start of the view.
    - A conditional GET whose tag the replica does not have is compared on the primary. If the
      replica is behind, the request goes on reading there.
    - Any other GET keeps to the replica that its first query went to, so that its content is no
      older than its tag. So each replica of a primary must hold all tables that a view reads.

    It has no opinion on reads outside of such views, on a model for which no other router has a
    ``db_for_write()``, and on writes. ``using()`` is never overruled.
    """

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        reads = current_reads.get()
        if reads is None:
            return None
        primary = self._ask("db_for_write", model, hints)
        if primary is None or reads.from_primary:
            return primary
        chosen = self._ask("db_for_read", model, hints)
        return None if chosen is None else reads.choose(primary, chosen)

    def _ask(self, method: str, model: Any, hints: Any) -> str | None:
        """The answer of the first of the other routers that has an opinion."""
        for other in router.routers:
            choose = getattr(other, method, None)
            if choose is not None and not isinstance(other, ReadYourWritesRouter):
                alias: str | None = choose(model, **hints)
                if alias:
                    return alias
        return None
