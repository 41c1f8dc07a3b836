"""
What stands in a tag for the code that renders the row.

A deployment that changes a serializer changes what clients would get, though no
row was written; with the serializer's fingerprint in it, the tag changes too.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

import django
import rest_framework
from rest_framework import serializers

from ..etags import digest

__all__ = ["fingerprint"]

_FOREIGN = ("builtins", "collections", "django.", "rest_framework.", "typing")


@cache
def fingerprint(serializer_class: Any) -> str:
    """
    A digest of the serializer's source code, with that of the serializers and
    fields nested in it and of the model behind it, their base classes included.
    """
    return digest([django.get_version(), rest_framework.VERSION, *_terms(serializer_class, set())])


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
