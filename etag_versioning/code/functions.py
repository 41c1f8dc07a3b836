"""Reads functions, and the constants of modules."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from types import FunctionType
from typing import Any, Final

from django.apps import apps
from django.conf import settings

from .bytecode import Names, changed_names, code_terms, computes_attributes, names_of
from .changes import is_changed, is_state
from .reader import REVERSING, Constant, Reader, is_secret

__all__ = ["read_constant", "read_function"]

# What a function reads besides rows and code, by the name that it uses.
_OUTSIDE: Final = {
    "open": "reads a file",
    "read_text": "reads a file",
    "read_bytes": "reads a file",
    "environ": "reads the environment",
    "getenv": "reads the environment",
    "eval": "runs code that is data",
    "exec": "runs code that is data",
    "__import__": "imports by a computed name",
    "urlopen": "asks another service",
}
_SERVICES: Final = frozenset({"aiohttp", "boto3", "httpx", "requests", "urllib3"})
_BY_PATH: Final = frozenset({"import_string", "import_module"})
_BY_LABEL: Final = frozenset({"get_model", "get_user_model"})


def read_function(function: FunctionType, reader: Reader) -> None:
    """What a function of the project's does, and what it names."""
    code = function.__code__
    names = names_of(code)
    reader.add(*code_terms(code))
    for name, value in _held(function):
        reader.add(f"local {name}")
        if is_changed(f"local {name}", value, changed_names(code)):
            reader.state(name, value)
        else:
            reader.value(value)
    namespace = function.__globals__
    for name in sorted(names.names):
        if name in namespace:
            reader.bound(name, namespace, names.names)
        if name not in namespace or name in REVERSING:
            reader.names.add(name)
    if "settings" in reader.terms or "getattr" in names.names:
        reader.settings(names.texts)
    for text in names.texts:
        reader.template(text)
    _read_imports(function, names, reader)
    _tell_unseen(function, names, reader)
    wrapped = vars(function).get("__wrapped__")
    if wrapped is not None:
        reader.value(wrapped)


def _held(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The values that a function keeps: defaults, and what it closes over."""
    code = function.__code__
    defaults = function.__defaults__ or ()
    yield from zip(
        code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount],
        defaults,
        strict=True,
    )
    yield from sorted((function.__kwdefaults__ or {}).items())
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue  # Not assigned yet.


def _read_imports(function: FunctionType, names: Names, reader: Reader) -> None:
    package = str(function.__globals__.get("__package__") or "")
    for module, level, wanted in names.imports:
        loaded = reader.imported(module, level, wanted, package)
        if loaded is not None:
            reader.named_module(loaded, names.names | set(wanted))


def _tell_unseen(function: FunctionType, names: Names, reader: Reader) -> None:
    namespace = function.__globals__
    for name in sorted(names.names & _OUTSIDE.keys()):
        is_builtin = not hasattr(builtins, name) or name not in namespace
        if is_builtin:
            reader.cannot_see(f"{name}() {_OUTSIDE[name]}" if name != "environ" else "os.environ")
    for name in sorted(names.names & _SERVICES):
        reader.cannot_see(f"{name} asks another service")
    if computes_attributes(function.__code__):
        reader.cannot_see("getattr() with a computed name")
    if names.names & _BY_PATH:
        _read_paths(names, reader)
    if names.names & _BY_LABEL:
        _read_models(names, reader)


def _read_paths(names: Names, reader: Reader) -> None:
    """What ``import_string()`` and ``import_module()`` are given as constants."""
    found = False
    for text in names.texts:
        module, _, name = text.rpartition(".")
        if not all(part.isidentifier() for part in text.split(".")) or not module:
            continue
        loaded = reader.imported(module, 0, (), "")
        if loaded is not None and hasattr(loaded, name):
            found = True
            reader.named_module(loaded, names.names | {name})
    if not found:
        reader.cannot_see("an import by a computed name")


def _read_models(names: Names, reader: Reader) -> None:
    """The models of ``apps.get_model()`` and ``get_user_model()``."""
    labels = [text for text in names.texts if text.count(".") == 1]
    if "get_user_model" in names.names:
        labels.append(settings.AUTH_USER_MODEL)
    for label in labels:
        try:
            reader.kind(apps.get_model(label))
        except (LookupError, ValueError):
            continue  # Other text.


def read_constant(constant: Constant, reader: Reader) -> None:
    """What a global of one of the project's modules holds."""
    value = constant.namespace.get(constant.name)
    if is_secret(constant.name):
        reader.cannot_see("a secret, whose value is in no fingerprint")
    elif is_state(constant.name, constant.namespace):
        reader.state(constant.name, value)
    else:
        reader.value(value)
