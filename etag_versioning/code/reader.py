"""
Reads one thing that code is made of: a function, a class, a constant of a module.

What it is becomes *terms*, text that is the same in each process; what of the project it names
becomes *references*, each of which is read for itself. So two views share what both name, and
functions that call each other end somewhere.
"""

from __future__ import annotations

import functools
import hashlib
import operator
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from importlib import import_module
from inspect import getattr_static
from pathlib import PurePath
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GenericAlias,
    MappingProxyType,
    MethodType,
    ModuleType,
    UnionType,
)
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import LazySettings
from django.conf import settings as django_settings

from .bytecode import code_terms
from .changes import is_changed, state_attributes
from .origin import distribution, is_project_class, is_project_module, root_of

__all__ = [
    "REVERSING",
    "ByClass",
    "Constant",
    "Node",
    "Reader",
    "Setting",
    "Template",
    "describe",
    "is_secret",
    "key_of",
]

# More elements than these are counted, not read.
_LONGEST: Final = 20_000
_DEEPEST: Final = 12
# Code that names one of these depends on the URLconf.
REVERSING: Final = frozenset({"reverse", "reverse_lazy"})
_SECRET: Final = ("SECRET", "PASSWORD", "TOKEN", "PRIVATE_KEY", "API_KEY", "ACCESS_KEY")
_PRIVATE_SETTINGS: Final = frozenset({"CACHES", "DATABASES", "EMAIL_HOST_USER"})
# Files of these kinds may be templates.
_TEMPLATES: Final = (
    *(".html", ".htm", ".xhtml", ".txt", ".xml", ".svg", ".json", ".csv", ".md", ".tex", ".ics"),
    *(".js", ".css", ".rss", ".atom", ".j2", ".jinja", ".jinja2", ".djhtml", ".mjml"),
)


class Constant(NamedTuple):
    """
    A global of a module.

    Args:
        module: the dotted name of the module whose code names it.
        name: the global's name.
        namespace: the module's globals.
    """

    module: str
    name: str
    namespace: dict[str, Any]


class Setting(NamedTuple):
    """A setting of Django's or the project's, by name."""

    name: str


class Template(NamedTuple):
    """A template, by the name by which Django's engines find it."""

    name: str


class Node(NamedTuple):
    """
    Something that has been read.

    Args:
        name: where it is, as "shop.views.user_page".
        digest: of what it is, without what it refers to.
        references: what else has to be read, by ``key_of()``.
        names: attributes that it names, on objects that it does not show.
        relations: of a model: by the name of the attribute, the models that it leads to.
        unseen: what it does that cannot be read.
    """

    name: str
    digest: str
    references: Mapping[Any, Any]
    names: frozenset[str]
    relations: Mapping[str, Any]
    unseen: tuple[str, ...]


def key_of(reference: Any) -> Any:
    """What tells references apart: the identity of functions and classes."""
    if not isinstance(reference, tuple):
        return id(reference)
    if isinstance(reference, Constant):
        return reference.name, id(reference.namespace)
    return type(reference), reference[0]


class Reader:
    """
    Collects the terms and references of one node.

    Args:
        name: the node's name.
        module: the dotted name of the module that it stands in.
    """

    def __init__(self, name: str, module: str = "") -> None:
        self.name = name
        self.module = module
        self.terms: list[Any] = []
        self.references: dict[Any, Any] = {}
        self.names: set[str] = set()
        self.relations: dict[str, Any] = {}
        self.unseen: dict[str, None] = {}
        self.depth = 0
        self.length = 0

    def node(self) -> Node:
        return Node(
            self.name,
            self.digest(),
            self.references,
            frozenset(self.names),
            self.relations,
            tuple(f"{self.name}: {what}" for what in self.unseen),
        )

    def digest(self) -> str:
        """A digest of the terms: 96 bits in hexadecimal. All of them are text, bytes or numbers."""
        text = repr(self.terms).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=12).hexdigest()

    def add(self, *terms: Any) -> None:
        self.terms += terms

    def refer(self, kind: str, name: str, reference: Any) -> None:
        self.terms.append(f"{kind} {name}")
        self.refer_to(reference)

    def refer_to(self, reference: Any) -> None:
        """Refer to something, without a term."""
        self.references[key_of(reference)] = reference

    def cannot_see(self, what: str) -> None:
        self.unseen[what] = None
        self.terms.append(f"unseen {what}")

    def state(self, name: str, value: Any) -> None:
        """
        What the program changes while it runs, which is left out. A cache of values is made by
        code that is read; a registry of functions holds code that is not.
        """
        self.terms.append("state")
        held = value.values() if isinstance(value, Mapping) else value
        if isinstance(value, Mapping | list | set | frozenset | deque) and any(
            callable(each) or (isinstance(each, tuple | list) and any(map(callable, each)))
            for each in list(held)
        ):
            self.unseen[f"the code in {name}, which changes while the program runs"] = None

    def value(self, value: Any) -> None:
        """Any value: of a constant, an argument, an attribute."""
        kind = type(value)
        if kind is str:
            self.text(value)
        elif kind in _ATOMS:
            self.terms.append(f"{kind.__name__} {value!r}")
        elif self.depth > _DEEPEST:
            self.cannot_see("values nested in each other too deeply")
        else:
            self.depth += 1
            # By its type: isinstance() would evaluate a lazy object.
            describe.of(kind)(value, self)
            self.depth -= 1

    def text(self, value: str) -> None:
        self.terms.append(f"str {self.portable(value) if os.sep in value else value}")
        if "." in value:
            self.template(value)

    def template(self, name: str) -> None:
        """Refer to the template of this name, if the text can be one."""
        if name.endswith(_TEMPLATES) and len(name) < 200 and not _is_prose(name):
            self.refer_to(Template(name))

    def portable(self, text: str) -> str:
        """A path without the folder that the project is in: it may be another elsewhere."""
        if not os.path.isabs(text):
            return text
        root = root_of(self.module)
        if root is None:
            return text
        if text == root or text.startswith(root + os.sep):
            return f"<project>{text[len(root) :]}"
        if root.startswith(text.rstrip(os.sep) + os.sep):
            return f"<{root[len(text) :].count(os.sep)} above the project>"
        return text

    def values(self, kind: str, values: Iterable[Any], length: int) -> None:
        self.terms.append(f"{kind} of {length}")
        self.length += length
        if self.length > _LONGEST:
            self.cannot_see(f"{kind} of {length} elements")
            return
        for each in values:
            self.value(each)

    def mapping(self, kind: str, values: Mapping[Any, Any]) -> None:
        self.values(kind, (part for pair in values.items() for part in pair), len(values))

    def unordered(self, kind: str, values: Iterable[Any]) -> None:
        """Elements in an order that does not depend on the hash seed."""
        found: list[tuple[str, Reader]] = []
        for each in values:
            reader = Reader(self.name, self.module)
            reader.depth = self.depth
            reader.value(each)
            found.append((reader.digest(), reader))
        self.terms.append(f"{kind} of {len(found)}")
        for key, reader in sorted(found, key=lambda pair: pair[0]):
            self.terms.append(key)
            self.include(reader)

    def include(self, other: Reader) -> None:
        """Take over what another reader has found, its terms excepted."""
        self.references.update(other.references)
        self.names |= other.names
        self.unseen.update(other.unseen)

    def module_of(self, name: str) -> bool:
        """Refer to the distribution of a module; whether the module is the project's."""
        if is_project_module(name):
            return True
        found = distribution(name)
        if found is not None:
            self.refer_to(found)
        return False

    def kind(self, cls: type) -> None:
        """Refer to a class."""
        name = f"{cls.__module__}.{cls.__qualname__}"
        self.module_of(cls.__module__)
        if is_project_class(cls):
            self.refer("class", name, cls)
        else:
            self.terms.append(f"class {name}")

    def named_module(self, module: ModuleType, names: frozenset[str]) -> None:
        """The attributes of a module that are named."""
        self.terms.append(f"module {module.__name__}")
        if not self.module_of(module.__name__):
            return
        if (getattr(module, "__file__", None) or "").endswith((".so", ".pyd")):
            self.cannot_see(f"{module.__name__} is compiled code")
        namespace = vars(module)
        for name in sorted(names & namespace.keys()):
            if not name.startswith("__"):
                self.bound(name, namespace, names)

    def bound(self, name: str, namespace: dict[str, Any], names: frozenset[str]) -> None:
        """What a name is bound to in a module."""
        value = namespace[name]
        kind = type(value)
        if issubclass(kind, ModuleType):
            # Fewer names each time: modules that import each other come to an end.
            self.named_module(value, names - {name})
        elif kind is LazySettings:
            self.settings(names)
        elif issubclass(kind, type) or kind in _CODE:
            self.value(value)
        else:
            module = str(namespace.get("__name__", ""))
            self.refer("constant", f"{module}.{name}", Constant(module, name, namespace))

    def settings(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            if name.isupper() and hasattr(django_settings, name):
                self.refer_to(Setting(name))

    def imported(self, module: str, level: int, wanted: tuple[str, ...], package: str) -> Any:
        """
        The module of an import inside of a function, imported now if it is the project's: so it
        is read whether or not the function has run before.
        """
        if level:
            package = package.rsplit(".", level - 1)[0] if level > 1 else package
            module = f"{package}.{module}" if module else package
        if not self.module_of(module):
            return None
        try:
            loaded = import_module(module)
        except Exception:  # The module's code runs, and may raise anything.
            self.cannot_see(f"{module} cannot be imported")
            return None
        for name in wanted:
            if not hasattr(loaded, name):
                try:
                    import_module(f"{module}.{name}")
                except Exception:
                    self.cannot_see(f"{module}.{name} cannot be imported")
        return loaded


def is_secret(name: str) -> bool:
    """Whether the value of this name stays out of every digest, to judge by the name."""
    upper = name.upper()
    return name in _PRIVATE_SETTINGS or any(word in upper for word in _SECRET)


def _is_prose(text: str) -> bool:
    return any(character in text for character in " \n\t{}<>") or text.startswith(("/", "."))


class ByClass:
    """
    Functions by class: that of the nearest base is used. ``functools.singledispatch`` is the
    same, but spends most of the time of a fingerprint on abstract base classes.
    """

    def __init__(self, default: Callable[..., Any]) -> None:
        self._functions: dict[type, Callable[..., Any]] = {object: default}

    def register(self, *classes: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorator(function: Callable[..., Any]) -> Callable[..., Any]:
            self._functions.update(dict.fromkeys(classes, function))
            return function

        return decorator

    def of(self, cls: type) -> Callable[..., Any]:
        for base in cls.__mro__:
            if (found := self._functions.get(base)) is not None:
                return found
        raise TypeError(cls)  # Never: all inherit from object.


_ATOMS: Final = frozenset({int, float, bool, complex, bytes, type(None), type(...)})
_PRINTED: Final = (
    *(Decimal, Fraction, UUID, date, time, timedelta, range, slice),
    *(GenericAlias, UnionType, operator.attrgetter, operator.itemgetter, operator.methodcaller),
)
CACHED_FUNCTION: Final = type(functools.lru_cache(len))
_CODE: Final = frozenset(
    {FunctionType, BuiltinFunctionType, MethodType, functools.partial}
    | {CACHED_FUNCTION, staticmethod, classmethod, property}
)
# What holds no code of its own, though it changes: locks, loggers, connections of Django's.
_SILENT: Final = ("_thread.", "threading.", "logging.", "contextvars.", "_contextvars.", "weakref.")


@ByClass
def describe(value: Any, reader: Reader) -> None:
    """
    Read a value by its class. By default: the arguments of what Django calls deconstructible,
    and the attributes of an instance of the project's own classes.
    """
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    made = getattr(value, "__dict__", {}).get("_constructor_args")
    if isinstance(made, tuple) and len(made) == 2:
        reader.kind(kind)
        reader.value(made[0])
        reader.value(made[1])
    elif is_project_class(kind):
        reader.kind(kind)
        _instance(value, reader)
    elif kind.__module__ in ("typing", "annotationlib"):
        reader.add(repr(value))
    elif name.startswith(_SILENT) or kind.__module__.startswith(("django.", "rest_framework.")):
        reader.kind(kind)
    else:
        reader.kind(kind)
        reader.cannot_see(f"an instance of {name}")


def _instance(value: Any, reader: Reader) -> None:
    """The attributes that only ``__init__()`` and its like assign."""

    state = state_attributes(type(value))
    attributes = getattr(value, "__dict__", {})
    for name in sorted(attributes):
        kept = type(getattr_static(type(value), name, None)).__name__ == "cached_property"
        if not kept and not is_changed(name, attributes[name], state):
            reader.add(f"attribute {name}")
            reader.value(attributes[name])


@describe.register(FunctionType)
def _function(value: FunctionType, reader: Reader) -> None:
    module = str(value.__globals__.get("__name__", ""))
    name = f"{module}.{value.__code__.co_qualname}"
    if reader.module_of(module):
        reader.refer("function", name, value)
        return
    reader.add(f"function {name}")
    # A wrapper of another package: what it wraps is the project's.
    wrapped = vars(value).get("__wrapped__")
    if wrapped is not None:
        reader.value(wrapped)
    for attribute in ("view_class", "cls"):
        if isinstance(found := vars(value).get(attribute), type):
            reader.kind(found)
    for attribute in ("view_initkwargs", "initkwargs"):
        if isinstance(found := vars(value).get(attribute), dict):
            reader.mapping(attribute, found)
    if wrapped is None or not module.startswith("etag_versioning."):
        _cells(value, wrapped, reader)


def _cells(value: FunctionType, wrapped: Any, reader: Reader) -> None:
    """What a wrapper of another package holds: code of the project's, and plain values."""
    registry = vars(value).get("registry")
    if isinstance(registry, MappingProxyType) and "dispatch" in vars(value):
        # functools.singledispatch: the implementations by type.
        named = {f"{kind.__module__}.{kind.__qualname__}": registry[kind] for kind in registry}
        reader.mapping("implementations", dict(sorted(named.items())))
        return
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        try:
            content = cell.cell_contents
        except ValueError:
            continue
        kind = type(content)
        if (
            content is not wrapped
            and content is not value
            and (kind is str or kind in _ATOMS or kind in _CODE or issubclass(kind, type))
        ):
            reader.add(f"cell {name}")
            reader.value(content)


@describe.register(type)
def _class(value: type, reader: Reader) -> None:
    reader.kind(value)


@describe.register(BuiltinFunctionType)
def _builtin(value: Any, reader: Reader) -> None:
    module = getattr(value, "__module__", None) or ""
    reader.add(f"function {module}.{value.__qualname__}")
    if reader.module_of(module) and module:
        reader.cannot_see(f"{module}.{value.__qualname__} is compiled code")


@describe.register(MethodType)
def _method(value: MethodType, reader: Reader) -> None:
    reader.add("method")
    reader.value(value.__func__)
    reader.value(value.__self__)


@describe.register(functools.partial, functools.partialmethod)
def _partial(value: Any, reader: Reader) -> None:
    reader.add("partial")
    reader.value(value.func)
    reader.value(tuple(value.args))
    reader.mapping("keywords", value.keywords)


@describe.register(staticmethod, classmethod)
def _wrapped_method(value: Any, reader: Reader) -> None:
    reader.add(type(value).__name__)
    reader.value(value.__func__)


@describe.register(CACHED_FUNCTION)
def _cached_function(value: Any, reader: Reader) -> None:
    # What is in the cache does not count.
    reader.add("cached")
    reader.value(value.__wrapped__)


@describe.register(property)
def _property(value: property, reader: Reader) -> None:
    reader.add("property")
    reader.value(value.fget)


@describe.register(functools.cached_property)
def _cached_property(value: Any, reader: Reader) -> None:
    reader.add("property")
    reader.value(value.func)


@describe.register(functools.singledispatchmethod)
def _dispatched(value: Any, reader: Reader) -> None:
    reader.add("dispatched")
    reader.value(value.dispatcher)


@describe.register(CodeType)
def _code(value: CodeType, reader: Reader) -> None:
    reader.add(*code_terms(value))


@describe.register(ModuleType)
def _module(value: ModuleType, reader: Reader) -> None:
    reader.add(f"module {value.__name__}")
    reader.module_of(value.__name__)


@describe.register(LazySettings)
def _settings(value: Any, reader: Reader) -> None:
    reader.add("settings")


@describe.register(str, bytes, int, float)
def _subclassed(value: Any, reader: Reader) -> None:
    # Of a subclass: SafeString, a member of IntegerChoices.
    if isinstance(value, Enum):
        _member(value, reader)
        return
    _own_class(value, (str, bytes, int, float), reader)
    if isinstance(value, str):
        reader.text(str.__str__(value))
    else:
        plain = next(kind for kind in (bytes, int, float) if isinstance(value, kind))
        reader.value(plain(value))


@describe.register(Enum)
def _member(value: Enum, reader: Reader) -> None:
    reader.kind(type(value))
    reader.add(f"member {value.name}")


@describe.register(re.Pattern)
def _pattern(value: re.Pattern[Any], reader: Reader) -> None:
    reader.add(f"pattern {value.flags} {value.pattern!r}")


@describe.register(PurePath)
def _path(value: PurePath, reader: Reader) -> None:
    reader.add(f"path {reader.portable(str(value))}")


@describe.register(deque)
def _deque(value: Any, reader: Reader) -> None:
    reader.values("deque", value, len(value))


@describe.register(bytearray, memoryview)
def _bytes(value: Any, reader: Reader) -> None:
    reader.add(f"bytes {bytes(value)!r}")


@describe.register(tuple, list)
def _sequence(value: Any, reader: Reader) -> None:
    _own_class(value, (tuple, list), reader)
    reader.values(type(value).__name__, value, len(value))


@describe.register(set, frozenset)
def _set(value: Any, reader: Reader) -> None:
    reader.unordered("set", value)


@describe.register(dict, MappingProxyType)
def _dictionary(value: Any, reader: Reader) -> None:
    _own_class(value, (dict, MappingProxyType), reader)
    factory = getattr(value, "default_factory", None)
    if factory is not None:
        reader.value(factory)
    reader.mapping("dict", value)


def _own_class(value: Any, plain: tuple[type, ...], reader: Reader) -> None:
    if type(value) not in plain:
        reader.kind(type(value))


@describe.register(*_PRINTED)
def _printed(value: Any, reader: Reader) -> None:
    reader.add(f"{type(value).__qualname__} {value!r}")


@describe.register(tzinfo)
def _time_zone(value: tzinfo, reader: Reader) -> None:
    reader.add(f"{type(value).__qualname__} {value}")
