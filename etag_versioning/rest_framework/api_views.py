"""For views that have no query set."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework.generics import get_object_or_404

from .views import NO_SUCH_KEY, VersionedView

__all__ = ["VersionedAPIViewMixin"]


class VersionedAPIViewMixin(VersionedView):
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
    """

    def get_object(self) -> Any:
        """The row, if the user may see it (404 and 403 otherwise)."""
        try:
            instance = get_object_or_404(self.get_versioned_queryset())
        except NO_SUCH_KEY:
            raise Http404 from None
        self.check_object_permissions(self.request, instance)
        return instance

    def _may_read_narrowly(self) -> bool:
        is_ours = type(self).get_object is VersionedAPIViewMixin.get_object
        return is_ours and super()._may_read_narrowly()
