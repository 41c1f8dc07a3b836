"""
What a serializer shows of other rows than the view's own, and whether the tag changes with it.

A static walk: by the sources of the fields, through nested serializers and relations, and into
the code of methods and properties as far as it can be read. No request is needed, and no row.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from django.core import checks
from django.http import HttpRequest
from rest_framework import relations, serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from ..checks.answers import Answer, check_answer
from ..checks.code_read import REQUEST, Code, Instance, Method, Values
from ..checks.coverage import annotations_of, computed_by, models_named, words_of
from ..checks.rows_read import Row, Rows, RowsRead
from ..orm.state_columns import has_version
from .options import ViewOptions
from .reads import tags_rows

__all__ = ["check_coverage", "rows_read_by"]

_FRAMEWORKS = ("rest_framework", "adrf", "etag_versioning")


def check_coverage(view: Any, known: set[Any]) -> Iterator[checks.CheckMessage]:
    """
    W207 and W212 to W215: an answer that changes while its tag stays.

    Args:
        view: a view class under one route, as ``checks`` has it.
        known: what is checked already: a list mostly shows what its rows' own addresses do.
    """
    for handler in view.reading:
        try:
            kind, method = serializer_class(view, handler), getattr(view.kind, handler)
            own = handler if getattr(method, "is_versioned_read", False) else ""
            options = [id(view.initkwargs.get(name)) for name in ("queryset", "etag_extra")]
            key = (view.kind, kind, own, tags_rows(view.kind, handler), *options)
            if key in known:
                continue
            known.add(key)
            answer = _answer_of(view, handler, kind)
            found = [] if answer is None else list(check_answer(answer))
        except Exception:
            continue  # Code of the project's that cannot run before a request.
        yield from found


def _answer_of(view: Any, handler: str, kind: Any) -> Answer | None:
    """What a handler of GET shows; ``None`` where its tag is not made of rows alone."""
    model = view.model
    if model is None and view.has_own("get_versioned_queryset"):
        model = next(iter(models_named([view.kind.get_versioned_queryset])), None)
    if model is None:
        model = getattr(getattr(kind, "Meta", None), "model", None)
    if not has_version(model) or not tags_rows(view.kind, handler):
        return None
    terms = _terms_of(view)
    rows = _rows_read(view, model, handler, kind)
    _leave_out_annotated(view, rows)
    return Answer(
        view=view.kind,
        name=view.name,
        model=model,
        rows=rows,
        named=set(models_named(terms)),
        annotated=set(annotations_of(view.queryset)),
        words=words_of(terms),
        extra="etag_extra = ({},)  # on the view",
        number="W207",
    )


def rows_read_by(
    kind: type, model: Any, computed: dict[str, Rows | None] | None = None
) -> RowsRead:
    """
    What a serializer reads of other rows.

    Args:
        kind: the class of the serializer.
        model: the model of the row that it is given.
        computed: what the queryset adds to that row, as for ``RowsRead``.
    """
    rows = RowsRead(computed)
    _Walk(rows).shows(kind, [Row(model)])
    return rows


def _leave_out_annotated(view: Any, rows: RowsRead) -> None:
    """
    Leave out what a ``get_queryset()`` of the view's own may annotate: its code is not run, so any
    relation that it names beside ``annotate()`` counts.
    """
    words = words_of([view.kind.get_queryset]) if view.has_own("get_queryset") else set()
    if "annotate" not in words:
        return
    for read in list(rows.found):
        if read.path and read.path[0].name in words:
            del rows.found[read]


def _terms_of(view: Any) -> list[Any]:
    """The terms of ``etag_extra``, and ``get_etag_extra()`` itself."""
    extra = view.get("etag_extra")
    method = getattr(view.kind, "get_etag_extra", None)
    terms = list(extra) if isinstance(extra, Iterable) else [extra]
    return terms if method is ViewOptions.get_etag_extra else [*terms, method]


def _rows_read(view: Any, model: Any, handler: str, kind: Any) -> RowsRead:
    """What an answer shows of other rows: by the view's serializer, or its handler's own code."""
    rows = RowsRead(computed_by(view.queryset))
    row, method = Row(model), getattr(view.kind, handler)
    walk = _Walk(rows)
    if not getattr(method, "is_versioned_read", False):
        if kind is not None:
            walk.shows(kind, [row])
        return rows
    results: dict[str, Values] = {"get_object": [row], "aget_object": [row]}
    for name in ("filter_queryset", "get_queryset", "get_versioned_queryset"):
        results[name] = [Rows(model, ())]
    rows.place, rows.own = f"{handler}()", model
    if kind is not None:
        results["get_serializer_class"] = [kind]
        # What calls super() or get_serializer() shows what the serializer does.
        if {"super", "get_serializer"} & _names(method):
            walk.shows(kind, [row])
    walk.code.results = results
    walk.code.call(Method(method, Instance(view.kind)), [REQUEST])
    return rows


def _names(method: Any) -> set[str]:
    code = getattr(getattr(method, "__wrapped__", method), "__code__", None)
    return set(getattr(code, "co_names", ()))


def serializer_class(view: Any, handler: str) -> Any:
    """
    The serializer of a GET; ``None`` where it is not known before a request.

    ``get_serializer_class()`` is asked with an empty request of an anonymous user.
    """
    kind = view.kind
    given = view.get("serializer_class")
    own = getattr(kind, "get_serializer_class", None)
    if own is not None and own is not GenericAPIView.get_serializer_class:
        try:
            asked = kind(**view.initkwargs)
            asked.action = handler
            asked.request, asked.args, asked.kwargs = _empty_request(), (), {}
            asked.format_kwarg = None
            given = asked.get_serializer_class()
        except Exception:
            return None
    known = isinstance(given, type) and issubclass(given, serializers.BaseSerializer)
    return given if known else None


def _empty_request() -> Request:
    request = HttpRequest()
    request.method = "GET"
    return Request(request)


class _Walk:
    """Follows the fields of serializers."""

    def __init__(self, rows: RowsRead) -> None:
        self.rows = rows
        self.code = Code(rows, self.shows)
        self.open: list[tuple[Any, Any]] = []

    def shows(self, kind: type, values: Values) -> Values:
        """A serializer is made, in code or by a view; called for other classes as well."""
        if not issubclass(kind, serializers.BaseSerializer):
            return []
        for serializer in _instances(kind):
            self.serializer(serializer, values)
        return []

    def serializer(self, serializer: Any, values: Values) -> None:
        serializer = getattr(serializer, "child", serializer)
        self.code.shown(values)
        for row in _items(values):
            key = (type(serializer), row)
            if key in self.open or len(self.open) > 8:
                continue
            self.open.append(key)
            self._serializer(serializer, row)
            self.open.pop()

    def _serializer(self, serializer: Any, row: Row) -> None:
        meta = getattr(getattr(serializer, "Meta", None), "model", None)
        if row.model is None and meta is not None:
            row = Row(meta, row.path)
        own = _own_method(serializer, "to_representation")
        if own is not None:
            with _At(self.rows, "to_representation()"):
                self.code.call(Method(own, Instance(type(serializer))), [row])
            if "super" not in own.__code__.co_names:
                return
        for field in _fields(serializer):
            with _At(self.rows, str(field.field_name)):
                self.field(field, serializer, row)

    def field(self, field: Any, serializer: Any, row: Row) -> None:
        if field.write_only or isinstance(field, serializers.HiddenField):
            return
        if isinstance(field, serializers.SerializerMethodField):
            name = field.method_name or f"get_{field.field_name}"
            for method in self.code.attribute(Instance(type(serializer)), name):
                self.code.shown(self.code.call(method, [row]))
            return
        if isinstance(field, relations.HyperlinkedIdentityField):
            self.attributes([row], field.lookup_field.split("."))
            return
        values: Values = [row]
        if field.source != "*":
            values = self.attributes(values, field.source.split("."))
        self.represent(field, values)

    def represent(self, field: Any, values: Values) -> None:
        """What a field shows of its values."""
        many = isinstance(field, relations.ManyRelatedField)
        inner = field.child_relation if many else field
        if isinstance(inner, serializers.BaseSerializer):
            self.serializer(inner, values)
            return
        self.code.shown(values)
        items = list(_items(values))
        own = _own_method(inner, "to_representation")
        if own is not None:
            self.code.call(Method(own, Instance(type(inner))), items)
        elif isinstance(inner, relations.SlugRelatedField):
            self.attributes(items, str(inner.slug_field).replace("__", ".").split("."))
        elif isinstance(inner, relations.HyperlinkedRelatedField):
            self.attributes(items, [inner.lookup_field])
        elif not isinstance(inner, relations.PrimaryKeyRelatedField) and field.source != "*":
            # str() of the row, as StringRelatedField does it, or a plain field.
            self.code.text_of(items)

    def attributes(self, values: Values, names: list[str]) -> Values:
        """Follow ``source="a.b.c"``; what can be called, DRF calls."""
        for name in names:
            found: Values = []
            for value in values:
                found += self.code.attribute(value, name)
            values = [result for each in found for result in self.called(each)]
        return values

    def called(self, value: Any) -> Values:
        if isinstance(value, Method):
            return self.code.call(value)
        rows, name = getattr(value, "rows", None), getattr(value, "name", "")
        if isinstance(rows, Rows):
            result = self.rows.method(rows, name)
            return [] if result is None else [result]
        return [value]


class _At:
    """Names the field that the reads of a block are of."""

    def __init__(self, rows: RowsRead, name: str) -> None:
        self.rows, self.name, self.before = rows, name, rows.place

    def __enter__(self) -> None:
        self.rows.place = f"{self.before}.{self.name}" if self.before else self.name

    def __exit__(self, *error: object) -> None:
        self.rows.place = self.before


def _items(values: Values) -> Iterator[Row]:
    for value in values:
        if isinstance(value, Rows):
            yield Row(value.model, value.path)
        elif isinstance(value, Row):
            yield value


def _instances(kind: Any) -> list[Any]:
    """The serializer; none where it cannot be made without a request."""
    try:
        return [kind()]
    except Exception:
        return []


def _fields(serializer: Any) -> list[Any]:
    """The fields of a serializer; the declared ones where the others need a request."""
    if not isinstance(serializer, serializers.Serializer):
        return []
    try:
        return list(serializer.fields.values())
    except Exception:
        declared = dict(serializer._declared_fields)
    fields = []
    for name, field in declared.items():
        try:
            field = copy.deepcopy(field)
            field.bind(name, serializer)
        except Exception:
            continue
        fields.append(field)
    return fields


def _own_method(of: Any, name: str) -> Any:
    """A method of a field or serializer that is not the framework's."""
    method = getattr(type(of), name, None)
    module = str(getattr(method, "__module__", ""))
    return None if module.partition(".")[0] in _FRAMEWORKS else method
