"""What the answer to a stale write tells: what is there now, or that nothing was lost."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.mixins import UpdateModelMixin
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer

from ..preconditions import Decision, Reason, Validators
from .current import as_read, content_of, is_extra_action, read_representation
from .exceptions import PreconditionError
from .statements import saves_in_own_way

__all__ = ["conflict", "replay", "shown_content"]


def conflict(
    view: Any, decision: Decision, current: Validators, instance: Any
) -> PreconditionError:
    """
    The 412 for a row that is there: for who may GET it with its tag, and with its
    content where the view has ``conflict_includes_current``.

    Args:
        instance: the row as it is now; ``current`` are its validators.
    """
    seen = as_read(view, instance)
    if seen is None:
        return PreconditionError(decision)
    if seen is not instance:
        current = view._row_of(seen).validators(read_representation(view))
    return PreconditionError(decision, current.etag, shown_content(view, seen))


def shown_content(view: Any, seen: Any) -> dict[str, Any]:
    """What a 412 shows of a row besides its tag; ``seen`` as ``as_read()`` has it."""
    return {"current": content_of(view, seen)} if view.conflict_includes_current else {}


def replay(view: Any, decision: Decision, instance: Any) -> Response | None:
    """
    The answer to a write that is stale because it has been made already, by this
    client, whose first answer was lost, or by another (RFC 9110 §13.1.1).

    Returns:
        What DRF's ``update()`` would have answered; ``None`` where the view does
        not have ``replay_safe``, or where it is not proved that each value is what
        the row holds: what files, passwords, nested and related rows and hooks of
        the project's own would do is not known.
    """
    if decision.reason is not Reason.STALE or not view.replay_safe:
        return None
    method, action = view.request.method, getattr(view, "action", None)
    if method not in ("PUT", "PATCH") or is_extra_action(view):
        return None
    if type(view).perform_update is not UpdateModelMixin.perform_update:
        return None
    if as_read(view, instance) is None:
        return None
    try:
        partial = method == "PATCH" or action == "partial_update"
        serializer = view.get_serializer(instance, data=view.request.data, partial=partial)
        if not serializer.is_valid() or not _changes_nothing(serializer, instance):
            return None
    except (APIException, Http404, PermissionDenied, ValidationError):
        return None
    return Response(serializer.data)


def _changes_nothing(serializer: Any, instance: Any) -> bool:
    if not isinstance(serializer, ModelSerializer) or saves_in_own_way(serializer):
        return False
    fields = {field.source: field for field in serializer._writable_fields}
    values = serializer.validated_data
    # A change of nothing is no change that could have been made.
    return bool(values) and all(
        name in fields and _holds(instance, fields[name], value) for name, value in values.items()
    )


def _holds(instance: Any, field: Any, value: Any) -> bool:
    """Whether the row's own column holds ``value`` already."""
    try:
        column = instance._meta.get_field(field.source)
    except FieldDoesNotExist:
        return False
    if field.write_only or not column.concrete or isinstance(column, models.FileField):
        return False
    if column.is_relation and value is not None:
        value = getattr(value, column.target_field.attname)
    held = getattr(instance, column.attname)
    if isinstance(column, models.JSONField) or isinstance(held, dict | list):
        return _is_same_json(held, value, getattr(column, "encoder", None))
    return isinstance(held, bool) is isinstance(value, bool) and bool(held == value)


def _is_same_json(held: Any, value: Any, encoder: Any) -> bool:
    """Whether two values are the same in JSON: to Python, 1 and true are equal."""
    dumps = partial(json.dumps, sort_keys=True, cls=encoder or DjangoJSONEncoder)
    try:
        return dumps(held) == dumps(value)
    except (TypeError, ValueError):
        return False  # Of what the column's decoder makes, nothing is known.
