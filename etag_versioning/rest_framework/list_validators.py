"""
Cheap validators of lists. Each misses some changes, which its docstring names.

By default the tag of a list is exact: it is made of each row on the page. These are made
of one aggregate query over the whole list. Give one to a viewset::

    class UserViewSet(VersionedModelViewSet):
        list_validator = max_version_and_count
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Max

from ..sources.rows import require_version

__all__ = ["count_and_max_updated_at", "max_version_and_count"]


def max_version_and_count(queryset: Any) -> tuple[Any, ...]:
    """
    The highest version of the list, and how many rows it has.

    It does not see the update of a row whose version is not the highest, nor a row
    that is deleted while another is inserted.
    """
    return _aggregate(queryset, require_version(queryset.model).version)


def count_and_max_updated_at(queryset: Any) -> tuple[Any, ...]:
    """
    How many rows the list has, and when the last one was written.

    It does not see:

    - a row that is deleted while another one with an older timestamp comes into the list: by an
      import, or since a filter lets it in;
    - a transaction that commits late. A timestamp is made when a row is written, not when it is
      committed: if another transaction wrote later and committed earlier, the highest timestamp
      stays the same when the first one commits its update.

    Raises:
        ImproperlyConfigured: the model has no timestamp.
    """
    timestamp = require_version(queryset.model).timestamp
    if timestamp is None:
        label = queryset.model._meta.label
        raise ImproperlyConfigured(
            f"{label} has no timestamp. Let it inherit from VersionedModel, or use "
            f"list_validator = max_version_and_count."
        )
    return _aggregate(queryset, timestamp)


def _aggregate(queryset: Any, field: Any) -> tuple[Any, ...]:
    found = queryset.order_by().aggregate(etag_count=Count("pk"), etag_max=Max(field.name))
    return found["etag_count"], found["etag_max"]
