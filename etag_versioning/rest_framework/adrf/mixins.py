"""
The mixins for adrf, whose view sets are made of coroutines: put them before its own
classes.

As elsewhere, what DRF answers without preconditions comes first. There is no
transaction around a coroutine: each write of the row compares by itself, and what
else a hook writes is committed by itself. The option ``allow_create`` has no meaning here.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from adrf import generics, mixins, views
from asgiref.sync import async_to_sync
from django.db import DataError
from django.http import Http404
from rest_framework.request import Request

from ...http.preconditions import READ_METHODS
from ..generic_views import VersionedViewMixin
from ..handlers import over_drf
from ..mixins import VersionedActionMixin
from ..reads import is_answered_by
from ..views import looks_at_objects
from .handlers import (
    AsyncGuardedCreate,
    AsyncGuardedHandler,
    AsyncGuardedWrite,
    aread_object,
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


class AsyncVersionedViewMixin(VersionedViewMixin, generics.GenericAPIView):
    """The base of the mixins for adrf's generic views and view sets."""

    _read_action = "aretrieve"

    async def aget_object(self) -> Any:
        """As ``get_object()``, for adrf's own."""
        try:
            return await super().aget_object()
        except (ArithmeticError, DataError) as error:
            raise Http404 from error

    def filter_queryset(self, queryset: Any) -> Any:
        """adrf's own way, for what reads narrowly in a thread."""
        return async_to_sync(self.afilter_queryset)(queryset)

    def _load_anew(self) -> Any:
        return super()._load_anew() if self._loads_as_drf else async_to_sync(self.aget_object)()

    @property
    def _loads_as_drf(self) -> bool:
        ours = type(self).aget_object is AsyncVersionedViewMixin.aget_object
        loads: Any = super().aget_object
        return ours and loads.__func__ is generics.GenericAPIView.aget_object

    @property
    def _paginates_as_drf(self) -> bool:
        kind, base = type(self), generics.GenericAPIView
        return (
            kind.paginate_queryset is base.paginate_queryset
            and kind.apaginate_queryset is base.apaginate_queryset
            and kind.get_paginated_response is base.get_paginated_response
            and kind.get_apaginated_response is base.get_apaginated_response
        )

    def _may_read_narrowly(self) -> bool:
        check = type(self).check_object_permissions
        return (
            self._loads_as_drf
            and check is views.APIView.check_object_permissions
            and not any(map(looks_at_objects, self.get_permissions()))
        )

    def _guarded(self, handler: Any) -> Any:
        if not iscoroutinefunction(handler):
            return super()._guarded(handler)

        async def guarded(request: Request, *args: Any, **kwargs: Any) -> Any:
            return await AsyncGuardedHandler(self).arun(handler, request, *args, **kwargs)

        return guarded


class AsyncVersionedRetrieveMixin(AsyncVersionedViewMixin):
    """``aretrieve()`` with tag, and 304 from one narrow query."""

    @over_drf
    async def aretrieve(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().aretrieve
        if request.method not in READ_METHODS:
            return await method(request, *args, **kwargs)
        early = is_answered_by(
            self,
            AsyncVersionedRetrieveMixin.aretrieve,
            method,
            mixins.RetrieveModelMixin.aretrieve,
        )
        return await aread_object(self, early, method, request, *args, **kwargs)


class AsyncVersionedListMixin(AsyncVersionedViewMixin):
    """``alist()`` with a tag that is exact for the page."""

    @over_drf
    async def alist(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().alist
        if request.method not in READ_METHODS:
            return await method(request, *args, **kwargs)
        early = is_answered_by(
            self, AsyncVersionedListMixin.alist, method, mixins.ListModelMixin.alist
        )
        return await aread_page(self, early, method, request, *args, **kwargs)


class AsyncVersionedCreateMixin(AsyncVersionedViewMixin):
    """``acreate()`` that answers with the new row's tag and location."""

    @over_drf
    async def acreate(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().acreate
        if self._is_guarded:
            return await method(request, *args, **kwargs)
        return await AsyncGuardedCreate(self).apost(method, request, *args, **kwargs)


class AsyncVersionedUpdateMixin(AsyncVersionedViewMixin):
    """``aupdate()`` and ``partial_aupdate()`` of the state that If-Match names."""

    @over_drf
    async def aupdate(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().aupdate
        if self._is_guarded:
            return await method(request, *args, **kwargs)
        return await AsyncGuardedWrite(self).arun(method, request, *args, **kwargs)


class AsyncVersionedDestroyMixin(AsyncVersionedViewMixin):
    """``adestroy()`` of the state that If-Match names."""

    @over_drf
    async def adestroy(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().adestroy
        if self._is_guarded:
            return await method(request, *args, **kwargs)
        return await AsyncGuardedWrite(self).arun(method, request, *args, **kwargs)


class AsyncVersionedActionMixin(AsyncVersionedViewMixin, VersionedActionMixin):
    """
    Guards each coroutine of one row that writes and is the project's own. Handlers
    that are none are guarded as elsewhere, in one transaction.
    """

    def _creating(self, handler: Any) -> Any:
        if not iscoroutinefunction(handler):
            return super()._creating(handler)

        async def creating(request: Request, *args: Any, **kwargs: Any) -> Any:
            return await AsyncGuardedCreate(self).ahandle(handler, request, *args, **kwargs)

        return creating


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
