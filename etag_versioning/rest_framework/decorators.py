"""For handlers of a project's own: other actions, and views without a queryset."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from rest_framework.request import Request

from ..http.preconditions import READ_METHODS
from .generic_views import VersionedViewMixin
from .reads import read_named_row, read_object, read_page

__all__ = ["versioned_read"]

Handler = TypeVar("Handler", bound=Callable[..., Any])


def versioned_read(handler: Handler) -> Handler:
    """
    Give a handler that shows one row the row's tag, and 304 before it runs.

    For GET and HEAD; other methods go through. In a generic view the row is the one
    that the handler's first ``get_object()`` returns; a view of another kind names
    it by ``get_versioned_queryset()``. A generic view's ``list()`` gets the tag of its page.
    Authentication, permissions, throttles and object permissions come first. What the
    handler itself would refuse does not: put that into a permission, or leave the decorator
    out.

    Example::

        class UserViewSet(VersionedModelViewSet):
            @action(detail=True)
            @versioned_read
            def summary(self, request, pk=None):
                return Response(SummarySerializer(self.get_object()).data)
    """

    read = read_page if getattr(handler, "__name__", "") == "list" else read_object

    @functools.wraps(handler)
    def inner(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = functools.partial(handler, view)
        is_generic = isinstance(view, VersionedViewMixin)
        if request.method not in READ_METHODS:
            return method(request, *args, **kwargs)
        if is_generic:
            return read(view, method, request, *args, **kwargs)
        return read_named_row(view, method, request, *args, **kwargs)

    inner.is_versioned_read = True  # type: ignore[attr-defined]  # For the schema.
    return inner  # type: ignore[return-value]
