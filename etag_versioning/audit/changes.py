"""What is done to rows that an answer may show: each change as the project would make it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.db import models, transaction

from ..fields import UpdatedAtField, VersionField
from ..orm.state_columns import is_unversioned
from .tables import Table, links_field, relations_of
from .values import first_value, other_values

__all__ = ["Change", "NotPossible", "changes_of", "rows_to_change"]

Keys = Mapping[Table, Sequence[Any]]


class NotPossible(Exception):
    """A change that the model, or the database, refuses; its text says why."""


class Change(NamedTuple):
    """
    One change of one row.

    Args:
        table: where the row is.
        pk: its key; ``None`` for a new row; of a link, that of the row whose field it is.
        what: the change in words: a column's name, or "a new row".
        column: the field's name, or ``None`` if the change is of a whole row.
        apply: makes the change, and returns the key of the row that has changed.
    """

    table: Table
    pk: Any
    what: str
    column: str | None
    apply: Callable[[], Any]


def rows_to_change(tables: Sequence[Table], read: Keys, limit: int) -> dict[Table, list[Any]]:
    """
    The keys of rows that the answer may show, at most ``limit`` of each table: those that were
    loaded, and one that was not, since the answer may count it or compare with it; of a table
    that was only counted, or joined, those with a relation to them.
    """
    loaded = {
        table: keys for table in tables if (keys := _existing(table, read.get(table, ()), limit))
    }
    known = {table: [*keys, *_others(table, keys)][:limit] for table, keys in loaded.items()}
    # A row may hang on one that hangs on one that was loaded.
    for _ in tables:
        found = {
            table: keys
            for table in tables
            if table not in known and (keys := _related(table, known, limit))
        }
        if not found:
            break
        known |= found
    for table in tables:
        if table not in known:
            known[table] = list(table.rows.order_by("pk").values_list("pk", flat=True)[:limit])
    return {table: known[table] for table in tables}


def changes_of(table: Table, keys: Sequence[Any], rows: Keys) -> Iterator[Change]:
    """
    All changes to try on a table's rows: another value in each column, a copy, a deletion.

    Args:
        table: the table.
        keys: the keys of its rows.
        rows: those of all tables that the answer reads, to which new rows are tied.
    """
    if table.model._meta.auto_created:
        yield from _changes_of_links(table, keys, rows)
        return
    for pk in keys:
        for field in _changeable(table.model):
            yield Change(table, pk, field.name, field.name, partial(_set, table, pk, field))
    for pk in keys:
        yield Change(table, pk, "a new row", None, partial(_add, table, pk, {}))
    for ties in _ties(table, rows):
        pk = next(iter(keys or _some_keys(table)), None)
        yield Change(table, None, "a new row", None, partial(_add, table, pk, ties))
    for pk in keys:
        yield Change(table, pk, "a deleted row", None, partial(_delete, table, pk))


def _set(table: Table, pk: Any, field: Any) -> Any:
    """Store another value in one column, by ``save()``."""
    value = getattr(table.rows.get(pk=pk), field.attname)
    refusal = (
        "there is no other row to refer to"
        if field.is_relation
        else f"no other value of a {type(field).__name__} is known"
    )
    for other in other_values(field, value, table.alias):
        try:
            with transaction.atomic(using=table.alias):
                # A row that an earlier value spoiled is no start for the next one.
                row = table.rows.get(pk=pk)
                setattr(row, field.attname, other)
                # A save of all columns would bump the version.
                alone = is_unversioned(table.model, [field.name])
                row.save(using=table.alias, update_fields=[field.name] if alone else None)
            return pk
        except Exception as error:
            refusal = _in_short(error)
    raise NotPossible(refusal)


def _add(table: Table, template: Any, ties: Mapping[str, Any]) -> Any:
    """Save a new row like another one, with the foreign keys that ``ties`` names."""
    model: Any = table.model
    like = table.rows.filter(pk=template).first() if template else None
    refusal = "no row could be made up"
    # Constraints may be on several columns: change the unique ones, or all that can be.
    for everything in (False, True):
        try:
            with transaction.atomic(using=table.alias):
                row = model(**_new_values(table, like, ties, everything))
                row.save(using=table.alias, force_insert=True)
            return row.pk
        except Exception as error:
            refusal = _in_short(error)
    raise NotPossible(refusal)


def _new_values(
    table: Table, like: Any, ties: Mapping[str, Any], everything: bool
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in table.model._meta.concrete_fields:
        has_value = field.has_default() or isinstance(field, models.AutoField)
        if field.attname in ties:
            values[field.attname] = ties[field.attname]
        elif _is_set_by_itself(field) or (field.primary_key and has_value):
            continue
        elif like is None:
            values[field.attname] = first_value(field, table.alias)
        else:
            value = getattr(like, field.attname)
            if value is not None and (field.unique or (everything and not field.is_relation)):
                value = next(other_values(field, value, table.alias), value)
            values[field.attname] = value
    return values


def _delete(table: Table, pk: Any) -> Any:
    try:
        with transaction.atomic(using=table.alias):
            table.rows.get(pk=pk).delete(using=table.alias)
    except Exception as error:
        raise NotPossible(_in_short(error)) from error
    return pk


def _link(table: Table, field: Any, method: str, source: Any, target: Any) -> Any:
    """Add or remove a link of a many-to-many field, by its manager."""
    try:
        with transaction.atomic(using=table.alias):
            row = field.model._base_manager.using(table.alias).get(pk=source)
            other = field.related_model._base_manager.using(table.alias).get(pk=target)
            getattr(getattr(row, field.name), method)(other)
    except Exception as error:
        raise NotPossible(_in_short(error)) from error
    return source


def _changes_of_links(table: Table, keys: Sequence[Any], rows: Keys) -> Iterator[Change]:
    field = links_field(table.model)
    here, there = field.m2m_field_name(), field.m2m_reverse_field_name()
    for source, target in table.rows.filter(pk__in=keys).values_list(here, there):
        apply = partial(_link, table, field, "remove", source, target)
        yield Change(table, source, f"{field.name}.remove()", None, apply)
    for source, target in _absent_links(table, field, rows):
        apply = partial(_link, table, field, "add", source, target)
        yield Change(table, source, f"{field.name}.add()", None, apply)


def _absent_links(table: Table, field: Any, rows: Keys) -> Iterator[tuple[Any, Any]]:
    """For each row that the answer reads, at either end of the field, a link that is not there."""
    sources, targets = (
        Table(end._meta.concrete_model, table.alias) for end in (field.model, field.related_model)
    )
    here, there = field.m2m_field_name(), field.m2m_reverse_field_name()
    pairs = [
        *(itertools.product([source], _some_keys(targets)) for source in rows.get(sources, ())),
        *(itertools.product(_some_keys(sources), [target]) for target in rows.get(targets, ())),
    ]
    for of_one_row in pairs:
        for source, target in of_one_row:
            if not table.rows.filter(**{here: source, there: target}).exists():
                yield source, target
                break


def _some_keys(table: Table) -> Any:
    return table.rows.order_by("pk").values_list("pk", flat=True)[:20]


def _existing(table: Table, keys: Sequence[Any], limit: int) -> list[Any]:
    """The first of these keys whose rows are there: a view may have loaded what it created."""
    there = set(table.rows.filter(pk__in=keys[:1000]).values_list("pk", flat=True))
    return [key for key in keys if key in there][:limit]


def _others(table: Table, keys: Sequence[Any]) -> list[Any]:
    """The key of one more row, if there is one."""
    others = table.rows.exclude(pk__in=keys).order_by("pk")
    return list(others.values_list("pk", flat=True)[:1])


def _related(table: Table, known: Keys, limit: int) -> list[Any]:
    """The keys of a table's rows that have a relation to rows that are known."""
    for relation, related in relations_of(table.model):
        keys = known.get(Table(related._meta.concrete_model, table.alias))
        if keys:
            found = table.rows.filter(**{f"{relation.name}__pk__in": keys}).order_by("pk")
            if rows := list(dict.fromkeys(found.values_list("pk", flat=True)[: limit * 5])):
                return rows[:limit]
    return []


def _ties(table: Table, rows: Keys) -> Iterator[dict[str, Any]]:
    """For each foreign key to rows that the answer reads: one to the first of them."""
    for field, related in relations_of(table.model):
        if not field.concrete or field.many_to_many or field.remote_field.parent_link:
            continue
        other = Table(related._meta.concrete_model, table.alias)
        name = field.target_field.attname
        for value in other.rows.filter(pk__in=rows.get(other, ())[:1]).values_list(name, flat=True):
            yield {field.attname: value}


def _changeable(model: Any) -> list[Any]:
    """The fields whose columns a project writes."""
    return [
        field
        for field in model._meta.concrete_fields
        if not field.primary_key and not _is_set_by_itself(field)
    ]


def _is_set_by_itself(field: Any) -> bool:
    """Whether the database, Django or this package sets a column."""
    return (
        isinstance(field, VersionField | UpdatedAtField)
        or getattr(field, "generated", False)
        or getattr(field, "auto_now", False)
        or getattr(field, "auto_now_add", False)
        or bool(getattr(field.remote_field, "parent_link", False))
    )


def _in_short(error: Exception) -> str:
    """The error's class and first argument; a second one may hold hundreds of rows."""
    text = " ".join(str(next(iter(error.args), "")).split())
    return f"{type(error).__name__}: {text[:150]}".rstrip(": ")
