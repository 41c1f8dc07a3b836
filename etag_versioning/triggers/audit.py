"""Which tables have the triggers that the migrations say, and as they should be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import DeleteModel, RenameModel, SeparateDatabaseAndState

from ..operations import AddVersionTrigger, RemoveVersionTrigger
from ..orm.state import state_columns
from .backends import trigger_editor

__all__ = ["TableReport", "audit_triggers"]


class TableReport(NamedTuple):
    """
    What was found of one table.

    Args:
        model: its model.
        status: "current"; "out of date", where the columns that count are others by
            now, or an older release of this package wrote the trigger; "missing",
            where a migration has added what is not there; or "none".
        code: the operation that makes the trigger as it should be.
    """

    model: Any
    status: str
    code: str


def audit_triggers(using: str) -> list[TableReport]:
    """
    Look at the tables of all versioned models, and of those that touch some.

    Args:
        using: the database alias.

    Raises:
        NotSupportedError: there are no triggers for this kind of database.
    """
    connection = connections[using]
    triggers, declared = trigger_editor(connection), _declared(connection)
    found = []
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        touches = declared.get((meta.app_label, str(meta.model_name)))
        if touches is None and state_columns(model).owner is not model:
            continue
        if meta.proxy or not router.allow_migrate_model(using, model):
            continue
        installed = triggers.installed(model)
        if not installed:
            status = "none" if touches is None else "missing"
        elif installed == triggers.create(model, touches or ()).keys():
            status = "current"
        else:
            status = "out of date"
        added = f", touches={touches!r}" if touches else ""
        found.append(TableReport(model, status, f'AddVersionTrigger("{meta.model_name}"{added})'))
    return found


def _declared(connection: Any) -> dict[tuple[str, str], tuple[str, ...]]:
    """The ``touches`` of the triggers that migrations have added, by app and model."""
    executor = MigrationExecutor(connection)
    loader = executor.loader
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    plan = executor.migration_plan(loader.graph.leaf_nodes(), clean_start=True)
    for migration, _ in plan:
        if (migration.app_label, migration.name) in loader.applied_migrations:
            _follow(found, migration.app_label, migration.operations)
    return found


def _follow(
    found: dict[tuple[str, str], tuple[str, ...]], app: str, operations: Iterable[Any]
) -> None:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            _follow(found, app, [*operation.state_operations, *operation.database_operations])
        elif isinstance(operation, AddVersionTrigger):
            found[app, operation.name_lower] = operation.touches
        elif isinstance(operation, RemoveVersionTrigger | DeleteModel):
            found.pop((app, operation.name_lower), None)
        elif isinstance(operation, RenameModel) and (app, operation.old_name_lower) in found:
            found[app, operation.new_name_lower] = found.pop((app, operation.old_name_lower))
