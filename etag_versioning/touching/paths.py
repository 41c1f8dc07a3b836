"""Paths from rows to the rows that show them: what ``touches`` names, and where it leads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured, ValidationError
from django.db import connections, models
from django.db.models.constants import LOOKUP_SEP

from ..orm.state_columns import state_columns

__all__ = [
    "Found",
    "GenericPath",
    "Path",
    "Touches",
    "links_to",
    "named_touches",
    "onward",
    "resolve_path",
    "shown_in",
    "touches_of",
]

# Keys of rows that have a state, by the model that a path ends in.
Found = dict[Any, set[Any]]


class Path(NamedTuple):
    """
    One of a model's ``touches``.

    ``target`` is the model that it ends in (``None`` for a generic foreign key), ``first`` its
    first relation, ``rest`` the path from there on, and ``many`` whether one row can lead to
    several.
    """

    name: str
    target: Any
    first: Any
    rest: str
    many: bool

    @property
    def generic(self) -> Any:
        """The GenericRelation that the path begins with, from its other side, or ``None``."""
        field = getattr(self.first, "field", None)
        return field if hasattr(field, "content_type_field_name") else None

    @property
    def column(self) -> str | None:
        """The attribute of the first relation, where it is a column of the row itself."""
        first, generic = self.first, self.generic
        if generic is not None:
            attname: str = first.model._meta.get_field(generic.object_id_field_name).attname
            return attname
        return first.attname if first.concrete and not first.many_to_many else None

    @property
    def names(self) -> set[str]:
        """The names of the fields in which the path begins, where the row itself has them."""
        generic = self.generic
        if generic is not None:
            return {generic.object_id_field_name, generic.content_type_field_name}
        return set() if self.column is None else {self.first.name, self.first.attname}

    @property
    def direct(self) -> bool:
        """Whether that column holds the key of the row that is touched."""
        if self.column is None or self.rest:
            return False
        return self._pointed_at == state_columns(self.target).owner._meta.pk

    @property
    def _pointed_at(self) -> Any:
        """The field whose value the column holds."""
        if self.generic is not None:
            return self.first.related_model._meta.pk
        return self.first.target_field

    @property
    def key(self) -> str:
        """The lookup that leads from a row to the keys of the rows that it touches."""
        return LOOKUP_SEP.join((self.name, _owner_key(self.target)))

    def keys_from(self, values: Iterable[Any], using: str) -> set[Any]:
        """The keys that these values of the first relation lead to."""
        if self.column is not None:
            target, convert = self._pointed_at.name, self._pointed_at.to_python
        else:
            target, convert = "pk", lambda value: value
        given = {convert(value) for value in values if value is not None}
        if self.direct or not given:
            return given
        rows: Any = models.QuerySet(self.first.related_model, using=using)
        rest = LOOKUP_SEP.join(filter(None, (self.rest, _owner_key(self.target))))
        keys = rows.filter(**{f"{target}__in": given}).values_list(rest, flat=True)
        return set(filter(_is_key, keys))

    @property
    def targets(self) -> Collection[Any]:
        """The models whose rows it may end in."""
        return (self.target,)

    def lead_to(self, values: Iterable[Any], rows: Any) -> Found:
        """
        The rows that values of its column lead to.

        Args:
            values: of the column; expressions have a value for each of the rows.
            rows: the rows that are written.
        """
        keys: set[Any] = set()
        for value in values:
            if hasattr(value, "resolve_expression"):
                computed = rows.order_by().annotate(_touched=value)
                keys.update(computed.values_list("_touched", flat=True))
            elif isinstance(value, models.Model):
                keys.add(getattr(value, self.first.target_field.attname))
            else:
                keys.add(value)
        return {self.target: self.keys_from(keys, rows.db)}

    def values_of(self, objs: Iterable[Any], using: str) -> list[Any]:
        """What instances have in the column in which the path begins."""
        kind, name = self._content_type(using), self.column
        return [
            obj.__dict__[name]
            for obj in objs
            if name in obj.__dict__ and (kind is None or obj.__dict__.get(kind[0]) == kind[1])
        ]

    def values_after(self, values: dict[str, Any], using: str) -> list[Any]:
        """What an update by these values, by the fields' names, stores in that column."""
        written = [values[name] for name in self.names & values.keys()]
        kind, name = self._content_type(using), self.column
        if kind is None or name is None or not written:
            return written
        field = self.first.model._meta.get_field(self.generic.content_type_field_name)
        key = values.get(name, models.F(name))
        if field.name not in values and field.attname not in values:
            if not hasattr(key, "resolve_expression"):
                key = models.Value(key, self.first.model._meta.get_field(name))
            return [models.Case(models.When(**{kind[0]: kind[1]}, then=key))]
        new = values.get(field.name, values.get(field.attname))
        return [key] if getattr(new, "pk", new) == kind[1] else []

    def _content_type(self, using: str) -> tuple[str, Any] | None:
        """The column that says of which model a generic row is, and what it holds then."""
        if self.generic is None:
            return None
        from django.contrib.contenttypes.models import ContentType

        kind = ContentType.objects.db_manager(using).get_for_model(
            self.first.related_model, for_concrete_model=self.generic.for_concrete_model
        )
        field = self.first.model._meta.get_field(self.generic.content_type_field_name)
        return field.attname, kind.pk


class GenericPath(Path):
    """
    A generic foreign key in ``touches``: its rows are of any model, and have a version or not.

    The columns hold the model and the key, so a value of this path is a pair.
    """

    @property
    def generic(self) -> Any:
        return None  # It begins with no GenericRelation.

    @property
    def column(self) -> str:
        return str(self._columns[1].attname)

    @property
    def names(self) -> set[str]:
        return {name for field in self._columns for name in (field.name, field.attname)}

    @property
    def direct(self) -> bool:
        return False

    @property
    def targets(self) -> Collection[Any]:
        registry = self.first.model._meta.apps
        return [model for model in registry.get_models() if state_columns(model).owner is not None]

    def values_of(self, objs: Iterable[Any], using: str) -> list[Any]:
        kind, key = (field.attname for field in self._columns)
        return [
            (obj.__dict__[kind], obj.__dict__[key])
            for obj in objs
            if kind in obj.__dict__ and key in obj.__dict__
        ]

    def values_after(self, values: dict[str, Any], using: str) -> list[Any]:
        if not self.names & values.keys():
            return []
        pair = []
        for field in self._columns:
            value = values.get(field.name, values.get(field.attname, models.F(field.attname)))
            pair.append(value.pk if isinstance(value, models.Model) else value)
        return [tuple(pair)]

    def lead_to(self, values: Iterable[Any], rows: Any) -> Found:
        pairs: set[Any] = set()
        for pair in values:
            if any(hasattr(value, "resolve_expression") for value in pair):
                kind, key = (
                    value if hasattr(value, "resolve_expression") else models.Value(value, field)
                    for value, field in zip(pair, self._columns, strict=True)
                )
                computed = rows.order_by().annotate(_touched_kind=kind, _touched_key=key)
                pairs.update(computed.values_list("_touched_kind", "_touched_key"))
            else:
                pairs.add(pair)
        return self.found_by(pairs, rows.db)

    def found_by(self, pairs: Iterable[tuple[Any, Any]], using: str) -> Found:
        """The rows of pairs of content type and key, as far as they have a state."""
        from django.contrib.contenttypes.models import ContentType

        found: Found = defaultdict(set)
        for kind, key in pairs:
            if kind is None or key is None:
                continue
            model = ContentType.objects.db_manager(using).get_for_id(kind).model_class()
            if model is None or state_columns(model).owner is None:
                continue
            with suppress(ValidationError):  # No row can have this key.
                found[model].add(model._meta.pk.to_python(key))
        return found

    def in_rows(self, rows: Any) -> Iterator[tuple[Any, Found]]:
        """The keys of rows, each with what it leads to."""
        kind, key = (field.attname for field in self._columns)
        for pk, *pair in rows.values_list("pk", kind, key):
            yield pk, self.found_by([(pair[0], pair[1])], rows.db)

    @property
    def _columns(self) -> tuple[Any, Any]:
        """The fields that hold the model and the key."""
        meta = self.first.model._meta
        return meta.get_field(self.first.ct_field), meta.get_field(self.first.fk_field)


class Touches(NamedTuple):
    """All of a model's paths; ``direct`` where its own columns hold all the keys."""

    paths: tuple[Path, ...]
    direct: bool


@cache
def touches_of(model: Any) -> Touches | None:
    """What a model's writes touch; ``None`` for most models, and found out once for each."""
    names = named_touches(model) or _ends_with_field(model)
    paths = tuple(resolve_path(model, name) for name in names)
    return Touches(paths, all(path.direct for path in paths)) if paths else None


def named_touches(model: Any) -> Collection[str]:
    """``touches`` of a model; nothing where a field or a relation has that name."""
    names = getattr(model, "touches", ())
    return names if isinstance(names, Collection) else ()


def _ends_with_field(model: Any) -> Iterator[str]:
    """
    Paths from an automatic table of links to the rows that declare the many-to-many field:
    the links are part of their state.
    """
    declaring: Any = model._meta.auto_created or None
    for field in declaring._meta.local_many_to_many if declaring else ():
        if field.remote_field.through is model:
            ends = [field.m2m_field_name()]
            if field.remote_field.symmetrical:
                ends.append(field.m2m_reverse_field_name())
            for end in ends:
                for path in _paths_to_state(declaring, field.name):
                    yield LOOKUP_SEP.join((end, *path))


def _paths_to_state(model: Any, name: str, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths to the rows whose state a field belongs to: of the model, or else of its children."""
    if state_columns(model).owner is not None:
        if name not in getattr(model, "unversioned_fields", ()):
            yield path
        return
    for relation in model._meta.related_objects:
        if relation.parent_link:
            yield from _paths_to_state(relation.related_model, name, (*path, relation.name))


@cache
def links_to(model: Any) -> tuple[tuple[Any, str], ...]:
    """
    The automatic tables of links whose rows go with a row of ``model``, and then change
    the state of other rows: each with its foreign key to ``model``.
    """
    relations = model._meta.concrete_model._meta.get_fields(
        include_parents=False, include_hidden=True
    )
    found: list[tuple[Any, str]] = []
    for relation in relations:
        if relation.auto_created and relation.one_to_many:
            through, name = relation.related_model, relation.field.name
            touches = touches_of(through) if through._meta.auto_created else None
            if touches and any(path.first.name != name for path in touches.paths):
                found.append((through, name))
    return tuple(found)


def resolve_path(model: Any, name: str) -> Path:
    """
    Find the relations that a path names.

    Args:
        model: the model whose writes touch.
        name: names of relations from it on, with double underscores between them.

    Raises:
        ImproperlyConfigured: one of them is no relation, or the last model has no state;
            with the message, and what to write instead.
    """
    relations: list[Any] = []
    here = model
    if (generic := _generic_foreign_key(model, name)) is not None:
        return GenericPath(name, None, generic, "", True)
    for part in name.split(LOOKUP_SEP):
        relation = _relation(here, part)
        if relation is None:
            generic = _generic_foreign_key(here, part)
            known = [field.name for field in here._meta.get_fields() if field.related_model]
            raise ImproperlyConfigured(
                f'{model._meta.label}.touches names "{name}", but {here._meta.label} has no '
                f'relation "{part}"{" to a known model" if generic else ""}.',
                _instead_of_generic(name, here, generic)
                if generic
                else _instead_of_unknown(name, part, here, known),
            )
        relations.append(relation)
        here = relation.related_model
    if not _can_follow_links(relations[0]):
        raise ImproperlyConfigured(
            f'{model._meta.label}.touches names "{name}", but {relations[0].name} is no '
            f"ManyToManyField of Django's: nothing tells of its links.",
            _instead_of_links(model, name, relations[0]),
        )
    if state_columns(here).owner is None:
        raise ImproperlyConfigured(
            f'{model._meta.label}.touches names "{name}", but {here._meta.label} has no version '
            f"to bump.",
            f"class {here.__name__}(VersionedModel)",
        )
    many = any(relation.one_to_many or relation.many_to_many for relation in relations)
    return Path(name, here, relations[0], LOOKUP_SEP.join(name.split(LOOKUP_SEP)[1:]), many)


def _relation(model: Any, name: str) -> Any:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    # Of a model that does not exist, Django knows the name alone, and its own check tells.
    return field if isinstance(field.related_model, type) else None


def _instead_of_unknown(name: str, part: str, here: Any, known: list[str]) -> str:
    """The mended code: the path with the relation whose name is most alike."""
    if not known:
        return f"Leave it out: {here._meta.label} has no relations."
    (alike,) = get_close_matches(part, known, 1, cutoff=0)
    before = name.split(LOOKUP_SEP)
    path = LOOKUP_SEP.join([*before[: before.index(part)], alike])
    return f'touches = ("{path}",); the relations of {here._meta.label}: {", ".join(known)}.'


def _generic_foreign_key(model: Any, name: str) -> Any:
    fields = {field.name: field for field in model._meta.private_fields}
    return fields.get(name) if hasattr(fields.get(name), "ct_field") else None


def _instead_of_generic(name: str, here: Any, generic: Any) -> str:
    """The mended code: the way back from a model whose rows the key may lead to."""
    columns = (("content_type", generic.ct_field), ("object_id", generic.fk_field))
    named = "".join(f', {kind}_field="{field}"' for kind, field in columns if kind != field)
    before = name.split(LOOKUP_SEP)
    path = LOOKUP_SEP.join([*before[: before.index(generic.name)], "page"])
    return (
        f'touches = ("{path}",), and in the model Page that it shows up in: '
        f"{here.__name__.lower()}s = GenericRelation({here.__name__}, "
        f'related_query_name="page"{named}).'
    )


def _can_follow_links(relation: Any) -> bool:
    """Whether Django's many-to-many signals tell of the links of a relation, if it has any."""
    field = getattr(relation, "field", relation)
    return not relation.many_to_many or isinstance(field, models.ManyToManyField)


def _instead_of_links(model: Any, name: str, relation: Any) -> str:
    """The mended code: the path by the foreign keys of the links, where they have some."""
    _, _, rest = name.partition(LOOKUP_SEP)
    field = getattr(relation, "field", relation)
    through = field.remote_field.through
    keys = {key.related_model: key for key in through._meta.fields if key.many_to_one}
    start, end = keys.get(model), keys.get(relation.related_model)
    if start is None or end is None:
        return (
            f"{through.__name__} has no foreign key to follow. Leave it out, and bump the rows "
            f"where the links change: {relation.related_model.__name__}.objects.filter(…).touch()."
        )
    path = LOOKUP_SEP.join(filter(None, (start.related_query_name(), end.name, rest)))
    mended = f'touches = ("{path}",)'
    if end.name not in named_touches(through):
        # Links that are added or deleted.
        mended += f'; and class {through.__name__}(TouchingMixin, …): touches = ("{end.name}",)'
    return mended


def shown_in(touches: Touches, rows: Any, *, locked: bool = False) -> tuple[set[Any], Found]:
    """
    Follow all paths from some rows.

    Args:
        touches: those of the rows' model.
        rows: a queryset.
        locked: whether to lock the rows, and so to see them as they are for good.

    Returns:
        The keys of the rows, and those of the rows that they touch.
    """
    if locked:
        features = connections[rows.db].features
        of = ("self",) if features.has_select_for_update_of else ()
        no_key = features.has_select_for_no_key_update
        rows = rows.order_by("pk").select_for_update(of=of, no_key=no_key)
    pks: set[Any] = set()
    found: Found = defaultdict(set)
    for generic in (path for path in touches.paths if isinstance(path, GenericPath)):
        for pk, ends in generic.in_rows(rows):
            pks.add(pk)
            for target, keys in ends.items():
                found[target] |= keys
    for paths in _together(touches.paths):
        for pk, *ends_of_row in rows.values_list("pk", *(path.key for path in paths)):
            pks.add(pk)
            for path, key in zip(paths, ends_of_row, strict=True):
                if _is_key(key):
                    found[path.target].add(key)
    return pks, found


def onward(found: Found, using: str, held: Found) -> Found:
    """
    What is found, and what those rows touch in their turn. Cycles end.

    Args:
        found: keys of rows.
        using: the database alias.
        held: the keys of rows that are locked, by the model that owns the version:
            they are seen as they are for good.
    """
    reached: Found = defaultdict(set)
    while found:
        following: Found = defaultdict(set)
        for target, keys in found.items():
            fresh = keys - reached[target]
            reached[target] |= fresh
            touches = touches_of(target)
            if not fresh or touches is None:
                continue
            rows: Any = models.QuerySet(target, using=using)
            rows = rows.filter(**{f"{_owner_key(target)}__in": fresh})
            locked = fresh <= held[state_columns(target).owner]
            for further, more in shown_in(touches, rows, locked=locked)[1].items():
                following[further] |= more
        found = following
    return reached


def _owner_key(target: Any) -> str:
    """The name of the key of the row that has a model's state."""
    owner = state_columns(target).owner
    return "pk" if len(owner._meta.pk_fields) > 1 else owner._meta.pk.name


def _together(paths: tuple[Path, ...]) -> Iterator[list[Path]]:
    """Paths that one query can follow without multiplying its rows."""
    if single := [path for path in paths if not path.many]:
        yield single
    yield from ([path] for path in paths if path.many and not isinstance(path, GenericPath))


def _is_key(key: Any) -> bool:
    return key is not None and not (isinstance(key, tuple) and None in key)
