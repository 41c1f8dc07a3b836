"""
The mixins for adrf, whose viewsets are made of coroutines: put them before its own
classes.

As elsewhere, what DRF answers without preconditions comes first. There is no transaction
around a coroutine: each write of the row compares by itself, and a hook's other writes are
committed one by one. The option ``allow_create`` has no effect here.
"""

from __future__ import annotations

from typing import Any

from adrf import mixins
from rest_framework.request import Request

from ..handlers import over_drf
from ..mixins import VersionedActionMixin
from ..reads import reads_by
from .generic_views import AsyncVersionedViewMixin
from .handlers import (
    AsyncGuardedCreate,
    AsyncGuardedWrite,
    aread_object,
    aread_own,
    aread_page,
)

__all__ = [
    "AsyncVersionedActionMixin",
    "AsyncVersionedCreateMixin",
    "AsyncVersionedDestroyMixin",
    "AsyncVersionedListMixin",
    "AsyncVersionedRetrieveMixin",
    "AsyncVersionedUpdateMixin",
    "AsyncVersionedViewMixin",
    "AsyncVersionedViewSetMixin",
]


@reads_by(aread_object, mixins.RetrieveModelMixin.aretrieve, aread_own, detail=True)
class AsyncVersionedRetrieveMixin(AsyncVersionedViewMixin):
    """``aretrieve()`` with tag, and 304 from one validator query."""


@reads_by(aread_page, mixins.ListModelMixin.alist, aread_own, detail=False)
class AsyncVersionedListMixin(AsyncVersionedViewMixin):
    """``alist()`` with a tag that is exact for the page."""


class AsyncVersionedCreateMixin(AsyncVersionedViewMixin):
    """``acreate()`` that answers with the new row's tag and location."""

    @over_drf
    async def acreate(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().acreate
        if self.versioning.is_guarded:
            return await method(request, *args, **kwargs)
        return await AsyncGuardedCreate(self).apost(method, request, *args, **kwargs)


class AsyncVersionedUpdateMixin(AsyncVersionedViewMixin):
    """``aupdate()`` and ``partial_aupdate()`` of the state that If-Match names."""

    @over_drf
    async def aupdate(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().aupdate
        if self.versioning.is_guarded:
            return await method(request, *args, **kwargs)
        return await AsyncGuardedWrite(self).arun(method, request, *args, **kwargs)


class AsyncVersionedDestroyMixin(AsyncVersionedViewMixin):
    """``adestroy()`` of the state that If-Match names."""

    @over_drf
    async def adestroy(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().adestroy
        if self.versioning.is_guarded:
            return await method(request, *args, **kwargs)
        return await AsyncGuardedWrite(self).arun(method, request, *args, **kwargs)


class AsyncVersionedActionMixin(AsyncVersionedViewMixin, VersionedActionMixin):
    """
    Guards each coroutine of one row that writes and is the project's own. Handlers
    that are none are guarded as elsewhere, in one transaction.
    """


class AsyncVersionedViewSetMixin(
    AsyncVersionedCreateMixin,
    AsyncVersionedListMixin,
    AsyncVersionedRetrieveMixin,
    AsyncVersionedUpdateMixin,
    AsyncVersionedDestroyMixin,
    AsyncVersionedActionMixin,
):
    """
    All of the mixins above, to put before adrf's ``ModelViewSet``.

    Example::

        from adrf.viewsets import ModelViewSet

        class UserViewSet(AsyncVersionedViewSetMixin, ModelViewSet):
            queryset = User.objects.all()
            serializer_class = UserSerializer
    """
