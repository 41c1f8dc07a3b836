"""A viewset with everything on."""

from __future__ import annotations

from rest_framework.viewsets import ModelViewSet

from .mixins import VersionedViewSetMixin

__all__ = ["VersionedModelViewSet"]


class VersionedModelViewSet(VersionedViewSetMixin, ModelViewSet):
    """
    DRF's ``ModelViewSet`` for a versioned model.

    Example::

        class UserViewSet(VersionedModelViewSet):
            queryset = User.objects.select_related("team", "office")
            serializer_class = UserSerializer
    """
