"""Migration operations: triggers that bump the version for writes that bypass the ORM."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import router
from django.db.migrations.operations.base import OperationCategory
from django.db.migrations.operations.models import DeleteModel, ModelOperation

from .triggers.backends import trigger_editor

__all__ = ["AddVersionTrigger", "RemoveVersionTrigger"]


class _VersionTrigger(ModelOperation):
    """
    Args:
        name: the model's name.
        touches: names of foreign keys whose rows are bumped too.
    """

    fragment: str

    def __init__(self, name: str, touches: Collection[str] = ()) -> None:
        super().__init__(name)
        self.touches = tuple(touches)

    def deconstruct(self) -> Any:
        kwargs: dict[str, Any] = {"touches": self.touches} if self.touches else {}
        return type(self).__name__, [self.name], kwargs

    def state_forwards(self, app_label: str, state: Any) -> None:
        """A trigger does not change the state of the models."""

    def reduce(self, operation: Any, app_label: str) -> Any:
        if (
            isinstance(operation, _VersionTrigger | DeleteModel)
            and operation.name_lower == self.name_lower
        ):
            return [operation]  # Each of these operations replaces the earlier trigger.
        return super().reduce(operation, app_label)

    @property
    def migration_name_fragment(self) -> str:
        return self.fragment.format(self.name_lower)

    def _model(self, app_label: str, editor: Any, state: Any) -> Any:
        """The model, or ``None`` where its table is not in this database."""
        model = state.apps.get_model(app_label, self.name)._meta.concrete_model
        allowed = router.allow_migrate_model(editor.connection.alias, model)
        return model if allowed else None

    def _add(self, app_label: str, editor: Any, state: Any) -> None:
        model = self._model(app_label, editor, state)
        if model is None:
            return
        triggers = trigger_editor(editor.connection)
        statements = [
            line for lines in triggers.create(model, self.touches).values() for line in lines
        ]
        for statement in [*triggers.drop(model, triggers.installed(model)), *statements]:
            editor.execute(statement, params=None)

    def _remove(self, app_label: str, editor: Any, state: Any) -> None:
        model = self._model(app_label, editor, state)
        if model is None:
            return
        triggers = trigger_editor(editor.connection)
        # ``sqlmigrate`` runs nothing, so triggers of this migration are not installed yet.
        names = triggers.installed(model) | triggers.create(model, self.touches).keys()
        for statement in triggers.drop(model, sorted(names)):
            editor.execute(statement, params=None)


class AddVersionTrigger(_VersionTrigger):
    """
    Create a trigger by which the database bumps a row's version and timestamp when a write
    bypasses the ORM: raw SQL, other programs, ``RunPython``. It replaces an existing one.

    Args:
        name: the model's name.
        touches: names of foreign keys. The rows that they refer to are bumped when a row of
            this model is inserted, changed or deleted; when the foreign key changes, the old
            and the new one.

    The trigger knows the model's columns at this point of its migrations, without its
    ``unversioned_fields``. When the columns change, replace the trigger::

        operations = [
            RemoveVersionTrigger("user"),
            migrations.AddField("user", "nickname", models.TextField(default="")),
            AddVersionTrigger("user"),
        ]

    The database user needs the privilege to create triggers. MySQL with a binary log also
    needs SUPER, or the server variable ``log_bin_trust_function_creators``.
    """

    category = OperationCategory.ADDITION
    fragment = "{}_version_trigger"

    def describe(self) -> str:
        return f"Add the version trigger of model {self.name}"

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._add(app_label, schema_editor, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._remove(app_label, schema_editor, to_state)


class RemoveVersionTrigger(_VersionTrigger):
    """
    Remove the trigger that ``AddVersionTrigger`` created.

    Args:
        name: the model's name.
        touches: those of the trigger, for migrating backwards.
    """

    category = OperationCategory.REMOVAL
    fragment = "remove_{}_version_trigger"

    def describe(self) -> str:
        return f"Remove the version trigger of model {self.name}"

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._remove(app_label, schema_editor, from_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._add(app_label, schema_editor, to_state)
