"""What ``etag_extra`` comes to for one request: the terms of the tag, and the names for Vary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db.models.query import ModelIterable
from django.http import HttpRequest

from ..etag_extra import Term
from ..http.etags import digest
from ..http.preconditions import SAFE_METHODS
from ..http.representation import Representation, request_representation
from ..orm.state_columns import state_columns
from .fast_select import from_database
from .rows import as_queryset, for_write
from .validator_query import annotation_names, validator_names

__all__ = ["EtagExtra", "extended_representation", "rows_term"]

EtagExtra = Iterable[Any] | Callable[..., Iterable[Any]]


class _Resolved(NamedTuple):
    value: Any
    vary: tuple[str, ...] = ()
    covers: frozenset[str] = frozenset()


def extended_representation(
    request: Any,
    etag_extra: EtagExtra,
    args: Any = (),
    kwargs: Mapping[str, Any] = MappingProxyType({}),
    *,
    http_request: HttpRequest | None = None,
) -> Representation:
    """
    What a response depends on beside the state, with the view's ``etag_extra``.

    Args:
        request, args, kwargs: the arguments of the view.
        etag_extra: an iterable, or a callable that takes the view's arguments and returns one.
            Its items are plain values, ``Term`` objects, models, managers or querysets, and
            callables that take the view's arguments and return such items.
        http_request: Django's own request, where ``request`` wraps it.

    Raises:
        ImproperlyConfigured: a value has a text that stays the same when the value changes,
            as a model instance has; or the ``vary`` of a term is text.
    """
    plain = request if http_request is None else http_request
    writes = plain.method not in SAFE_METHODS
    found = list(_resolve(etag_extra, request, args, kwargs, writes))
    shown = request_representation(plain, [each.value for each in found])
    vary = tuple(dict.fromkeys(name for each in found for name in each.vary))
    covers = frozenset().union(*(each.covers for each in found))
    return shown._replace(vary=vary, covers=covers) if vary or covers else shown


def _resolve(extra: Any, request: Any, args: Any, kwargs: Any, writes: bool) -> Iterator[_Resolved]:
    for item in _items(extra, request, args, kwargs):
        if isinstance(item, Term):
            if isinstance(item.vary, str):
                # Each letter would be a header in Vary.
                raise ImproperlyConfigured(
                    f"{item!r} needs a list of headers. Write: vary=[{item.vary!r}]."
                )
            covers = frozenset() if item.covers is None else frozenset({item.covers})
            yield _Resolved(item.value, tuple(item.vary), covers)
        elif (rows := as_queryset(item)) is not None:
            yield _Resolved(rows_term(for_write(rows) if writes else rows))
        elif callable(item):
            yield from _resolve(item, request, args, kwargs, writes)
        else:
            yield _Resolved(item)


def _items(extra: Any, request: Any, args: Any, kwargs: Any) -> Iterable[Any]:
    if isinstance(extra, str | Term) or as_queryset(extra) is not None:
        raise ImproperlyConfigured(
            f"etag_extra is {extra!r}, and must be a list of what the response depends on. "
            f"Write: etag_extra=[…]."
        )
    found: Iterable[Any] = extra(request, *args, **kwargs) if callable(extra) else extra
    return found


def rows_term(queryset: Any) -> tuple[str, str]:
    """
    The term for the rows of a queryset, by one query: the digest of their keys and states, with
    the annotations. Of a model without a version, and of ``values()``, it is that of all values.
    """
    query = queryset.query
    if queryset._iterable_class is ModelIterable:
        queryset = queryset.all()
        # A union refuses prefetch_related(None), and so does values_list() what is prefetched.
        queryset._prefetch_related_lookups = ()
        unordered = not (queryset.ordered or query.is_sliced or query.distinct or query.combinator)
        if query.combinator or state_columns(queryset.model).version is None:
            queryset = queryset.values_list()
        else:
            names = validator_names(queryset.model) + annotation_names(queryset)
            queryset = queryset.values_list(*names)
        if unordered:
            # The database may return the same rows in another order.
            queryset = queryset.order_by("pk")
    return queryset.model._meta.label, digest(_values(from_database(queryset)))


def _values(rows: Any) -> Iterator[Any]:
    for row in rows:
        yield "row"
        # values_list(flat=True) yields the values themselves.
        for value in row.values() if isinstance(row, dict) else _as_tuple(row):
            # The text of a memoryview is its place in memory.
            yield bytes(value) if isinstance(value, memoryview) else value


def _as_tuple(row: Any) -> tuple[Any, ...]:
    return row if isinstance(row, tuple) else (row,)
