"""
What the byte code of a function says: what it does, and which names it changes.

``co_code`` is the code as it was compiled: without the specialised and the instrumented
instructions that Python, debuggers and coverage put in while it runs. Line numbers, file names
and docstrings are left out.
"""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import Any, Final, NamedTuple

__all__ = ["Names", "changed_names", "code_terms", "computes_attributes", "names_of"]

# Methods that change a list, a dictionary or a set.
_CHANGING: Final = frozenset(
    (
        *("add", "append", "appendleft", "clear", "difference_update", "discard"),
        *("extend", "extendleft", "insert", "intersection_update", "move_to_end", "pop"),
        *("popitem", "popleft", "remove", "reverse", "setdefault", "sort", "subtract"),
        *("symmetric_difference_update", "update", "__setitem__", "__delitem__"),
    )
)
# Python 3.14 tells by a flag whether a docstring is there.
_HAS_DOCSTRING: Final[int] = getattr(inspect, "CO_HAS_DOCSTRING", 0)
_LATER: Final = sys.version_info >= (3, 12)  # LOAD_ATTR has a flag in its lowest bit.
_NAME_SHIFTS: Final = {
    "LOAD_GLOBAL": 1,
    "LOAD_ATTR": 1 if _LATER else 0,
    "LOAD_SUPER_ATTR": 2,
    **dict.fromkeys(
        ["LOAD_METHOD", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR"],
        0,
    ),
}
_LOCALS: Final = frozenset(
    ["LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_DEREF", "LOAD_CLOSURE"]
)
_TWO_LOCALS: Final = frozenset(("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"))
_WRITING: Final = frozenset(
    dis.opmap[name]
    for name in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_ATTR", "STORE_GLOBAL", "DELETE_GLOBAL")
)
_CACHE: Final = dis.opmap["CACHE"]
_JOINS: Final = frozenset(("BINARY_OP", "BUILD_STRING", "FORMAT_VALUE", "FORMAT_SIMPLE"))


class Names(NamedTuple):
    """
    What a function's code names, the code nested in it included.

    Args:
        names: globals and attributes; byte code keeps them in one list.
        texts: constants that are text.
        imports: (module, level, names) of the imports in it.
    """

    names: frozenset[str]
    texts: tuple[str, ...]
    imports: tuple[tuple[str, int, tuple[str, ...]], ...]


def code_terms(code: CodeType) -> list[Any]:
    """What the code does, as text and bytes that are the same in each process."""
    arguments = code.co_argcount + code.co_kwonlyargcount
    arguments += bool(code.co_flags & inspect.CO_VARARGS)
    arguments += bool(code.co_flags & inspect.CO_VARKEYWORDS)
    terms = [
        code.co_code,
        code.co_exceptiontable,
        code.co_flags & ~_HAS_DOCSTRING,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        repr((code.co_varnames[:arguments], code.co_names, code.co_cellvars, code.co_freevars)),
    ]
    for constant in _constants(code):
        terms += _constant_terms(constant)
    return terms


def _constants(code: CodeType) -> tuple[Any, ...]:
    """The constants, with nothing in the docstring's place."""
    constants = code.co_consts
    if not constants or not isinstance(constants[0], str):
        return constants
    if _HAS_DOCSTRING:
        has_docstring = bool(code.co_flags & _HAS_DOCSTRING)
    else:
        # A function's first constant is its docstring, or None; a class body's is its name.
        is_function = bool(code.co_flags & inspect.CO_OPTIMIZED)
        has_docstring = is_function and not code.co_name.startswith("<")
    return (None, *constants[1:]) if has_docstring else constants


def _constant_terms(value: Any) -> list[Any]:
    if isinstance(value, CodeType):
        return ["code", *code_terms(value)]
    if isinstance(value, tuple):
        return [
            f"tuple of {len(value)}",
            *(term for each in value for term in _constant_terms(each)),
        ]
    if isinstance(value, frozenset):
        # Its order depends on the hash seed.
        return [f"set of {len(value)}", *sorted(repr(_constant_terms(each)) for each in value)]
    return [f"{type(value).__name__} {value!r}"]


@lru_cache(maxsize=10_000)
def names_of(code: CodeType) -> Names:
    """What the code names, and what the code nested in it names."""
    names = set(code.co_names)
    texts: list[str] = []
    imports = list(_imports(code)) if dis.opmap["IMPORT_NAME"] in code.co_code[::2] else []
    for constant in _constants(code):
        if isinstance(constant, CodeType):
            inner = names_of(constant)
            names |= inner.names
            texts += inner.texts
            imports += inner.imports
        else:
            texts += _texts(constant)
    return Names(frozenset(names), tuple(texts), tuple(imports))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, frozenset):
        yield from sorted(text for each in value for text in _texts(each))


def _imports(code: CodeType) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    previous: list[Any] = [None, None]
    for name, argument in _instructions(code):
        if name == "IMPORT_NAME":
            level, wanted = previous
            level = level if isinstance(level, int) else 0
            yield code.co_names[argument], level, wanted if isinstance(wanted, tuple) else ()
        if name in ("LOAD_CONST", "LOAD_SMALL_INT"):
            is_constant = name == "LOAD_CONST"
            previous = [previous[1], code.co_consts[argument] if is_constant else argument]


def _instructions(code: CodeType) -> Iterator[tuple[str, int]]:
    """(name, argument) of each instruction. ``dis`` takes thirty times as long for it."""
    raw, extended = code.co_code, 0
    for position in range(0, len(raw), 2):
        operation, argument = raw[position], raw[position + 1] | extended
        extended = argument << 8 if operation == dis.EXTENDED_ARG else 0
        if operation != dis.EXTENDED_ARG and operation != _CACHE:
            yield dis.opname[operation], argument


class _Load(NamedTuple):
    """One instruction, with the names that it loads or stores."""

    operation: str
    argument: int
    names: tuple[str, ...]


def _named(code: CodeType) -> list[_Load]:
    cells = [name for name in code.co_cellvars if name not in code.co_varnames]
    local = [*code.co_varnames, *cells, *code.co_freevars]
    found: list[_Load] = []
    for operation, argument in _instructions(code):
        shift = _NAME_SHIFTS.get(operation)
        if shift is not None:
            found.append(_Load(operation, argument, (code.co_names[argument >> shift],)))
        elif operation in _LOCALS:
            found.append(_Load("LOAD_FAST", argument, (local[argument],)))
        elif operation in _TWO_LOCALS:
            for index in (argument >> 4, argument & 15):
                found.append(_Load("LOAD_FAST", index, (local[index],)))
        else:
            found.append(_Load(operation, argument, ()))
    return found


@lru_cache(maxsize=10_000)
def changed_names(code: CodeType) -> frozenset[str]:
    """
    The names that the code binds again or whose containers it changes, as dotted paths with the
    kind of the first name. Code nested in it counts too:

    - ``global CACHE``, ``local self.seen``: an item is set or deleted, or ``global`` binds it;
    - ``global CACHE()``: a method is called that changes a container, if it is one;
    - ``local self.count=``: an attribute is assigned.

    It is what can be read in the instructions: a function that the container is handed to may
    change it unseen.
    """
    found: set[str] = set()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= changed_names(constant)
    operations = set(code.co_code[::2])
    if not (operations & _WRITING or not _CHANGING.isdisjoint(code.co_names)):
        return frozenset(found)
    loads = _named(code)
    for position, load in enumerate(loads):
        if load.operation in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            found.add(f"global {load.names[0]}")
        elif load.operation in ("LOAD_GLOBAL", "LOAD_FAST"):
            found.update(_changes_at(loads, position))
    return frozenset(found)


def _changes_at(loads: list[_Load], position: int) -> Iterator[str]:
    """What is changed through the name that is loaded at this position."""
    kind = "global" if loads[position].operation == "LOAD_GLOBAL" else "local"
    path = [loads[position].names[0]]
    position += 1
    while position < len(loads) and loads[position].operation in ("LOAD_ATTR", "LOAD_METHOD"):
        name = loads[position].names[0]
        if name in _CHANGING:
            yield f"{kind} {'.'.join(path)}()"
        path.append(name)
        position += 1
    if position < len(loads) and loads[position].operation in ("STORE_ATTR", "DELETE_ATTR"):
        yield f"{kind} {'.'.join([*path, *loads[position].names])}="
    if (added := _adds_to(loads[position : position + 2])) is not None:
        yield f"{kind} {'.'.join([*path, added])}="
    if _sets_item(loads, position):
        yield f"{kind} {'.'.join(path)}"


def _adds_to(loads: list[_Load]) -> str | None:
    """The attribute of ``object.attribute += 1``, which copies the object before it reads it."""
    if len(loads) == 2 and loads[0].operation == "COPY" and loads[0].argument == 1:
        return loads[1].names[0] if loads[1].operation == "LOAD_ATTR" else None
    return None


def _sets_item(loads: list[_Load], position: int) -> bool:
    """Whether an item is set in what is on top of the stack: one more value, then the store."""
    depth = 1
    for load in loads[position:]:
        if load.operation in ("STORE_SUBSCR", "DELETE_SUBSCR"):
            return depth == 2
        if load.operation == "COPY" and depth == 2 and load.argument == 2:
            return True  # container[key] += 1
        effect = _effect(load)
        if depth == 1 and (
            effect <= 0
            or load.operation == "COPY"
            or load.operation in ("LOAD_ATTR", "LOAD_METHOD")
        ):
            return False
        depth += effect
        if depth < 2:
            return False
    return False


def _effect(load: _Load) -> int:
    operation = dis.opmap[load.operation]
    argument = load.argument if operation >= dis.HAVE_ARGUMENT else None
    return dis.stack_effect(operation, argument, jump=False)


@lru_cache(maxsize=10_000)
def computes_attributes(code: CodeType) -> bool:
    """Whether the code calls ``getattr()`` with a name that is no constant."""
    if any(computes_attributes(each) for each in code.co_consts if type(each) is CodeType):
        return True
    if "getattr" not in code.co_names:
        return False
    loads = _named(code)
    return any(
        load.operation == "LOAD_GLOBAL"
        and load.names[0] == "getattr"
        and not _second_is_constant(loads[position + 1 :], code)
        for position, load in enumerate(loads)
    )


def _second_is_constant(loads: list[_Load], code: CodeType) -> bool:
    """Whether the second argument of the call that these instructions prepare is text."""
    depth = 0
    is_constant = False
    for load in loads:
        before, depth = depth, depth + _effect(load)
        if depth <= 0 and before > 0:
            return is_constant
        if before == 1 and depth == 2:
            is_constant = load.operation == "LOAD_CONST"
        elif load.operation in _JOINS and depth == 2:
            is_constant = False
    return False
