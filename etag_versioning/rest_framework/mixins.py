"""
DRF's mixins with preconditions: put them before DRF's own classes.

Each runs DRF's method of the same name and, while it runs, wraps the view's hooks
(``get_object``, ``perform_update`` …), so a view's own hooks go on working. What DRF answers
without preconditions comes first: 401, 403, 404, 405, 415 (RFC 9110 §13.2.1).
"""

from __future__ import annotations

from typing import Any

from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from .api_views import VersionedAPIViewMixin
from .creates import GuardedCreate
from .generic_views import VersionedViewMixin
from .handlers import guards_actions, over_drf
from .reads import read_object, read_own, read_page, reads_by
from .writes import GuardedWrite

__all__ = [
    "VersionedAPIViewMixin",
    "VersionedActionMixin",
    "VersionedCreateMixin",
    "VersionedDestroyMixin",
    "VersionedListMixin",
    "VersionedRetrieveMixin",
    "VersionedUpdateMixin",
    "VersionedViewSetMixin",
]


@reads_by(read_object, mixins.RetrieveModelMixin.retrieve, read_own, detail=True)
class VersionedRetrieveMixin(VersionedViewMixin):
    """
    ``retrieve()`` with tag, and 304 from one validator query.

    Where a permission looks at objects, it is shown one that is loaded without joins and
    prefetches before the 304; a ``get_object()`` of the view's own is called. Where the view
    has a ``retrieve()`` of its own, the 304 stands for what that returns.
    """


@reads_by(read_page, mixins.ListModelMixin.list, read_own, detail=False)
class VersionedListMixin(VersionedViewMixin):
    """``list()`` with a tag that is exact for the page, and 304 from one validator query."""


class VersionedCreateMixin(VersionedViewMixin):
    """
    ``create()`` that answers with the new row's tag and location. With
    ``If-None-Match: *`` it creates only what is not there.
    """

    @over_drf
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if self.versioning.is_guarded:
            return super().create(request, *args, **kwargs)  # type: ignore[misc]
        return GuardedCreate(self).post(super().create, request, *args, **kwargs)  # type: ignore[misc]


class VersionedUpdateMixin(VersionedViewMixin):
    """``update()`` and ``partial_update()`` of the state that If-Match names."""

    @over_drf
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if self.versioning.is_guarded:
            return super().update(request, *args, **kwargs)  # type: ignore[misc]
        return GuardedWrite(self, "perform_update").run(super().update, request, *args, **kwargs)  # type: ignore[misc]


class VersionedDestroyMixin(VersionedViewMixin):
    """``destroy()`` of the state that If-Match names."""

    @over_drf
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if self.versioning.is_guarded:
            return super().destroy(request, *args, **kwargs)  # type: ignore[misc]
        return GuardedWrite(self, "perform_destroy").run(super().destroy, request, *args, **kwargs)  # type: ignore[misc]


@guards_actions
class VersionedActionMixin(VersionedViewMixin):
    """
    Guards each handler of one row that writes and is the project's own: every
    ``@action(detail=True, methods=["post"])``, and every ``update()`` and
    ``destroy()`` of a viewset's own. A ``create()`` of its own overwrites no row where
    ``If-None-Match: *`` asks for a new one.

    The row is loaded by ``get_object()``, the preconditions are evaluated (428 without
    If-Match, 412 for a stale one), the row is locked, and the handler runs in the
    transaction of the lock. Its first ``get_object()`` returns the row that was loaded.

    An action says otherwise by DRF's own means, as for ``permission_classes``::

        @action(detail=True, methods=["post"], if_match="optional")
        def remind(self, request, pk=None): ...
    """


class VersionedViewSetMixin(
    VersionedCreateMixin,
    VersionedRetrieveMixin,
    VersionedUpdateMixin,
    VersionedDestroyMixin,
    VersionedListMixin,
    VersionedActionMixin,
):
    """
    All of the mixins above, to put before ``ModelViewSet``.

    Example::

        class UserViewSet(VersionedViewSetMixin, ModelViewSet):
            queryset = User.objects.all()
            serializer_class = UserSerializer
    """
