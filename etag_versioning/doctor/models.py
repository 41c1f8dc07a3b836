"""The models whose rows have a state, or touch rows that do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from ..conf import settings
from ..orm.state_columns import state_columns
from ..triggers.audit import audit_triggers

__all__ = ["models_of_project", "triggers_of"]

_VENDORS = ("mysql", "postgresql", "sqlite")


def models_of_project(triggers: Mapping[str, Mapping[Any, str]]) -> list[dict[str, Any]]:
    """
    The versioned models, and those with ``touches``, by their labels.

    Args:
        triggers: for each database, the status of the models' triggers.
    """
    models = [model for model in apps.get_models() if not model._meta.proxy]
    return [
        _described(model, triggers)
        for model in sorted(models, key=lambda model: model._meta.label)
        if state_columns(model).owner is not None or _names(model, "touches")
    ]


def _described(model: Any, triggers: Mapping[str, Mapping[Any, str]]) -> dict[str, Any]:
    columns = state_columns(model)
    return {
        "model": model._meta.label,
        "version": columns.version and columns.version.name,
        "timestamp": columns.timestamp and columns.timestamp.name,
        "state_in": columns.owner and columns.owner._meta.label,
        "unversioned_fields": _names(model, "unversioned_fields"),
        "touches": _names(model, "touches"),
        "stale_writes": getattr(model, "stale_writes", None) or _stale_writes_of_project(),
        "triggers": {alias: found[model] for alias, found in triggers.items() if model in found},
    }


def _stale_writes_of_project() -> str | None:
    try:
        return settings.stale_writes
    except ImproperlyConfigured:  # E001.
        return None


def _names(model: Any, option: str) -> list[str]:
    given = getattr(model, option, None) or ()
    # A string is E003 or E004.
    return [given] if isinstance(given, str) else [str(name) for name in given]


def triggers_of(alias: str) -> dict[Any, str]:
    """
    The status of the trigger of each model in a database, as ``show_version_triggers`` says it;
    empty for a database that has no triggers of ours.
    """
    if connections[alias].vendor not in _VENDORS:
        return {}
    return {report.model: report.status for report in audit_triggers(alias)}
