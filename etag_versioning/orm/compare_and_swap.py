"""
One ``save()`` as compare-and-swap: its UPDATE finds the row only in the state that the instance
was read in. Here it is decided whether a ``save()`` raises ``StaleWriteError``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from typing import Any, Self

from django.db import DatabaseError, IntegrityError, connections, models, transaction

from ..exceptions import StaleWriteError
from ..touching.touch import in_transaction
from .active_saves import ActiveSave, active_saves
from .database_errors import is_duplicate
from .expressions import InState
from .instances import has_state, is_loaded, no_state, not_loaded, owner_key, remember_key
from .locks import require_matched_rows
from .stale_writes import remembers_columns, stale_writes
from .state_columns import State, is_unversioned, unversioned_names
from .unchanged import Commit, changed_columns, forget, is_unchanged, remember_written

__all__ = ["Swap"]

# Django 6.1 renamed savepoint(). A nested atomic() is no alternative: it would include the
# receivers of post_save, and a receiver that fails would roll the written row back.
_savepoint_create = getattr(transaction, "savepoint_create", None) or transaction.savepoint


class Swap(ActiveSave):
    """
    One running ``save()``.

    For an inherited model, Django writes several tables and calls other code in between:
    signals, fields, other overrides. This object holds what the tables share, from
    ``save_base()`` on, and nothing is stored on the instance.

    As a context manager, it restores the instance, and the enclosing transaction, if the save
    fails.
    """

    # Whether the save would change no column (``skip_unchanged``); ``None`` if not known yet.
    unchanged: bool | None = None
    # Whether the instance was created in Python, so that a row with its key may exist.
    unread = False
    # Whether an UPDATE has bumped the row.
    bumped = False
    # Whether the row is written, so that the instance keeps its new attributes.
    kept = False
    # Whether a merge found the row's other columns as the instance has them.
    merged_all = False
    files: list[tuple[Any, str]] | None = None
    savepoint: Any = None

    def __init__(self, instance: Any, using: str, update_fields: Any, force_update: Any) -> None:
        super().__init__(instance, using, update_fields)
        self.forced = bool(update_fields or force_update)
        self.compares = self.columns.version is not None and has_state(instance, using)
        self.several = bool(instance._meta.concrete_model._meta.parents)
        self.written: list[Any] = []

    def __enter__(self) -> Self:
        """
        Raises:
            VersionNotLoaded: the instance has no state to compare.
        """
        if not self.free and self.columns.version is not None:
            if not self.compares:
                if self.forced and self.mode != "report":
                    raise no_state(self.instance, "be updated", self.using)
            elif not is_loaded(self.instance, self.columns):
                if self.mode != "report":
                    raise not_loaded(self.instance, self.columns)
                self.compares = False
        connection = connections[self.using]
        self.nested = connection.in_atomic_block
        self.needed_rollback = connection.needs_rollback
        self.before = dict(vars(self.instance))
        self.cached = dict(self.instance._state.fields_cache) if self.several else {}
        if self.several and self.nested and not self.free:
            self.savepoint = _savepoint_create(self.using)
        self.token = active_saves.set((*active_saves.get(), self))
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        active_saves.reset(self.token)
        if error is None:
            return
        if isinstance(error, StaleWriteError) and error.instance is self.instance and self.nested:
            # No statement failed, so the enclosing transaction can continue.
            transaction.set_rollback(self.needed_rollback, self.using)
            if self.savepoint is not None:
                transaction.savepoint_rollback(self.savepoint, self.using)
                transaction.savepoint_commit(self.savepoint, self.using)
        if not self.kept:
            self._restore()
            if self.touch is not None:
                self.touch.restore()

    def save_table(
        self, given: dict[str, Any], save: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        """Let Django write one table. The model's own table is the last one."""
        model: Any = type(self.instance)
        if (names := given.get("update_fields")) != self.update_fields:
            # Another override of save_base() has changed them.
            self.update_fields, self.forced = names, bool(names or given.get("force_update"))
            self.free = is_unversioned(model, names or ())
        if self.free:
            forget(self.instance)
            return save(*args, **kwargs)
        has_files = self.compares and self.files is None and _file_fields(model)
        stores = bool(has_files) and self._has_new_files()
        with in_transaction(self.using) if self.touches or stores else nullcontext():
            if stores:
                if self.touches:
                    self.begin(insert=False)
                self.compare(self.columns.state_of(self.instance))
            updated = save(*args, **kwargs)
            if given["cls"] is model._meta.concrete_model:
                self._finish(updated)
        return updated

    def update_table(
        self, rows: Any, pk: Any, values: Any, update: Callable[[Any, Any], Any]
    ) -> Any:
        """
        UPDATE one table. The UPDATE of the table with the state compares and bumps the row.

        Args:
            rows: the queryset from Django, or from another override.
            pk: the row's key.
            values: (field, model, value) triples.
            update: the next ``_do_update()``, called with rows and values.
        """
        if self.free:
            return update(rows, values)
        owns = rows.model is self.columns.owner
        if self.instance.skip_unchanged and self._changes_nothing():
            if self._is_in_state(rows.filter(pk=pk), owns):
                return [()]
            self.unchanged = False  # It is stale, so ``stale_writes`` decides.
        if self.touches:
            self.begin(insert=False)
        if owns:
            return self._update_owner(rows, pk, values, update)
        result = self._call(update, rows, pk, values)
        if result:
            self.written += values
        elif self.compares and self.mode != "report":
            # The row was deleted. Django would insert it again.
            require_matched_rows(self.using)
            raise self.stale(self.columns.state_of(self.instance))
        return result

    def _update_owner(
        self, rows: Any, pk: Any, values: Any, update: Callable[[Any, Any], Any]
    ) -> Any:
        """UPDATE the table that holds the state, in the state that the save is based on."""
        columns, instance = self.columns, self.instance
        if self.accepted is not None:  # By compare(): the row is locked.
            _, before = self.accepted
        elif self.compares or columns.version is None:
            before = columns.state_of(instance)
        else:
            before = self._state_without_reading()
        if before is not None:
            for guard in self.guards:
                guard.admit(before, instance)
            result = self._swap(rows, pk, values, update, before)
            if result or columns.version is None or self.accepted is not None:
                return result
            if (
                self.unread
                and not rows.model._base_manager.using(self.using).filter(pk=pk).exists()
            ):
                return result  # Django inserts it.
        elif self.accepted is not None:
            expected, _ = self.accepted
            if expected is not None:
                columns.assign(instance, columns.after(expected))
            return []  # Django inserts it.
        elif self.mode != "report":
            return []  # Django inserts it.
        with in_transaction(self.using):
            found = self.accept_stale(before)
            if found is not None and found != before:
                return self._swap(rows, pk, values, update, found)
        if before is not None:
            columns.assign(instance, columns.after(before))  # The row that Django inserts now.
        return []

    def _swap(
        self, rows: Any, pk: Any, values: Any, update: Callable[[Any, Any], Any], before: State
    ) -> Any:
        """UPDATE the row, and bump it, if it is in the state ``before``."""
        columns, after = self.columns, self.columns.after(before)
        if columns.version is not None:
            rows = rows.filter(InState(columns, before))
        values = columns.replace(values, [each for each in after if each is not None])
        result = self._call(update, rows, pk, values)
        if result:
            self.written += values
            columns.assign(self.instance, after)
            self.bumped = True
            if self.several and not self.compares:
                self._assign_to_parent(before, after)
        return result

    def _call(self, update: Callable[[Any, Any], Any], rows: Any, pk: Any, values: Any) -> Any:
        try:
            return update(rows, values)
        except DatabaseError:
            raise
        except Exception:
            # An override of another app, such as a state machine's, raises its own error where
            # it finds no row. If there is none, the save is stale.
            if self.compares and self.accepted is None and not rows.filter(pk=pk).exists():
                return []
            raise

    def can_merge(self) -> bool:
        """Whether nobody else has changed a column that is written. The row is locked."""
        instance = self.instance
        model = instance._meta.concrete_model
        free = unversioned_names(model)
        names = {
            field.attname: field.name
            for field in model._meta.concrete_fields
            if field.attname in vars(instance)
            and not (field.primary_key or field.generated or getattr(field, "auto_now", False))
            and field not in self.columns.fields
            and field.name not in free
        }
        rows: Any = models.QuerySet(model, using=self.using).filter(pk=instance.pk)
        row = rows.select_for_update().values("pk", *names).first()
        if row is None:
            return False
        changed = set(changed_columns(instance, {name: row[name] for name in names}))
        self.merged_all = not changed
        written = self.update_fields
        return not any(
            written is None or name in written or names[name] in written for name in changed
        )

    def _state_without_reading(self) -> State | None:
        """The base state of an instance that was not read; ``None`` if it has none."""
        parent = self._parent()
        if parent is not None:
            return self.columns.state_of(parent)
        self.unread = True
        return self.columns.state_of(self.instance) if self._says_its_state() else None

    def _says_its_state(self) -> bool:
        """
        Whether the instance was created with a version that no new row has, as a copy of an old
        row has. django-simple-history reverts rows by such copies.
        """
        version = self.columns.version
        known = vars(self.instance).get(version.attname, version.default)
        return self.instance._state.db is None and known != version.default

    def insert(self, insert: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Let Django insert the row."""
        for guard in self.guards:
            guard.admit_insert(getattr(self.instance, self.columns.key), self.instance)
        if self.touches:
            self.begin(insert=True)
        try:
            return insert(*args, **kwargs)
        except IntegrityError as error:
            if self.unread and is_duplicate(error):
                name, pk = type(self.instance).__name__, self.instance.pk
                error.add_note(
                    f"This {name} was created in Python and not read from the database, so its "
                    f"save() does not overwrite the row that has its key. Read the row, and change "
                    f"it: {name}.objects.get(pk={pk!r})."
                )
            raise

    def _parent(self) -> Any:
        """The instance of the parent's row that the new child refers to, if it has a state."""
        owner = self.columns.owner
        link = self.instance._meta.concrete_model._meta.get_ancestor_link(owner)
        if link is None or not link.is_cached(self.instance):
            return None
        parent = link.get_cached_value(self.instance)
        if not isinstance(parent, owner) or not has_state(parent, self.using):
            return None
        return parent if owner_key(parent, self.columns) == self.row.pk else None

    def _assign_to_parent(self, before: State, after: State) -> None:
        """Give the parent's instance its row's new state: the new child's save bumped it."""
        parent = self._parent()
        if parent is not None and self.columns.state_of(parent) == before:
            self.columns.assign(parent, after)

    def _has_new_files(self) -> bool:
        """Whether a file will be stored: no rollback undoes that, so the row is compared first."""
        self.files = [
            (file, file.name)
            for field in _file_fields(self.instance._meta.concrete_model)
            if field.attname in vars(self.instance)
            and (self.update_fields is None or field.name in self.update_fields)
            and (file := getattr(self.instance, field.attname))
            and not file._committed
        ]
        return bool(self.files)

    def _changes_nothing(self) -> bool:
        """Whether the row already holds the values that would be written (``skip_unchanged``)."""
        if self.unchanged is None:
            self.unchanged = (
                self.compares
                # An overwriting storage gives a new file the old name, so files always count.
                and not self.files
                and is_unchanged(self.instance, self.columns, self.update_fields)
            )
        return self.unchanged

    def _is_in_state(self, row: Any, owns: bool) -> bool:
        """
        Compare the row without an UPDATE, because nothing would change. In a guarded view,
        lock it.

        Returns:
            False if the row is in another state and ``stale_writes`` lets the save through.
        """
        state = self.columns.state_of(self.instance)
        if owns and any(guard.enforced for guard in self.guards):
            self.compare(state)
            return True
        if owns:
            row = row.filter(InState(self.columns, state))
        if row.exists():
            return True
        if self.mode == "raise":
            raise self.stale(state)
        return False

    def _finish(self, updated: Any) -> None:
        """All tables are written. If this save has its own transaction, its COMMIT can fail."""
        if self.touch is not None:
            self.touch.bump()
        if self.savepoint is not None:
            transaction.savepoint_commit(self.savepoint, self.using)
            self.savepoint = None
        if self.unchanged:
            self._restore()
        if (self.several or self.touches) and not self.nested:
            transaction.on_commit(self._keep, using=self.using)
        else:
            self._keep()
        if self.bumped or not updated:
            for guard in self.guards:
                guard.note_bump(self.columns.state_of(self.instance))
        if self.accepted is not None:
            self._keep_what_was_read()
            self.report()

    def _keep(self) -> None:
        self.kept = True
        if not self.compares:
            remember_key(self.instance, self.columns)
        model: Any = type(self.instance)
        if self.bumped and remembers_columns(model):
            commit = Commit(self.using) if stale_writes(model) == "merge" else None
            remember_written(self.instance, self.columns, self.written, commit)

    def _keep_what_was_read(self) -> None:
        """
        After a stale write of some fields, keep the state in which the instance was read: its
        other fields show that state, so a later save() of them must be stale.
        """
        loaded, written = vars(self.instance), {field.attname for field, _, _ in self.written}
        if (
            self.bumped
            and not self.merged_all
            and not all(
                field.attname in written or field.primary_key or field.generated
                for field in self.instance._meta.concrete_fields
                if field.attname in loaded
            )
        ):
            for name in self.columns.attnames:
                if name in self.before:
                    loaded[name] = self.before[name]
                else:
                    loaded.pop(name, None)  # It was not loaded, so it is read when it is asked.
            for guard in self.guards:
                guard.reread()

    def _restore(self) -> None:
        """Give the instance back the values that its fields had before the save."""
        now = vars(self.instance)
        for field in self.instance._meta.concrete_fields:
            name = field.attname
            if name not in self.before:
                now.pop(name, None)
            elif now.get(name, self) is not self.before[name]:
                # As an assignment, since a foreign key then forgets the row that it led to.
                setattr(self.instance, name, self.before[name])
        self.instance._state.fields_cache.update(self.cached)
        for file, name in self.files or ():
            file.name, file._committed = name, False


@cache
def _file_fields(model: Any) -> list[Any]:
    fields = model._meta.concrete_fields
    return [field for field in fields if isinstance(field, models.FileField)]
