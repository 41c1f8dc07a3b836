"""What each kind of write touches: found and locked before it, to be bumped after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.db import models

from ..orm.write_options import set_write_options, touches_others
from .links import Links
from .paths import Found, Touches, links_to, shown_in, touches_of
from .touch import Touch

__all__ = [
    "Source",
    "deleted_links",
    "may_touch_by_deletion",
    "touch_for_batch",
    "touch_for_collected",
    "touch_for_create",
    "touch_for_deletion",
    "touch_for_rows",
    "touch_for_save",
    "touch_for_update",
]


def touch_for_save(instance: Any, using: str, names: Any, *, insert: bool, compared: bool) -> Touch:
    """
    Lock what an instance shows up in, before it is saved.

    Args:
        instance: the instance; what is deferred in it is not written.
        using: the database alias.
        names: the fields that are written, or ``None`` for all.
        insert: whether there is no row yet.
        compared: whether the save compares the row's state.
    """
    model: Any = type(instance)
    touches: Any = touches_of(model)
    certain = touches.direct and (insert or compared)
    return _touch_instances([instance], using, names, insert=insert, certain=certain)


def touch_for_batch(objs: Collection[Any], using: str, names: Any) -> Touch:
    """
    Lock what instances of one model show up in, before they are all saved.

    Args:
        objs: the instances, whose states are compared.
        using: the database alias.
        names: the fields that are written.
    """
    if not objs:
        return Touch(using)
    model: Any = type(next(iter(objs)))
    touches: Any = touches_of(model)
    return _touch_instances(objs, using, names, insert=False, certain=touches.direct)


def _touch_instances(
    objs: Collection[Any], using: str, names: Any, *, insert: bool, certain: bool
) -> Touch:
    model: Any = type(next(iter(objs)))
    pks = [obj.pk for obj in objs]
    touches: Any = touches_of(model)
    rows = _rows(model, using).filter(pk__in=pks)
    values = _values_of(objs, touches, names, using)
    touch = Touch(using, certain=certain, at_hand=objs)
    touch.wrote(model, pks)
    return touch.lock(
        lambda again: [
            {} if insert else shown_in(touches, rows, locked=again)[1],
            _lead_to(touches, values, rows),
        ]
    )


def touch_for_update(queryset: Any, values: dict[str, Any]) -> tuple[Any, Touch]:
    """
    Lock what the rows of a queryset show up in, before they are updated.

    Args:
        queryset: the rows.
        values: the new values, by the names that ``update()`` takes.

    Returns:
        The queryset, filtered by the keys that were found where rows are locked, and the touch.
    """
    model, using = queryset.model, queryset.db
    touches: Any = touches_of(model)
    touch = Touch(using, at_hand=[*values.values(), _instance_of_manager(queryset)])
    after = _values_after(touches, [values], using)
    pks: set[Any] | None = None

    def find(again: bool) -> Iterable[Found]:
        nonlocal pks
        within = queryset.order_by().values("pk") if pks is None else pks
        pks, found = shown_in(touches, _rows(model, using).filter(pk__in=within), locked=again)
        touch.wrote(model, pks)
        return [found, _lead_to(touches, after, queryset) if pks else {}]

    touch.lock(find)
    rows = queryset.filter(pk__in=pks) if touch.locks_rows else queryset.all()
    return rows, touch


def touch_for_create(
    queryset: Any, objs: Collection[Any], updates: bool, unique_fields: Any
) -> Touch:
    """
    Lock what new rows will show up in.

    Args:
        queryset: the queryset that creates them.
        objs: the instances.
        updates: whether rows that are there already are updated instead; then they
            touch what they show up in.
        unique_fields: as for ``bulk_create()``.
    """
    model, using = queryset.model, queryset.db
    touches: Any = touches_of(model)
    values = _values_of(objs, touches, None, using)
    there = _rows(model, using).filter(_same(model, objs, unique_fields))
    certain = touches.direct and not updates
    touch = Touch(using, certain=certain, at_hand=[*objs, _instance_of_manager(queryset)])

    def find(again: bool) -> Iterable[Found]:
        pks, found = shown_in(touches, there, locked=again) if updates else (set(), {})
        touch.wrote(model, pks)
        return [found, _lead_to(touches, values, there)]

    return touch.lock(find)


def _instance_of_manager(queryset: Any) -> Any:
    """The instance whose related manager made a queryset, or ``None``."""
    return queryset._hints.get("instance")


class Source(NamedTuple):
    """
    Rows that one statement writes, and what it stores in their columns.

    Args:
        model: their model.
        pks: their keys; or, with ``by``, the keys of what that foreign key points to,
            which is deleted with all that points to it.
        values: what the statement stores, by the fields' names; several, if its rows differ.
    """

    model: Any
    pks: Collection[Any]
    values: Sequence[dict[str, Any]] = ()
    by: str = "pk"


def may_touch_by_deletion(model: Any) -> bool:
    """Whether the deletion of a row of ``model`` touches others."""
    return touches_of(model) is not None or bool(links_to(model))


def touch_for_deletion(instance: Any, using: str) -> Touch:
    """Lock what an instance shows up in, before its row is compared and deleted."""
    sources = [Source(type(instance), [instance.pk]), *deleted_links([instance])]
    return touch_for_rows(sources, using, compared=True, at_hand=[instance])


def touch_for_collected(collector: Any, using: str, done: Found | None, *, ours: bool) -> Touch:
    """
    Lock what all the rows show up in that one deletion deletes, or sets to NULL.

    Args:
        collector: Django's, that has collected them.
        using: the database alias.
        done: the keys of rows that need no touch, by the model that owns the version.
        ours: whether it is the collector that deletes. Its updates touch nothing then. The
            updates of another one touch by themselves, what is locked here.
    """
    updates = [
        (field, value, rows)
        for (field, value), parts in collector.field_updates.items()
        for rows in parts
        if hasattr(rows, "expect") and touches_others(rows)
    ]
    updated = [
        Source(rows.model, list(rows.values_list("pk", flat=True)), [{field.name: value}])
        for field, value, rows in updates
    ]
    deleted = [Source(model, [row.pk for row in rows]) for model, rows in collector.data.items()]
    at_hand = [row for rows in collector.data.values() for row in rows]
    for rows in filter(None, collector.data.values()):
        deleted += deleted_links([*rows])
    if not ours and updated:
        touch_for_rows([*deleted, *updated], using, done=done)
        return touch_for_rows(deleted, using, done=done, at_hand=at_hand)
    touch = touch_for_rows([*deleted, *updated], using, done=done, at_hand=at_hand)
    for _, _, rows in updates:
        set_write_options(rows, touched=touch.done)
    return touch


def deleted_links(rows: Sequence[Any]) -> Iterator[Source]:
    """The links that go with rows of one model, where they belong to the state of others."""
    model: Any = type(rows[0])
    for through, name in links_to(model):
        target = through._meta.get_field(name).target_field.attname
        yield Source(through, [getattr(row, target) for row in rows], by=name)


def touch_for_rows(
    sources: Collection[Source],
    using: str,
    *,
    compared: bool = False,
    done: Found | None = None,
    at_hand: Collection[Any] = (),
) -> Touch:
    """
    Lock what rows show up in, before they are deleted, or point to others.

    Args:
        sources: the rows, of which some may touch others.
        using: the database alias.
        compared: whether their state is compared.
        done: the keys of rows that need no touch, by the model that owns the version.
        at_hand: instances that the caller may go on with.
    """
    touching = [(source, touches_of(source.model)) for source in sources]
    certain = compared and all(
        source.by == "pk" and (touches is None or touches.direct) for source, touches in touching
    )
    touch = Touch(using, certain=certain, done=done, at_hand=at_hand)
    for source in sources:
        if source.by == "pk":
            touch.wrote(source.model, source.pks)

    def find(again: bool) -> Iterable[Found]:
        for source, touches in touching:
            if touches is None:
                continue
            if source.by == "pk":
                rows = _rows(source.model, using).filter(pk__in=source.pks)
                yield shown_in(touches, rows, locked=again)[1]
                yield _lead_to(touches, _values_after(touches, source.values, using), rows)
            else:
                links = Links(source.model, using, source.by, source.pks)
                yield links.shown_in(touches.paths, again=again)

    return touch.lock(find)


def _values_of(
    objs: Collection[Any], touches: Touches, names: Any, using: str
) -> dict[str, Collection[Any]]:
    """What leads on from instances, by the names of paths, as far as it is written."""
    return {
        path.name: path.values_of(objs, using)
        for path in touches.paths
        if path.column and (names is None or path.names.intersection(names))
    }


def _values_after(
    touches: Touches, updates: Sequence[dict[str, Any]], using: str
) -> dict[str, Collection[Any]]:
    """What leads on from rows after updates by these values, by the names of paths."""
    return {
        path.name: [key for values in updates for key in path.values_after(values, using)]
        for path in touches.paths
    }


def _lead_to(touches: Touches, values: dict[str, Collection[Any]], rows: Any) -> Found:
    """
    What values of columns lead to, by the names of the paths that begin there. Expressions
    have a value for each of the rows.
    """
    found: Found = defaultdict(set)
    for path in touches.paths:
        for target, keys in path.lead_to(values.get(path.name, ()), rows).items():
            found[target] |= keys
    return found


def _same(model: Any, objs: Iterable[Any], unique_fields: Any) -> models.Q:
    """Which rows stand in the way of new ones, by these or else by any unique fields."""
    meta = model._meta
    sets = (
        [unique_fields]
        if unique_fields
        else [
            [field.name for field in meta.pk_fields],
            *([field.name] for field in meta.concrete_fields if field.unique),
            *meta.unique_together,
            *(constraint.fields for constraint in meta.total_unique_constraints),
        ]
    )
    condition = models.Q(pk__in=[])
    for obj in objs:
        for names in sets:
            same = {name: getattr(obj, meta.get_field(name).attname) for name in names}
            if None not in same.values():
                condition |= models.Q(**same)
    return condition


def _rows(model: Any, using: str) -> Any:
    return models.QuerySet(model, using=using)
