"""The tag of a page of rows: from a validator query, or from the rows that were rendered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.core.paginator import Paginator
from django.db import connections, transaction
from django.db.models import QuerySet
from rest_framework import pagination
from rest_framework.pagination import (
    CursorPagination,
    LimitOffsetPagination,
    PageNumberPagination,
)

from ..http.preconditions import Validators
from ..sources.fast_select import from_database
from ..sources.rows import Row, list_validators, page_validators, require_version, row_of
from ..sources.validator_query import (
    annotation_names,
    combined_annotation_names,
    row_from_values,
    validator_names,
)
from .hooks import hooked, noting
from .representation import content_of

if TYPE_CHECKING:
    from .generic_views import GenericView

__all__ = ["EarlyPage", "RenderedPage", "cheap_list", "validators_of_page"]

# These accept dictionaries as rows; a project's own paginator may not.
_PAGINATORS = (PageNumberPagination, LimitOffsetPagination, CursorPagination)
_MODULES = (pagination.__name__, "builtins")
# Attributes of every class, and one whose value is a class.
_NO_CODE = ("__dict__", "__weakref__", "django_paginator_class")
_CHUNK = 2000


def cheap_list(view: GenericView) -> Validators | None:
    """The validators that the view's ``list_validator`` reads; ``None`` if it has none."""
    make = type(view).list_validator
    if make is None:
        return None
    queryset = view.filter_queryset(view.get_queryset())
    require_version(queryset.model)
    terms = make(queryset)
    return list_validators(_label(queryset.model), terms, view.versioning.representation())


class EarlyPage(NamedTuple):
    """
    A page before it is rendered.

    Args:
        validators: its validators.
        queryset: what it is cut from: filtered, and not evaluated.
        rows: a number for its rows in their order. A list without pages may be too long to
            be kept.
        envelope: what its paginator shows around them.
    """

    validators: Validators
    queryset: Any
    rows: int
    envelope: list[str]


class _Numbered:
    """Rows, and a number for those that have been iterated over."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = rows
        self.number = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            # As text, since not every annotation can be hashed.
            self.number = hash((self.number, row.pk, row.state, str(row.annotations)))
            yield row


def validators_of_page(view: GenericView) -> EarlyPage | None:
    """
    The page that a request asks for, by one validator query of page size, through the view's
    filters, ordering and paginator.

    Returns:
        ``None`` where a paginator of the project's own has to see whole rows.
    """
    if not _paginates_as_drf(view):
        return None
    paginator = view.paginator
    queryset = view.filter_queryset(view.get_queryset())
    if not isinstance(queryset, QuerySet) or queryset.query.combinator:
        return None
    if queryset.query.values_select:
        return None  # Its rows are no instances, and have no state.
    names = validator_names(queryset.model, view.tag_key) + annotation_names(queryset)
    shown = list(names)
    if isinstance(paginator, CursorPagination):
        # The links of a cursor show the value that the page is ordered by.
        shown.append(paginator.get_ordering(view.request, queryset, view)[0].lstrip("-"))
    values = from_database(queryset.prefetch_related(None).values(*dict.fromkeys(shown)))
    page: Any = view.paginate_queryset(values)
    paginated = page is not None
    # Without pages a list is as long as its table: its keys stream through.
    found = page if paginated else values.iterator(chunk_size=_CHUNK)
    rows = _Numbered(
        row_from_values(queryset.model, queryset.db, [value[name] for name in names])
        for value in found
    )
    envelope = _drf_envelope(view) if paginated else []
    label, representation = _label(queryset.model), view.versioning.representation()
    with nullcontext() if paginated else _streaming(queryset.db):
        current = page_validators(label, rows, envelope, representation)
    # A paginator keeps what it has read, so list() gets a new one.
    vars(view).pop("_paginator", None)
    return EarlyPage(current, queryset, rows.number, envelope)


def _streaming(using: str) -> AbstractContextManager[Any]:
    """
    A block in which rows stream. Outside of a transaction, PostgreSQL's cursor would belong to
    the session, and behind PgBouncer in transaction mode the next statement may have another.
    """
    connection = connections[using]
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return nullcontext()
    return transaction.atomic(using=using)


def _paginates_as_drf(view: Any) -> bool:
    """Whether DRF's own code paginates: it may be called with dictionaries and empty pages."""
    kind: Any = type(view.paginator)
    return view.versioning.paginates_as_drf and (view.paginator is None or _is_drf_paginator(kind))


@lru_cache(maxsize=1000)
def _is_drf_paginator(kind: type) -> bool:
    """Whether a paginator is DRF's own, or a subclass that only sets plain attributes."""
    if not issubclass(kind, _PAGINATORS):
        return False
    if getattr(kind, "django_paginator_class", Paginator) is not Paginator:
        return False
    foreign = (base for base in kind.__mro__ if base.__module__ not in _MODULES)
    return not any(
        callable(value) or hasattr(value, "__get__")
        for base in foreign
        for name, value in vars(base).items()
        if name not in _NO_CODE
    )


class RenderedPage:
    """
    Notes the rows that DRF's ``list`` renders, and what the paginator makes of them.

    Args:
        view: the view, at its request.
        early: the page that its preconditions were evaluated with, if it was read.
    """

    def __init__(self, view: GenericView, early: EarlyPage | None = None) -> None:
        self.view = view
        self.early = early
        self.queryset: Any = None
        self.page: Iterable[Any] | None = None
        # What a paginator of the project's own returned.
        self.shown: list[Any] | None = None

    def loading(self, **hooks: Any) -> AbstractContextManager[None]:
        """For the block, note what is loaded, and filter no second time."""
        view = self.view
        hooks["paginate_queryset"] = noting(view.paginate_queryset, self.note_page)
        hooks["get_paginated_response"] = noting(view.get_paginated_response, self.note_response)
        if self.early is not None:
            self.note_queryset(self.early.queryset)
            return view.versioning.loading_from(self.early.queryset, **hooks)
        hooks["filter_queryset"] = noting(view.filter_queryset, self.note_queryset)
        return hooked(view, **hooks)

    def note_queryset(self, queryset: Any) -> None:
        self.queryset = queryset

    def note_page(self, page: Any) -> None:
        self.page = page

    def note_response(self, response: Any) -> None:
        if not _paginates_as_drf(self.view):
            # Now, since the view may still change it.
            self.shown = content_of(response, self.view.etag_ignores)

    def validators(self) -> Validators | None:
        """The page's validators, without a query; ``None`` if they cannot be told."""
        rows, envelope = self._rows(), self._envelope()
        if rows is None or envelope is None:
            return None
        require_version(self.queryset.model)
        early = self.early
        if early is not None and early.envelope == envelope:
            numbered = _Numbered(rows)
            rows = list(numbered)
            if early.rows == numbered.number:
                return early.validators
        return self._validators(rows, envelope)

    def validators_with(self, content: list[Any]) -> Validators:
        """The validators of an answer that shows ``content``, and perhaps a page of rows."""
        try:
            rows = list(self._rows() or ())
        except ImproperlyConfigured:
            rows = []  # They have no state, or were loaded without it.
        return self._validators(rows, content)

    def _validators(self, rows: Iterable[Row], envelope: list[Any]) -> Validators:
        model = getattr(self.queryset, "model", None)
        label = "answer" if model is None else _label(model)
        return page_validators(label, rows, envelope, self.view.versioning.representation())

    def _rows(self) -> Iterable[Row] | None:
        """The rows that were loaded; ``None`` where these were no instances."""
        cached = getattr(self.queryset, "_result_cache", None)
        instances = cached if self.page is None else list(self.page)
        model = getattr(self.queryset, "model", None)
        if instances is None or model is None:
            return None
        if not all(isinstance(instance, model) for instance in instances):
            return None
        names = annotation_names(self.queryset) + combined_annotation_names(self.queryset)
        return (row_of(instance, self.view.tag_key, names) for instance in instances)

    def _envelope(self) -> list[Any] | None:
        if self.page is None:
            return []
        return _drf_envelope(self.view) if _paginates_as_drf(self.view) else self.shown


def _drf_envelope(view: GenericView) -> list[str]:
    """What DRF's paginators show around the rows of the current page: count and links."""
    return [json.dumps(view.get_paginated_response([]).data, sort_keys=True, default=str)]


def _label(model: Any) -> str:
    return str(getattr(model, "tag_label", None) or model._meta.model_name)
