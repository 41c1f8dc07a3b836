"""
DRF's mixins with preconditions: put them before DRF's own classes.

Each runs DRF's method of the same name, and for its duration wraps the view's
hooks (``get_object``, ``perform_update`` …), so that a view's own versions of
hooks go on working. What DRF answers without preconditions comes first: 401,
403, 404, 405, 415 (RFC 9110 §13.2.1).
"""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from .. import http
from ..preconditions import READ_METHODS
from .hooks import hooked
from .metadata import add_required_headers
from .reads import is_answered_by, read_object, read_page
from .views import VersionedAPIViewMixin, VersionedViewMixin
from .writes import GuardedWrite

__all__ = [
    "VersionedAPIViewMixin",
    "VersionedCreateMixin",
    "VersionedDestroyMixin",
    "VersionedListMixin",
    "VersionedRetrieveMixin",
    "VersionedUpdateMixin",
    "VersionedViewSetMixin",
]


class VersionedRetrieveMixin(mixins.RetrieveModelMixin, VersionedViewMixin):
    """
    ``retrieve()`` with tag, and 304 from one narrow query.

    Where a permission looks at objects, or the view has a ``get_object()`` of
    its own, the object is loaded for it before the 304. Where the view has a
    ``retrieve()`` of its own, the 304 stands for what that returns.
    """

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().retrieve
        if request.method not in READ_METHODS:
            return method(request, *args, **kwargs)  # Called by a write.
        early = is_answered_by(
            self, VersionedRetrieveMixin.retrieve, method, mixins.RetrieveModelMixin.retrieve
        )
        return read_object(self, early, method, request, *args, **kwargs)


class VersionedListMixin(mixins.ListModelMixin, VersionedViewMixin):
    """``list()`` with a tag that is exact for the page, and 304 from one narrow query."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        method = super().list
        if request.method not in READ_METHODS:
            return method(request, *args, **kwargs)
        early = is_answered_by(self, VersionedListMixin.list, method, mixins.ListModelMixin.list)
        return read_page(self, early, method, request, *args, **kwargs)


class VersionedCreateMixin(mixins.CreateModelMixin, VersionedViewMixin):
    """``create()`` that answers with the new row's tag and location."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self._check_media_type()
        # The row to be created is absent; no state of it can be required.
        self._hold(None, requires=False)
        perform = self.perform_create
        created: Any = None

        def perform_create(serializer: Any) -> None:
            nonlocal created
            perform(serializer)
            created = serializer.instance

        with hooked(self, perform_create=perform_create):
            response = super().create(request, *args, **kwargs)
        if response.status_code == 201 and hasattr(created, "_meta"):
            current = self._validators_of(self._row_of(created))
            response.headers.setdefault("ETag", str(current.etag))
            location = self._location(created)
            if location is not None:
                response.headers.setdefault("Location", location)
        return response

    def _location(self, instance: Any) -> str | None:
        """The new row's address, where a router gave the view set one."""
        name = self.lookup_url_kwarg or self.lookup_field
        kwargs = {**self.kwargs, name: getattr(instance, self.lookup_field)}
        try:
            return str(self.reverse_action("detail", kwargs=kwargs))  # type: ignore[attr-defined]
        except (AttributeError, NoReverseMatch):
            return None


class VersionedUpdateMixin(mixins.UpdateModelMixin, VersionedViewMixin):
    """``update()`` and ``partial_update()`` of the state that If-Match names."""

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().options(request, *args, **kwargs)
        return add_required_headers(self, response, ("PUT", "PATCH"))

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        write = GuardedWrite(self, "perform_update")
        response = write.run(super().update, request, *args, **kwargs)
        if 200 <= response.status_code < 300:
            current = write.current()
            if current is not None and http.shows_new_tag(request.method or "", response):
                response.headers.setdefault("ETag", str(current.etag))
            if response.status_code == 200:
                # RFC 9110 §8.7: the content is the representation at this address.
                response.headers.setdefault("Content-Location", request.get_full_path())
        return response


class VersionedDestroyMixin(mixins.DestroyModelMixin, VersionedViewMixin):
    """``destroy()`` of the state that If-Match names."""

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().options(request, *args, **kwargs)
        return add_required_headers(self, response, ("DELETE",))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return GuardedWrite(self, "perform_destroy").run(super().destroy, request, *args, **kwargs)


class VersionedViewSetMixin(
    VersionedCreateMixin,
    VersionedRetrieveMixin,
    VersionedUpdateMixin,
    VersionedDestroyMixin,
    VersionedListMixin,
):
    """
    All of the mixins above, to put before ``ModelViewSet``.

    Example::

        class UserViewSet(VersionedViewSetMixin, ModelViewSet):
            queryset = User.objects.all()
            serializer_class = UserSerializer
    """
