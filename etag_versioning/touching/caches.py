"""Caches of rows that other apps keep."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.db import models

__all__ = ["invalidate_rows"]


def invalidate_rows(model: Any, using: str, keys: Collection[Any]) -> None:
    """
    Let django-cacheops forget rows that were touched: Redis has their old versions, and only a
    ``save()`` tells it so by itself.
    """
    if not apps.is_installed("cacheops"):
        return
    from cacheops import invalidate_obj
    from cacheops.utils import family_has_profile

    if family_has_profile(model):
        rows: Any = models.QuerySet(model, using=using)
        for row in rows.filter(pk__in=keys).nocache():
            invalidate_obj(row, using=using)
