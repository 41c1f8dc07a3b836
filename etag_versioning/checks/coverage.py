"""Which reads of other rows change a tag: by ``touches``, and the code that makes them do so."""

from __future__ import annotations

import inspect
import site
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.constants import LOOKUP_SEP

from ..orm.state_columns import state_columns
from ..orm.stateful_model import StatefulModel
from ..touching.paths import GenericPath, named_touches, resolve_path
from .rows_read import Read, Row, Rows, RowsRead, is_forward, relations_by_attribute

__all__ = [
    "Uncovered",
    "annotations_of",
    "computed_by",
    "mended",
    "models_named",
    "uncovered",
    "words_of",
]

# A relation, and whether the model that declares it comes first.
Step = tuple[Any, bool]
# How many touches may follow each other.
_DEPTH = 4


class Uncovered(NamedTuple):
    """
    A model whose rows are read, and whose writes do not change the tag.

    Args:
        model: the model; ``None`` where it is that of a generic foreign key.
        paths: the relations that lead to its rows.
        names: the fields that are read.
        places: where they are read.
    """

    model: Any
    paths: tuple[tuple[Any, ...] | None, ...]
    names: tuple[str, ...]
    places: tuple[str, ...]


def uncovered(
    rows: RowsRead, shown: Any, named: Iterable[Any] = (), annotated: Iterable[Any] = ()
) -> list[Uncovered]:
    """
    The reads that change no tag, by their models.

    Args:
        rows: what is read.
        shown: the model whose rows the tag is made of.
        named: models whose rows are part of the tag by themselves: further sources, and
            those that ``etag_extra`` names.
        annotated: model and name of the fields that the queryset annotates.
    """
    by_model: dict[Any, dict[Read, list[str]]] = {}
    known, values = {_table(model) for model in named}, set(annotated)
    for read, places in rows.found.items():
        if _table(read.model) in known or _is_annotated(read, values):
            continue
        if read.model is None or not _bumps(read, shown):
            by_model.setdefault(read.model, {})[read] = places
    return [
        Uncovered(
            model,
            tuple(dict.fromkeys(read.path for read in reads)),
            tuple(dict.fromkeys(read.name for read in reads if read.name)),
            tuple(dict.fromkeys(place for places in reads.values() for place in places)),
        )
        for model, reads in by_model.items()
        if not _never_changes(model)
    ]


def mended(found: Uncovered, shown: Any) -> tuple[str, str]:
    """
    The mended code.

    Returns:
        The line for the model, which may be empty, and the value for ``etag_extra``.
    """
    model = found.model
    if model is None:
        return "", "…"
    extra = f"{model.__name__}.{model._default_manager.name}.all()"
    paths = [_path_back(model, path, shown) for path in found.paths if path]
    if not all(paths) or not paths or _is_installed(model):
        return "", extra
    named = dict.fromkeys([*named_touches(model), *(path for path in paths if path)])
    inside = ", ".join(f'"{name}"' for name in named) + ("," if len(named) == 1 else "")
    base = "" if issubclass(model, StatefulModel) else "(TouchingMixin)"
    return f"class {model.__name__}{base}: touches = ({inside})", extra


def computed_by(queryset: Any) -> dict[str, Rows | None]:
    """The attributes that a queryset adds to its rows: annotations, and ``Prefetch(to_attr=…)``."""
    if not isinstance(queryset, models.QuerySet):
        return {}
    unchecked: Any = queryset
    query, model = unchecked.query, unchecked.model
    computed: dict[str, Rows | None] = dict.fromkeys([*query.extra_select, *query.annotations])
    for lookup in unchecked._prefetch_related_lookups:
        name = getattr(lookup, "to_attr", None)
        if name and LOOKUP_SEP not in lookup.prefetch_through:
            relation = relations_by_attribute(model).get(lookup.prefetch_through)
            found = relation and RowsRead().follow(Row(model), relation)
            computed[name] = found if isinstance(found, Rows) else None
    return computed


def annotations_of(queryset: Any) -> Iterator[tuple[Any, str]]:
    """The columns of other rows that a queryset's annotations are made of: model and name."""
    if not isinstance(queryset, models.QuerySet):
        return
    pending: list[Any] = list(queryset.query.annotation_select.values())
    while pending:
        expression = pending.pop()
        target = getattr(expression, "target", None)
        if isinstance(target, models.Field):
            owner: Any = target.model
            yield _table(owner), target.name
        query = getattr(expression, "query", None)
        if query is not None and hasattr(query, "annotation_select"):
            pending += [*query.annotation_select.values(), *query.select]
        if hasattr(expression, "get_source_expressions"):
            pending += [each for each in expression.get_source_expressions() if each is not None]


def models_named(terms: Iterable[Any]) -> Iterator[Any]:
    """
    The models that terms name: as a model, a queryset or a manager, or as a function whose code
    names them.
    """
    for term in terms:
        if isinstance(term, models.QuerySet | models.Manager):
            yield term.model
        elif isinstance(term, type) and issubclass(term, models.Model):
            yield term
        elif callable(term):
            yield from _models_in(term, set())


def words_of(terms: Iterable[Any]) -> set[str]:
    """The words in the code of terms: names, attributes, and the parts of lookups in texts."""
    words: set[str] = set()
    for term in terms:
        if isinstance(term, str):
            words.add(term)
        elif callable(term):
            for function in _functions_in(term, set()):
                # Of a ready-made term, the function that made it.
                words.add(function.__qualname__.partition(".")[0])
                for text in _words_in(function.__code__):
                    words |= {text, *text.split(LOOKUP_SEP)}
    return words


def _models_in(function: Any, seen: set[Any]) -> Iterator[Any]:
    for each in _functions_in(function, seen):
        known = _names_known_to(each)
        for name in _words_in(each.__code__):
            found = known.get(name)
            if isinstance(found, type) and issubclass(found, models.Model):
                yield found
            elif isinstance(found, models.QuerySet | models.Manager):
                yield found.model


def _functions_in(function: Any, seen: set[Any]) -> Iterator[FunctionType]:
    """A function, and those of the project that its code names."""
    function = getattr(function, "__func__", function)
    function = function.func if isinstance(function, partial) else function
    if not isinstance(function, FunctionType) or function in seen or len(seen) > 50:
        return
    seen.add(function)
    yield function
    if function.__module__.partition(".")[0] in ("django", "etag_versioning", "rest_framework"):
        return
    known = _names_known_to(function)
    for name in _words_in(function.__code__):
        yield from _functions_in(known.get(name), seen)


def _names_known_to(function: FunctionType) -> dict[str, Any]:
    return {**function.__globals__, **inspect.getclosurevars(function).nonlocals}


def _words_in(code: CodeType) -> Iterator[str]:
    yield from (*code.co_names, *code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _words_in(constant)
        elif isinstance(constant, str):
            yield constant


def _is_annotated(read: Read, values: set[Any]) -> bool:
    if read.model is None or read.name is None:
        return False
    names = (read.name, *state_columns(read.model).names)
    return any((_table(read.model), name) in values for name in names)


def _bumps(read: Read, shown: Any) -> bool:
    """Whether a write of the rows that are read bumps the row that is shown."""
    model: Any = _concrete(read.model)
    routes = _routes(model, shown)
    if not routes or not read.path:
        return bool(routes)
    wanted = tuple((field, not forward) for field, forward in _steps(read.path)[::-1])
    if wanted in routes:
        return True
    # A longer way may lead to the same rows; another foreign key does not.
    return len(wanted) > 1 or any(len(route) > 1 for route in routes)


@cache
def _routes(model: Any, shown: Any) -> frozenset[tuple[Step, ...]]:
    """The ways by which writes of a model bump the rows of another."""
    found: set[tuple[Step, ...]] = set()
    pending: list[tuple[Any, tuple[Step, ...]]] = [(model, ())]
    while pending:
        here, steps = pending.pop()
        for way, target in _touches(here):
            route = (*steps, *way)
            if state_columns(target).owner is state_columns(shown).owner:
                found.add(route)
            elif len(route) < _DEPTH and not set(way) & set(steps):
                pending.append((target, route))
    return frozenset(found)


@cache
def _touches(model: Any) -> tuple[tuple[tuple[Step, ...], Any], ...]:
    if not issubclass(model, StatefulModel):
        return ()
    found = []
    for name in named_touches(model):
        try:
            path = resolve_path(model, name)
        except (ImproperlyConfigured, AttributeError):
            continue  # E003 tells of it.
        if isinstance(path, GenericPath):
            found += [(_generic_steps(path.first, target), target) for target in path.targets]
            continue
        relations, here = [], model
        for part in name.split(LOOKUP_SEP):
            relations.append(here._meta.get_field(part))
            here = relations[-1].related_model
        found.append((_steps(relations), path.target))
    return tuple(found)


def _generic_steps(generic: Any, target: Any) -> tuple[Step, ...]:
    """The way from a generic foreign key to a model, by that model's GenericRelation if any."""
    for field in target._meta.private_fields:
        same = getattr(field, "object_id_field_name", None) == generic.fk_field
        if same and field.related_model is generic.model:
            return ((field, False),)
    return ((generic, True),)


def _steps(relations: Iterable[Any]) -> tuple[Step, ...]:
    return tuple(_step(relation) for relation in relations)


def _step(relation: Any) -> Step:
    field = getattr(relation, "field", relation)
    symmetrical = getattr(getattr(field, "remote_field", None), "symmetrical", False)
    return field, bool(symmetrical) or is_forward(relation)


def _path_back(model: Any, path: tuple[Any, ...], shown: Any) -> str | None:
    """What ``touches`` has to name, to lead back along a path; ``None`` where nothing can."""
    names = []
    for relation in reversed(path):
        if hasattr(relation, "content_type_field_name"):
            names.append(_generic_key(relation))
            continue
        back = relation.remote_field
        if back is None or not getattr(back, "name", None) or _is_hidden(back):
            return None
        names.append(back.name)
    name = LOOKUP_SEP.join(names)
    try:
        resolve_path(model, name)
    except (ImproperlyConfigured, AttributeError):
        return None
    return name


def _generic_key(relation: Any) -> str:
    """The name of the generic foreign key that a GenericRelation goes back by."""
    query_name: str = relation.remote_field.name
    if not relation.remote_field.hidden:
        return query_name
    keys = [
        field.name
        for field in relation.related_model._meta.private_fields
        if getattr(field, "fk_field", None) == relation.object_id_field_name
    ]
    return keys[0] if keys else query_name


def _is_hidden(relation: Any) -> bool:
    return isinstance(relation, models.ForeignObjectRel) and relation.hidden


def _concrete(model: Any) -> Any:
    return model._meta.concrete_model


def _table(model: Any) -> Any:
    return None if model is None else _concrete(model)


def _never_changes(model: Any) -> bool:
    """Rows that migrations write, and nobody else."""
    label = None if model is None else model._meta.label
    return label in ("contenttypes.ContentType", "auth.Permission")


def _is_installed(model: Any) -> bool:
    """Whether a model's code is another distribution's, to which no line can be added."""
    try:
        file = Path(inspect.getfile(model)).resolve()
    except TypeError:
        return False
    installed = {*site.getsitepackages(), sysconfig.get_path("purelib"), *django.__path__}
    return any(file.is_relative_to(Path(folder).resolve()) for folder in installed)
