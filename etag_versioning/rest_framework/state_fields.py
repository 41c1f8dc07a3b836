"""The columns of a row's state, which no client sets."""

from __future__ import annotations

from typing import Any

from django.db import models
from rest_framework.serializers import BaseSerializer, Serializer

from ..orm.state import state_columns

__all__ = ["ignore_written_state"]


def ignore_written_state(serializer: Any) -> None:
    """
    Let a serializer, and those nested in it, take no version and no timestamp.

    A client sends back what it was shown. On the instance, an old version would make
    its write stale, however often the client fetched the row again.
    """
    serializer = getattr(serializer, "child", serializer)
    if not isinstance(serializer, Serializer):
        return
    model = getattr(getattr(serializer, "Meta", None), "model", None)
    is_model = isinstance(model, type) and issubclass(model, models.Model)
    names = state_columns(model).names if is_model else ()
    for field in serializer.fields.values():
        if field.source in names:
            field.read_only = True
        elif isinstance(field, BaseSerializer) and not field.read_only:
            ignore_written_state(field)
