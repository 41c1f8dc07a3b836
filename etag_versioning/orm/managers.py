"""The managers of versioned models: the one for users, and the one that Django itself uses."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.options import Options
from django.utils.functional import cached_property

from .querysets import VersionedQuerySet

__all__ = ["VersionedManager", "VersionedOptions"]


class VersionedManager(models.Manager.from_queryset(VersionedQuerySet)):  # type: ignore[misc]
    """The manager whose query sets move versions."""


class _RelatedRows(VersionedQuerySet):
    """
    The rows that point to one that is deleted.

    Django asks whether there are any, and then writes SET_DEFAULT and SET() by key,
    past the query set, if that knows its rows by now.
    """

    def __bool__(self) -> bool:
        return super().__bool__() if self._result_cache is not None else self.exists()


_RelatedManager = VersionedManager.from_queryset(_RelatedRows)


class VersionedOptions(Options):
    """
    A model's ``_meta`` whose base manager, through which Django writes SET_NULL and
    its kin, moves versions. Not by ``Meta.base_manager_name``, which would have to
    name a manager of the model's own, and shows in each migration.
    """

    @cached_property
    def base_manager(self) -> Any:
        manager: Any = super().base_manager
        if manager.name != "_base_manager":
            return manager
        by_key = any(map(_is_set_by_key, self.concrete_fields))
        versioned: Any = _RelatedManager() if by_key else VersionedManager()
        versioned.name, versioned.model, versioned.auto_created = manager.name, self.model, True
        return versioned


# What Collector does not write, or writes through a query set.
_OTHER_WAYS = (models.CASCADE, models.DO_NOTHING, models.PROTECT, models.RESTRICT, models.SET_NULL)


def _is_set_by_key(field: Any) -> bool:
    """Whether the deletion of the row that ``field`` points to sets it as SET_DEFAULT does."""
    return field.remote_field is not None and field.remote_field.on_delete not in _OTHER_WAYS
