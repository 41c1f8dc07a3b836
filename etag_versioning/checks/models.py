"""System checks of models: their state columns, their options and their foreign keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final

from django.apps import apps
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import models

from ..conf import STALE_WRITES
from ..fields import UpdatedAtField, VersionField
from ..models import UpdatedAtMixin, VersionMixin
from ..orm.state_columns import state_columns
from ..orm.stateful_model import StatefulModel
from ..touching.paths import named_touches, resolve_path
from .managers import check_managers

__all__ = ["check_models"]

_OPTIONS: Final = (
    "skip_unchanged",
    "stale_writes",
    "tag_key",
    "tag_label",
    "touches",
    "unversioned_fields",
    "unversioned_managers",
)


@checks.register(checks.Tags.models)
def check_models(
    app_configs: Sequence[Any] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """E002 to E008, W001 to W003, W006, W008 and W009: each model, by itself."""
    configs = apps.get_app_configs() if app_configs is None else app_configs
    found: list[checks.CheckMessage] = []
    versioned: list[Any] = []
    for model in (model for config in configs for model in config.get_models()):
        if not issubclass(model, StatefulModel):
            found += _check_plain_model(model)
            continue
        taken = list(_taken_options(model))
        found += taken
        found += _check_columns(model)
        found += _check_hidden_columns(model)
        found += _check_nullable_columns(model)
        if not taken:
            found += _check_touches(model)
            found += list(_check_names(model)) or list(_check_through_models(model))
            found += _check_translations(model)
        found += _check_parents(model)
        found += _check_foreign_keys(model)
        versioned.append(model)
    return [*found, *check_managers(versioned)]


def _error(number: str, model: Any, message: str, hint: str) -> checks.CheckMessage:
    return checks.Error(message, hint=hint, obj=model, id=f"etag_versioning.{number}")


def _check_columns(model: Any) -> Iterator[checks.CheckMessage]:
    """E002: state columns twice, or in two tables."""
    fields = [
        f for f in model._meta.concrete_fields if isinstance(f, VersionField | UpdatedAtField)
    ]
    twice = False
    for kind in (VersionField, UpdatedAtField):
        names = [field.name for field in fields if isinstance(field, kind)]
        if len(names) > 1:
            twice = True
            inherited = next((name for name in names if name in _INHERITED), names[0])
            yield _error(
                "E002",
                model,
                f"{model._meta.label} has more than one {kind.__name__}: {', '.join(names)}.",
                f"{inherited} = None, in the body of {model.__name__}; or delete the other one.",
            )
    owners = {field.model._meta.label for field in fields}
    if not twice and len(owners) > 1:
        yield _error(
            "E002",
            model,
            f"{model._meta.label} keeps its version and its timestamp in two tables: "
            f"{', '.join(sorted(owners))}.",
            f"class {_first_versioned(model).__name__}(VersionedModel), and models.Model or its "
            f"child in the place of the other mixins.",
        )


_INHERITED: Final = ("version", "updated_at")


def _check_parents(model: Any) -> Iterator[checks.CheckMessage]:
    """W009: a version in a child's table, of which writes of its parent's rows know nothing."""
    owner, version = state_columns(model).owner, state_columns(model).version
    if owner is not model or version is None or model._meta.proxy:
        return
    for parent in model._meta.all_parents:
        columns = [field for field in parent._meta.local_concrete_fields if not field.primary_key]
        # A parent with columns of the state is for E002.
        known = state_columns(parent).owner is not None or owner in _touched_by(parent)
        if columns and not known:
            yield checks.Warning(
                f"{model._meta.label} has its version in its own table, and shows columns of "
                f"{parent._meta.label}. {parent.__name__}.objects.update() and save() of a "
                f"{parent.__name__} do not bump the version.",
                hint=f"class {parent.__name__}(VersionedModel), and class {model.__name__}"
                f"({_without_mixins(model, parent)}), so that both share one version. If "
                f"{parent.__name__} is another app's, write its columns by {model.__name__} alone.",
                obj=model,
                id="etag_versioning.W009",
            )


def _without_mixins(model: Any, parent: Any) -> str:
    """The bases of a model whose parent has the version."""
    bases = [base for base in model.__bases__ if not issubclass(base, StatefulModel)]
    return ", ".join(base.__name__ for base in bases) or parent.__name__


def _first_versioned(model: Any) -> Any:
    """The first table of an inherited model that has one of the state's columns."""
    chain = [*model._meta.all_parents, model]
    return next(
        base for base in reversed(model.__mro__) if base in chain and state_columns(base).owner
    )


def _check_hidden_columns(model: Any) -> Iterator[checks.CheckMessage]:
    """E007: an attribute of the same name hides the column of the mixin."""
    columns = state_columns(model)
    for mixin, name, kind, column, other_name in (
        (VersionMixin, "version", VersionField, columns.version, "row_version"),
        (UpdatedAtMixin, "updated_at", UpdatedAtField, columns.timestamp, "row_updated_at"),
    ):
        if issubclass(model, mixin) and column is None:
            consequence = (
                "No write is compared, and no tag can be made."
                if kind is VersionField
                else "Its tags can repeat, and it has no Last-Modified."
            )
            yield _error(
                "E007",
                model,
                f"{model._meta.label} has no {kind.__name__}: {_who_hides(model, name)} hides the "
                f"one of {mixin.__name__}. {consequence}",
                f"Keep that attribute, and add the column under another name: "
                f"{other_name} = {kind.__name__}()  # from etag_versioning.fields",
            )


def _who_hides(model: Any, name: str) -> str:
    """The class whose attribute ``name`` Python or Django finds first."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        owner = next((base for base in model.__mro__ if name in vars(base)), model)
        return f'"{name}" of {owner.__name__}'
    return f'the field "{name}" ({type(field).__name__})'


def _check_nullable_columns(model: Any) -> Iterator[checks.CheckMessage]:
    """E008: a row whose state is NULL has no tag."""
    for field in model._meta.local_concrete_fields:
        if isinstance(field, VersionField | UpdatedAtField) and field.null:
            yield _error(
                "E008",
                model,
                f"{field} has null=True. A row whose state is NULL has no tag until it is saved.",
                f"{field.name} = {type(field).__name__}(), and in the migration before that: "
                f"{model.__name__}.objects.filter({field.name}=None).update({field.name}="
                f"{'1' if isinstance(field, VersionField) else 'Now()'}).",
            )


def _taken_options(model: Any) -> Iterator[checks.CheckMessage]:
    """E005: a field, or a related name, in the place of one of the model's options."""
    abstract = [base for base in model.__mro__[1:] if getattr(base, "_meta", model._meta).abstract]
    # Django drops an abstract base's field whose name is an attribute of an earlier base.
    fields = {field.name for base in abstract for field in base._meta.local_fields}
    fields |= {field.name for field in model._meta.get_fields() if not _is_reverse(field)}
    reverse = {
        field.get_accessor_name(): field for field in model._meta.get_fields() if _is_reverse(field)
    }
    for name in _OPTIONS:
        if name in fields:
            what = f'{model._meta.label} has a field "{name}"'
            hint = f"Rename the attribute, and keep the column: label = …(db_column={name!r})"
        elif name in reverse:
            what = f'{model._meta.label} has a reverse relation "{name}", of {reverse[name].field},'
            hint = f'Give {reverse[name].field} another related_name: related_name="{name}_set"'
        else:
            continue
        message = f"{what} in the place of the option of this name, which is lost."
        yield _error("E005", model, message, hint)


def _is_reverse(field: Any) -> bool:
    return bool(field.auto_created and not field.concrete)


def _check_touches(model: Any) -> Iterator[checks.CheckMessage]:
    """E003: ``touches`` that lead nowhere."""
    given = model.touches
    if isinstance(given, str):
        message = f"{model._meta.label}.touches is a string."
        yield _error("E003", model, message, f'touches = ("{given}",)')
        return
    if not isinstance(given, Collection):
        message = f"{model._meta.label}.touches is {given!r}, and no collection of names."
        yield _error("E003", model, message, 'touches = ("user",)')
        return
    for name in given:
        if not isinstance(name, str):
            message = f"{model._meta.label}.touches has {name!r} in it, and no name."
            yield _error("E003", model, message, 'touches = ("user",)')
            continue
        try:
            resolve_path(model, name)
        except ImproperlyConfigured as error:
            message, hint = error.args
            yield _error("E003", model, message, hint)


def _check_plain_model(model: Any) -> Iterator[checks.CheckMessage]:
    """E006: ``touches`` of a model that does not inherit from any of the mixins."""
    given = named_touches(model)
    names = [given] if isinstance(given, str) else list(given)
    relations = {field.name for field in model._meta.get_fields() if field.related_model}
    # Another app may use the word for something of its own.
    if any(isinstance(name, str) and name.partition("__")[0] in relations for name in names):
        yield _error(
            "E006",
            model,
            f"{model._meta.label}.touches has no effect: {model.__name__} is a plain Model, so its "
            f"writes touch nothing.",
            f"class {model.__name__}(TouchingMixin)  # from etag_versioning.models; adds no column",
        )


def _check_names(model: Any) -> Iterator[checks.CheckMessage]:
    """E004: options that name what the model does not have."""
    managers = {each.name for each in model._meta.managers} - {"_versioned_rows"}
    checked: tuple[tuple[str, Callable[[str], str | None]], ...] = (
        ("unversioned_fields", lambda name: _wrong_field(model, name)),
        (
            "unversioned_managers",
            lambda name: (
                None
                if name in managers
                else _instead("unversioned_managers", name, sorted(managers))
            ),
        ),
    )
    for option, wrong in checked:
        given = getattr(model, option)
        label = f"{model._meta.label}.{option}"
        if isinstance(given, str):
            yield _error(
                "E004", model, f"{label} is a string.", f'{option} = ("{given}",)  # with a comma'
            )
            continue
        if not isinstance(given, Collection):
            message = f"{label} is {given!r}, and no collection of names."
            yield _error("E004", model, message, f'{option} = ("…",)')
            continue
        for name in given:
            if hint := wrong(name):
                yield _error("E004", model, f'{label} names "{name}".', hint)
    if model.stale_writes not in (None, *STALE_WRITES):
        message = f"{model._meta.label}.stale_writes is {model.stale_writes!r}."
        yield _error("E004", model, message, 'stale_writes = "raise", "report" or "merge"')
    if hint := _wrong_tag_key(model, model.tag_key):
        message = f'{model._meta.label}.tag_key names "{model.tag_key}".'
        yield _error("E004", model, message, hint)


def _wrong_field(model: Any, name: str) -> str | None:
    """What to write instead, where ``name`` is no field that can be unversioned."""
    fields = [field for field in model._meta.get_fields() if not _is_reverse(field)]
    # Since Django 6.0 a many-to-many field is no longer "concrete": it has no column.
    stored = [field for field in fields if field.concrete or field.many_to_many]
    own = [field for field in stored if not field.primary_key]
    names = [field.name for field in own if not isinstance(field, VersionField | UpdatedAtField)]
    columns = [field.attname for field in own if field.name in names]
    if name in (*names, *columns):
        return None
    return _instead("unversioned_fields", name, names)


def _instead(option: str, name: str, known: Sequence[str]) -> str:
    """The mended code: the name that is most alike, and all others."""
    if not known:
        return f"Delete the line {option} = …: there is nothing to name."
    (alike,) = get_close_matches(name, known, 1, cutoff=0)
    return f'{option} = ("{alike}",); what it can name: {", ".join(known)}.'


def _wrong_tag_key(model: Any, name: str) -> str | None:
    here = model
    for part in name.split("__"):
        if part == "pk":
            continue
        try:
            field = here._meta.get_field(part)
        except FieldDoesNotExist:
            fields = [field.name for field in here._meta.concrete_fields]
            (alike,) = get_close_matches(part, fields, 1, cutoff=0)
            return f'tag_key = "{alike}"; the fields of {here._meta.label}: {", ".join(fields)}.'
        if isinstance(field.related_model, type):
            here = field.related_model
    return None


def _check_through_models(model: Any) -> Iterator[checks.CheckMessage]:
    """W006: links that a model of their own holds, of which the row does not know."""
    owner = state_columns(model).owner
    for field in model._meta.local_many_to_many:
        through: Any = field.remote_field.through
        if owner is None or isinstance(through, str) or through._meta.auto_created:
            continue
        if field.name not in model.unversioned_fields and owner not in _touched_by(through):
            yield checks.Warning(
                f"{field} has its links in {through._meta.label}, whose writes do not bump the "
                f"version of {model._meta.label}.",
                hint=f"{_touching_through_model(field)}; or, where nothing shows the links, "
                f'unversioned_fields = ("{field.name}",) in {model.__name__}.',
                obj=model,
                id="etag_versioning.W006",
            )


def _check_translations(model: Any) -> Iterator[checks.CheckMessage]:
    """W008: django-parler keeps translations in rows of their own."""
    owner = state_columns(model).owner
    for extension in getattr(model, "_parler_meta", None) or ():
        rows = extension.model
        if owner is None or extension.shared_model is not model or owner in _touched_by(rows):
            continue
        yield checks.Warning(
            f"{rows._meta.label} holds translations of {model._meta.label}, and its writes do not "
            f"bump the version.",
            hint=f"class {rows.__name__}(TouchingMixin, TranslatedFieldsModel): "
            f'touches = ("master",); '
            f"master = TranslationsForeignKey({model.__name__}, models.CASCADE, "
            f'related_name="{extension.rel_name}", null=True) and the translated fields.',
            obj=model,
            id="etag_versioning.W008",
        )


def _touching_through_model(field: Any) -> str:
    """The mended code of a through model; one whose links are generic cannot be mended."""
    through = field.remote_field.through
    if hasattr(field, "m2m_field_name"):
        return f'class {through.__name__}(TouchingMixin): touches = ("{field.m2m_field_name()}",)'
    own = f"{field.model.__name__}{through.__name__}"
    return (
        f"class {own}(TouchingMixin, …): content_object = ForeignKey({field.model.__name__}, …) "
        f'and touches = ("content_object",); {field.name} = {type(field).__name__}(through={own})'
    )


def _touched_by(through: Any) -> set[Any]:
    if not issubclass(through, StatefulModel):
        return set()
    found = set()
    for name in named_touches(through):
        try:
            targets = resolve_path(through, name).targets
            found |= {state_columns(target).owner for target in targets}
        except ImproperlyConfigured:
            continue  # E003 tells of it.
    return found


def _check_foreign_keys(model: Any) -> list[checks.CheckMessage]:
    """W003: foreign keys by which the database changes rows (since Django 6.1)."""
    by_database = [getattr(models, name) for name in _BY_DATABASE if hasattr(models, name)]
    return [
        checks.Warning(
            f"{field} has on_delete={field.remote_field.on_delete}: the database changes or "
            f"deletes rows of {model._meta.label} by itself, and does not bump their version.",
            hint=f"on_delete=models.{str(field.remote_field.on_delete).removeprefix('DB_')}. On "
            f"PostgreSQL and SQLite, AddVersionTrigger sees such changes, and this can be "
            f"silenced; InnoDB runs no trigger for them.",
            obj=model,
            id="etag_versioning.W003",
        )
        for field in model._meta.local_fields
        if field.remote_field and field.remote_field.on_delete in by_database
    ]


_BY_DATABASE = ("DB_CASCADE", "DB_SET_NULL", "DB_SET_DEFAULT")
