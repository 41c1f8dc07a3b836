"""
A digest of the code that renders a row, as a part of its tags.

A deployment that changes a serializer or a view changes what clients would get,
though no row was written; with their fingerprint in it, the tag changes too.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from typing import Any

import django
import rest_framework
from rest_framework import serializers

from .. import __version__
from ..http.etags import digest

__all__ = ["fingerprint"]

_FOREIGN = ("builtins", "collections", "django.", "etag_versioning.", "rest_framework.", "typing")
# Python 3.11 can fail when two threads read sources at once: they share a parser's depth.
_reading = threading.Lock()
_VERSIONS = (django.get_version(), rest_framework.VERSION, __version__)


def fingerprint(*classes: Any) -> str:
    """
    A digest of the source code of serializers, views and renderers, with that of
    the serializers and fields nested in them and of the model behind them, their
    base classes included.
    """
    seen: set[type] = set()
    with _reading:
        return digest([*_VERSIONS, *(term for cls in classes for term in _terms(cls, seen))])


def _terms(cls: type, seen: set[type]) -> Iterator[str]:
    for base in cls.__mro__:
        if base in seen or f"{base.__module__}.".startswith(_FOREIGN):
            continue
        seen.add(base)
        yield base.__qualname__
        yield _source(base)
    meta = getattr(cls, "Meta", None)
    model = getattr(meta, "model", None)
    if isinstance(model, type):
        yield from _terms(model, seen)
    for name, field in getattr(cls, "_declared_fields", {}).items():
        yield name
        yield from _field_terms(field, seen)


def _field_terms(field: Any, seen: set[type]) -> Iterator[str]:
    yield type(field).__qualname__
    yield from _terms(type(field), seen)
    child = getattr(field, "child", None)
    if isinstance(child, serializers.Field):
        yield from _field_terms(child, seen)


def _source(cls: type) -> str:
    """The class's source or, where there is none to read, its methods' byte code."""
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):
        codes = (getattr(value, "__code__", None) for value in vars(cls).values())
        return "".join(code.co_code.hex() + repr(code.co_names) for code in codes if code)
