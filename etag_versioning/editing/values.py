"""
The values of form fields, in a form that can be compared, signed and shown.

A row's value and what a person typed have different types: a key and an instance, ``1.50`` and
``1.5``, ``\\n`` and ``\\r\\n``. ``comparable()`` makes the same of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.utils import formats, timezone
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from django.utils.translation import gettext as _

__all__ = ["comparable", "displayed"]

_SEQUENCES = (list, tuple, set, frozenset, models.QuerySet)


def comparable(field: forms.Field, value: Any) -> Any:
    """
    A field's value as text, a boolean, a list of texts, or ``None`` for an empty one.

    Args:
        field: the form field.
        value: what the row holds, as ``model_to_dict()`` returns it, or the cleaned value.
    """
    if isinstance(field, forms.JSONField):
        return json.dumps(value, sort_keys=True, cls=field.encoder, default=str)
    if isinstance(value, _SEQUENCES):
        texts = [str(comparable(field, each)) for each in value]
        is_unordered = isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField)
        return (sorted(texts) if is_unordered else texts) or None
    if isinstance(value, models.Model):
        return str(field.prepare_value(value))
    if isinstance(value, bool):
        return value
    if isinstance(value, UploadedFile):
        return [value.name]  # A new file differs from each that is stored.
    if isinstance(field, forms.FileField):
        return str(value) if value else None
    return _text(field, value)


def _text(field: forms.Field, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime | time):
        if not field.widget.supports_microseconds:
            value = value.replace(microsecond=0)
        is_aware = isinstance(value, datetime) and timezone.is_aware(value)
        return (value.astimezone(UTC) if is_aware else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    if isinstance(value, Decimal) and value.is_finite():
        text = format(value, "f")  # normalize() would round to the context's precision.
        return text.rstrip("0").rstrip(".") if "." in text else text
    # Browsers send lines with a carriage return, and CharField removes spaces around the text.
    return str(value).replace("\r\n", "\n").strip() or None


def displayed(field: Any, value: Any) -> str:
    """
    A comparable value as a person reads it: the label of a choice, a date in the active language.

    Args:
        field: the form field.
        value: what ``comparable()`` returned.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(field, forms.ModelChoiceField):
        return ", ".join(_object_labels(field, value if isinstance(value, list) else [value]))
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        labels = {str(key): str(label) for key, label in _flat_choices(choices)}
        values = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(each, str(each)) for each in values)
    if isinstance(value, list):
        return ", ".join(value)
    return _displayed_date(field, value)


def _displayed_date(field: forms.Field, value: str) -> str:
    try:
        if isinstance(field, forms.DateTimeField | forms.SplitDateTimeField):
            moment = parse_datetime(value)
            if moment is not None and timezone.is_aware(moment):
                moment = timezone.localtime(moment)
            return str(formats.localize(moment)) if moment else value
        if isinstance(field, forms.DateField):
            return str(formats.localize(parse_date(value)))
        if isinstance(field, forms.TimeField):
            return str(formats.localize(parse_time(value)))
    except ValueError:
        pass
    return value


def _object_labels(field: Any, keys: Iterable[str]) -> list[str]:
    name = field.to_field_name or "pk"
    try:
        found = {
            str(getattr(each, name)): str(field.label_from_instance(each))
            for each in field.queryset.filter(**{f"{name}__in": list(keys)})
        }
    except (TypeError, ValueError, ValidationError):
        found = {}
    return [found.get(key, key) for key in keys]


def _flat_choices(choices: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    for key, label in choices:
        if isinstance(label, list | tuple):
            yield from label  # A named group.
        else:
            yield key, label
