"""
What can go wrong, as one tree::

    Exception
    └── VersioningError
        ├── StaleWriteError     the write was based on a state that is gone
        └── VersionNotLoaded    the instance does not say which state it is based on

A mistake in the configuration raises Django's own ``ImproperlyConfigured``.
Nothing has failed in the database, so an enclosing ``atomic()`` block can go on. Where Django
itself raises if no row was updated, in ``save(force_update=True)`` and ``save(update_fields=…)``,
a ``StaleWriteError`` is also that error: the model's ``NotUpdated``, or a ``DatabaseError`` in
Django 5.2.
"""

from __future__ import annotations

from typing import Any

__all__ = ["StaleWriteError", "VersionNotLoaded", "VersioningError"]


class VersioningError(Exception):
    """The base of all errors that this package raises at run time."""


class StaleWriteError(VersioningError):
    """
    The row was written or deleted since the state that this write is based on.

    Nothing was written, and the instance is what it was before the call.

    Attributes:
        model: the model class whose table holds the version.
        pk: the primary key of the row (a tuple for a composite key).
        using: the database alias, a string.
        instance: the model instance that was saved or deleted, or ``None``
            where the write did not start from one.
        expected: the state that the row had to be in, where it is known.
        found: the state in which it was to be written, where it is known.
    """

    def __init__(
        self,
        model: Any,
        pk: Any,
        using: str,
        instance: Any = None,
        *,
        expected: Any = None,
        found: Any = None,
    ) -> None:
        self.model = model
        self.pk = pk
        self.using = using
        self.instance = instance
        self.expected = expected
        self.found = found
        super().__init__(model, pk, using, instance)

    def __str__(self) -> str:
        return (
            f"{self.model._meta.label} with primary key {self.pk!r} was changed or deleted "
            f"after the state that this write is based on was read"
            f"{self._states()}. Nothing was written; "
            f"read the row again and repeat the change on it. {self._other_causes()}"
        )

    def _other_causes(self) -> str:
        timestamp = getattr(self.expected, "timestamp", None)
        if timestamp is not None and timestamp.microsecond % 1000 == 0:
            given, fields = vars(self.instance or self), self.model._meta.concrete_fields
            names = (field.name for field in fields if given.get(field.attname) == timestamp)
            name = next(names, "updated_at")
            return (
                f"If nobody else wrote it: the {name} that it was compared with has no "
                f"microseconds, so it comes from a file, or from a column that cuts them off. "
                f"Leave it out of what is read back from files, such as "
                f'exclude = ("{name}",) in an import\'s Meta.'
            )
        return (
            "If nobody else wrote it, look for a column that cuts microseconds off, a row that is "
            "missing in a child's table, or a trigger that keeps the row."
        )

    def _states(self) -> str:
        named = (("expected", self.expected), ("found", self.found))
        parts = [f"{name} {tuple(map(str, state))}" for name, state in named if state is not None]
        return f" ({', '.join(parts)})" if parts else ""


class VersionNotLoaded(VersioningError):
    """
    The instance cannot be compared with its row: it was made by hand, comes
    from another database, or was loaded without its version or timestamp.
    """
