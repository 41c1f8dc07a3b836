"""
Whose code answers a request: DRF's own, however it is decorated, or the project's.

The 304 may come before DRF's own code runs, since it is known what that shows. Around it may
stand what changes neither whether a request is answered nor what the answer shows:

- the wrappers that drf-spectacular and drf-yasg put around methods, to hold a schema;
- ``method_decorator()`` with decorators of ``django.views.decorators`` that set headers or
  attributes. They run for the 304 as well, so that it has the headers of the 200;
- a method that only passes its arguments on: ``return super().retrieve(request, pk)``, or
  ``return self.retrieve(request, pk)`` in a ``get()``.

All else is the project's code. That ``functools.wraps()`` was used says nothing: a wrapper
that logs and one that refuses look alike.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, Final, NamedTuple

__all__ = ["READING", "HandlerCode", "handler_code"]

# These only hold what a schema says of a method.
_SCHEMAS: Final = ("drf_spectacular", "drf_yasg")
_DJANGO: Final = frozenset(
    f"django.views.decorators.{name}"
    for name in ("cache", "clickjacking", "common", "csp", "csrf", "debug", "vary")
)
# What a get() may call: DRF's methods, and adrf's.
READING: Final = frozenset({"retrieve", "list", "aretrieve", "alist"})

# The names that the bytecode of Python 3.11 to 3.13 has for the parts of a call. A later Python
# may have others: then a method counts as the project's code, and its 304 comes later.
_PREPARES: Final = frozenset({"PUSH_NULL", "PRECALL", "CACHE", "NOP", "EXTENDED_ARG"})
_ATTRIBUTE: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"})
_ARGUMENT: Final = frozenset(
    {"LOAD_FAST", "LOAD_FAST_LOAD_FAST", "LOAD_CONST", "KW_NAMES", "BUILD_LIST", "BUILD_TUPLE"}
    | {"BUILD_MAP", "BUILD_CONST_KEY_MAP", "LIST_EXTEND", "LIST_TO_TUPLE", "CALL_INTRINSIC_1"}
    | {"LIST_APPEND", "DICT_MERGE"}
)
_CALL: Final = ("CALL", "CALL_KW", "CALL_FUNCTION_EX")

Decorator = Callable[[Any], Any]


class HandlerCode(NamedTuple):
    """
    What a call of a view's method comes to.

    Args:
        function: the first function that does more than decorate or pass on.
        decorators: Django's decorators around it, the outermost first.
    """

    function: Any
    decorators: tuple[Decorator, ...] = ()


def handler_code(view_class: Any, function: Any) -> HandlerCode:
    """
    Look through what only decorates.

    Args:
        view_class: the class of the view.
        function: its method.
    """
    decorators: list[Decorator] = []
    while isinstance(function, FunctionType):
        if _is_of(function, _SCHEMAS):
            inner = getattr(function, "__wrapped__", None)
        elif (own := _method_decorators(function)) is not None:
            decorators += own
            inner = getattr(function, "__wrapped__", None)
        else:
            inner = _passed_on_to(view_class, function)
        if inner is None:
            break
        function = inner
    return HandlerCode(function, tuple(decorators))


def _is_of(function: Any, packages: Iterable[str]) -> bool:
    # functools.wraps() copies __module__, so ask where the code itself is.
    return _module_of(function).partition(".")[0] in packages


def _module_of(function: Any) -> str:
    return str(getattr(function, "__globals__", {}).get("__name__", ""))


def _method_decorators(function: FunctionType) -> list[Decorator] | None:
    """
    The decorators that ``method_decorator()`` put around a method, the outermost first.
    ``None`` if it did not make the function, or if one of them may do more than decorate.
    """
    if _module_of(function) != "django.utils.decorators":
        return None
    found = inspect.getclosurevars(function).nonlocals.get("decorators")
    if not isinstance(found, list | tuple):
        return None
    if not all(_module_of(each) in _DJANGO or _is_of(each, _SCHEMAS) for each in found):
        return None
    return [each for each in reversed(found) if not _is_of(each, _SCHEMAS)]


def _passed_on_to(view_class: Any, function: FunctionType) -> Any:
    """The method that a function does nothing but call; ``None`` if it does more."""
    code, name = function.__code__, function.__name__
    arguments = code.co_argcount + code.co_kwonlyargcount
    arguments += bool(code.co_flags & inspect.CO_VARARGS)
    arguments += bool(code.co_flags & inspect.CO_VARKEYWORDS)
    # Without constants, variables and other names, there is nothing to refuse or change by.
    if code.co_nlocals != arguments or not all(
        constant is None or constant == function.__doc__ or isinstance(constant, tuple)
        for constant in code.co_consts
    ):
        return None
    called = _method_called(function)
    if called is None:
        return None
    names = set(code.co_names)
    if names == {"super", name} and code.co_freevars == ("__class__",):
        owner = inspect.getclosurevars(function).nonlocals["__class__"]
        later: Any = super(owner, view_class)
        return getattr(later, name, None)
    if names == {called} and called in READING and not code.co_freevars:
        method = getattr(view_class, called, None)
        return None if method is function else method
    return None


def _method_called(function: FunctionType) -> str | None:
    """
    The name of the method that a function calls and whose result it returns, and nothing else:
    ``self.retrieve(…)`` or ``super().retrieve(…)``. The names of the code alone do not tell
    that method from a module's function, or from a method of another argument.
    """
    code = function.__code__
    if not code.co_argcount or "super" in function.__globals__:
        return None
    steps = _steps(function)
    attribute = next((i for i, (step, _) in enumerate(steps) if step in _ATTRIBUTE), len(steps))
    this = ("LOAD_FAST", code.co_varnames[0])
    if steps[:attribute] not in (
        [this],
        [("LOAD_GLOBAL", "super"), ("CALL", 0)],
        # Since Python 3.12.
        [("LOAD_GLOBAL", "super"), ("LOAD_DEREF", "__class__"), this],
    ):
        return None
    rest = [step for step, _ in steps[attribute + 1 :]]
    while rest and rest[0] in _ARGUMENT:
        del rest[0]
    template = _returned_awaited if inspect.iscoroutinefunction(function) else _returned
    # The template loads its method, and calls it.
    _, _, *end = [step for step, _ in _steps(template)]
    if not rest or rest[0] not in _CALL or rest[1:] != end:
        return None
    return str(steps[attribute][1])


def _steps(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """The instructions of a function: their names and arguments."""
    steps = [(each.opname, each.argval) for each in dis.get_instructions(function)]
    # What comes before the first RESUME makes the function's frame, or its coroutine.
    start = 1 + next(i for i, (step, _) in enumerate(steps) if step == "RESUME")
    return [step for step in steps[start:] if step[0] not in _PREPARES]


# Templates of how this Python returns the result of a call.


def _returned(method: Any) -> Any:
    return method()


async def _returned_awaited(method: Any) -> Any:
    return await method()
