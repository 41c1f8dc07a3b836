"""System checks of plain views: what their code reads, and what stands around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.core import checks
from django.views.generic.edit import BaseDeleteView, BaseUpdateView

from ..orm.state_columns import has_version
from ..sources.rows import as_queryset
from .answers import Answer, check_answer
from .code_read import REQUEST, Code, Instance, Method, Values
from .coverage import annotations_of, computed_by, models_named, words_of
from .layers import forbids_storing, layers, module_of, sources_of
from .rows_read import Row, RowsRead

__all__ = ["check_decorated_view", "check_storing", "check_unguarded_view"]

_AUTH: Final = ("django.contrib.auth.decorators", "django.contrib.auth.mixins")
_OURS: Final = "etag_versioning.decorators"
_GENERIC: Final = "etag_versioning.generic"


def check_decorated_view(view: Any, name: str, options: Any) -> Iterator[checks.CheckMessage]:
    """E205, W208 and W211 to W215 of a view under ``versioned_condition``."""
    try:
        yield from _check_order(view, name, options)
        yield from check_storing(view, name, layers(view))
        yield from _check_code(view, name, options)
    except Exception:
        return  # Decorators and code of the project's that nobody can look into.


def _replacement(kind: type) -> str:
    return "VersionedUpdateView" if issubclass(kind, BaseUpdateView) else "VersionedDeleteView"


def check_unguarded_view(view: Any) -> Iterator[checks.CheckMessage]:
    """W210: one of Django's views that write a row, without ``versioned_condition``."""
    kind = getattr(view, "view_class", None)
    if not isinstance(kind, type) or not issubclass(kind, BaseUpdateView | BaseDeleteView):
        return
    given = {**_options_of(kind), **getattr(view, "view_initkwargs", {})}
    form = getattr(given["form_class"], "_meta", None)
    model: Any = given["model"] or getattr(given["queryset"], "model", None)
    model = model or getattr(form, "model", None)
    guarded = any(hasattr(getattr(kind, each, None), "_etag_versioning") for each in _HANDLERS)
    guarded = guarded or any(base.__module__ == _GENERIC for base in kind.__mro__)
    if guarded or not has_version(model):
        return
    yield checks.Warning(
        f"{kind.__module__}.{kind.__qualname__} writes {model._meta.label} without preconditions: "
        f"of two people who edit the same row, the later one overwrites the other's edit.",
        hint=f"For HTML forms: class {kind.__name__}({_replacement(kind)})  # from "
        f"etag_versioning.generic. For clients that send If-Match: "
        f"versioned_condition({model.__name__})({kind.__name__}.as_view()).",
        obj=kind,
        id="etag_versioning.W210",
    )


_HANDLERS: Final = ("dispatch", "post", "put", "delete")


def _options_of(kind: Any) -> dict[str, Any]:
    return {name: getattr(kind, name, None) for name in ("form_class", "model", "queryset")}


def check_storing(view: Any, name: str, around: Iterable[Any]) -> Iterator[checks.CheckMessage]:
    """
    W211: nobody may store the answers, so that no request asks for a 304.

    Args:
        view: the view, with its ``name``.
        around: its decorators.
    """
    if any(map(forbids_storing, around)):
        yield checks.Warning(
            f"{name} has tags, and never_cache or no_store, by which clients store no answer: "
            f"no GET is ever answered 304.",
            hint='Leave that decorator out: the default, "private, no-cache", has each copy '
            "checked before it is shown. If answers must not be stored, and tags only guard "
            'writes: cache_control={"no_store": True} in the place of the decorator.',
            obj=view,
            id="etag_versioning.W211",
        )


def _check_order(view: Any, name: str, options: Any) -> Iterator[checks.CheckMessage]:
    """E205: access that is decided below ``versioned_condition``, and so after the 304."""
    found = [module_of(layer) for layer in layers(view)]
    if _OURS not in found or {*_AUTH}.isdisjoint(found[found.index(_OURS) :]):
        return
    callables = [each for each in _row_sources(options) if as_queryset(each) is None]
    if "user" in words_of(callables):
        return  # The source finds the row for its user alone.
    by_class = "django.contrib.auth.mixins" in found
    model = next(iter(models_named(_row_sources(options))), None)
    ours = f"versioned_condition({'…' if model is None else model.__name__})"
    yield checks.Error(
        f"{name} has versioned_condition above the decorator that decides who may read it: 304, "
        f"412 and their tags are also sent to those who may not.",
        hint=f'@method_decorator([login_required, {ours}], name="dispatch") in the place of the '
        f"mixin."
        if by_class
        else f"@login_required (or what decides access) above @{ours}.",
        obj=view,
        id="etag_versioning.E205",
    )


def _check_code(view: Any, name: str, options: Any) -> Iterator[checks.CheckMessage]:
    """W208 and W212 to W215: what the code of a GET reads."""
    sources = _row_sources(options)
    named = list(models_named(sources))
    if not named or options.etag_func is not None or not has_version(named[0]):
        return
    queryset = as_queryset(sources[0])
    extra = options.etag_extra
    terms = list(extra) if isinstance(extra, Iterable) else [extra]
    callables = [source for source in sources if as_queryset(source) is None]
    rows = RowsRead(computed_by(queryset), own=named[0])
    _follow(view, rows)
    yield from check_answer(
        Answer(
            view=view,
            name=name,
            model=named[0],
            rows=rows,
            named={*named[1:], *models_named(terms)},
            annotated=set(annotations_of(queryset)),
            words=words_of([*terms, *callables]),
            extra="versioned_condition(…, etag_extra=[{}])",
            number="W208",
        )
    )


def _follow(view: Any, rows: RowsRead) -> None:
    """Follow the code that answers a GET."""
    around = list(layers(view))
    kind = getattr(view, "view_class", None)
    if isinstance(kind, type):
        one: Values = [Row(rows.own)]
        many: Values = [rows.all_of(rows.own)]
        results = {"get_object": one, "object": one, "get_queryset": many, "object_list": many}
        code = Code(rows, results=results)
        for name in ("get", "get_context_data"):
            method = getattr(kind, name, None)
            rows.place = f"{name}()"
            if method is not None:
                code.call(Method(method, Instance(kind)), [REQUEST])
    elif around:
        rows.place = "its code"
        Code(rows).call(around[-1], [REQUEST])


def _row_sources(options: Any) -> list[Any]:
    """What the sources were given: models, querysets, callables."""
    given = [getattr(source, "source", None) for source in sources_of(options.source)]
    return [each for each in given if each is not None]
