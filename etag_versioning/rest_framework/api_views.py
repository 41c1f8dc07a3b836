"""For views that have no queryset."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.functional import cached_property
from rest_framework.generics import get_object_or_404

from ..orm.state import state_columns
from ..sources.rows import Row, for_write
from .handlers import GuardingVersioning, GuardingView, guards_actions
from .versioning import NO_SUCH_KEY

__all__ = ["APIViewVersioning", "VersionedAPIViewMixin"]


class APIViewVersioning(GuardingVersioning):
    """``versioning`` of a view whose row ``get_versioned_queryset()`` names."""

    @cached_property
    def is_about_one_row(self) -> bool:
        return getattr(self.view, "detail", True) is not False

    @cached_property
    def loads_as_drf(self) -> bool:
        view_class: Any = type(self.view)
        return view_class.get_object is VersionedAPIViewMixin.get_object

    def read_row_again(self, row: Row) -> tuple[Row, Any] | None:
        owner = state_columns(row.model).owner
        rows = for_write(self.view.get_versioned_queryset())
        instance = rows.filter(**{owner._meta.pk.name: row.pk}).first()
        return None if instance is None else (self.row_of(instance), instance)

    def may_read_row(self) -> bool:
        return self.loads_as_drf and super().may_read_row()


@guards_actions
class VersionedAPIViewMixin(GuardingView):
    """
    To put before ``APIView`` and ``ViewSet``: views that have no queryset name
    their row here.

    Example::

        class Report(VersionedAPIViewMixin, APIView):
            def get_versioned_queryset(self):
                return User.objects.filter(pk=self.kwargs["pk"])

            @versioned_read
            def get(self, request, pk):
                return Response(...)

    Its ``put()``, ``patch()``, ``post()`` and ``delete()`` are guarded as a whole: the row
    is loaded, compared with If-Match and locked before they run, in one transaction. A
    method says otherwise by ``get_if_match()``, a view by ``if_match = "optional"``.
    """

    versioning = cached_property(APIViewVersioning)

    def get_object(self) -> Any:
        """The row, if the user may see it (404 and 403 otherwise)."""
        try:
            instance = get_object_or_404(self.get_versioned_queryset())
        except NO_SUCH_KEY:
            raise Http404 from None
        self.check_object_permissions(self.request, instance)
        return instance
