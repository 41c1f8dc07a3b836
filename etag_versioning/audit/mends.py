"""The line of code after which a tag no longer lies."""

from __future__ import annotations

import inspect
import site
import sysconfig
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import django
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db.models.constants import LOOKUP_SEP

from ..orm.state_columns import state_columns, unversioned_names
from ..orm.stateful_model import StatefulModel
from ..touching.paths import named_touches, resolve_path
from .tables import Table, links_field, relations_of
from .views import AuditedView

__all__ = ["Lie", "Mend", "mends_of", "paths_to_shown"]


_IMPORTS = {
    "terms": "from etag_versioning import etag_extra as terms",
}
# Without the right ones, nobody is logged in: another user asks.
_LOGIN = ("password", "is_active")


class Lie(NamedTuple):
    """
    A 304 although the answer has changed.

    Args:
        table: where the row that changed is.
        pk: its key.
        what: what was done to it.
        column: the field that was changed, if it was one.
        parts: the parts of the answer that differ.
        paths: the relations that lead from the row to versioned rows that the tag covers.
        visitor: who was told so.
        is_own: whether the row is that of the user who asked.
    """

    table: Table
    pk: Any
    what: str
    column: str | None
    parts: Sequence[str]
    paths: Sequence[str]
    visitor: str
    is_own: bool = False


class Mend(NamedTuple):
    """
    Args:
        where: the model or the view that needs the code.
        code: the code.
        hint: what else is needed.
    """

    where: str
    code: str
    hint: str = ""


def paths_to_shown(
    table: Table,
    pk: Any,
    shown: Mapping[Table, Sequence[Any]],
    read: Collection[Table],
    covered: Collection[Table],
) -> list[str]:
    """
    Paths from a row to the rows that a tag covers, as ``touches`` names them; the best first.

    Args:
        table, pk: the row.
        shown: the keys of the rows that the answer has loaded, by their tables.
        read: the tables that the answer reads.
        covered: the tables that the tag is made of.
    """
    model = _writer(table.model)
    between = {each.model for each in (*read, *covered)}
    found: list[tuple[tuple[int, bool, str], str]] = []
    for target in covered:
        if target.alias != table.alias or state_columns(target.model).owner is None:
            continue
        for name in _paths(model, target.model, between):
            if _leads(table, pk, name, target, shown.get(target)):
                path = resolve_path(model, name)
                found.append(((name.count(LOOKUP_SEP), path.many, name), name))
    return [name for _, name in sorted(found)]


def mends_of(lies: Iterable[Lie], terms: Iterable[str], view: AuditedView) -> list[Mend]:
    """
    The code that mends an address.

    Args:
        lies: what was found of rows.
        terms: what else the tag has to depend on, as code.
        view: the view of the address.
    """
    touching: dict[Any, dict[str, None]] = {}
    versioned: dict[Any, dict[str, None]] = {}
    extra: dict[str, None] = {}
    by_table: dict[Table, list[Lie]] = {}
    for lie in lies:
        if lie.is_own:
            extra |= dict.fromkeys(_of_the_user(lie.column, view))
        if not lie.is_own or (lie.paths and lie.column not in _LOGIN):
            by_table.setdefault(lie.table, []).append(lie)
    for table, found in by_table.items():
        model = _writer(table.model)
        unversioned = [lie.column for lie in found if lie.column in unversioned_names(model)]
        if unversioned:
            versioned[model] = dict.fromkeys(filter(None, unversioned))
        elif _is_of_the_project(model) and all(map(_touchable, found)):
            chosen = touching.setdefault(model, {})
            missing = [lie for lie in found if not chosen.keys() & set(lie.paths)]
            chosen |= dict.fromkeys(_fewest_paths(missing))
        else:
            extra[_values_of(table, found, view)] = None
    extra |= dict.fromkeys(terms)
    mends = [_with_touches(model, list(paths)) for model, paths in touching.items()]
    mends += [_without_unversioned(model, names) for model, names in versioned.items()]
    if extra:
        code = view.etag_extra(list(extra))
        needs = [line for name, line in _IMPORTS.items() if f"{name}." in code]
        needs += ["the terms that are there already"] if view.has_terms else []
        mends.append(Mend(view.name, code, ", and ".join(needs)))
    return mends


def _writer(model: Any) -> Any:
    """The model whose ``touches`` covers a table: that of the field, for automatic links."""
    return model._meta.auto_created or model


def _fewest_paths(lies: Sequence[Lie]) -> Iterator[str]:
    """Paths that together cover all changes: first the one that covers most of them."""
    left = list(lies)
    while left:
        counts = Counter(path for lie in left for path in _touchable(lie))
        (path, _), *_ = counts.most_common(1)
        yield path
        left = [lie for lie in left if path not in _touchable(lie)]


def _touchable(lie: Lie) -> Sequence[str]:
    """
    The paths by which ``touches`` covers the change.

    The automatic links of a row without a version bump no other row: of these, only a path that
    begins with the field itself.
    """
    through = lie.table.model
    if not through._meta.auto_created or state_columns(_writer(through)).owner is not None:
        return lie.paths
    name = links_field(through).name
    return [path for path in lie.paths if path.split(LOOKUP_SEP)[0] == name]


def _paths(model: Any, target: Any, between: Collection[Any]) -> Iterator[str]:
    """Names of relations from one model to another, by way of models that the answer reads."""
    queue: list[tuple[Any, tuple[str, ...], tuple[Any, ...]]] = [(model, (), (model,))]
    while queue:
        here, names, visited = queue.pop(0)
        for relation, related in relations_of(here):
            if related._meta.concrete_model == target:
                yield LOOKUP_SEP.join((*names, relation.name))
            elif len(names) < 3 and related not in visited and related in between:
                queue.append((related, (*names, relation.name), (*visited, related)))


def _leads(table: Table, pk: Any, name: str, target: Table, keys: Sequence[Any] | None) -> bool:
    """Whether a path is one that ``touches`` can name, and leads from a row to those shown."""
    model = _writer(table.model)
    try:
        resolve_path(model, name)
        rows = model._base_manager.using(table.alias)
        if keys is not None:
            rows = rows.filter(**{f"{name}__pk__in": keys})
        else:
            rows = rows.filter(**{f"{name}__isnull": False})
        return rows.filter(pk=pk).exists()
    except (FieldError, ImproperlyConfigured, ValueError):
        return False


def _with_touches(model: Any, paths: Sequence[str]) -> Mend:
    there = [name for name in named_touches(model) if name not in paths]
    names = ", ".join(f'"{name}"' for name in (*there, *paths))
    comma = "," if len(there) + len(paths) == 1 else ""
    is_ready = issubclass(model, StatefulModel)
    base = f"class {model.__name__}(TouchingMixin)  # from etag_versioning.models"
    return Mend(model._meta.label, f"touches = ({names}{comma})", "" if is_ready else base)


def _without_unversioned(model: Any, names: Iterable[str]) -> Mend:
    given = model.unversioned_fields
    attributes = {model._meta.get_field(name).attname: name for name in names}
    kept = [name for name in given if name not in {*attributes, *attributes.values()}]
    inside = ", ".join(f'"{name}"' for name in kept) + ("," if len(kept) == 1 else "")
    return Mend(model._meta.label, f"unversioned_fields = ({inside})")


def _of_the_user(column: str | None, view: AuditedView) -> Iterator[str]:
    """The user who asks, and what the answer shows of this user's row."""
    yield "terms.user"
    if column is not None and column not in _LOGIN:
        yield f'getattr({view.request}.user, "{column}", None)'


def _values_of(table: Table, lies: Sequence[Lie], view: AuditedView) -> str:
    """What the answer shows of a table's rows, as an item of ``etag_extra``."""
    model = table.model
    path = next((lie.paths[0] for lie in lies if lie.paths), None)
    if model._meta.auto_created:
        field = links_field(model)
        rows = f"{field.model.__name__}.{field.name}.through.objects"
        path = path and LOOKUP_SEP.join((field.m2m_field_name(), path))
    else:
        rows = f"{model.__name__}.{model._default_manager.name}"
    if path and view.lookup:
        field, _ = view.lookup
        rows += f".filter({path}{'' if field == 'pk' else f'__{field}'}={view.key})"
    elif path:
        rows += f".filter({path}__isnull=False).distinct()"
    if state_columns(model).version is not None:
        return rows if ".filter(" in rows else f"{rows}.all()"
    columns = list(dict.fromkeys(lie.column for lie in lies if lie.column))
    names = ", ".join(f'"{name}"' for name in ("pk", *columns))
    return f'{rows}.order_by("pk").values_list({names})'


def _is_of_the_project(model: Any) -> bool:
    """Whether its code is the project's own, to which a line can be added."""
    file = Path(inspect.getfile(model)).resolve()
    installed = {*site.getsitepackages(), sysconfig.get_path("purelib"), *django.__path__}
    return not any(file.is_relative_to(Path(folder).resolve()) for folder in installed)
