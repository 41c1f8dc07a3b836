"""
The mixins of versioned models, whose rows carry their version and whose writes are
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
    Adds no column: for models that have no version, and only ``touches``.

    Example::

        class PhoneNumber(TouchingMixin):
            touches = ("user",)

            user = models.ForeignKey(User, models.CASCADE)
    """

    class Meta:
        abstract = True


class VersionMixin(StatefulModel):
    """
    Adds ``version``, which every write raises, and compare-and-swap on it.

    >>> from django.db import models
    >>> class Page(VersionMixin):
    ...     title = models.CharField(max_length=100)
    ...     class Meta:
    ...         app_label = "doctest"
    >>> Page(title="Home").version
    1

    With a version alone, a row that is deleted and made again under the same key
    can repeat a tag; ``VersionedModel`` cannot.
    """

    version = VersionField()

    class Meta:
        abstract = True


class UpdatedAtMixin(StatefulModel):
    """
    Adds ``updated_at``, which every write moves, for Last-Modified. Alone, it
    compares nothing: dates cannot guard a write.
    """

    updated_at = UpdatedAtField()

    class Meta:
        abstract = True


class VersionedModel(VersionMixin, UpdatedAtMixin):
    """
    ``version`` and ``updated_at`` together: what tags are made of.

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
