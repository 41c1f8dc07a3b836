"""For views that have no query set."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework.generics import get_object_or_404

from ..orm.state import state_columns
from ..sources.rows import Row, for_write
from .handlers import GuardingView
from .views import NO_SUCH_KEY

__all__ = ["VersionedAPIViewMixin"]


class VersionedAPIViewMixin(GuardingView):
    """
    To put before ``APIView`` and ``ViewSet``: views that have no query set name
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

    def get_object(self) -> Any:
        """The row, if the user may see it (404 and 403 otherwise)."""
        try:
            instance = get_object_or_404(self.get_versioned_queryset())
        except NO_SUCH_KEY:
            raise Http404 from None
        self.check_object_permissions(self.request, instance)
        return instance

    # Private to the package from here on.

    _guards_actions = True

    def _is_about_one_row(self) -> bool:
        return getattr(self, "detail", True) is not False

    @property
    def _loads_as_drf(self) -> bool:
        return type(self).get_object is VersionedAPIViewMixin.get_object

    def _check_lookup(self) -> None:
        """The row is named by a queryset."""

    def _read_row_again(self, row: Row) -> tuple[Row, Any] | None:
        owner = state_columns(row.model).owner
        rows = for_write(self.get_versioned_queryset())
        instance = rows.filter(**{owner._meta.pk.name: row.pk}).first()
        return None if instance is None else (self._row_of(instance), instance)

    def _may_read_narrowly(self) -> bool:
        is_ours = type(self).get_object is VersionedAPIViewMixin.get_object
        return is_ours and super()._may_read_narrowly()
