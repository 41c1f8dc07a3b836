"""
Which rows code reads, as far as its source tells: what a serializer's method, a model's property
or a view follows from the row that it is given, and what it asks managers for.

Nothing is executed. Names are looked up in the modules that are loaded, attributes on the models;
whatever cannot be known before a request is unknown, and reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.utils.functional import Promise

from ..orm.state_columns import state_columns

__all__ = ["Read", "Row", "Rows", "RowsRead", "is_forward", "relations_by_attribute"]


class Row(NamedTuple):
    """
    A row that the code has.

    Args:
        model: its model; ``None`` for the end of a generic foreign key, which may be of any.
        path: the relations that lead to it from the row that the view shows; ``None`` where it
            was found without that row.
    """

    model: Any
    path: tuple[Any, ...] | None = ()


class Rows(NamedTuple):
    """A manager or a queryset that the code has; arguments as for ``Row``."""

    model: Any
    path: tuple[Any, ...] | None = ()


class Read(NamedTuple):
    """
    Something that the code reads of other rows than its own.

    Args:
        model, path: as for ``Row``.
        name: the field whose value is read; ``None`` where it is which rows there are.
    """

    model: Any
    path: tuple[Any, ...] | None
    name: str | None


# What a manager returns one row from, and what writes.
_ONE: Final = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in ("earliest", "first", "get", "last", "latest")
)
_WRITES: Final = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in (
        *("add", "bulk_create", "bulk_update", "clear", "create", "delete", "get_or_create"),
        *("remove", "set", "touch", "update", "update_or_create"),
    )
)
_PLAIN: Final = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in ("aggregate", "contains", "count", "exists", "explain", "in_bulk")
) | {"values", "values_list", "dates", "datetimes"}


class RowsRead:
    """
    Takes note of what is read, as attributes are followed from row to row.

    Args:
        computed: the names of attributes that the view's queryset adds to its rows, with the
            rows that they hold, if they hold any. Annotations are part of the tag.
        own: the model whose rows the code itself loads to show them, if it does.
    """

    def __init__(self, computed: dict[str, Rows | None] | None = None, own: Any = None) -> None:
        self.computed = computed or {}
        self.own = own
        # Each with the texts that name the places.
        self.found: dict[Read, list[str]] = {}
        self.own_fields: dict[str, list[str]] = {}
        self.facts: dict[str, list[str]] = {}
        # What the reads are of: a field of a serializer, a line of a view.
        self.place = ""

    def note(self, model: Any, path: tuple[Any, ...] | None, name: str | None) -> None:
        """Take note of a read, unless it is one of the view's own row."""
        if path != ():
            self._place(self.found.setdefault(Read(model, path, name), []))
        elif name is not None:
            self._place(self.own_fields.setdefault(name, []))

    def note_fact(self, fact: str) -> None:
        """Take note of something else that an answer depends on: "user", "clock", "language"."""
        self._place(self.facts.setdefault(fact, []))

    def _place(self, places: list[str]) -> None:
        if self.place not in places:
            places.append(self.place)

    def all_of(self, model: Any) -> Rows:
        """What a manager of a model returns."""
        return Rows(model, () if model is self.own else None)

    def attribute(self, row: Row, name: str) -> Any:
        """
        Follow an attribute of a row.

        Returns:
            A ``Row``, ``Rows``, or what the class has under this name: a property, a function.
            ``None`` for a plain value, and what is not known.
        """
        if row.path == () and name in self.computed:
            return self.computed[name]
        if row.model is None:
            self.note(None, row.path, name)
            return None
        if name == "pk":
            return None
        field = relations_by_attribute(row.model).get(name)
        if field is None:
            if _shows_translated_choice(row.model, name):
                self.note_fact("language")
            return self._column(row, name)
        return self.follow(row, field)

    def lookup(self, rows: Rows | Row, name: str) -> None:
        """Follow a lookup, as in ``filter(author__name=…)``."""
        here: Any = Row(rows.model, rows.path)
        for part in name.removeprefix("-").split(LOOKUP_SEP):
            if here.model is None or part == "pk":
                return
            try:
                field: Any = here.model._meta.get_field(part)
            except FieldDoesNotExist:
                return  # A transform, an operator, or an annotation.
            if not field.is_relation:
                self.note(here.model, here.path, field.name)
                return
            found = self.follow(here, field)
            if isinstance(found, Rows):
                self.members(found)
            here = Row(found.model, found.path)

    def members(self, rows: Rows) -> None:
        """The code asks which rows there are."""
        path = rows.path
        if not path:
            if path is None:
                self.note(rows.model, None, None)
            return
        relation = path[-1]
        through = getattr(getattr(relation, "remote_field", None), "through", None)
        if through is None:
            self.note(rows.model, path, None)
        elif not through._meta.auto_created:
            # A model of the project's own holds the links; W006 tells of those of the row itself.
            if len(path) > 1 or not is_forward(relation):
                self.note(through, (*path[:-1], _to_through(relation)), None)
        elif is_forward(relation) and state_columns(relation.model).owner is not None:
            # The links are part of the state of the row that declares the field.
            self.note(relation.model, path[:-1], relation.name)
        else:
            self.note(rows.model, path, None)

    def method(self, rows: Rows, name: str, lookups: Iterable[str] = ()) -> Any:
        """Call a method of a manager or a queryset."""
        if name in _WRITES:
            return None
        self.members(rows)
        for lookup in lookups:
            self.lookup(rows, lookup)
        if name in _ONE:
            return Row(rows.model, rows.path)
        return None if name in _PLAIN else rows

    def _column(self, row: Row, name: str) -> Any:
        field = _columns_by_attribute(row.model).get(name)
        if field is not None:
            if not field.primary_key:
                self.note(row.model, row.path, field.name)
            return None
        for base in row.model.__mro__:
            if name in vars(base):
                return vars(base)[name]
        return None

    def follow(self, row: Row, field: Any) -> Row | Rows:
        """Follow a relation of a row."""
        path = None if row.path is None else (*row.path, field)
        model = field.related_model
        if field.one_to_many or field.many_to_many:
            return Rows(model, path)
        if field.concrete or hasattr(field, "ct_field"):
            self.note(row.model, row.path, field.name)
        else:
            # Whether there is a row at the other end of a one-to-one relation.
            self.note(model, path, None)
        return Row(model, path)


def is_forward(relation: Any) -> bool:
    """Whether the model that a relation starts at declares it."""
    return not isinstance(relation, models.ForeignObjectRel)


def _to_through(relation: Any) -> Any:
    """The relation that leads from a row to its links."""
    field = getattr(relation, "field", relation)
    forward = is_forward(relation)
    name = field.m2m_field_name() if forward else field.m2m_reverse_field_name()
    return field.remote_field.through._meta.get_field(name).remote_field


def _shows_translated_choice(model: Any, name: str) -> bool:
    field = _columns_by_attribute(model).get(name.removeprefix("get_").removesuffix("_display"))
    if field is None or name == field.attname:
        return False
    return any(isinstance(label, Promise) for _, label in field.flatchoices)


@cache
def relations_by_attribute(model: Any) -> dict[str, Any]:
    """The relations of a model, by the names of the attributes that follow them."""
    return dict(_relations(model))


def _relations(model: Any) -> Iterator[tuple[str, Any]]:
    for field in model._meta.get_fields():
        if not field.is_relation:
            continue
        if isinstance(field, models.ForeignObjectRel):
            accessor = field.get_accessor_name()
            if accessor:
                yield accessor, field
        elif isinstance(field.related_model, type) or hasattr(field, "ct_field"):
            yield field.name, field


@cache
def _columns_by_attribute(model: Any) -> dict[str, Any]:
    return {field.attname: field for field in model._meta.concrete_fields}
