"""What the mixins for adrf's generic views share."""

from __future__ import annotations

from functools import cache
from inspect import iscoroutinefunction
from typing import Any

from adrf import generics
from asgiref.sync import async_to_sync
from django.db import DataError
from django.http import Http404
from django.utils.functional import cached_property
from rest_framework.request import Request

from ...http.preconditions import SAFE_METHODS
from ...orm.request_reads import reads_of_request
from ...views.late_rendering import render_with
from ..generic_views import GenericVersioning, VersionedViewMixin
from .handlers import AsyncGuardedCreate, AsyncGuardedHandler

__all__ = ["AsyncVersionedViewMixin", "AsyncVersioning"]


class AsyncVersioning(GenericVersioning):
    """``versioning`` of a view whose handlers are coroutines."""

    read_action = "aretrieve"

    @cached_property
    def loads_as_drf(self) -> bool:
        """Whether ``aget_object()`` is adrf's own."""
        view_class: Any = type(self.view)
        return _loads_as_adrf(view_class)

    @property
    def paginates_as_drf(self) -> bool:
        kind, base = type(self.view), generics.GenericAPIView
        return (
            kind.paginate_queryset is base.paginate_queryset
            and kind.apaginate_queryset is base.apaginate_queryset
            and kind.get_paginated_response is base.get_paginated_response
            and kind.get_apaginated_response is base.get_apaginated_response
        )

    def load_again(self) -> Any:
        if self.loads_as_drf:
            return super().load_again()
        return async_to_sync(self.view.aget_object)()

    def guarded(self, handler: Any) -> Any:
        if not iscoroutinefunction(handler):
            return super().guarded(handler)

        async def guarded(request: Request, *args: Any, **kwargs: Any) -> Any:
            return await AsyncGuardedHandler(self.view).arun(handler, request, *args, **kwargs)

        return guarded

    def guarded_create(self, handler: Any) -> Any:
        if not iscoroutinefunction(handler):
            return super().guarded_create(handler)

        async def creating(request: Request, *args: Any, **kwargs: Any) -> Any:
            return await AsyncGuardedCreate(self.view).ahandle(handler, request, *args, **kwargs)

        return creating


class AsyncVersionedViewMixin(VersionedViewMixin, generics.GenericAPIView):
    """The base of the mixins for adrf's generic views and viewsets."""

    versioning = cached_property(AsyncVersioning)

    async def async_dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """adrf's, which runs after ``dispatch()`` has returned."""
        with reads_of_request(writes=request.method not in SAFE_METHODS) as reads:
            response = await super().async_dispatch(request, *args, **kwargs)
        if reads is not None:
            render_with(reads, response)
        return response

    async def aget_object(self) -> Any:
        """As ``get_object()``, for adrf's own."""
        try:
            return await super().aget_object()
        except (ArithmeticError, DataError) as error:
            raise Http404 from error

    def filter_queryset(self, queryset: Any) -> Any:
        """adrf's own way, for the validator query, which runs in a thread."""
        return async_to_sync(self.afilter_queryset)(queryset)


@cache
def _loads_as_adrf(view_class: Any) -> bool:
    ours = view_class.aget_object is AsyncVersionedViewMixin.aget_object
    later: Any = super(AsyncVersionedViewMixin, view_class)
    return ours and later.aget_object is generics.GenericAPIView.aget_object
