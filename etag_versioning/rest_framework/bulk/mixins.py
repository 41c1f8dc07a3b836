"""PUT and PATCH of several rows at once, each with the tag of the state that it edits."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.http import Http404
from django.utils.decorators import classonlymethod
from rest_framework.mixins import UpdateModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ..generic_views import VersionedViewMixin
from ..hooks import hooked
from ..mixins import VersionedUpdateMixin
from .writes import BulkUpdate

__all__ = ["VersionedBulkUpdateMixin"]


class VersionedBulkUpdateMixin(VersionedViewMixin):
    """
    Lets PUT and PATCH of a viewset's list update several rows: all or none.

    The content is a list of items, each with its key and, in the serializer's
    ``ETagField``, its tag. Rows that the user does not see are 404, object
    permissions are asked for each; then 428 names the items without a tag, and 412
    those that are stale, with their current tags; then the content is validated,
    and each row is written by ``perform_update()``, in one transaction.

    To the view's hooks, ``self.action`` is ``"update"`` or ``"partial_update"``, and
    ``self.detail`` is false: who may not update one row may not update several. A bulk
    update calls neither ``update()`` nor ``partial_update()``, so a view that has its
    own cannot be routed, unless its ``bulk_update()`` is its own too.

    Attributes:
        bulk_limit: how many items one request may have.

    Example::

        class UserViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
            queryset = User.objects.all()
            serializer_class = UserSerializer  # with etag = ETagField()
    """

    bulk_limit: ClassVar[int] = 100

    @classonlymethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        """DRF's, which routes PUT and PATCH of the list, too."""
        if actions and "list" in actions.values():
            actions = {"put": "bulk_update", "patch": "partial_bulk_update", **actions}
        for name in set(_ACTIONS).intersection((actions or {}).values()):
            _check_methods(cls, name)
        return super().as_view(actions, **initkwargs)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        request = super().initialize_request(request, *args, **kwargs)
        action = getattr(self, "action", None)
        if action in _ACTIONS:
            self.action = _ACTIONS[action]
        return request

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        view: Any = self
        if (view.lookup_url_kwarg or view.lookup_field) in view.kwargs:
            return super().options(request, *args, **kwargs)
        # DRF asks for the object of each PUT that it describes, and a list has none.
        with hooked(self, get_object=_no_object):
            return super().options(request, *args, **kwargs)

    def bulk_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return BulkUpdate(self, partial=False).respond()

    def partial_bulk_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return BulkUpdate(self, partial=True).respond()


# The action of each handler, by which views choose permissions and serializers.
_ACTIONS = {"bulk_update": "update", "partial_bulk_update": "partial_update"}


# The methods that update one row, as long as the project does not override them.
_PLAIN = {
    "update": VersionedUpdateMixin.update,
    "partial_update": UpdateModelMixin.partial_update,
}
# The methods that each handler stands for: DRF's ``partial_update()`` calls ``update()``.
_REPLACED = {
    "bulk_update": ("update",),
    "partial_bulk_update": ("update", "partial_update"),
}


def _check_methods(view: Any, name: str) -> None:
    """
    Refuse a view whose own ``update()`` forbids what a bulk update would write all the same.

    Args:
        view: the view's class.
        name: of the handler that the route of the list is to have.
    """
    if getattr(view, name) is not getattr(VersionedBulkUpdateMixin, name):
        return
    if not hasattr(view, "perform_update"):
        raise ImproperlyConfigured(
            f"{view.__name__} has no perform_update(), which writes each item of a bulk update. "
            f"Write: class {view.__name__}(VersionedBulkUpdateMixin, VersionedUpdateMixin, "
            f"UpdateModelMixin, …)."
        )
    for replaced in _REPLACED[name]:
        own = getattr(view, replaced, None)
        if own is not None and own is not _PLAIN[replaced]:
            raise ImproperlyConfigured(
                f"{view.__name__} has its own {replaced}(), which a bulk update does not call: "
                f"what it forbids could be written through the list. Move its code to "
                f"check_object_permissions(), perform_update() or the serializer, or write "
                f"{name}(self, request, *args, **kwargs), which does the same for each item."
            )


def _no_object() -> Any:
    raise Http404
