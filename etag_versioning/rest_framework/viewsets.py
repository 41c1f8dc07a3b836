"""A viewset with everything on."""

from __future__ import annotations

from typing import TypeVar

from django.db import models
from rest_framework.viewsets import ModelViewSet

from .mixins import VersionedViewSetMixin

__all__ = ["VersionedModelViewSet"]


_Model = TypeVar("_Model", bound=models.Model)


class VersionedModelViewSet(VersionedViewSetMixin, ModelViewSet[_Model]):
    """
    DRF's ``ModelViewSet`` for a versioned model.

    Example::

        class UserViewSet(VersionedModelViewSet):
            queryset = User.objects.select_related("team", "office")
            serializer_class = UserSerializer
    """
