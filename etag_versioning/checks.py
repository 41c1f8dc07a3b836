"""System checks: what can be seen wrong before a request comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models

from .columns import state_columns
from .conf import DEFAULTS
from .fields import UpdatedAtField, VersionField
from .paths import resolve_path
from .querysets import VersionedQuerySet
from .stateful import StatefulModel

__all__ = ["check_models", "check_settings", "check_triggers"]


@checks.register("etag_versioning")
def check_settings(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001: a key of ``ETAG_VERSIONING`` that is none."""
    given = getattr(django_settings, "ETAG_VERSIONING", {})
    return [
        checks.Error(
            f'ETAG_VERSIONING has no setting "{name}".',
            hint=f"The settings are: {', '.join(DEFAULTS)}.",
            id="etag_versioning.E001",
        )
        for name in given
        if name not in DEFAULTS
    ]


@checks.register(checks.Tags.models)
def check_models(
    app_configs: Sequence[Any] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """
    E002: state columns twice, or in two tables. E003: ``touches`` that lead nowhere. W001, W002:
    managers that move no version. W003: foreign keys by which the database changes rows.
    W008: through models that do not touch the row that has the links.
    """
    configs = apps.get_app_configs() if app_configs is None else app_configs
    found: list[checks.CheckMessage] = []
    for config in configs:
        for model in config.get_models():
            if issubclass(model, StatefulModel):
                found += _check_columns(model)
                found += _check_touches(model)
                found += _check_manager(model)
                found += _check_foreign_keys(model)
                found += _check_links(model)
    return found


def _check_columns(model: Any) -> list[checks.CheckMessage]:
    fields = model._meta.concrete_fields
    found: list[checks.CheckMessage] = [
        checks.Error(
            f"{model._meta.label} has more than one {kind.__name__}: "
            f"{', '.join(field.name for field in fields if isinstance(field, kind))}.",
            hint="Keep one; remove the inherited one by setting its name to None.",
            obj=model,
            id="etag_versioning.E002",
        )
        for kind in (VersionField, UpdatedAtField)
        if sum(isinstance(field, kind) for field in fields) > 1
    ]
    owners = {
        field.model._meta.label
        for field in fields
        if isinstance(field, VersionField | UpdatedAtField)
    }
    if not found and len(owners) > 1:
        found.append(
            checks.Error(
                f"{model._meta.label} keeps its version and its stamp in two tables: "
                f"{', '.join(sorted(owners))}.",
                hint="Let one model of the chain inherit from VersionedModel.",
                obj=model,
                id="etag_versioning.E002",
            )
        )
    return found


def _check_touches(model: Any) -> list[checks.CheckMessage]:
    if isinstance(model.touches, str):
        message = f"{model._meta.label}.touches is a string."
        hint = f'touches = ("{model.touches}",)'
        return [checks.Error(message, hint=hint, obj=model, id="etag_versioning.E003")]
    found: list[checks.CheckMessage] = []
    for name in model.touches:
        try:
            resolve_path(model, name)
        except ImproperlyConfigured as error:
            message, hint = error.args
            found.append(checks.Error(message, hint=hint, obj=model, id="etag_versioning.E003"))
    return found


def _check_manager(model: Any) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    manager = model._default_manager
    if not isinstance(manager.get_queryset(), VersionedQuerySet):
        name = type(manager).__name__
        found.append(
            checks.Warning(
                f"{model._meta.label}.{manager.name} makes query sets whose update() moves no "
                f"version.",
                hint=f"{manager.name} = {name}.from_queryset(VersionedQuerySet)()",
                obj=model,
                id="etag_versioning.W001",
            )
        )
    if not isinstance(model._base_manager.get_queryset(), VersionedQuerySet):
        found.append(
            checks.Warning(
                f"{model._meta.label}'s base manager, through which Django writes SET_NULL, moves "
                f"no version.",
                hint="Leave base_manager_name out of its Meta, or name a versioned manager.",
                obj=model,
                id="etag_versioning.W002",
            )
        )
    return found


def _check_foreign_keys(model: Any) -> list[checks.CheckMessage]:
    # Django 6.1 has them.
    by_database = [getattr(models, name) for name in _BY_DATABASE if hasattr(models, name)]
    return [
        checks.Warning(
            f"{field} has on_delete={field.remote_field.on_delete}: the database changes or "
            f"deletes rows of {model._meta.label} by itself, and no version moves.",
            hint=f"on_delete=models.{str(field.remote_field.on_delete).removeprefix('DB_')}. On "
            f"PostgreSQL and SQLite, AddVersionTrigger sees such changes, and this can be "
            f"silenced; InnoDB runs no trigger for them.",
            obj=model,
            id="etag_versioning.W003",
        )
        for field in model._meta.local_fields
        if field.remote_field and field.remote_field.on_delete in by_database
    ]


@checks.register(checks.Tags.database)
def check_triggers(
    app_configs: Sequence[Any] | None = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """W004: triggers that are gone. W005: triggers that are out of date."""
    # Where databases are checked; a server needs none of it.
    from .trigger_audit import audit_triggers

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


_BY_DATABASE = ("DB_CASCADE", "DB_SET_NULL", "DB_SET_DEFAULT")
_TRIGGER_IDS = {"missing": "W004", "out of date": "W005"}


def _check_links(model: Any) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    for field in model._meta.local_many_to_many:
        through = field.remote_field.through
        resolved = hasattr(field, "m2m_field_name") and hasattr(through, "_meta")
        if not resolved or through._meta.auto_created or field.name in model.unversioned_fields:
            continue  # Django's own checks name a model that is not there.
        ends = [field.m2m_field_name()]
        if field.remote_field.symmetrical:
            ends.append(field.m2m_reverse_field_name())
        touches = getattr(through, "touches", ())
        if state_columns(model).owner is not None and not set(ends) <= set(touches):
            base = "" if issubclass(through, StatefulModel) else "(TouchingMixin)"
            names = ", ".join(f'"{name}"' for name in dict.fromkeys([*touches, *ends]))
            found.append(
                checks.Warning(
                    f"{field} has the through model {through._meta.label}, which does not touch "
                    f"{model._meta.label}: links do not bump the version.",
                    hint=f"class {through.__name__}{base}: touches = ({names},)",
                    obj=field,
                    id="etag_versioning.W008",
                )
            )
    return found
