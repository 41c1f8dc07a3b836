"""System checks of the triggers that migrations have added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import connections

__all__ = ["check_triggers"]


@checks.register(checks.Tags.database)
def check_triggers(
    app_configs: Sequence[Any] | None = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """W004: triggers that are gone. W005: triggers that are out of date."""
    # Imported only where databases are checked; a server needs none of it.
    from ..triggers.audit import audit_triggers

    return [
        checks.Warning(
            f"The version trigger of {report.model._meta.label} is {report.status}, in the "
            f'database "{alias}".',
            hint=f"Write a migration with operations = [{report.code}], from "
            f"etag_versioning.operations.",
            obj=report.model,
            id=f"etag_versioning.{_TRIGGER_IDS[report.status]}",
        )
        for alias in databases or ()
        if connections[alias].vendor in ("postgresql", "mysql", "sqlite")
        for report in audit_triggers(alias)
        if report.status in _TRIGGER_IDS
    ]


_TRIGGER_IDS = {"missing": "W004", "out of date": "W005"}
