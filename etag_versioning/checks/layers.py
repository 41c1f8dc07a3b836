"""The decorators around a view, as a request goes through them, and what ours was given."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["forbids_storing", "layers", "module_of", "options_of", "sources_of"]

_CLASS_VIEWS: Final = ("django.views.generic.base", "rest_framework.viewsets", "adrf.viewsets")


def layers(view: Any) -> Iterator[Any]:
    """
    The functions that a request goes through, the outermost first: what decorators made, the
    decorators that ``method_decorator()`` holds, and each ``dispatch()`` of a class.
    """
    while view is not None:
        kind = getattr(view, "view_class", None) or getattr(view, "cls", None)
        if isinstance(kind, type) and module_of(view) in _CLASS_VIEWS:
            for base in kind.__mro__:
                yield from layers(vars(base).get("dispatch"))
            return
        held = _held_decorators(view)
        yield from held or [view]
        view = getattr(view, "__wrapped__", None)


def options_of(view: Any) -> Any:
    """
    The options of ``versioned_condition`` around a view, or around the ``dispatch()`` of its class
    below one of a mixin's; ``None`` where there is none.
    """
    options = getattr(view, "_etag_versioning", None)
    if options is not None:
        return options
    kind = getattr(view, "view_class", None)
    for base in getattr(kind, "__mro__", ()):
        options = getattr(vars(base).get("dispatch"), "_etag_versioning", None)
        if options is not None:
            return options
    return None


def sources_of(source: Any) -> list[Any]:
    """A source, or those that it combines."""
    if source is None:
        return []
    return [source.first, *source.others] if hasattr(source, "others") else [source]


def forbids_storing(layer: Any) -> bool:
    """Whether it is Django's ``never_cache``, or ``cache_control(no_store=True)``."""
    if module_of(layer) != "django.views.decorators.cache":
        return False
    name = layer.__code__.co_qualname.partition(".")[0]
    if name == "cache_control":
        return bool(inspect.getclosurevars(layer).nonlocals.get("kwargs", {}).get("no_store"))
    return name == "never_cache"


def module_of(function: Any) -> str:
    """The module whose code a function is; ``functools.wraps()`` copies ``__module__``."""
    return str(getattr(function, "__globals__", {}).get("__name__", ""))


def _held_decorators(function: Any) -> list[Any]:
    if module_of(function) != "django.utils.decorators" or not inspect.isfunction(function):
        return []
    held = inspect.getclosurevars(function).nonlocals.get("decorators", ())
    return list(reversed(held)) if isinstance(held, list | tuple) else []
