"""One ``save()`` as compare-and-swap: what it is based on, what it reaches, and its way back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar, Token
from functools import cache
from typing import Any, Self

from django.db import DatabaseError, IntegrityError, connections, models, router, transaction
from django.utils import timezone

from ..exceptions import StaleWriteError
from ..touching.paths import touches_of
from ..touching.touch import Touch, in_transaction
from ..touching.writes import touch_for_save
from .database_errors import is_duplicate
from .expressions import InState
from .guards import Guard, guards_of
from .instances import has_state, owner_key
from .locks import StoredRow, lock_state, require_matched_rows
from .state import State, StateColumns, is_unversioned, state_columns
from .unchanged import forget, is_unchanged, remember_key, remember_written

__all__ = ["RawSave", "Swap"]

# Django calls ``_save_table()``, ``_do_update()`` and ``_do_insert()`` for each table, and has
# no argument by which ``save_base()`` could hand them its save. It is not put on the instance,
# because signals and other overrides may copy or pickle that in between.
_active: ContextVar[tuple[_Save, ...]] = ContextVar("etag_versioning_saves", default=())

# Django 6.1 renamed savepoint(). A nested atomic() would have to end where it began, after
# post_save: the receiver that fails there would take the written row with it.
_savepoint_create = getattr(transaction, "savepoint_create", None) or transaction.savepoint


class _Save:
    """A save that the methods that Django calls for each table know of, inside its block."""

    def __init__(
        self, instance: Any, columns: StateColumns, using: str, update_fields: Any
    ) -> None:
        self.instance = instance
        self.columns = columns
        self.using = using
        self.names(update_fields)
        model: Any = type(instance)
        self.touches = touches_of(model) is not None
        self.touch: Touch | None = None
        # Whether every table's row must be there, in the state that is known.
        self.compares = False

    def names(self, update_fields: Any) -> None:
        """Take note of the fields that are written; ``None`` for all."""
        self.update_fields = update_fields
        # Whether these are fields that no client sees.
        self.free = bool(update_fields) and is_unversioned(type(self.instance), update_fields)

    @staticmethod
    def of(instance: Any) -> Any:
        """The innermost save of ``instance`` that is going on, or ``None``."""
        for save in reversed(_active.get()):
            if save.instance is instance:
                return save
        return None

    def __enter__(self) -> Self:
        self.token: Token[Any] = _active.set((*_active.get(), self))
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        _active.reset(self.token)

    def begin(self, *, insert: bool) -> None:
        """Lock what the instance shows up in, before its first table is written."""
        if self.touches and self.touch is None:
            self.touch = touch_for_save(
                self.instance,
                self.using,
                self.update_fields,
                insert=insert,
                compared=self.compares,
            )

    def guards(self) -> list[Guard]:
        """The guards on the row."""
        owner = self.columns.owner
        if owner is None:
            return []
        return guards_of(owner, self.using, owner_key(self.instance, self.columns))


class Swap(_Save):
    """
    One ``save()`` on its way.

    Django writes more than one table for an inherited model, and calls foreign code in
    between: signals, fields, other overrides. So one object holds what the tables have in
    common, from ``save_base()`` on. Nothing of it is on the instance.

    Its block leaves the instance, and an enclosing transaction, as they were, if it fails.
    """

    def __init__(
        self, instance: Any, columns: StateColumns, using: str, update_fields: Any = None
    ) -> None:
        super().__init__(instance, columns, using, update_fields)
        self.compares = columns.version is not None and has_state(instance, using)
        # Whether the save turned out to change nothing (``skip_unchanged``).
        self.unchanged: bool | None = None
        self.written: list[Any] = []
        # Whether the instance was made, and its row may be there.
        self.unread = False
        # Whether an UPDATE has bumped the row.
        self.bumped = False
        # Whether the instance's attributes are those of a row that is written.
        self.kept = False
        self.files: list[tuple[Any, str]] | None = None
        self.several = bool(instance._meta.concrete_model._meta.parents)

    def __enter__(self) -> Self:
        connection = connections[self.using]
        self.nested = connection.in_atomic_block
        self.needed_rollback = connection.needs_rollback
        self.before = dict(vars(self.instance))
        self.cached = dict(self.instance._state.fields_cache) if self.several else {}
        self.savepoint = None
        if self.several and self.nested and not self.free:
            self.savepoint = _savepoint_create(self.using)
        return super().__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        super().__exit__(kind, error, traceback)
        if error is None:
            return
        if isinstance(error, StaleWriteError) and error.instance is self.instance and self.nested:
            # Nothing failed in the database: the enclosing transaction can go on.
            transaction.set_rollback(self.needed_rollback, self.using)
            if self.savepoint is not None:
                transaction.savepoint_rollback(self.savepoint, self.using)
                transaction.savepoint_commit(self.savepoint, self.using)
        if not self.kept:
            self._restore()

    def save_table(
        self, given: dict[str, Any], save: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        """Let Django write one table; with the model's own, the last, the row is written."""
        if given.get("update_fields") != self.update_fields:
            self.names(given.get("update_fields"))  # Another override has changed them.
        if self.free:
            forget(self.instance)
            return save(*args, **kwargs)
        stores = self._has_new_files()
        with in_transaction(self.using) if self.touches or stores else nullcontext():
            if stores:
                self.begin(insert=False)
                self.compare()
            updated = save(*args, **kwargs)
            if given["cls"] is self.instance._meta.concrete_model:
                self._finish(updated)
        return updated

    def update_table(
        self, rows: Any, pk: Any, values: Any, update: Callable[[Any, Any], Any]
    ) -> Any:
        """
        UPDATE one table; the one that holds the state is compared and bumped by it.

        Args:
            rows: the queryset that Django, or another override, gave.
            pk: the row's key.
            values: (field, model, value) triples.
            update: Django's update, or another class's, of such rows by such values.
        """
        if self.free:
            return update(rows, values)
        columns, after = self.columns, None
        owns = rows.model is columns.owner
        if self._changes_nothing():
            return self._compare_table(rows.filter(pk=pk), owns)
        if owns:
            before = self._state()
            if before is None:
                self.unread = True
                if not self._says_its_state():
                    return []  # Django inserts it, as another program may have made the row.
                before = columns.state_of(self.instance)
            for guard in self.guards():
                guard.admit(before, self.instance)
            after = columns.after(before)
            if columns.version is not None:
                rows = rows.filter(InState(columns, before))
            values = columns.replace(values, [state for state in after if state is not None])
        self.begin(insert=False)
        try:
            result = update(rows, values)
        except DatabaseError:
            raise
        except Exception as error:
            # Another override found no row, and says so in its own way, as state machines do.
            if self.compares and not rows.filter(pk=pk).exists():
                raise self._stale() from error
            raise
        if result:
            self.written += values
            if after is not None:
                columns.assign(self.instance, after)
                self._assign_to_parent(before, after)
                self.bumped = True
        elif self.unread and not rows.model._base_manager.using(self.using).filter(pk=pk).exists():
            return result  # Django inserts it.
        elif self.compares or (owns and columns.version is not None):
            # Django would INSERT what was deleted.
            require_matched_rows(self.using)
            raise self._stale()
        return result

    def compare(self) -> None:
        """
        Compare and lock the row, and leave it as it is.

        Raises:
            StaleWriteError: the row is in another state, or gone.
        """
        columns, state = self.columns, self.columns.state_of(self.instance)
        key, guards = owner_key(self.instance, columns), self.guards()
        for guard in guards:
            guard.admit(state, self.instance)
        lock_state(StoredRow(columns, self.using, key), [state], self.instance)
        for guard in guards:
            guard.note_comparison()

    def _state(self) -> State | None:
        """The state that the write of the owner's row is based on; ``None`` if there is none."""
        if self.columns.version is None or self.compares:
            return self.columns.state_of(self.instance)
        parent = self._parent()
        return None if parent is None else self.columns.state_of(parent)

    def _says_its_state(self) -> bool:
        """
        Whether the instance was made with a state that no new row has, as a copy of an old one:
        django-simple-history writes old rows back like that.
        """
        version = self.columns.version
        known = vars(self.instance).get(version.attname, version.default)
        return self.instance._state.db is None and known != version.default

    def insert(self, insert: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Let Django insert the row."""
        self.begin(insert=True)
        try:
            return insert(*args, **kwargs)
        except IntegrityError as error:
            if self.unread and is_duplicate(error):
                name, pk = type(self.instance).__name__, self.instance.pk
                error.add_note(
                    f"This {name} was made and not read, so its save() overwrites no row. Read the "
                    f"row, and change it: {name}.objects.get(pk={pk!r})."
                )
            raise

    def _parent(self) -> Any:
        """The instance of the parent's row that a new child was given, if it has a state."""
        owner = self.columns.owner
        link = self.instance._meta.concrete_model._meta.get_ancestor_link(owner)
        if link is None or not link.is_cached(self.instance):
            return None
        parent = link.get_cached_value(self.instance)
        if not isinstance(parent, owner) or not has_state(parent, self.using):
            return None
        key = owner_key(self.instance, self.columns)
        return parent if owner_key(parent, self.columns) == key else None

    def _assign_to_parent(self, before: State | None, after: State) -> None:
        """Keep the parent's instance that a new child was given current: its row was bumped."""
        parent = None if self.compares or not self.several else self._parent()
        if parent is not None and self.columns.state_of(parent) == before:
            self.columns.assign(parent, after)

    def _has_new_files(self) -> bool:
        """Whether a file is to be stored: that cannot be undone, so the row is compared first."""
        if self.files is not None or not self.compares:
            return False
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
        """Whether ``skip_unchanged`` finds that the row holds already what would be written."""
        if self.unchanged is None:
            self.unchanged = (
                self.compares
                and self.instance.skip_unchanged
                # A storage that overwrites gives a new file the name of the old one.
                and not self.files
                and is_unchanged(self.instance, self.columns, self.update_fields)
            )
        return self.unchanged

    def _compare_table(self, row: Any, owns: bool) -> Any:
        """Instead of an UPDATE that would change nothing. In a guarded view, it locks the row."""
        columns = self.columns
        if owns and any(guard.enforced for guard in self.guards()):
            self.compare()
            return [()]
        if owns:
            row = row.filter(**columns.conditions(columns.state_of(self.instance)))
        if not row.exists():
            raise self._stale()
        return [()]

    def _finish(self, updated: Any) -> None:
        """All tables are written: only a failing COMMIT can undo it, if it is ours."""
        if self.touch is not None:
            self.touch.move()
        if self.savepoint is not None:
            transaction.savepoint_commit(self.savepoint, self.using)
            self.savepoint = None
        if self.unchanged:
            self._restore()
        if self.several and not self.nested:
            transaction.on_commit(self._keep, using=self.using)
        else:
            self._keep()
        if self.bumped or not updated:
            for guard in self.guards():
                guard.note_bump(self.columns.state_of(self.instance))

    def _keep(self) -> None:
        self.kept = True
        if self.columns.version is not None:
            remember_key(self.instance, owner_key(self.instance, self.columns))
        if self.instance.skip_unchanged and self.bumped:
            remember_written(self.instance, self.columns, self.written)

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

    def _stale(self) -> StaleWriteError:
        key, state = owner_key(self.instance, self.columns), self.columns.state_of(self.instance)
        return StaleWriteError(self.columns.owner, key, self.using, self.instance, expected=state)


class RawSave(_Save):
    """
    A save of an instance as it is given, past the comparison: fixtures, reverted revisions.

    A row that is there gets a new state, whatever the instance says: clients may have
    seen later ones. One that is not there yet is inserted with the given state.

    Args:
        instance: the instance.
        given: what ``_save_table()`` was given, by name.
    """

    def __init__(self, instance: Any, given: dict[str, Any]) -> None:
        using = given.get("using") or router.db_for_write(type(instance), instance=instance)
        model: Any = type(instance)
        columns = state_columns(model)
        super().__init__(instance, columns, using, given.get("update_fields"))
        self.table = given["cls"]

    def save_table(self, save: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if self.free or (self.columns.owner is None and not self.touches):
            return save(*args, **kwargs)
        with in_transaction(self.using), self:
            self.begin(insert=False)
            for guard in (guards := self.guards()):
                guard.lock()
            updated = save(*args, **kwargs)
            if self.columns.owner is not None:
                self._bump(updated)
            if self.touch is not None:
                self.touch.move()
            for guard in guards:
                guard.reread()
        forget(self.instance)
        return updated

    def insert(self, insert: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        return insert(*args, **kwargs)

    def update_table(
        self, rows: Any, pk: Any, values: Any, update: Callable[[Any, Any], Any]
    ) -> Any:
        if rows.model is self.columns.owner:
            bumps = self.columns.expressions(timezone.now())
            values = self.columns.replace(values, bumps.values())
        return update(rows, values)

    def _bump(self, updated: Any) -> None:
        """Bump the row that holds the state, if it was not written itself, and read it."""
        columns = self.columns
        rows: Any = models.QuerySet(columns.owner, using=self.using)
        row = rows.filter(pk=owner_key(self.instance, columns))
        if self.table is not columns.owner:
            row.update(**columns.expressions(timezone.now()))
        elif not updated:
            return
        for values in row.values_list(*columns.names):
            vars(self.instance).update(zip(columns.attnames, values, strict=True))


@cache
def _file_fields(model: Any) -> list[Any]:
    fields = model._meta.concrete_fields
    return [field for field in fields if isinstance(field, models.FileField)]
