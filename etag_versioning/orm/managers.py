"""
The managers of versioned models: the one for users, the one that Django itself uses for
related rows, and those of other apps, whose querysets learn to bump versions.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from django.db import models

from .querysets import VersionedQuerySet
from .related import keep_instances_current

__all__ = ["VersionedManager", "name_base_manager", "share_objects", "versioned_manager"]


_Model = TypeVar("_Model", bound=models.Model, covariant=True)

if TYPE_CHECKING:
    from .manager_types import TypedManager as _Manager
else:
    _Manager = models.Manager.from_queryset(VersionedQuerySet)


class VersionedManager(_Manager[_Model]):
    """The manager whose querysets bump versions."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        keep_instances_current(cls)


class _RelatedRows(VersionedQuerySet):
    """
    The rows that refer to a deleted row.

    Django asks whether there are any. If that loaded the rows, it writes SET_DEFAULT and SET()
    by key, without this queryset, so that nothing is bumped. So don't load them.
    """

    def __bool__(self) -> bool:
        return super().__bool__() if self._result_cache is not None else self.exists()


_RelatedManager = VersionedManager.from_queryset(_RelatedRows)


# The class of the base manager that was chosen for a model, where no Meta names one.
_chosen: WeakKeyDictionary[Any, type] = WeakKeyDictionary()


def name_base_manager(model: Any) -> None:
    """
    Choose the base manager, through which Django writes SET_NULL and ``related.add()``.

    A ``base_manager_name`` in the Meta of the model or of any base stays, including bases
    behind the first, where Django does not look. Otherwise the default manager is chosen, or
    another manager of the model, if it bumps and otherwise does what the base manager did;
    or else ``_versioned_rows``. The name is set here and not in a Meta, so that no migration
    contains it.
    """
    for base in model.__mro__:
        meta = getattr(base, "_meta", None)
        name = None if meta is None or base in _chosen else meta.base_manager_name
        if name is not None and (base is model or name in model._meta.managers_map):
            model._meta.base_manager_name = name
            return
    kind = _chosen[model] = _base_manager_class(model)
    by_key = any(map(_is_set_by_key, model._meta.concrete_fields))
    managers = [] if by_key else [model._default_manager, *model._meta.managers]
    names = (manager.name for manager in managers if _can_be_base(manager, kind))
    model._meta.base_manager_name = next(names, "_versioned_rows")
    if by_key:
        _add(model, _RelatedManager(), "_versioned_rows")
    elif model._meta.base_manager_name == "_versioned_rows" and kind is not VersionedManager:
        _add(model, kind(), "_versioned_rows")
    vars(model._meta).pop("base_manager", None)


def _base_manager_class(model: Any) -> Any:
    """
    The class of a base manager that bumps and otherwise does what the model's own base manager
    would do. Polymorphic models, for instance, have base managers of a class of their own.
    """
    for base in model.__mro__[1:]:
        if base in _chosen:
            return _chosen[base]
    automatic: Any = type(model._base_manager)
    return _versioned_manager_class(automatic)


def _can_be_base(manager: Any, kind: type) -> bool:
    if kind is not VersionedManager:
        return type(manager) is kind
    made = type(manager)
    if isinstance(manager, _VersionedQuerySets):
        made = made.__bases__[1]
    return (
        made.get_queryset is models.Manager.get_queryset
        and (made is not type(manager) or issubclass(made._queryset_class, VersionedQuerySet))
        and _only_adds_methods(made._queryset_class)
    )


def _only_adds_methods(kind: type) -> bool:
    """Whether a queryset class leaves Django's own methods as they are."""
    own = [each for each in kind.__mro__ if each not in VersionedQuerySet.__mro__]
    names = {name for each in own for name in vars(each)}
    changed = names.intersection(vars(models.QuerySet))
    return all(name.startswith("__") and name != "__init__" for name in changed)


# The collector does not write for these, or writes through a queryset.
_OTHER_WAYS = (models.CASCADE, models.DO_NOTHING, models.PROTECT, models.RESTRICT, models.SET_NULL)


def _is_set_by_key(field: Any) -> bool:
    """Whether a deletion of the referenced row sets ``field`` by key, as SET_DEFAULT does."""
    return field.remote_field is not None and field.remote_field.on_delete not in _OTHER_WAYS


def share_objects(model: Any, ours: Any) -> None:
    """
    Don't hide the ``objects`` of a later base that has methods or filters of its own, as
    AbstractUser has: make it the model's ``objects``, with querysets that bump.

    Args:
        model: a versioned model.
        ours: the abstract model whose ``objects`` Python would find first.
    """
    bases = [base for base in model.__mro__ if hasattr(base, "_meta")]
    declared = [
        (base, manager)
        for base in bases
        for manager in base._meta.local_managers
        if manager.name == "objects"
    ]
    if not declared or declared[0][0] is not ours:
        return
    plain = (VersionedManager, models.Manager)
    hidden = next((each for _, each in declared[1:] if type(each) not in plain), None)
    if hidden is None:
        return
    _add(model, hidden, "objects")


def _add(model: Any, manager: Any, name: str) -> None:
    """Add another app's manager, with querysets that bump. The default manager stays."""
    default = model._default_manager.name
    versioned = versioned_manager(manager)
    versioned.name = name
    versioned.contribute_to_class(model, name)
    if default != model._default_manager.name:
        # Django takes the first of the model's own managers.
        model._meta.default_manager_name = default
        del model._meta.default_manager


def versioned_manager(manager: Any) -> Any:
    """
    Another app's manager, with all its methods, whose querysets bump versions.

    Example::

        class Page(VersionedModel, MP_Node):
            objects = versioned_manager(MP_NodeManager())
    """
    kind: Any = type(manager)
    return _as(manager, _versioned_manager_class(kind))


def _as(made: Any, kind: Any) -> Any:
    """
    A copy of a manager or queryset as an instance of another class. Python does not allow an
    assignment to ``__class__`` where a generic mixin comes before Django's class.
    """
    copied = kind.__new__(kind)
    vars(copied).update(vars(made))
    return copied


class _VersionedQuerySets:
    """Lets the querysets of another app's manager bump versions, however it creates them."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        keep_instances_current(cls)

    def get_queryset(self) -> Any:
        queryset = super().get_queryset()  # type: ignore[misc]
        kind: Any = type(queryset)
        return _as(queryset, _versioned_queryset_class(kind))

    def unversioned(self) -> Any:
        return self.get_queryset().unversioned()

    def expect(self, **state: Any) -> Any:
        return self.get_queryset().expect(**state)

    def touch(self) -> int:
        count: int = self.get_queryset().touch()
        return count

    async def atouch(self) -> int:
        count: int = await self.get_queryset().atouch()
        return count

    def deconstruct(self) -> Any:
        """Migrations name the other app's manager, because their models are plain models."""
        return _as(self, type(self).__bases__[1]).deconstruct()


@cache
def _versioned_manager_class(kind: Any) -> type:
    if kind is models.Manager:
        return VersionedManager
    if issubclass(kind, _VersionedQuerySets) or issubclass(kind._queryset_class, VersionedQuerySet):
        return kind
    return type(f"Versioned{kind.__name__}", (_VersionedQuerySets, kind), {})


@cache
def _versioned_queryset_class(kind: Any) -> Any:
    if issubclass(kind, VersionedQuerySet):
        return kind
    if kind is models.QuerySet:
        return VersionedQuerySet
    # Pickles name the class that can be imported.
    reduce = lambda self: (_versioned_queryset, (kind,), self.__getstate__())  # noqa: E731
    return type(f"Versioned{kind.__name__}", (VersionedQuerySet, kind), {"__reduce__": reduce})


def _versioned_queryset(kind: Any) -> Any:
    """An empty queryset for ``pickle`` to fill."""
    made = _versioned_queryset_class(kind)
    return made.__new__(made)
