"""One ``save()`` as compare-and-swap: what it is based on, what it reaches, and its way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Self

from django.db import connections, models, transaction

from ..exceptions import StaleWriteError
from ..touching.paths import Found, touches_of
from ..touching.touch import Touch
from ..touching.writes import touch_for_save
from .guards import Guard, State, guards_of, lock_state
from .state import StateColumns
from .unchanged import is_unchanged, remember_key, remember_written

__all__ = ["Swap", "owner_key", "touched_by_deletion", "touching_deletion"]

# Django 6.1 renamed savepoint(). A nested atomic() would have to end where it began, after
# post_save: the receiver that fails there would take the written row with it.
_savepoint_create = getattr(transaction, "savepoint_create", None) or transaction.savepoint


class Swap:
    """
    One ``save()`` on its way.

    Django writes more than one table for an inherited model, and calls foreign code in
    between: signals, fields, other overrides. So one object holds what the tables have in
    common, from ``save_base()`` on. Nothing of it is on the instance.
    """

    def __init__(
        self,
        instance: Any,
        columns: StateColumns,
        using: str,
        update_fields: Any = None,
        raw: bool = False,
    ) -> None:
        self.instance = instance
        self.columns = columns
        self.using = using
        self.update_fields = update_fields
        self.raw = raw
        # Whether every table's row must be there, in the state that is known.
        self.compares = not raw and columns.version is not None and instance._has_state(using)
        # Whether the save turned out to change nothing (``skip_unchanged``).
        self.unchanged: bool | None = None
        model: Any = type(instance)
        self.model = model
        self.touches = touches_of(model) is not None
        self.touch: Touch | None = None
        self.written: list[Any] = []
        # Whether an UPDATE has bumped the row.
        self.bumped = False
        # Whether the instance's attributes are those of a row that is written.
        self.kept = False
        self.files: list[tuple[Any, str]] | None = None

    @staticmethod
    def of(instance: Any) -> Swap | None:
        """The innermost save of ``instance`` that is going on."""
        for swap in reversed(_active.get()):
            if swap.instance is instance:
                return swap
        return None

    @contextmanager
    def known(self) -> Iterator[Self]:
        """Let the methods that Django calls for each table know of this save."""
        token = _active.set((*_active.get(), self))
        try:
            yield self
        finally:
            _active.reset(token)

    @contextmanager
    def reversible(self) -> Iterator[None]:
        """Leave the instance, and an enclosing transaction, as they were, if the save fails."""
        connection = connections[self.using]
        self.several = bool(self.instance._meta.concrete_model._meta.parents)
        self.nested = connection.in_atomic_block
        needed_rollback = connection.needs_rollback
        self.before = dict(vars(self.instance))
        self.cached = dict(self.instance._state.fields_cache) if self.several else {}
        self.savepoint = None
        if self.several and self.nested:
            self.savepoint = _savepoint_create(self.using)
        try:
            yield
        except BaseException as error:
            stale = isinstance(error, StaleWriteError) and error.instance is self.instance
            if stale and self.nested:
                # Nothing failed in the database: the enclosing transaction can go on.
                transaction.set_rollback(needed_rollback, self.using)
                if self.savepoint is not None:
                    transaction.savepoint_rollback(self.savepoint, self.using)
                    transaction.savepoint_commit(self.savepoint, self.using)
            if not self.kept:
                self.restore()
            raise

    def state(self) -> State | None:
        """The state that the write of the owner's row is based on; ``None`` if there is none."""
        if self.columns.version is None or self.compares:
            return self.columns.state_of(self.instance)
        parent = self._parent()
        return None if parent is None else self.columns.state_of(parent)

    def _parent(self) -> Any:
        """The instance of the parent's row that a new child was given, if it has a state."""
        owner = self.columns.owner
        link = self.instance._meta.concrete_model._meta.get_ancestor_link(owner)
        if link is None or not link.is_cached(self.instance):
            return None
        parent = link.get_cached_value(self.instance)
        if not isinstance(parent, owner) or not parent._has_state(self.using):
            return None
        key = owner_key(self.instance, self.columns)
        return parent if owner_key(parent, self.columns) == key else None

    def assign_to_parent(self, before: State | None, after: State) -> None:
        """Keep the parent's instance that a new child was given current: its row was bumped."""
        parent = None if self.compares or not self.several else self._parent()
        if parent is not None and self.columns.state_of(parent) == before:
            self.columns.assign(parent, after)

    def guards(self) -> list[Guard]:
        """The guards on the row."""
        owner = self.columns.owner
        if owner is None:
            return []
        return guards_of(owner, self.using, owner_key(self.instance, self.columns))

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

    def has_new_files(self) -> bool:
        """Whether a file is to be stored: that cannot be undone, so the row is compared first."""
        if self.files is None and self.compares:
            self.files = [
                (file, file.name)
                for field in _file_fields(self.model)
                if field.attname in vars(self.instance)
                and (self.update_fields is None or field.name in self.update_fields)
                and (file := getattr(self.instance, field.attname))
                and not file._committed
            ]
            return bool(self.files)
        return False

    def lock(self) -> None:
        """Lock the row in the state that the save is based on."""
        self.begin(insert=False)
        self.compare()

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
        lock_state(columns.owner, self.using, key, columns.names, [state], self.instance)
        for guard in guards:
            guard.compared = True

    def changes_nothing(self) -> bool:
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

    def finish(self, updated: Any) -> None:
        """All tables are written: only a failing COMMIT can undo it, if it is ours."""
        if self.touch is not None:
            self.touch.move()
        if self.savepoint is not None:
            transaction.savepoint_commit(self.savepoint, self.using)
            self.savepoint = None
        if self.unchanged:
            self.restore()
        if self.several and not self.nested:
            transaction.on_commit(self.keep, using=self.using)
        else:
            self.keep()
        if self.bumped or not updated:
            for guard in self.guards():
                guard.moved(self.columns.state_of(self.instance))

    def keep(self) -> None:
        self.kept = True
        if self.columns.version is not None:
            remember_key(self.instance, owner_key(self.instance, self.columns))
        if self.instance.skip_unchanged and self.bumped:
            remember_written(self.instance, self.columns, self.written)

    def restore(self) -> None:
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


# Django calls ``_save_table()``, ``_do_update()`` and ``_do_insert()`` for each table, and has
# no argument by which ``save_base()`` could hand them its Swap. It is not put on the instance,
# because signals and other overrides may copy or pickle that in between.
_active: ContextVar[tuple[Swap, ...]] = ContextVar("etag_versioning_saves", default=())

# For the receiver of ``pre_delete``, which is given the instance alone.
_deletions: ContextVar[tuple[tuple[Any, Found], ...]] = ContextVar(
    "etag_versioning_deletions", default=()
)


@contextmanager
def touching_deletion(instance: Any, done: Found) -> Iterator[None]:
    """Let the deletion of ``instance`` know which rows are locked, and need no touch."""
    token = _deletions.set((*_deletions.get(), (instance, done)))
    try:
        yield
    finally:
        _deletions.reset(token)


def touched_by_deletion(origin: Any) -> Found | None:
    """What ``touching_deletion()`` was told of the instance that a deletion began with."""
    return next((done for instance, done in _deletions.get() if instance is origin), None)


def owner_key(instance: Any, columns: StateColumns) -> Any:
    """The key of the row that holds the state of ``instance``."""
    return getattr(instance, columns.owner._meta.pk.attname)


@cache
def _file_fields(model: Any) -> list[Any]:
    fields = model._meta.concrete_fields
    return [field for field in fields if isinstance(field, models.FileField)]
