"""The fingerprint of a plain view."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

from .fingerprint import Fingerprint, also_forgotten, fingerprint_of

__all__ = ["fingerprint_of_view", "view_fingerprint"]


def view_fingerprint(view: Any) -> str:
    """
    The digest that stands in the tags of a view.

    Args:
        view: what ``versioned_condition`` decorates: a function, the result of ``as_view()``,
            or the ``dispatch()`` of an instance.
    """
    root, options = _root(view)
    try:
        return _cached(root, options)
    except TypeError:  # An option that cannot be hashed.
        return _read(root, options).digest


def fingerprint_of_view(view: Any) -> Fingerprint:
    """The fingerprint of a view, with its parts."""
    return _read(*_root(view))


def _root(view: Any) -> tuple[Any, tuple[tuple[str, Any], ...]]:
    """
    The function, or the class with the arguments of its ``as_view()``. ``dispatch()`` of a class
    belongs to another instance at each request.
    """
    while isinstance(view, partial):  # method_decorator() passes one.
        view = view.func
    options: dict[str, Any] = {}
    owner = getattr(view, "__self__", None)
    kind = getattr(view, "view_class", None)
    if isinstance(kind, type):
        view, options = kind, view.view_initkwargs
    elif hasattr(owner, "http_method_names") and not isinstance(owner, type):
        kind = type(owner)
        # setup() has put the request there, and as_view() its arguments.
        given = vars(owner).keys() - {"request", "args", "kwargs", "head"}
        view, options = kind, {each: vars(owner)[each] for each in given if hasattr(kind, each)}
    return view, tuple(sorted(options.items()))


def _read(root: Any, options: Any) -> Fingerprint:
    return fingerprint_of(root, *options)


@lru_cache(maxsize=1000)
def _cached(root: Any, options: Any) -> str:
    return _read(root, options).digest


also_forgotten.append(_cached.cache_clear)
