"""
Whose code a module is: the project's, or that of an installed distribution.

The module's file decides, not its name. A folder called ``site-packages`` or ``dist-packages``
holds installed distributions, and the standard library has a folder of its own. Everything else
is the project's, an editable installation too.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import lru_cache
from importlib import metadata, util
from typing import Any, Final, NamedTuple

from .. import __version__

__all__ = [
    "Distribution",
    "distribution",
    "is_loading",
    "is_project_class",
    "is_project_module",
    "root_of",
]

_INSTALLED: Final = ("site-packages", "dist-packages")
_STDLIB: Final = frozenset(
    os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")
)
_PACKAGE: Final = __name__.partition(".")[0]


@lru_cache(maxsize=10_000)
def is_project_module(name: str) -> bool:
    """Whether the module of this dotted name is the project's. It need not be loaded."""
    return bool(name) and _is_project_package(name.partition(".")[0])


@lru_cache(maxsize=1000)
def _is_project_package(top: str) -> bool:
    if top == _PACKAGE or (top in sys.stdlib_module_names and top != "__main__"):
        return False
    place = _file_of(top)
    if place is None:
        # A module without a file: it was made by exec(), or is a namespace package.
        return top not in sys.builtin_module_names
    parts = os.path.normpath(place).split(os.sep)
    if any(part in _INSTALLED for part in parts):
        return False
    return not any(os.path.realpath(place).startswith(folder + os.sep) for folder in _STDLIB)


def _file_of(top: str) -> str | None:
    """The file or folder of a top-level module, loaded or not."""
    module = sys.modules.get(top)
    if module is None:
        try:
            spec = util.find_spec(top)
        except (ImportError, ValueError):
            return None
        places = None if spec is None else [spec.origin, *(spec.submodule_search_locations or ())]
    else:
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return next((each for each in places or () if each and os.sep in each), None)


def is_project_class(cls: type) -> bool:
    """
    Whether a class is the project's. One that ``type()`` made by a metaclass of Django's or
    DRF's says that it is of the metaclass's module, where it cannot be found.
    """
    if is_project_module(cls.__module__):
        return True
    if "<locals>" in cls.__qualname__:
        return False
    found: Any = sys.modules.get(cls.__module__)
    for name in cls.__qualname__.split("."):
        if found is None:
            return True
        found = getattr(found, "__dict__", {}).get(name)
    return found is not cls and type(cls) is not type


class Distribution(NamedTuple):
    """An installed distribution whose code is used, by the name of its top-level module."""

    top: str

    @property
    def version(self) -> str:
        return _version(self.top)


@lru_cache(maxsize=1000)
def distribution(module: str) -> Distribution | None:
    """
    The distribution that a module belongs to. ``None`` for the standard library, which counts
    by Python's version, and for the project.
    """
    top = module.partition(".")[0]
    if not top or top in sys.stdlib_module_names or _is_project_package(top):
        return None
    return Distribution(top)


@lru_cache(maxsize=1000)
def _version(top: str) -> str:
    if top == _PACKAGE:
        return __version__
    given = getattr(sys.modules.get(top), "__version__", None)
    if isinstance(given, str):
        return given
    try:
        return metadata.version(top)
    except metadata.PackageNotFoundError:
        # The import name is not the distribution's: this reads all metadata, and takes longer.
        names = metadata.packages_distributions().get(top, ())
        return ", ".join(sorted(f"{name} {metadata.version(name)}" for name in set(names)))


def is_loading(module: str) -> bool:
    """Whether the code of a module is running for the first time, so that names are missing."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


@lru_cache(maxsize=10_000)
def root_of(module: str) -> str | None:
    """The folder from which a loaded module was imported: that of its top-level package."""
    loaded: Any = sys.modules.get(module)
    place = getattr(loaded, "__file__", None)
    if not place:
        return None
    folder = os.path.dirname(os.path.abspath(place))
    levels = module.count(".") + (1 if os.path.basename(place).startswith("__init__.") else 0)
    for _ in range(levels):
        folder = os.path.dirname(folder)
    return folder
