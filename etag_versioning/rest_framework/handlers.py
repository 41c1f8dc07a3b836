"""Guards the handlers that write one row and do not guard it themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, ClassVar, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured

from ..http.preconditions import SAFE_METHODS
from .current import is_extra_action
from .views import VersionedView
from .writes import GuardedHandler

__all__ = ["GuardingView", "over_drf"]

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

Method = TypeVar("Method", bound=Callable[..., Any])


class _OverDRF:
    """See ``over_drf()``."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    def __get__(self, view: Any, kind: Any) -> Any:
        if kind is not self.owner:
            mro = kind.__mro__
            later = mro[mro.index(self.owner) + 1 :]
            if not any(self.name in vars(base) for base in later):
                raise AttributeError(f"{kind.__name__} has no {self.name}()")
        return self.function.__get__(view, kind)


def over_drf(method: Method) -> Method:
    """
    Let a mixin's method be there only where a later base class has it too.

    A router makes a route for each method that a viewset has: without this, a
    ``ReadOnlyModelViewSet`` with the mixins would be routed for writes, too.
    """
    return cast(Method, _OverDRF(method))


class GuardingView(VersionedView):
    """The base of the mixins whose writing handlers are guarded."""

    # Whether an ``@action`` of one row is guarded, too.
    _guards_actions: ClassVar[bool] = False

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = str(request.method).lower()
        handler: Any = getattr(self, method, None)
        if request.method in SAFE_METHODS or handler is None:
            return
        if self._is_about_one_row() and self._needs_guard(method, handler):
            setattr(self, method, self._guarded(handler))

    def _needs_guard(self, method: str, handler: Any) -> bool:
        name: str | None
        if hasattr(self, "action_map"):
            name = getattr(self, "action", None)
            if name is None or (is_extra_action(self) and not self._guards_actions):
                return False
            return not self._guards_itself(name) and not self._creates_as_drf(name)
        module = getattr(handler, "__module__", "")
        name = _CALLED.get(module, {}).get(method)
        if name is not None:
            return not self._guards_itself(name)
        return module.partition(".")[0] not in _PACKAGES

    def _guards_itself(self, name: str) -> bool:
        module = self._module_of(name)
        if name.startswith("partial_") and module in _MIXINS:
            return self._guards_itself(name.removeprefix("partial_"))
        return module in _GUARDING

    def _creates_as_drf(self, name: str) -> bool:
        """Whether an address that seems to name a row is that of its list."""
        return name in ("create", "acreate") and self._module_of(name) in _MIXINS

    def _module_of(self, name: str) -> str:
        return str(getattr(getattr(type(self), name, None), "__module__", ""))

    def _guarded(self, handler: Any) -> Any:
        if iscoroutinefunction(handler):
            raise ImproperlyConfigured(
                f"{type(self).__name__}.{handler.__name__}() is a coroutine function, which "
                f"these mixins cannot guard. Write: def {handler.__name__}(self, request, …): "
                f"…, which runs in a thread; or, for adrf's generic views and viewsets: "
                f"from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin."
            )
        return partial(GuardedHandler(self).run, handler)
