"""
One GET or HEAD: its preconditions evaluated before anything is rendered, and its tag.

``reading()`` stands before the handler of a view. Where DRF's own code answers, the 304 comes
from a validator query; where the project's does, it stands for what that code returned.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import lru_cache, partial
from inspect import iscoroutinefunction
from types import MethodType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.http import Http404
from django.http.response import HttpResponseBase

from ..cache_control import set_cache_control
from ..http.preconditions import NO_CONDITIONS, Validators
from ..sources.rows import Row
from .handler_code import READING, Decorator, handler_code
from .hooks import hooked, noting
from .pagination import EarlyPage, RenderedPage, cheap_list, validators_of_page
from .representation import content_of

if TYPE_CHECKING:
    from .api_views import VersionedAPIViewMixin
    from .generic_views import GenericVersioning, GenericView

__all__ = [
    "ListReader",
    "OwnAnswer",
    "gives_tags",
    "late_code",
    "read_named_row",
    "read_object",
    "read_own",
    "read_page",
    "reading",
    "reads_by",
    "tags_rows",
]

Method = Callable[..., Any]
ViewClass = TypeVar("ViewClass", bound=type)


class _Reader(NamedTuple):
    """What answers the reads of a view with ``mixin``; see ``reads_by()``."""

    mixin: type
    run: Method
    run_own: Method
    detail: bool


class _Reading(NamedTuple):
    """What runs DRF's ``method`` under ``decorators``; ``None`` for the project's own code."""

    run: Method | None = None
    method: Any = None
    decorators: tuple[Decorator, ...] = ()


# By DRF's methods.
_readers: dict[Any, _Reader] = {}


def reads_by(
    run: Method, method: Method, run_own: Method, *, detail: bool
) -> Callable[[ViewClass], ViewClass]:
    """
    Let the views with a mixin answer GET and HEAD with tags.

    Args:
        run: what answers where DRF's own code does: called with the view, DRF's method,
            and that method's arguments.
        method: DRF's method.
        run_own: what answers where the project's own code does: called with the view, its
            handler, and that handler's arguments. A coroutine function, if ``method`` is one.
        detail: whether it is about one row.
    """

    def register(mixin: ViewClass) -> ViewClass:
        _readers[method] = _Reader(mixin, run, run_own, detail)
        return mixin

    return register


def reading(view: Any, handler: Any) -> Method | None:
    """
    What to call in the place of a handler of GET, so that its answer has a tag.

    Args:
        view: the view, at its request.
        handler: its method.

    Returns:
        ``None`` where the handler is to be called as it is.
    """
    view_class: Any = type(view)
    # A get() calls these. Tests replace them, so the class does not say it all.
    called = [getattr(view_class, name, None) for name in READING]
    found = _reading(view_class, getattr(handler, "__func__", handler), *called)
    if found is None:
        return None
    if found.run is None:
        run = _own_reader(
            view_class, view.versioning.is_about_one_row, iscoroutinefunction(handler)
        )
        return None if run is None else partial(run, view, handler)
    answer = partial(found.run, view, MethodType(found.method, view))
    return partial(_decorated, view, answer, found.decorators) if found.decorators else answer


@lru_cache(maxsize=1000)
def _reading(view_class: Any, function: Any, *called: Any) -> _Reading | None:
    if getattr(function, "is_versioned_read", False):
        return None
    code = handler_code(view_class, function)
    reader = _readers.get(code.function)
    if reader is None or (code.decorators and iscoroutinefunction(code.function)):
        return _Reading()
    if reader.mixin not in view_class.__mro__:
        return None
    return _Reading(reader.run, code.function, code.decorators)


@lru_cache(maxsize=1000)
def _own_reader(view_class: Any, detail: bool, is_coroutine: bool) -> Method | None:
    """What runs a view's own handler; ``None`` if no mixin gives its answers tags."""
    own = [
        reader.run_own
        for reader in _readers.values()
        if reader.detail is detail and reader.mixin in view_class.__mro__
    ]
    if is_coroutine:
        return next(filter(iscoroutinefunction, own), None)
    return read_own if own else None


def gives_tags(view_class: Any, *, detail: bool) -> bool:
    """Whether a view has a mixin that gives tags to reads of one row, or of a list."""
    return _own_reader(view_class, detail, False) is not None


def late_code(view_class: Any, name: str) -> Any:
    """
    The project's own function that has to run before a 304.

    Args:
        view_class: the class of the view.
        name: the handler of GET.

    Returns:
        ``None`` where the 304 comes first, and where there are no tags.
    """
    function = getattr(view_class, name, None)
    if function is None or getattr(function, "is_versioned_read", False):
        return None
    found = handler_code(view_class, function).function
    kinds = {"list": [False], "alist": [False], "retrieve": [True], "aretrieve": [True]}
    has_tags = any(
        gives_tags(view_class, detail=detail) for detail in kinds.get(name, [True, False])
    )
    return found if has_tags and found not in _readers else None


def tags_rows(view_class: Any, name: str) -> bool:
    """
    Whether the tag of what a handler of GET answers is made of rows alone, so that it has to
    change with everything that the answer shows.

    Args:
        view_class: the class of the view.
        name: the handler.
    """
    function = getattr(view_class, name, None)
    if getattr(function, "is_versioned_read", False):
        return True
    reader = _readers.get(handler_code(view_class, function).function)
    return reader is not None and reader.mixin in view_class.__mro__


def _decorated(
    view: Any, answer: Method, decorators: tuple[Decorator, ...], *args: Any, **kwargs: Any
) -> Any:
    """Run Django's decorators around an answer, so that a 304 has the headers of the 200."""

    def without_default(*args: Any, **kwargs: Any) -> Any:
        response = answer(*args, **kwargs)
        if response.status_code == 304:
            # The 200 has no Cache-Control either before the decorators have run.
            del response.headers["Cache-Control"]
        return response

    decorated: Method = without_default
    for decorate in reversed(decorators):
        decorated = decorate(decorated)
    response = decorated(*args, **kwargs)
    if response.status_code == 304:
        set_cache_control(response, view.cache_control, view.request._request)
    return response


def read_object(view: GenericView, method: Method, *args: Any, **kwargs: Any) -> Any:
    """
    Run a method of a generic view that shows the first row of ``get_object()``.

    Args:
        view: the view, at its request.
        method: what answers with 200.
    """
    versioning: GenericVersioning = view.versioning
    loaded: list[Any] = []
    load = view.get_object

    def get_object() -> Any:
        if loaded:
            return loaded.pop()
        instance = versioning.load(load)
        if versioning.shown is None:
            versioning.shown = versioning.validators_of(versioning.row_of(instance))
        return instance

    def load_validators() -> Validators:
        versioning.representation()
        loaded[:] = [versioning.load(load)]
        versioning.shown = versioning.validators_of(versioning.row_of(loaded[0]))
        return versioning.shown

    if versioning.conditions != NO_CONDITIONS:
        current = versioning.newest(versioning.read_first_validators)
        if current is None:
            current = versioning.newest(load_validators)
        if (not_modified := versioning.check_preconditions(current)) is not None:
            return not_modified
    # Before the rows are read: terms that are read later may name content that is not shown.
    versioning.representation()
    with hooked(view, get_object=get_object):
        return method(*args, **kwargs)


def read_named_row(view: VersionedAPIViewMixin, method: Method, *args: Any, **kwargs: Any) -> Any:
    """
    Run a method that shows the row of ``get_versioned_queryset()``. The row is read
    first, since the method may show it without loading it.
    """
    versioning: Any = view.versioning

    def read() -> Validators:
        versioning.representation()
        if not versioning.may_read_row():
            row = versioning.row_of(view.get_object())
        elif (row := versioning.read_row()) is None:
            raise Http404
        validators: Validators = versioning.validators_of(row)
        return validators

    versioning.shown = versioning.newest(read)
    if (not_modified := versioning.check_preconditions(versioning.shown)) is not None:
        return not_modified
    return method(*args, **kwargs)


def read_page(view: GenericView, method: Method, *args: Any, **kwargs: Any) -> Any:
    """
    Run a method that shows a page of rows.

    Args:
        view: the view, at its request.
        method: what answers with 200.
    """
    listed = ListReader(view)
    if (not_modified := listed.check_preconditions()) is not None:
        return not_modified
    page = RenderedPage(view, listed.early)
    with page.loading():
        response = method(*args, **kwargs)
    view.versioning.shown = listed.cheap or page.validators() or Validators()
    return response


class ListReader:
    """
    The validators of a list before it is rendered.

    Args:
        view: the view, at its request.

    Attributes:
        cheap: those that the view's ``list_validator`` reads, if it has one.
        early: the page; ``None`` without a precondition, and where it cannot be read so early.
    """

    def __init__(self, view: Any) -> None:
        self.view = view
        self.cheap: Validators | None = None
        self.early: EarlyPage | None = None

    def read(self) -> Validators | None:
        # Before the rows are read, as in read_object().
        self.view.versioning.representation()
        self.cheap = cheap_list(self.view)
        if self.cheap is not None or self.view.versioning.conditions == NO_CONDITIONS:
            return self.cheap
        self.early = validators_of_page(self.view)
        return None if self.early is None else self.early.validators

    def check_preconditions(self) -> HttpResponseBase | None:
        """The 304; or ``None`` to go on, also where the tag will be made of the answer."""
        versioning: Any = self.view.versioning
        current = versioning.newest(self.read)
        if versioning.conditions == NO_CONDITIONS:
            return None
        if current is None:
            versioning.read_own_from_primary()
            return None
        not_modified: HttpResponseBase | None = versioning.check_preconditions(current)
        return not_modified


def read_own(view: GenericView, handler: Method, *args: Any, **kwargs: Any) -> Any:
    """
    Run a handler of the project's own. It may refuse the request, and show whatever it likes,
    so the 304 stands for what it returned.

    Args:
        view: the view, at its request.
        handler: the handler.
    """
    view.versioning.read_own_from_primary()
    view.versioning.representation()
    answer = OwnAnswer(view)
    load = partial(view.versioning.load, view.get_object)
    with answer.page.loading(get_object=noting(load, answer.note_object)):
        response = handler(*args, **kwargs)
    answer.finish(response)
    return response


class OwnAnswer:
    """
    The tag of what the project's own code returned.

    Args:
        view: the view, at its request.
    """

    def __init__(self, view: Any) -> None:
        self.versioning: GenericVersioning = view.versioning
        self.row: Row | None = None
        self.page = RenderedPage(view)

    def note_object(self, instance: Any) -> None:
        """The first object that ``get_object()`` returns is the row that the tag names."""
        if self.row is None and isinstance(instance, Model):
            try:
                self.row = self.versioning.row_of(instance)
            except ImproperlyConfigured:
                return  # Its state was not loaded, or it has none. A digest needs none.

    def finish(self, response: Any) -> None:
        """
        Make the tag: of the row that was loaded, so that it guards a write, or of the rows of
        the page; and of what was returned. Where that cannot be told, each answer has another
        tag: it guards a write of the row, and is no reason for a 304.
        """
        if response.status_code != 200:
            return
        versioning = self.versioning
        content = content_of(response, versioning.view.etag_ignores)
        if response.has_header("ETag"):
            versioning.shown = Validators()  # Its own tag is compared.
        elif self.row is not None:
            terms = content or [secrets.token_hex()]
            shown = versioning.representation().with_terms("content", terms)
            versioning.shown = self.row.validators(shown)
        elif content is not None:
            versioning.shown = self.page.validators_with(content)
