"""
The fingerprint of a viewset: how the classes of Django REST framework are read, and which of its
settings decide what an answer looks like.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from rest_framework import relations, serializers
from rest_framework.fields import Field
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from ..code.classes import read_extras
from ..code.fingerprint import Fingerprint, fingerprint_of
from ..code.fingerprint import read_early as read_code_early
from ..code.reader import Reader, describe

__all__ = ["fingerprint", "fingerprint_of_view", "read_early"]

# Arguments of a field that decide nothing about what is shown.
_INPUT: Final = frozenset(
    (
        *("allow_blank", "allow_empty", "allow_null", "error_messages", "initial"),
        *("max_length", "min_length", "max_value", "min_value", "queryset", "required"),
        *("trim_whitespace", "validators"),
    )
)
_OF_SERIALIZERS: Final = frozenset(
    (
        *("_declared_fields", "create", "run_validation", "run_validators"),
        *("to_internal_value", "update", "validate"),
    )
)
_OF_VIEWS: Final = frozenset(
    (
        *("authentication_classes", "content_negotiation_class", "metadata_class"),
        *("parser_classes", "permission_classes", "schema", "throttle_classes"),
        *("throttle_scope", "perform_create", "perform_destroy", "perform_update"),
    )
)
# Settings of DRF's on which the bytes of an answer depend.
_SETTINGS: Final = (
    *("COERCE_BIGINT_TO_STRING", "COERCE_DECIMAL_TO_STRING", "COMPACT_JSON", "DATETIME_FORMAT"),
    *("DATE_FORMAT", "NON_FIELD_ERRORS_KEY", "PAGE_SIZE", "STRICT_JSON", "TIME_FORMAT"),
    *("UNICODE_JSON", "UPLOADED_FILES_USE_URL", "URL_FIELD_NAME", "URL_FORMAT_OVERRIDE"),
)


def fingerprint(*classes: Any) -> str:
    """
    A digest of the code of serializers, views and renderers, as it is loaded in this process.

    Args:
        classes: the classes whose code makes an answer.
    """
    return fingerprint_of_view(*classes).digest


def fingerprint_of_view(*classes: Any) -> Fingerprint:
    """The same with its parts, and with what of the code cannot be seen."""
    return fingerprint_of(*_roots(classes))


@lru_cache(maxsize=1000)
def read_early(*classes: Any) -> None:
    """Read what can be read of these while the URLconf is loaded."""
    # Reading calls metaclasses and descriptors of the project's, which may raise anything.
    with suppress(Exception):
        read_code_early(*_roots(classes))


def _roots(classes: Sequence[Any]) -> list[Any]:
    roots = [*classes, _settings()]
    if any(_is_a(each, BrowsableAPIRenderer) for each in classes):
        # These pages show the docstrings of views.
        roots += [each.__doc__ for each in classes if _is_a(each, APIView)]
    roots += [found for each in classes if (found := getattr(each, "pagination_class", None))]
    return roots


def _is_a(value: Any, kind: type) -> bool:
    return isinstance(value, type) and issubclass(value, kind)


def _settings() -> dict[str, Any]:
    return {name: getattr(api_settings, name, None) for name in _SETTINGS}


@describe.register(Field)
def _field(value: Any, reader: Reader) -> None:
    reader.kind(type(value))
    reader.value(value._args)
    for name in sorted(value._kwargs.keys() - _INPUT):
        reader.add(f"argument {name}")
        reader.value(value._kwargs[name])
    source = value._kwargs.get("source")
    if isinstance(source, str):
        reader.names.update(source.split("."))
    if isinstance(value, relations.HyperlinkedRelatedField):
        reader.names.add("reverse")
    # The child of ``many=True``, and those of ListField and ManyRelatedField.
    for name in ("child", "child_relation"):
        child = getattr(value, name, None)
        if isinstance(child, Field) and name not in value._kwargs:
            reader.value(child)


@read_extras.register(serializers.BaseSerializer)
def _serializer(cls: Any, reader: Reader) -> Collection[str]:
    for name, field in getattr(cls, "_declared_fields", {}).items():
        reader.add(f"field {name}")
        reader.names.add(name)
        reader.value(field)
    meta = getattr(cls, "Meta", None)
    if isinstance(meta, type):
        reader.kind(meta)
        reader.names.update(_names_in(meta))
    if issubclass(cls, serializers.HyperlinkedModelSerializer):
        reader.names.add("reverse")
    validating = {name for name in vars(cls) if name.startswith("validate_")}
    return _OF_SERIALIZERS | validating


def _names_in(meta: type) -> Collection[str]:
    """The fields that a Meta names; those of all relations where it takes all, or goes deep."""
    fields = getattr(meta, "fields", ())
    names = {each for each in fields if isinstance(each, str)} if fields != "__all__" else set()
    if fields == "__all__" or getattr(meta, "exclude", None) or getattr(meta, "depth", 0):
        options = getattr(getattr(meta, "model", None), "_meta", None)
        names |= {field.name for field in options.get_fields()} if options else set()
    return names


@read_extras.register(APIView)
def _view(cls: Any, reader: Reader) -> Collection[str]:
    return _OF_VIEWS
