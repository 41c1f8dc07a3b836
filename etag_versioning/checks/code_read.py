"""
Reads the source of functions, and follows the rows in it: what ``rows_read`` notes.

A value is known as a row, as rows, as a model, a function, a class. Both ways of an ``if`` count,
and a name has all the values that it is given. What is not known is left out.
"""

from __future__ import annotations

import ast
import inspect
import random
import secrets
import sys
import time
import types
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from functools import cache, cached_property, partial
from typing import Any, Final, NamedTuple

from django.db import models
from django.utils import timezone, translation
from django.utils.functional import Promise

from ..orm.state_columns import is_model
from .rows_read import Row, Rows, RowsRead

__all__ = ["REQUEST", "Code", "Instance", "Method"]

# Values that stand for one known thing each.
REQUEST: Final = "request"
_CONTEXT: Final = "context"
_VIEW: Final = "view"
_FRAMEWORKS: Final = ("django", "rest_framework", "adrf", "etag_versioning", "asgiref")
# What gives its argument, or the items of it, back.
_PASSES: Final = frozenset(
    {"list", "sorted", "reversed", "tuple", "set", "frozenset", "iter", "enumerate", "next"}
    | {"filter", "zip", "aiter", "anext"}
)
_READ_METHODS: Final = frozenset({"GET", "HEAD"})
_DEPTH: Final = 12
# How often a local function is followed into itself.
_RECURSIONS: Final = 3
# Attributes of a request that differ from visitor to visitor.
_OF_A_VISITOR: Final = {
    "COOKIES": "cookie",
    "META": "header",
    "auth": "user",
    "auser": "user",
    "headers": "header",
    "session": "session",
    "user": "user",
}
# Functions that return something else at each call.
_NEVER_THE_SAME: Final = (
    *(datetime.now, datetime.utcnow, datetime.today, date.today, time.time),
    *(timezone.now, timezone.localdate, timezone.localtime),
    *(uuid.uuid1, uuid.uuid4, secrets.token_hex, secrets.token_urlsafe, secrets.choice),
    *(random.choice, random.randint, random.random, random.sample, random.shuffle),
)


class Method(NamedTuple):
    """A function, and what it is a method of."""

    function: Any
    of: Any


class Instance(NamedTuple):
    """An object of a class that is no model: a serializer, a view."""

    kind: type


class _Super(NamedTuple):
    """``super()`` in a method of ``owner``."""

    owner: type
    of: Any


class _RowsMethod(NamedTuple):
    rows: Rows
    name: str


class _Local:
    """A function or a lambda inside of another, and the names that it sees."""

    def __init__(self, node: Any, names: dict[str, list[Any]]) -> None:
        self.node = node
        self.names = names


Values = list[Any]


class Code:
    """
    Follows rows through code.

    Args:
        rows: takes note of what is read.
        shows: called with a class, and with the rows that an object of it is made of: a
            serializer's class.
        results: what the frameworks' methods of a view return, by their names.
    """

    def __init__(
        self,
        rows: RowsRead,
        shows: Callable[[type, Values], Values] | None = None,
        results: dict[str, Values] | None = None,
    ) -> None:
        self.rows = rows
        self.shows = shows
        self.results = results or {}
        self.running: list[tuple[Any, ...]] = []
        self.done: dict[tuple[Any, ...], Values] = {}

    def call(self, function: Any, /, *args: Values, **kwargs: Values) -> Values:
        """
        Follow what a function does with arguments.

        Args:
            function: a function, or a ``Method``.
            args, kwargs: the possible values of each argument.
        """
        if isinstance(function, Method):
            function, args = function.function, ([function.of], *args)
        if isinstance(function, partial):
            function, args = function.func, (*([] for _ in function.args), *args)
        function = inspect.unwrap(function) if callable(function) else function
        if not isinstance(function, types.FunctionType) or _is_framework(function):
            return []
        node = _source_of(function)
        if node is None:
            return []
        key = (function.__code__, self.rows.place, repr(args), repr(kwargs))
        if key in self.done:
            return self.done[key]
        if key in self.running or len(self.running) >= _DEPTH:
            return []
        self.running.append(key)
        try:
            run = _Run(self, function)
            found = run.body(node, args, kwargs)
        finally:
            self.running.pop()
        self.done[key] = found
        return found

    def attribute(self, value: Any, name: str) -> Values:
        """Follow an attribute of a value."""
        if isinstance(value, Row):
            return self._of_class(self.rows.attribute(value, name), value)
        if isinstance(value, Rows):
            return [_RowsMethod(value, name)]
        if isinstance(value, _RowsMethod):
            return []
        if isinstance(value, Instance):
            if name in ("context", "_context"):
                return [_CONTEXT]
            if name == "request":
                return [REQUEST]
            found = _in_class(value.kind, name)
            return self.results.get(name, []) if found is None else self._of_class(found, value)
        if value == _VIEW:
            return [REQUEST] if name == "request" else []
        if value == REQUEST:
            if name in _OF_A_VISITOR:
                self.rows.note_fact(_OF_A_VISITOR[name])
            return []
        if isinstance(value, _Super):
            return self._inherited(value, name)
        if isinstance(value, type):
            return self._of_model(value, name)
        if isinstance(value, types.ModuleType):
            return self.known(vars(value).get(name))
        return []

    def known(self, found: Any) -> Values:
        """A value that is followed; nothing of the others."""
        if isinstance(found, models.QuerySet | models.Manager):
            return [self.rows.all_of(found.model)]
        if isinstance(found, Promise):
            self.rows.note_fact("language")
        kinds = type | types.FunctionType | types.ModuleType | partial | Rows | Row
        # What lru_cache() makes is no function, but wraps one.
        return [found] if isinstance(found, kinds) or hasattr(found, "__wrapped__") else []

    def shown(self, values: Iterable[Any]) -> None:
        """Values become text, or leave the code that is read."""
        for value in values:
            if isinstance(value, Rows):
                self.rows.members(value)
            elif isinstance(value, _RowsMethod):
                self.rows.method(value.rows, value.name)

    def text_of(self, values: Iterable[Any]) -> None:
        """Values become text: rows by their ``__str__()``."""
        for value in values:
            if isinstance(value, Row) and value.model is not None:
                method = _in_class(value.model, "__str__")
                if isinstance(method, types.FunctionType) and not _is_framework(method):
                    self.call(Method(method, value))
            elif isinstance(value, Row):
                self.rows.note(None, value.path, None)
        self.shown(values)

    def _of_class(self, found: Any, of: Any) -> Values:
        """The value of an attribute that is what the class has under its name."""
        if isinstance(found, property):
            return self.call(Method(found.fget, of))
        if isinstance(found, cached_property) or hasattr(found, "real_func"):
            return self.call(Method(getattr(found, "func", None), of))
        if isinstance(found, classmethod):
            kind = of.model if isinstance(of, Row) else of.kind
            return [Method(found.__func__, kind)]
        if isinstance(found, staticmethod):
            return [found.__func__]
        if isinstance(found, types.FunctionType):
            return [Method(found, of)]
        return self.known(found)

    def _of_model(self, kind: type, name: str) -> Values:
        found = _in_class(kind, name)
        if not issubclass(kind, models.Model):
            return self._of_class(found, Instance(kind))
        if isinstance(found, models.Manager) or name in ("_default_manager", "_base_manager"):
            return [self.rows.all_of(kind)]
        if type(found).__name__ == "ManagerDescriptor":
            return [self.rows.all_of(kind)]
        if isinstance(found, classmethod):
            return [Method(found.__func__, kind)]
        return self.known(found) if isinstance(found, types.FunctionType) else []

    def _inherited(self, value: _Super, name: str) -> Values:
        kind = value.of.model if isinstance(value.of, Row) else getattr(value.of, "kind", None)
        if not isinstance(kind, type) or value.owner not in kind.__mro__:
            return []
        for base in kind.__mro__[kind.__mro__.index(value.owner) + 1 :]:
            if name in vars(base):
                return self._of_class(vars(base)[name], value.of)
        return []


class _Run:
    """One function, while its statements are followed."""

    def __init__(self, code: Code, function: Any, names: dict[str, Values] | None = None) -> None:
        self.code = code
        self.function = function
        self.names: dict[str, Values] = dict(names or {})
        # What imports inside of the function bring.
        self.brought: dict[str, Any] = {}
        self.returned: Values = []

    def body(self, node: Any, args: Iterable[Values], kwargs: dict[str, Values]) -> Values:
        parameters = [*node.args.posonlyargs, *node.args.args]
        for parameter, values in zip(parameters, args, strict=False):
            self.names[parameter.arg] = values
        self.names |= kwargs
        if isinstance(node, ast.Lambda):
            return self.value(node.body)
        self.statements(node.body)
        return self.returned

    def statements(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            self.statement(node)

    def statement(self, node: Any) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.names[node.name] = [_Local(node, self.names)]
            case ast.ClassDef():
                pass
            case ast.Return(value=value):
                if value is not None:
                    self.returned += self.value(value)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self.assign(target, self.value(value), value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self.assign(target, self.value(value), value)
            case ast.For() | ast.AsyncFor():
                self.assign(node.target, self.items(node.iter))
                self.statements([*node.body, *node.orelse])
            case ast.If(test=test, body=body, orelse=orelse):
                self.code.shown(self.value(test))
                reads = self.is_for_reads(test)
                if reads is not False:
                    self.statements(body)
                if reads is not True:
                    self.statements(orelse)
            case ast.Import() | ast.ImportFrom():
                self.bring(node)
            case _:
                self.children(node)

    def children(self, node: Any) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self.statement(child)
            elif isinstance(child, ast.expr):
                self.code.shown(self.value(child))
            else:
                self.children(child)

    def assign(self, target: Any, values: Values, source: Any = None) -> None:
        if isinstance(target, ast.Name):
            # Kept, since the other way of an ``if`` may have assigned them.
            known = self.names.get(target.id, [])
            self.names[target.id] = [*known, *(each for each in values if each not in known)]
        elif isinstance(target, ast.Tuple | ast.List):
            parts = getattr(source, "elts", None)
            for index, part in enumerate(target.elts):
                fits = parts is not None and len(parts) == len(target.elts)
                self.assign(part, self.value(parts[index]) if fits and parts else values)

    def value(self, node: Any) -> Values:
        """The possible values of an expression."""
        match node:
            case ast.Name(id=name):
                return (
                    self.names[name]
                    if name in self.names
                    else self.code.known(self.looked_up(name))
                )
            case ast.Attribute(value=of, attr=name):
                bases = self.value(of)
                return [each for base in bases for each in self.code.attribute(base, name)]
            case ast.Call():
                return self.called(node)
            case ast.Await(value=of) | ast.Starred(value=of):
                return self.value(of)
            case ast.NamedExpr(target=target, value=of):
                values = self.value(of)
                self.assign(target, values)
                return values
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.code.shown(self.value(test))
                return [*self.value(body), *self.value(orelse)]
            case ast.BoolOp(values=parts):
                return [each for part in parts for each in self.value(part)]
            case ast.Subscript(value=of, slice=index):
                return self.subscripted(self.value(of), index)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self.comprehended(node.generators, node.elt)
            case ast.DictComp():
                return self.comprehended(node.generators, node.key, node.value)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return [each for part in parts for each in self.value(part)]
            case ast.FormattedValue(value=of):
                self.code.text_of(self.value(of))
                return []
            case ast.Lambda():
                return [_Local(node, self.names)]
            case ast.Yield(value=of) | ast.YieldFrom(value=of):
                self.returned += [] if of is None else self.value(of)
                return []
            case _:
                self.children(node)
                return []

    def items(self, node: Any) -> Values:
        """The possible items of what is iterated over."""
        return self.items_of(self.value(node))

    def items_of(self, values: Values) -> Values:
        self.code.shown(values)
        return [Row(*each) if isinstance(each, Rows) else each for each in values]

    def comprehended(self, generators: Any, *parts: Any) -> Values:
        for generator in generators:
            self.assign(generator.target, self.items(generator.iter))
            for test in generator.ifs:
                self.code.shown(self.value(test))
        found = [each for part in parts for each in self.value(part)]
        self.code.shown(found)
        return found

    def subscripted(self, values: Values, index: Any) -> Values:
        if _CONTEXT in values:
            return _in_context(index)
        self.value(index)
        self.code.shown(values)
        if isinstance(index, ast.Slice):
            return values
        return [Row(*each) if isinstance(each, Rows) else each for each in values]

    def called(self, node: ast.Call) -> Values:
        functions = self.value(node.func)
        self.note_facts(node)
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self.supers()
        args = [self.value(each) for each in node.args]
        kwargs = {each.arg: self.value(each.value) for each in node.keywords if each.arg}
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        found: Values = []
        for function in functions:
            found += self.call_one(function, node, args, kwargs)
        if not functions:
            found += self.call_unknown(name, node, args, kwargs)
        return found

    def call_one(
        self, function: Any, node: ast.Call, args: list[Values], kwargs: dict[str, Values]
    ) -> Values:
        code = self.code
        if isinstance(function, _RowsMethod):
            result = code.rows.method(function.rows, function.name, _lookups(node))
            self.use([*args, *kwargs.values()])
            return [] if result is None else [result]
        if isinstance(function, _Local):
            return self.call_local(function, args, kwargs)
        if isinstance(function, type) and code.shows is not None and not is_model(function):
            return code.shows(function, args[0] if args else kwargs.get("instance", []))
        if isinstance(function, Method | types.FunctionType | partial):
            plain = function.function if isinstance(function, Method) else function
            if not _is_framework(inspect.unwrap(plain) if callable(plain) else plain):
                return code.call(function, *args, **kwargs)
            if isinstance(function, Method) and isinstance(function.of, Instance):
                name = getattr(function.function, "__name__", "")
                if name in code.results:
                    return code.results[name]
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        return self.call_unknown(name, node, args, kwargs)

    def call_local(self, function: _Local, args: list[Values], kwargs: dict[str, Values]) -> Values:
        """A function inside of the one that is followed. One that calls itself comes to an end."""
        running, key = self.code.running, (function.node,)
        if running.count(key) >= _RECURSIONS or len(running) >= _DEPTH:
            return []
        running.append(key)
        try:
            run = _Run(self.code, self.function, function.names)
            return run.body(function.node, args, kwargs)
        finally:
            running.pop()

    def call_unknown(
        self, name: str, node: ast.Call, args: list[Values], kwargs: dict[str, Values]
    ) -> Values:
        """A function whose code is not read: a builtin, or a framework's."""
        code = self.code
        given = [each for values in (*args, *kwargs.values()) for each in values]
        if name == "getattr" and len(node.args) > 1:
            attribute = _constant(node.args[1])
            if isinstance(attribute, str):
                return [each for base in args[0] for each in code.attribute(base, attribute)]
        if name in ("get_object_or_404", "aget_object_or_404", "get_list_or_404"):
            one = "list" not in name
            rows = [code.rows.all_of(each) if is_model(each) else each for each in args[0]]
            rows = [each.rows if isinstance(each, _RowsMethod) else each for each in rows]
            found = [each for each in rows if isinstance(each, Rows)]
            return [code.rows.method(each, "get" if one else "all") for each in found]
        if name in ("str", "repr", "format"):
            code.text_of(given)
            return []
        if name in ("model_to_dict", "serialize"):
            for each in given:
                if isinstance(each, Row):
                    code.rows.note(each.model, each.path, None)
        if name == "get_model" and len(node.args) == 1:
            return _model_named(_constant(node.args[0]))
        self.use([*args, *kwargs.values()])
        if name in _PASSES or name in ("min", "max"):
            passed = given
        elif (
            name == "get"
            and isinstance(node.func, ast.Attribute)
            and _CONTEXT in self.value(node.func.value)
        ):
            return _in_context(node.args[0]) if node.args else []
        else:
            passed = []
        return [each for each in self.items_of(passed) if isinstance(each, Row)]

    def use(self, arguments: Iterable[Values]) -> None:
        """Pass arguments to what is not read; functions among them get the items of the others."""
        given = [each for values in arguments for each in values]
        items = self.items_of([each for each in given if isinstance(each, Row | Rows)])
        for each in given:
            if isinstance(each, _Local) and isinstance(each.node, ast.Lambda):
                size = len(each.node.args.args)
                self.code.shown(self.call_one(each, _NO_CALL, [items] * size, {}))

    def note_facts(self, node: ast.Call) -> None:
        function = self.object(node.func)
        if getattr(function, "__module__", None) == translation.__name__:
            self.code.rows.note_fact("language")
        # A method of a class is another object each time, but equal.
        elif function is not None and function in _NEVER_THE_SAME:
            given = getattr(function, "__name__", "") == "localtime" and node.args
            if not given:
                self.code.rows.note_fact("clock")

    def object(self, node: Any) -> Any:
        """The function of a module or a class that an expression names; ``None`` for others."""
        if isinstance(node, ast.Name):
            if node.id in self.brought:
                return self.brought[node.id]
            return None if node.id in self.names else self.looked_up(node.id)
        if isinstance(node, ast.Attribute):
            of = self.object(node.value)
            if isinstance(of, types.ModuleType) or of in (date, datetime):
                return getattr(of, node.attr, None)
        return None

    def supers(self) -> Values:
        owner = inspect.getclosurevars(self.function).nonlocals.get("__class__")
        first = self.function.__code__.co_varnames[:1]
        of = self.names.get(first[0], []) if first else []
        return [_Super(owner, each) for each in of] if isinstance(owner, type) else []

    def looked_up(self, name: str) -> Any:
        """What a name stands for outside of the function."""
        function = self.function
        free = function.__code__.co_freevars
        if name in free:
            try:
                return function.__closure__[free.index(name)].cell_contents
            except ValueError:
                return None  # Not assigned yet.
        return function.__globals__.get(name)

    def bring(self, node: Any) -> None:
        """An import inside of the function, of a module that is loaded."""
        path = ""
        if isinstance(node, ast.ImportFrom):
            package = str(self.function.__globals__.get("__package__") or "").split(".")
            parents = package[: len(package) - node.level + 1] if node.level else []
            path = ".".join(filter(None, [*parents, node.module]))
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            if path:
                found = getattr(sys.modules.get(path), alias.name, None)
            else:
                found = sys.modules.get(alias.name if alias.asname else name)
            self.brought[name] = found
            self.names[name] = self.code.known(found)

    def is_for_reads(self, test: Any) -> bool | None:
        """Whether a comparison of ``request.method`` is true for reads; ``None`` if it is none."""
        match test:
            case ast.BoolOp(op=ast.And(), values=parts):
                return False if False in map(self.is_for_reads, parts) else None
            case ast.UnaryOp(op=ast.Not(), operand=part):
                reads = self.is_for_reads(part)
                return None if reads is None else not reads
            case ast.Compare(left=ast.Attribute(attr="method"), ops=[op], comparators=[right]):
                named = set(filter(None, map(_text, ast.walk(right))))
                if not named:
                    return None
                reads = not named.isdisjoint(_READ_METHODS)
                if isinstance(op, ast.Eq | ast.In):
                    # Of "GET" alone, HEAD takes the other way.
                    return reads
                return not reads if isinstance(op, ast.NotEq | ast.NotIn) else None
        return None


_NO_CALL: Final = ast.Call(func=ast.Name(id=""), args=[], keywords=[])


def _model_named(label: Any) -> Values:
    from django.apps import apps

    try:
        return [apps.get_model(label)]
    except (LookupError, ValueError, AttributeError, TypeError):
        return []


def _in_class(kind: type, name: str) -> Any:
    for base in kind.__mro__:
        if name in vars(base):
            return vars(base)[name]
    return None


def _is_framework(function: Any) -> bool:
    module = str(getattr(function, "__globals__", {}).get("__name__", "builtins"))
    return module.partition(".")[0] in _FRAMEWORKS


def _in_context(key: Any) -> Values:
    """What a serializer's context has under a key."""
    name = _constant(key)
    return [name] if name in (REQUEST, _VIEW) else []


def _constant(node: Any) -> Any:
    return node.value if isinstance(node, ast.Constant) else None


def _text(node: Any) -> str:
    found = _constant(node)
    return found if isinstance(found, str) else ""


def _lookups(node: ast.Call) -> Iterator[str]:
    """The lookups that the arguments of a queryset's method name, also in ``Q(…)`` and ``F(…)``."""
    name = getattr(node.func, "attr", "")
    if name in ("select_related", "prefetch_related", "only", "defer", "using"):
        return
    for part in ast.walk(node):
        if isinstance(part, ast.keyword) and part.arg:
            yield part.arg
        elif isinstance(part, ast.Call):
            # Of filter(name="…") the text is a value, of Sum("reviews__stars") a lookup.
            yield from filter(None, map(_text, part.args))


def _source_of(function: Any) -> Any:
    """The syntax tree of a function; ``None`` where its source cannot be read."""
    return _parsed(function.__code__)


@cache
def _parsed(code: types.CodeType) -> Any:
    try:
        lines = inspect.getsource(code)
        # Below an ``if``, so that the indentation of a method is right.
        tree = ast.parse(f"if 1:\n{lines}" if lines[:1].isspace() else lines)
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    arguments = code.co_varnames[: code.co_argcount]
    for node in found:
        named = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
        same = code.co_name in ("<lambda>", getattr(node, "name", "<lambda>"))
        if same and tuple(named) == arguments:
            return node
    return None
