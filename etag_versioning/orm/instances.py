"""Which row an instance belongs to, and whether the instance has that row's state."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import router
from django.utils.functional import LazyObject

from ..exceptions import VersionNotLoaded
from .state_columns import StateColumns, state_columns

__all__ = [
    "has_state",
    "instance_itself",
    "is_loaded",
    "no_state",
    "not_loaded",
    "owner_key",
    "remember_key",
    "require_loaded",
]


def instance_itself(instance: Any) -> Any:
    """The model instance that a lazy object such as ``request.user`` stands for; others as is."""
    # A lazy object hands out the bound methods of the instance.
    return instance.serializable_value.__self__ if isinstance(instance, LazyObject) else instance


def owner_key(instance: Any, columns: StateColumns) -> Any:
    """The primary key of the row that holds the state of ``instance``."""
    return getattr(instance, columns.key)


def has_state(instance: Any, using: str) -> bool:
    """Whether the instance was read from, or saved to, the row that a write would change."""
    state = instance._state
    if state.adding or not instance._is_pk_set():
        return False
    model: Any = type(instance)
    columns = state_columns(model)
    known = vars(state).get("row_key")
    if known is not None and columns.owner is not None:
        key = getattr(instance, columns.key)
        # With another key, the instance is a copy, and Django inserts a new row.
        if key != known and not _is_key(columns.owner._meta.pk, key, known):
            return False
    # An instance from a replica counts too: the router says where it is written.
    return bool(
        state.db == using or router.db_for_write(type(instance), instance=instance) == using
    )


def _is_key(field: Any, key: Any, known: Any) -> bool:
    """Whether a key is the known key in another form, such as text for a number."""
    try:
        return bool(field.to_python(key) == known)
    except ValidationError:
        return False


def remember_key(instance: Any, columns: StateColumns) -> None:
    """
    Keep the key of the row that ``instance`` was read from or written to. It stands in the
    instance's ``_state``, so copies and pickles have it too.
    """
    if columns.version is not None:
        instance._state.row_key = getattr(instance, columns.key)


def is_loaded(instance: Any, columns: StateColumns) -> bool:
    """
    Whether the instance has its row's state.

    Raises:
        ImproperlyConfigured: the columns hold what can be no state.
    """
    loaded = vars(instance)
    for name, kind in zip(columns.attnames, columns.kinds, strict=True):
        if name not in loaded:
            return False
        if not isinstance(loaded[name], kind) and loaded[name] is not None:
            columns.require_usable(instance)
    return True


def require_loaded(instance: Any, columns: StateColumns) -> None:
    """
    Raise unless the instance has its row's state.

    Raises:
        VersionNotLoaded: it was loaded without one of the columns.
        ImproperlyConfigured: the columns hold what can be no state.
    """
    if not is_loaded(instance, columns):
        raise not_loaded(instance, columns)


def not_loaded(instance: Any, columns: StateColumns) -> VersionNotLoaded:
    """The error for an instance that was loaded without its state."""
    loaded = vars(instance)
    missing = (f'"{field.name}"' for field in columns.fields if field.attname not in loaded)
    names = ", ".join(missing)
    return VersionNotLoaded(
        f"This {instance._meta.label} was loaded without {names}, so its write cannot be "
        f"compared with its row. Load them together with what you change: "
        f"{type(instance).__name__}.objects.only(…, {names})."
    )


def no_state(instance: Any, verb: str, using: str) -> VersionNotLoaded:
    """The error for an instance that was not read from the database it is to be written to."""
    name, pk = type(instance).__name__, instance.pk
    return VersionNotLoaded(
        f"This {instance._meta.label} was not read from the database {using!r}, so it cannot "
        f"{verb} there: it has no state to compare. Read it first: "
        f"{name}.objects.using({using!r}).get(pk={pk!r}); or address the row without "
        f"an instance: {name}.objects.using({using!r}).filter(pk={pk!r})."
    )
