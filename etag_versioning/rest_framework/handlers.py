"""
Replaces the handler of a request: for a read, by one that gives the answer its tag; for a write of
one row that the handler does not guard itself, by one that guards it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import clone_request

from ..conf import settings
from ..http.preconditions import READ_METHODS, SAFE_METHODS
from .audited import audited_handler
from .creates import GuardedCreate
from .current import extra_actions
from .hooks import hooked
from .reads import reading
from .versioning import Versioning
from .views import VersionedView
from .writes import GuardedHandler

__all__ = [
    "GuardingVersioning",
    "GuardingView",
    "guards_actions",
    "has_guarded_actions",
    "over_drf",
]

_PACKAGES = frozenset({"rest_framework", "adrf", "etag_versioning"})
# The modules of the methods that guard the row themselves.
_GUARDING = frozenset(
    {"etag_versioning.rest_framework.mixins", "etag_versioning.rest_framework.adrf.mixins"}
)
# Their partial_update() calls update().
_MIXINS = frozenset({"rest_framework.mixins", "adrf.mixins"})
# The methods that the handlers of generic views call.
_CALLED: Mapping[str, Mapping[str, str]] = {
    "rest_framework.generics": {
        "put": "update",
        "patch": "partial_update",
        "delete": "destroy",
    },
    "adrf.generics": {
        "put": "aupdate",
        "patch": "partial_aupdate",
        "delete": "adestroy",
    },
}
_CREATING = ("create", "acreate")

Method = TypeVar("Method", bound=Callable[..., Any])
ViewClass = TypeVar("ViewClass", bound=type)


class _OverDRF:
    """See ``over_drf()``."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    def __get__(self, view: Any, kind: Any) -> Any:
        if kind is not self.owner and not _has_later(kind, self.owner, self.name):
            raise AttributeError(f"{kind.__name__} has no {self.name}()")
        return self.function.__get__(view, kind)


@cache
def _has_later(kind: type, owner: type, name: str) -> bool:
    """Whether a base of ``kind`` that comes after ``owner`` has a method of this name."""
    mro = kind.__mro__
    return any(name in vars(base) for base in mro[mro.index(owner) + 1 :])


def over_drf(method: Method) -> Method:
    """
    Let a mixin's method be there only where a later base class has it too.

    A router makes a route for each method that a viewset has: without this, a
    ``ReadOnlyModelViewSet`` with the mixins would be routed for writes, too.
    """
    return cast(Method, _OverDRF(method))


# The mixins that guard an ``@action`` of one row, too.
_guarding_actions: set[type] = set()


def guards_actions(mixin: ViewClass) -> ViewClass:
    """Let the views with a mixin guard each ``@action`` of one row that writes."""
    _guarding_actions.add(mixin)
    return mixin


class GuardingVersioning(Versioning):
    """``versioning`` of the views whose writing handlers are guarded."""

    def guard_handler(self) -> None:
        """
        Guard the handler of the request, if it writes and does not do so itself.

        DRF's ``dispatch()`` looks for the handler on the view after ``initial()``, so this is
        put on the view in its place.
        """
        view: Any = self.view
        method = view.request.method.lower()
        handler = getattr(view, method, None)
        if handler is None:
            return
        view_class: Any = type(view)
        name = getattr(view, "action", None)
        if self.is_about_one_row:
            if (
                _is_unguarded_action(view_class, name)
                if hasattr(view, "action_map")
                else _is_unguarded_method(view_class, method, getattr(handler, "__module__", ""))
            ):
                setattr(view, method, self.guarded(handler))
        elif name in _CREATING and _is_unguarded_create(view_class, name):
            setattr(view, method, self.guarded_create(handler))

    def guarded(self, handler: Any) -> Any:
        """A handler of one row's own, under guard."""
        if iscoroutinefunction(handler):
            raise ImproperlyConfigured(
                f"{type(self.view).__name__}.{handler.__name__}() is a coroutine function, which "
                f"these mixins cannot guard. Write: def {handler.__name__}(self, request, …): "
                f"…, which runs in a thread; or, for adrf's generic views and viewsets: "
                f"from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin."
            )
        view: Any = self.view
        return partial(GuardedHandler(view).run, handler)

    def guarded_create(self, handler: Any) -> Any:
        """A ``create()`` of the project's own, under the preconditions of a POST."""
        view: Any = self.view
        return partial(GuardedCreate(view).handle, handler)


class GuardingView(VersionedView):
    """The base of the mixins whose writing handlers are guarded."""

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in READ_METHODS:
            method = request.method.lower()
            handler = getattr(self, method, None)
            read = None if handler is None else reading(self, handler)
            audit = settings.audit
            if audit is not None and method == "get":
                if read is None and getattr(handler, "is_versioned_read", False):
                    read = handler
                read = None if read is None else audited_handler(self, read, audit)
            if read is not None:
                # DRF's dispatch() looks for the handler on the view after this.
                setattr(self, method, read)
        elif request.method not in SAFE_METHODS:
            versioning: Any = self.versioning
            versioning.guard_handler()

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """DRF's, which also says which methods need If-Match."""
        response = super().options(request, *args, **kwargs)
        # A metadata class of the project's own may return something else than a dictionary.
        if self.versioning.is_about_one_row and isinstance(response.data, dict):
            needing = [name for name in self.allowed_methods if _needs_if_match(self, name)]
            if needing:
                required = response.data.setdefault("required_headers", {})
                required.update({name: ["If-Match"] for name in needing})
        return response


def _needs_if_match(view: Any, method: str) -> bool:
    """Whether a request with ``method`` would be answered 428 without If-Match."""
    view_class: Any = type(view)
    action = getattr(view, "action_map", {}).get(method.lower())
    if action in extra_actions(view_class):
        guarded = method not in SAFE_METHODS and has_guarded_actions(view_class)
    else:
        guarded = method in ("PUT", "PATCH", "DELETE")
    there = {"request": clone_request(view.request, method)}
    if action is not None:
        there["action"] = action
    with hooked(view, **there):
        return guarded and view.get_if_match() == "required"


@cache
def _is_unguarded_action(view_class: Any, name: str | None) -> bool:
    if name is None or (name in extra_actions(view_class) and not has_guarded_actions(view_class)):
        return False
    # An address that seems to name a row may be that of its list, as DRF's create() says.
    creates = name in _CREATING and _module_of(view_class, name) in _MIXINS
    return not creates and not _guards_itself(view_class, name)


@cache
def _is_unguarded_method(view_class: Any, method: str, module: str) -> bool:
    name = _CALLED.get(module, {}).get(method)
    if name is not None:
        return not _guards_itself(view_class, name)
    return module.partition(".")[0] not in _PACKAGES


@cache
def _is_unguarded_create(view_class: Any, name: str) -> bool:
    return has_guarded_actions(view_class) and not _guards_itself(view_class, name)


def has_guarded_actions(view_class: Any) -> bool:
    """Whether each ``@action`` of one row that writes is guarded."""
    return not _guarding_actions.isdisjoint(view_class.__mro__)


def _guards_itself(view_class: Any, name: str) -> bool:
    module = _module_of(view_class, name)
    if name.startswith("partial_") and module in _MIXINS:
        return _guards_itself(view_class, name.removeprefix("partial_"))
    return module in _GUARDING


def _module_of(view_class: Any, name: str) -> str:
    return str(getattr(getattr(view_class, name, None), "__module__", ""))
