"""One GET or HEAD: its preconditions evaluated before anything is rendered, and its tag."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.http import Http404
from rest_framework.generics import GenericAPIView

from ..http.preconditions import NO_CONDITIONS, Validators
from .api_views import VersionedAPIViewMixin
from .generic_views import GenericVersioning, VersionedViewMixin
from .hooks import hooked
from .pagination import RenderedPage, cheap_list, validators_of_page

__all__ = ["is_answered_by", "read_named_row", "read_object", "read_page"]

# Whose handlers of methods do nothing but call retrieve() or list().
_GENERICS = (GenericAPIView.__module__, "adrf.generics")

Method = Callable[..., Any]


def is_answered_by(view: Any, method: Any, mixin: Any, original: Any) -> bool:
    """
    Whether nothing of a project's own stands around a handler or in it, that could
    refuse the request after it was answered 304.

    Args:
        view: the view, at its request.
        method: what the mixin's handler is about to call.
        mixin: the mixin whose handler runs.
        original: DRF's own method.
    """
    if getattr(method, "__func__", None) is not original:
        return False
    view_class: Any = type(view)
    name: str = original.__name__  # type: ignore[union-attr]
    entry = getattr(view, view.request.method.lower(), None)
    own = vars(view_class).get(name)
    return _runs_only(view_class, own, mixin, name, getattr(entry, "__func__", None))


@lru_cache(maxsize=1000)
def _runs_only(view_class: Any, own: Any, mixin: Any, name: str, entry: Any) -> bool:
    """
    Whether a request goes from the view's entry straight to the handler of ``mixin``.

    Args:
        own: the class's own handler, if it has one: tests may replace it.
    """
    owner = next(base for base in view_class.__mro__ if name in vars(base))
    if owner is not mixin:
        return False
    return entry is vars(mixin)[name].function or getattr(entry, "__module__", "") in _GENERICS


def read_object(
    view: VersionedViewMixin, early: bool, method: Method, *args: Any, **kwargs: Any
) -> Any:
    """
    Run a method of a generic view that shows the first row of ``get_object()``.

    Args:
        view: the view, at its request.
        early: whether the preconditions may be evaluated before the method runs.
            Otherwise a 304 stands for the finished answer.
        method: what answers with 200.
    """
    versioning: GenericVersioning = view.versioning
    early = early and versioning.conditions != NO_CONDITIONS
    if early and (row := versioning.read_first()) is not None:
        early = False
        not_modified = versioning.check_preconditions(versioning.validators_of(row))
        if not_modified is not None:
            return not_modified
    loaded: list[Any] = []
    load = view.get_object

    def get_object() -> Any:
        if loaded:
            return loaded.pop()
        instance = versioning.load(load)
        if versioning.shown is None:
            versioning.shown = versioning.validators_of(versioning.row_of(instance))
        return instance

    with hooked(view, get_object=get_object):
        if early:
            loaded.append(view.get_object())
            if (not_modified := versioning.check_preconditions(versioning.shown)) is not None:
                return not_modified
        return method(*args, **kwargs)


def read_named_row(view: VersionedAPIViewMixin, method: Method, *args: Any, **kwargs: Any) -> Any:
    """
    Run a method that shows the row of ``get_versioned_queryset()``. The row is read
    first, since the method may show it without loading it.
    """
    versioning: Any = view.versioning
    if versioning.may_read_row():
        row = versioning.read_row()
        if row is None:
            raise Http404
    else:
        row = versioning.row_of(view.get_object())
    versioning.shown = versioning.validators_of(row)
    if (not_modified := versioning.check_preconditions(versioning.shown)) is not None:
        return not_modified
    return method(*args, **kwargs)


def read_page(
    view: VersionedViewMixin, early: bool, method: Method, *args: Any, **kwargs: Any
) -> Any:
    """
    Run a method that shows a page of rows.

    Args:
        view: the view, at its request.
        early: whether the preconditions may be evaluated before the method runs.
        method: what answers with 200.
    """
    versioning = view.versioning
    cheap = cheap_list(view)
    if early and versioning.conditions != NO_CONDITIONS:
        current = cheap or validators_of_page(view)
        if current is not None:
            not_modified = versioning.check_preconditions(current)
            if not_modified is not None:
                return not_modified
    page = RenderedPage(view)
    with hooked(view, **page.hooks):
        response = method(*args, **kwargs)
    versioning.shown = cheap or page.validators() or Validators()
    return response
