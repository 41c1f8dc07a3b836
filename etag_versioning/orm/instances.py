"""Instances and their rows: which row an instance is of, and whether its state is known."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import router

from ..exceptions import VersionNotLoaded
from .state import StateColumns, state_columns
from .unchanged import row_key

__all__ = ["has_state", "no_state", "owner_key", "require_loaded"]


def owner_key(instance: Any, columns: StateColumns) -> Any:
    """The key of the row that holds the state of ``instance``."""
    return getattr(instance, columns.owner._meta.pk.attname)


def has_state(instance: Any, using: str) -> bool:
    """Whether the instance was read from, or saved to, the database it goes to."""
    known = instance._state.db
    return (
        not instance._state.adding
        and instance._is_pk_set()
        and _has_its_key(instance)
        # Read from a replica counts: the router says where it is written.
        and (known == using or router.db_for_write(type(instance), instance=instance) == using)
    )


def _has_its_key(instance: Any) -> bool:
    """Whether the key is still the one of the row that was read: another makes a new row."""
    model: Any = type(instance)
    known, columns = row_key(instance), state_columns(model)
    if known is None or columns.owner is None:
        return True
    key = owner_key(instance, columns)
    if key == known:
        return True
    try:
        return bool(columns.owner._meta.pk.to_python(key) == known)
    except ValidationError:
        return False


def require_loaded(instance: Any, columns: StateColumns) -> None:
    """
    Raise unless the instance has its row's state.

    Raises:
        VersionNotLoaded: it was loaded without one of the columns.
        ImproperlyConfigured: the columns hold what can be no state.
    """
    missing = [
        field.name
        for field in (columns.version, columns.timestamp)
        if field is not None and field.attname not in instance.__dict__
    ]
    if missing:
        names = ", ".join(f'"{name}"' for name in missing)
        raise VersionNotLoaded(
            f"This {instance._meta.label} was loaded without {names}, so its write cannot be "
            f"compared with its row. Load them together with what you change: "
            f"{type(instance).__name__}.objects.only(…, {names})."
        )
    columns.require_usable(instance)


def no_state(instance: Any, verb: str, using: str) -> VersionNotLoaded:
    """The error for an instance that was not read from the database it is to be written to."""
    name, pk = type(instance).__name__, instance.pk
    return VersionNotLoaded(
        f"This {instance._meta.label} was not read from the database {using!r}, so it cannot "
        f"{verb} there: it has no state to compare. Read it first: "
        f"{name}.objects.using({using!r}).get(pk={pk!r}); or address the row without "
        f"an instance: {name}.objects.using({using!r}).filter(pk={pk!r})."
    )
