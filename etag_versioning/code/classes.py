"""Reads classes: their bases, methods and attributes; Django's with what Django makes of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import Enum
from typing import Any, Final

from django import forms
from django.db import models
from django.db.models.manager import BaseManager
from django.db.models.query import Prefetch
from django.utils.functional import Promise, SimpleLazyObject, cached_property

from .bytecode import names_of
from .changes import functions_in, is_changed, is_code, state_attributes
from .origin import is_project_module
from .reader import ByClass, Reader, describe, is_secret

__all__ = ["read_class", "read_extras"]

# What Python itself puts into a class, or no code reads.
_PYTHON: Final = frozenset(
    (
        *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__"),
        *("__annotations__", "__annotate__", "__annotate_func__"),
        *("__annotations_cache__", "__firstlineno__", "__static_attributes__"),
        *("__abstractmethods__", "_abc_impl", "__slots__", "__parameters__"),
        *("__orig_bases__", "__match_args__", "__dataclass_params__"),
        *("__dataclass_fields__", "__type_params__", "__hash__"),
    )
)
# Of a model field: what has no effect on what is shown.
_OF_THE_DATABASE: Final = frozenset(
    (
        *("auto_created", "auto_now", "auto_now_add", "db_collation", "db_column"),
        *("db_comment", "db_constraint", "db_default", "db_index", "db_tablespace"),
        *("default", "editable", "error_messages", "limit_choices_to", "on_delete"),
        *("related_query_name", "unique", "unique_for_date", "unique_for_month"),
        *("unique_for_year", "upload_to", "validators"),
    )
)
# Of Django's own fields: what shows, in answers to GET and to OPTIONS.
_OF_FIELDS: Final = (
    *("verbose_name", "help_text", "choices", "max_length", "decimal_places", "max_digits"),
    *("null", "blank", "primary_key"),
)
_MADE_BY_DJANGO: Final = frozenset(
    ["DoesNotExist", "MultipleObjectsReturned", "NotUpdated", "Meta", "_meta"]
)
_WRITES: Final = frozenset(
    (
        *("save", "asave", "save_base", "delete", "adelete", "clean", "clean_fields"),
        *("full_clean", "validate_unique", "validate_constraints"),
    )
)


@ByClass
def read_extras(cls: Any, reader: Reader) -> Collection[str]:
    """
    Read what a class holds besides its attributes, into ``reader``. Classes can be registered:
    the function of the nearest base is called with the class.

    Returns:
        the names of attributes that have no part in what is shown. Where another method
        names one of them, it is read all the same.
    """
    return ()


def read_class(cls: type, reader: Reader) -> None:
    """What a class of the project's is made of."""
    for base in cls.__mro__[1:]:
        if base is not object:
            reader.kind(base)
    ignored = read_extras.of(cls)(cls, reader)
    annotations = vars(cls).get("__annotations__", {})
    for name, value in _members(cls, ignored):
        reader.add(f"attribute {name}")
        if is_secret(name) and isinstance(value, str | bytes):
            reader.cannot_see(f"{name}: a secret, whose value is in no fingerprint")
        elif not is_code(value) and is_changed(name, value, state_attributes(cls, of_class=True)):
            reader.state(name, value)
        else:
            reader.value(value)
    for name in sorted(annotations) if isinstance(annotations, dict) else ():
        reader.add(f"annotation {name} {_type_name(annotations[name])}")
    _default_template(cls, reader)


def _members(cls: type, ignored: Collection[str]) -> Iterator[tuple[str, Any]]:
    """The attributes that count, by name."""
    members = {
        name: value
        for name, value in vars(cls).items()
        if name not in _PYTHON and not _is_descriptor(value)
    }
    left_out = {name for name in members if name in ignored}
    if left_out:
        # Something else in the class may use them: then they have a part in what is shown.
        used: set[str] = set()
        for name in members.keys() - left_out:
            for function in functions_in(members[name]):
                used |= names_of(function.__code__).names
        left_out -= used
    for name in sorted(members.keys() - left_out):
        yield name, members[name]


def _is_descriptor(value: Any) -> bool:
    """Whether Django or Python has put the value there, and it is made of other things."""
    kind = type(value)
    if kind.__module__ == "builtins":
        return kind.__name__ in ("getset_descriptor", "member_descriptor", "wrapper_descriptor")
    if kind is cached_property:
        return False
    return kind.__module__.startswith(
        ("django.db.models.fields.", "django.db.models.query_utils", "django.db.models.manager")
    )


def _type_name(annotation: Any) -> str:
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return f"{annotation.__module__}.{annotation.__qualname__}"
    return annotation if isinstance(annotation, str) else repr(annotation)


def _default_template(cls: Any, reader: Reader) -> None:
    """The template of Django's generic views, by the model's name."""
    suffix = getattr(cls, "template_name_suffix", None)
    queryset = getattr(cls, "queryset", None)
    model = getattr(cls, "model", None) or getattr(queryset, "model", None)
    if isinstance(suffix, str) and isinstance(model, type) and hasattr(model, "_meta"):
        options: Any = model._meta
        reader.template(f"{options.app_label}/{options.model_name}{suffix}.html")


@read_extras.register(Enum)
def _enum(cls: Any, reader: Reader) -> Collection[str]:
    for name, member in cls.__members__.items():
        reader.add(f"member {name}")
        reader.value(member._value_)
        reader.value(vars(member).get("_label_"))
    hidden = [name for name in vars(cls) if name.startswith("_") and not name.startswith("__")]
    return [*cls.__members__, *hidden, "__new__", "__members__", "__reduce_ex__"]


@read_extras.register(models.Model)
def _model(cls: Any, reader: Reader) -> Collection[str]:
    options = cls._meta
    reader.add(f"model {options.label}")
    reader.value(options.verbose_name)
    reader.value(options.verbose_name_plural)
    reader.value(tuple(options.ordering))
    if not options.abstract:
        for field in (*options.fields, *options.many_to_many, *options.private_fields):
            reader.add(f"field {field.name}")
            read_field(field, reader)
        _relations(options, reader)
        for manager in options.managers:
            reader.add(f"manager {manager.name}")
            reader.value(manager)
    made = [f"get_{field.name}_display" for field in options.fields if field.choices]
    for way in ("next", "previous"):
        made += [f"get_{way}_by_{field.name}" for field in options.fields]
    return {*_WRITES, *_MADE_BY_DJANGO, *made}


def _relations(options: Any, reader: Reader) -> None:
    for field in options.get_fields():
        related = field.related_model
        if not field.is_relation or not isinstance(related, type):
            continue
        own = field.auto_created and not field.concrete
        name = field.get_accessor_name() if own else field.name
        if name:
            reader.relations[name] = related


def read_field(field: Any, reader: Reader) -> None:
    """A field of a model: its class, and those of its arguments that show."""
    kind = type(field)
    reader.kind(kind)
    if kind.__module__.startswith(("django.db.models.fields", "etag_versioning.fields")):
        # deconstruct() takes ten times as long.
        for name in _OF_FIELDS:
            value = getattr(field, name, None)
            if value is not None and value is not False and value != "":
                reader.add(name)
                reader.value(value)
        if kind is models.JSONField and (field.encoder or field.decoder):
            reader.value((field.encoder, field.decoder))
        return
    try:
        _, _, arguments, keywords = field.deconstruct()
    except Exception:  # A field without it, as a generic foreign key.
        return
    reader.value(tuple(arguments))
    for name in sorted(keywords.keys() - _OF_THE_DATABASE):
        reader.add(f"argument {name}")
        reader.value(keywords[name])


@describe.register(models.Field)
def _field(value: Any, reader: Reader) -> None:
    # As part of an expression: the model's own node has its arguments.
    reader.kind(type(value))
    reader.add(f"field {getattr(value, 'name', None)}")


@describe.register(BaseManager)
def _manager(value: Any, reader: Reader) -> None:
    reader.kind(type(value))
    for base in type(value).__mro__:
        if is_project_module(base.__module__):
            reader.kind(base)
    queryset_class = getattr(value, "_queryset_class", None)
    if isinstance(queryset_class, type):
        reader.kind(queryset_class)
    if value.model is not None:
        reader.kind(value.model)


@describe.register(models.QuerySet)
def _queryset(value: Any, reader: Reader) -> None:
    """Not evaluated: what is annotated, loaded along and left out. Which rows it has, tags tell."""
    reader.kind(type(value))
    if value.model is not None:
        reader.kind(value.model)
    query = value.query
    reader.mapping("annotations", query.annotations)
    reader.mapping("extra", {name: pair[0] for name, pair in query.extra.items()})
    reader.value(tuple(query.order_by))
    reader.add(f"distinct {query.distinct} {query.low_mark} {query.high_mark}")
    fields, deferring = query.deferred_loading
    reader.unordered(f"deferred {deferring}", fields)
    for lookup in value._prefetch_related_lookups:
        reader.value(lookup)


@describe.register(Prefetch)
def _prefetch(value: Any, reader: Reader) -> None:
    reader.add(f"prefetch {value.prefetch_to}")
    reader.names.update(value.prefetch_to.split("__"))
    if value.queryset is not None:
        reader.value(value.queryset)
        _conditions(value.queryset.query.where, reader)


def _conditions(node: Any, reader: Reader) -> None:
    """Which of the related rows are shown. Dates are left out: most are of the moment of import."""
    reader.add(f"{node.connector} {node.negated}")
    for child in node.children:
        if hasattr(child, "children"):
            _conditions(child, reader)
        else:
            reader.add(f"{type(child).__name__} {getattr(child, 'lhs', None)!r}")
            value = getattr(child, "rhs", None)
            if isinstance(value, str | int | float | tuple | list | type(None)):
                reader.value(value)


@describe.register(Promise)
def _lazy(value: Any, reader: Reader) -> None:
    """A lazy text by the arguments of its function: a translation by its msgid."""
    try:
        _, made = value.__reduce__()
    except (AttributeError, TypeError, ValueError):
        reader.cannot_see(f"a lazy {type(value).__name__}")
        return
    for each in made:
        if isinstance(each, type):
            reader.add(each.__qualname__)
        elif callable(each):
            reader.add(f"{each.__module__}.{each.__qualname__}")
            if each.__qualname__ == "reverse":
                reader.names.add("reverse")
            if is_project_module(each.__module__):
                reader.value(each)
        else:
            reader.value(each)


@describe.register(SimpleLazyObject)
def _lazy_object(value: Any, reader: Reader) -> None:
    """By the function that makes the object. The object itself may not be made yet."""
    reader.value(vars(value).get("_setupfunc"))


@describe.register(cached_property)
def _cached_property(value: Any, reader: Reader) -> None:
    reader.add("property")
    reader.value(value.func)


@read_extras.register(forms.BaseForm)
def _form(cls: Any, reader: Reader) -> Collection[str]:
    for name, field in getattr(cls, "base_fields", {}).items():
        reader.add(f"field {name}")
        reader.value(field)
    return {"base_fields", "declared_fields", "_meta", "media"}


@describe.register(forms.Field, forms.Widget)
def _form_field(value: Any, reader: Reader) -> None:
    reader.kind(type(value))
    hidden = ("_", "creation_counter", "validators", "error_messages", "iterator", "empty_values")
    for name in sorted(vars(value)):
        if not name.startswith(hidden) and name not in ("queryset", "choices"):
            reader.add(f"attribute {name}")
            reader.value(vars(value)[name])
