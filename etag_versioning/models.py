"""
The mixins for versioned models: their rows have a version and a timestamp, and their writes are
compare-and-swap.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import class_prepared
from django.dispatch import receiver

from .apps import require_installed
from .fields import UpdatedAtField, VersionField
from .orm.managers import VersionedManager, versioned_manager
from .orm.querysets import VersionedQuerySet
from .orm.stateful_model import StatefulModel

__all__ = [
    "TouchingMixin",
    "UpdatedAtMixin",
    "VersionMixin",
    "VersionedManager",
    "VersionedModel",
    "VersionedQuerySet",
    "versioned_manager",
]


class TouchingMixin(StatefulModel):
    """
    Adds no columns: for models without a version that have ``touches``.

    Example::

        class PhoneNumber(TouchingMixin):
            touches = ("user",)

            user = models.ForeignKey(User, models.CASCADE)
    """

    class Meta:
        abstract = True


class VersionMixin(StatefulModel):
    """
    Adds ``version``, which every write increments, and compare-and-swap on it.

    >>> from django.db import models
    >>> class Page(VersionMixin):
    ...     title = models.CharField(max_length=100)
    ...     class Meta:
    ...         app_label = "doctest"
    >>> Page(title="Home").version
    1

    With a version alone, a row that is deleted and created again with the same key can have
    an old tag again. With ``VersionedModel`` it cannot.
    """

    version = VersionField()

    class Meta:
        abstract = True


class UpdatedAtMixin(StatefulModel):
    """
    Adds ``updated_at``, which every write renews, for Last-Modified. Alone, it compares
    nothing, because dates cannot guard a write.
    """

    updated_at = UpdatedAtField()

    class Meta:
        abstract = True


class VersionedModel(VersionMixin, UpdatedAtMixin):
    """
    Adds ``version`` and ``updated_at``, from which tags are built.

    Other names for the columns::

        class Page(VersionedModel):
            version = None
            row_version = VersionField()
    """

    class Meta:
        abstract = True


@receiver(class_prepared)
def _require_installed(sender: Any, **kwargs: Any) -> None:
    if issubclass(sender, StatefulModel):
        require_installed()
