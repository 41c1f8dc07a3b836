"""
Which globals and attributes are a program's state, and which are its constants.

The fingerprint has to be the same in each process with the same code, so a cache, a registry or
a counter must not be in it, while a table of labels must. A list, dictionary, set or other value
counts as a constant unless code of the module that holds it changes it: sets or deletes an item,
calls a method like ``append()`` on it, or binds the name again by ``global``. Modules that have
imported it by its name are looked at as well.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from types import FunctionType
from typing import Any, Final

from .bytecode import changed_names
from .origin import is_loading, is_project_class, is_project_module

__all__ = ["forget", "functions_in", "is_changed", "is_code", "is_state", "state_attributes"]

# Methods in which an instance gets what it keeps.
_INITIAL: Final = frozenset({"__init__", "__new__", "__post_init__", "__set_name__"})
_PLAIN: Final = (str, int, tuple, list, dict, type(None), type)
_CONTAINERS: Final = (MutableMapping, MutableSequence, MutableSet)
_CACHED: Final = type(functools.lru_cache(len))
_WRAPPERS: Final = (FunctionType, _CACHED)
_CODE: Final = (*_WRAPPERS, type, staticmethod, classmethod, property, functools.cached_property)
# The changes of a module's functions, by the identity of its globals; and the globals, so that
# no other dictionary gets the same identity.
_changes: dict[int, tuple[dict[str, Any], frozenset[str]]] = {}
_states: dict[tuple[type, bool], frozenset[str]] = {}


def forget() -> None:
    """Forget what was found: modules may have changed."""
    _changes.clear()
    _states.clear()
    _project_modules.cache_clear()


def functions_in(value: Any) -> Iterator[FunctionType]:
    """The functions of a value of a module or a class: itself, or what it wraps."""
    if isinstance(value, _PLAIN):
        return
    found: Any = value
    for _ in range(20):
        if isinstance(found, FunctionType):
            yield found
        inner = None
        if isinstance(found, staticmethod | classmethod):
            inner = found.__func__
        elif isinstance(found, property):
            inner = found.fget
        elif isinstance(found, functools.partial | functools.cached_property):
            inner = found.func
        elif type(found).__name__ == "cached_property":
            inner = getattr(found, "func", None)
        elif isinstance(found, _WRAPPERS):
            inner = vars(found).get("__wrapped__")
        if inner is None:
            return
        found = inner


def is_code(value: Any) -> bool:
    """Whether a value of a module or a class is a function, a class or a property."""
    return issubclass(type(value), _CODE)


def is_changed(name: str, value: Any, changes: frozenset[str]) -> bool:
    """
    Whether a value is among those that code changes.

    Args:
        name: of the value, as in ``changes``.
        value: the value. What has a method ``add()`` and is no container does not change by it.
        changes: of ``changed_names()`` or ``state_attributes()``.
    """
    return name in changes or (f"{name}()" in changes and isinstance(value, _CONTAINERS))


def is_state(name: str, namespace: dict[str, Any]) -> bool:
    """Whether the program changes this global of a module while it runs."""
    wanted = f"global {name}"
    value = namespace.get(name)
    if is_changed(wanted, value, _changes_in(namespace)):
        return True
    if isinstance(value, str | int | float | tuple | frozenset | type(None)):
        return False  # No other module can change it.
    return any(
        vars(module).get(name) is value and is_changed(wanted, value, _changes_in(vars(module)))
        for module in _project_modules(len(sys.modules))
        if vars(module) is not namespace
    )


@functools.lru_cache(maxsize=1)
def _project_modules(count: int) -> list[Any]:
    """The project's modules that are loaded; ``count`` is that of all that are."""
    found = [module for name, module in list(sys.modules.items()) if is_project_module(name)]
    return [module for module in found if isinstance(getattr(module, "__dict__", None), dict)]


def _changes_in(namespace: dict[str, Any]) -> frozenset[str]:
    known = _changes.get(id(namespace))
    if known is not None:
        return known[1]
    found: set[str] = set()
    own = namespace.get("__name__")
    for value in list(namespace.values()):
        members = [value]
        if isinstance(value, type) and value.__module__ == own:
            members = list(_members(value))
        for member in members:
            for function in functions_in(member):
                if function.__globals__ is namespace:
                    found |= changed_names(function.__code__)
    changes = frozenset(each for each in found if each.startswith("global "))
    if not is_loading(str(own)):
        _changes[id(namespace)] = namespace, changes
    return changes


def _members(cls: type) -> Iterator[Any]:
    for value in list(vars(cls).values()):
        if isinstance(value, type) and value.__qualname__.startswith(f"{cls.__qualname__}."):
            yield from _members(value)
        else:
            yield value


def state_attributes(cls: type, *, of_class: bool = False) -> frozenset[str]:
    """
    The attributes that change while the program runs: containers that a method changes, and what
    is assigned outside of ``__init__()``.

    Args:
        cls: the class.
        of_class: for the attributes of the class itself. An assignment to ``self`` does not
            change these, one to ``cls`` or to the class's name does.
    """
    known = _states.get((cls, of_class))
    if known is None:
        known = frozenset(_state_attributes(cls, of_class))
        _states[cls, of_class] = known
    return known


def _state_attributes(cls: type, of_class: bool) -> Iterator[str]:
    for base in cls.__mro__:
        if not is_project_class(base):
            continue
        for name, member in list(vars(base).items()):
            for function in functions_in(member):
                yield from _of_method(name, function, of_class)
        module = sys.modules.get(base.__module__)
        prefix = f"global {base.__name__}."
        for change in _changes_in(vars(module)) if module is not None else ():
            if change.startswith(prefix):
                yield change.removeprefix(prefix).removesuffix("=")


def _of_method(name: str, function: FunctionType, of_class: bool) -> Iterator[str]:
    code = function.__code__
    if not code.co_argcount:
        return
    prefix = f"local {code.co_varnames[0]}."
    binds = prefix == "local cls." if of_class else name not in _INITIAL
    for change in changed_names(code):
        if not change.startswith(prefix) or change.count(".") > 1:
            continue
        if binds or not change.endswith("="):
            yield change.removeprefix(prefix).removesuffix("=")
