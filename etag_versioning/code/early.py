"""What can be read of a view before the first request, while the URLconf is loaded."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any

from django.apps import apps

from .bytecode import names_of
from .origin import Distribution, is_loading
from .reader import Constant, Setting

__all__ = ["can_be_read_early"]


def can_be_read_early(reference: Any) -> bool:
    """
    Whether reading it now gives the same as at a request: no module that it stands in, or names,
    is being loaded, and reading it loads no other module.
    """
    if not apps.ready:
        return False
    if isinstance(reference, type):
        return not any(is_loading(base.__module__) for base in reference.__mro__)
    if isinstance(reference, FunctionType):
        return _is_function_complete(reference)
    if isinstance(reference, Constant):
        # Of a container it matters which modules change it, and some may not be loaded.
        value = reference.namespace.get(reference.name)
        is_plain = isinstance(value, str | bytes | int | float | None)
        return is_plain and not is_loading(reference.module)
    return isinstance(reference, Distribution | Setting)


def _is_function_complete(function: FunctionType) -> bool:
    names = names_of(function.__code__)
    namespace = function.__globals__
    if names.imports or not names.names.isdisjoint(("import_string", "import_module")):
        return False
    named = [namespace[name] for name in names.names if name in namespace]
    modules = [each.__name__ for each in named if isinstance(each, ModuleType)]
    return not any(map(is_loading, [str(namespace.get("__name__", "")), *modules]))
