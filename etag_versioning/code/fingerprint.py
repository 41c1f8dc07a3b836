"""
The fingerprint of code: a digest of what is loaded in this process, and of all in the project
that it names.

The nodes that are reachable from a view are read, each once per process, and the fingerprint is
the digest of them all. It is the same in each process with the same code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from types import FunctionType
from typing import Any, Final, NamedTuple

from django.core.signals import setting_changed

from ..http.etags import digest
from .changes import forget as forget_changes
from .classes import read_class
from .early import can_be_read_early
from .environment import RENDERING_SETTINGS, read_routes, read_setting, versions
from .functions import read_constant, read_function
from .origin import Distribution
from .reader import REVERSING, Constant, Node, Reader, Setting, Template, key_of
from .templates import read_template

__all__ = ["Fingerprint", "also_forgotten", "fingerprint_of", "forget", "read_early"]

# Projects that make classes for each request would fill the memory.
_MOST_NODES: Final = 20_000

# What was read, by what ``_key()`` returns, with the object, whose identity may be the key.
_nodes: dict[Any, tuple[Any, Node | None]] = {}
# What clears other caches of fingerprints.
also_forgotten: Final[list[Callable[[], None]]] = []
# By framework, the module that tells how its classes are read.
_EXTENSIONS: Final = {"rest_framework": "etag_versioning.rest_framework.fingerprint"}


class _Routes(NamedTuple):
    """The URLconf, for what calls ``reverse()``."""

    name: str = "URLconf"


class Fingerprint(NamedTuple):
    """
    What a view's code is.

    Args:
        digest: of all of it: 96 bits in hexadecimal.
        parts: by name, a digest of each function, class, constant, template and setting, and
            the version of each distribution.
        unseen: what of the code cannot be read, each with the place where it is.
    """

    digest: str
    parts: Mapping[str, str]
    unseen: tuple[str, ...]


def forget(**kwargs: Any) -> None:
    """Read everything again at the next call. Django's ``setting_changed`` calls it."""
    _nodes.clear()
    forget_changes()
    for clear in also_forgotten:
        clear()


setting_changed.connect(forget)


def fingerprint_of(*roots: Any) -> Fingerprint:
    """
    The fingerprint of functions and classes.

    Args:
        roots: views, serializers, renderers: functions, classes, or values that hold some.
    """
    start = _start(roots)
    nodes = _reachable([*start.references.values(), *RENDERING_SETTINGS])
    given = versions()
    lines = [f"{name} {version}" for name, version in given.items()]
    lines += sorted(_line(node) for node in nodes)
    parts = {**given, **_parts(nodes)}
    unseen = {what for node in nodes for what in node.unseen}.union(start.node().unseen)
    return Fingerprint(digest([*start.terms, *lines]), parts, tuple(sorted(unseen)))


def read_early(*roots: Any) -> None:
    """
    Read what can be read of these before the first request, which then takes less time. What
    cannot be read yet is left to the request.
    """
    start = _start(roots)
    _reachable([*start.references.values(), *RENDERING_SETTINGS], can_be_read_early)


def _start(roots: Iterable[Any]) -> Reader:
    for framework, module in _EXTENSIONS.items():
        if framework in sys.modules:
            # It registers how the framework's classes are read.
            import_module(module)
    if len(_nodes) > _MOST_NODES:
        forget()
    start = Reader("roots")
    for root in roots:
        start.value(root)
    return start


def _everything(reference: Any) -> bool:
    return True


def _line(node: Node) -> str:
    """A node with the digests of those that it names: two may have the same name."""
    named = [_nodes[key][1] for key in node.references if key in _nodes]
    return " ".join([node.name, node.digest, *(each.digest for each in named if each)])


def _parts(nodes: Iterable[Node]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for node in nodes:
        found.setdefault(node.name, []).append(node.digest)
    return {
        name: found[name][0] if len(found[name]) == 1 else digest(sorted(found[name]))
        for name in sorted(found)
    }


def _reachable(references: list[Any], is_wanted: Callable[[Any], bool] = _everything) -> list[Node]:
    """All nodes that these lead to by way of those that are wanted."""
    found: dict[Any, Node] = {}
    names: set[str] = set()
    relations: dict[str, list[Any]] = {}
    pending = list(references)
    while pending:
        reference = pending.pop()
        key = key_of(reference)
        if key in found or not is_wanted(reference):
            continue
        node = _read(reference, key)
        if node is None:
            continue
        found[key] = node
        pending += [node.references[key] for key in node.references.keys() - found.keys()]
        # A related model counts where something names the relation.
        for name, model in node.relations.items():
            if name in names:
                pending += _models(model)
            else:
                relations.setdefault(name, []).append(model)
        for name in node.names - names:
            for model in relations.pop(name, ()):
                pending += _models(model)
        if not REVERSING.isdisjoint(node.names):
            pending.append(_Routes())
        names |= node.names
    return list(found.values())


def _models(model: Any) -> Iterator[Any]:
    reader = Reader("relation")
    reader.value(model)
    yield from reader.references.values()


def _read(reference: Any, key: Any) -> Node | None:
    known = _nodes.get(key)
    if known is None:
        known = reference, _read_now(reference)
        _nodes[key] = known
    return known[1]


def _read_now(reference: Any) -> Node | None:
    reader = _reader_of(reference)
    try:
        if isinstance(reference, FunctionType):
            read_function(reference, reader)
        elif isinstance(reference, type):
            read_class(reference, reader)
        elif isinstance(reference, Constant):
            read_constant(reference, reader)
        elif isinstance(reference, Setting):
            read_setting(reference, reader)
        elif isinstance(reference, Template):
            if not read_template(reference, reader):
                return None
        elif isinstance(reference, Distribution):
            return Node(reference.top, reference.version, {}, frozenset(), {}, ())
        else:
            read_routes(reader)
    except Exception as error:
        # A project's descriptors and metaclasses run, and no request may fail for this.
        reader.cannot_see(f"{type(error).__name__} while it was read")
    return reader.node()


def _reader_of(reference: Any) -> Reader:
    if isinstance(reference, FunctionType):
        module = str(reference.__globals__.get("__name__", ""))
        return Reader(f"{module}.{reference.__code__.co_qualname}", module)
    if isinstance(reference, type):
        return Reader(f"{reference.__module__}.{reference.__qualname__}", reference.__module__)
    if isinstance(reference, Constant):
        return Reader(f"{reference.module}.{reference.name}", reference.module)
    kind = {Setting: "settings.", Template: "template "}.get(type(reference), "")
    return Reader(f"{kind}{reference[0]}")
