"""System checks of managers whose querysets bump no version."""

from __future__ import annotations

import copy
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from django.core import checks
from django.db import models

from ..orm.managers import VersionedManager
from ..orm.querysets import VersionedQuerySet
from ..orm.saving import StatefulModel

__all__ = ["check_managers"]


def check_managers(versioned: Collection[Any]) -> Iterator[checks.CheckMessage]:
    """W001 and W002: managers that bypass versions. Each place to mend is told once."""
    by_cure: dict[str, list[Any]] = defaultdict(list)
    for model in versioned:
        meant = model.unversioned_managers
        meant = meant if isinstance(meant, Collection) else ()  # E004 or E005 tells of it.
        for manager in model._meta.managers:
            if (
                not _bumps(manager)
                and manager.name not in meant
                and not _is_inherited(model, manager)
            ):
                cure = _cure(model, manager)
                # A cure that is no line of a class is one for this model alone.
                place = cure if cure.startswith(("class ", "Delete ", "In ")) else model._meta.label
                by_cure[f"{place} {cure}"].append((model, manager, cure))
    for found in by_cure.values():
        model, manager, cure = found[0]
        labels = ", ".join(f"{each._meta.label}.{other.name}" for each, other, _ in found)
        makes, it = ("makes", "that is") if len(found) == 1 else ("make", "those are")
        yield checks.Warning(
            f"{labels} {makes} querysets whose update() does not bump the version, so clients "
            f"keep stale copies. If {it} meant, say "
            f'unversioned_managers = ("{manager.name}",) in {model.__name__}.',
            hint=cure,
            obj=model,
            id="etag_versioning.W001",
        )
    for model in versioned:
        if not _bumps(model._base_manager):
            yield _check_base_manager(model)


def _check_base_manager(model: Any) -> checks.CheckMessage:
    name = model._meta.base_manager_name
    return checks.Warning(
        f"{model._meta.label}'s base manager, through which Django writes SET_NULL, does not "
        f"bump the version.",
        hint=f'Delete base_manager_name = "{name}" from its Meta, or let {name} be a '
        f"VersionedManager().",
        obj=model,
        id="etag_versioning.W002",
    )


def _bumps(manager: Any) -> bool:
    """Whether the querysets of ``manager`` bump versions."""
    kind = _queryset_class(manager)
    return issubclass(kind, VersionedQuerySet)


def _queryset_class(manager: Any) -> type:
    """The class of a manager's querysets, also where it makes none outside of a request."""
    try:
        with warnings.catch_warnings():
            # A deprecated manager warns of itself; here nobody uses it.
            warnings.simplefilter("ignore")
            return type(manager.get_queryset())
    except Exception:
        return manager._queryset_class


def _parents(model: Any) -> list[Any]:
    """The versioned models, with tables of their own or proxies, that ``model`` inherits from."""
    bases = [base for base in model.__mro__[1:] if issubclass(base, StatefulModel)]
    return [base for base in bases if not base._meta.abstract]


def _is_inherited(model: Any, manager: Any) -> bool:
    """Whether a parent has the same manager, and so its own warning."""
    return any(
        inherited.creation_counter == manager.creation_counter
        for parent in _parents(model)
        for inherited in parent._meta.managers
    )


def _cure(model: Any, manager: Any) -> str:
    """The mended code."""
    name, kind = manager.name, type(manager)
    if kind is models.Manager:
        declaring = _declaring(model, manager)
        if name == "objects" and _brings_objects(declaring):
            where = "" if declaring is model else f" in {declaring.__name__}"
            return (
                f'Delete the line "objects = models.Manager()"{where}: VersionedModel has a '
                f"manager."
            )
        return f"{name} = VersionedManager()  # from etag_versioning.models"
    made, own = _queryset_class(manager), _named(kind)
    if made is not models.QuerySet and not _is_foreign(model, made):
        return _with_base(made, models.QuerySet, VersionedQuerySet)
    if _bumps(_with_versioned_querysets(manager)):
        if made is models.QuerySet and own is kind and not _is_foreign(model, kind):
            return _with_base(kind, models.Manager, VersionedManager)
        return _versioned(name, manager)
    if _is_foreign(model, kind) or made is not models.QuerySet:
        # Its get_queryset() does not ask for the class of the querysets.
        return f"{name} = versioned_manager({own.__name__}())  # from etag_versioning.models"
    return (
        f"In {kind.__name__}.get_queryset(), write super().get_queryset() in place of "
        f"QuerySet(…); and {_with_base(kind, models.Manager, VersionedManager)}"
    )


def _with_base(kind: type, plain: type, versioned: type) -> str:
    """The line of a class of the project, with our base in the place of Django's, or first."""
    bases = [versioned if base is plain else base for base in kind.__bases__]
    if versioned not in bases:
        bases.insert(0, versioned)
    return f"class {kind.__name__}({', '.join(base.__name__ for base in bases)}): …"


def _declaring(model: Any, manager: Any) -> Any:
    """The class in whose body a manager stands: the model, or one of its bases."""
    for base in model.__mro__:
        for own in getattr(getattr(base, "_meta", None), "local_managers", ()):
            if own.creation_counter == manager.creation_counter:
                return base
    return model


def _versioned(name: str, manager: Any) -> str:
    """The manager with versioned querysets; a class with a name where migrations import it."""
    kind, made = _named(type(manager)), _queryset_class(manager)
    mixed, code = "VersionedQuerySet", ""
    if made is not models.QuerySet:
        mixed = f"Versioned{made.__name__}"
        code = f"class {mixed}(VersionedQuerySet, {made.__name__}): pass; "
    mended = _from_queryset(kind, mixed)
    if not manager.use_in_migrations:
        return f"{code}{name} = {mended}()"
    own = f"Versioned{kind.__name__}"
    return f"{code}class {own}({mended}): pass; {name} = {own}()"


def _named(kind: type) -> type:
    """The class of a manager, without what ``as_manager()`` and ``from_queryset()`` made of it."""
    made = kind.__module__ == models.Manager.__module__ and kind is not models.Manager
    return _named(kind.__bases__[0]) if made else kind


def _from_queryset(kind: type, queryset: str) -> str:
    return f"{_named(kind).__name__}.from_queryset({queryset})"


def _with_versioned_querysets(manager: Any) -> Any:
    """What ``from_queryset()`` makes of ``manager``, with a class that bumps."""
    mended, made = copy.copy(manager), _queryset_class(manager)
    both: Any = VersionedQuerySet
    if made is not models.QuerySet:
        both = type(made.__name__, (VersionedQuerySet, made), {})
    mended.__class__ = type(manager).from_queryset(both)
    return mended


def _is_foreign(model: Any, kind: type) -> bool:
    """Whether a class is from another distribution, which the project does not edit."""
    return kind.__module__.partition(".")[0] != model.__module__.partition(".")[0]


def _brings_objects(model: Any) -> bool:
    """Whether ``objects`` would be ours, if the class declared none."""
    for base in model.__mro__[1:]:
        for manager in getattr(getattr(base, "_meta", None), "local_managers", ()):
            if manager.name == "objects":
                return isinstance(manager, VersionedManager)
    return False
