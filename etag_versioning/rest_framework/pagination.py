"""The tag of a page of rows: from a validator query, or from the rows that were rendered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import Promise
from rest_framework import pagination
from rest_framework.pagination import (
    CursorPagination,
    LimitOffsetPagination,
    PageNumberPagination,
)

from ..http.preconditions import Validators
from ..sources.fast_select import from_database
from ..sources.rows import (
    annotation_names,
    list_validators,
    page_validators,
    require_version,
    row_from_values,
    row_of,
    validator_names,
)
from .generic_views import VersionedViewMixin
from .hooks import noting

__all__ = ["RenderedPage", "cheap_list", "validators_of_page"]

# These take dictionaries for rows; a paginator of a project's own may not.
_PAGINATORS = (PageNumberPagination, LimitOffsetPagination, CursorPagination)
_MODULES = (pagination.__name__, "builtins")
# What every class has, and an attribute that is a class.
_NO_CODE = ("__dict__", "__weakref__", "django_paginator_class")
# What is no JSON, and whose text is all that there is to it.
_PLAIN = (Decimal, UUID, date, time, timedelta, Promise)
_CHUNK = 2000


def cheap_list(view: VersionedViewMixin) -> Validators | None:
    """The validators that ``list_validator`` makes, by its query; ``None`` without one."""
    make = type(view).list_validator
    if make is None:
        return None
    queryset = view.filter_queryset(view.get_queryset())
    require_version(queryset.model)
    terms = make(queryset)
    return list_validators(_label(queryset.model), terms, view.versioning.representation())


def validators_of_page(view: VersionedViewMixin) -> Validators | None:
    """
    The validators of the page that a request asks for, by one validator query of
    page size, through the view's filters, ordering and paginator.

    Returns:
        ``None`` where a paginator of the project's own has to see whole rows.
    """
    if not _runs_drf_s_code(view):
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
    rows = (
        row_from_values(queryset.model, queryset.db, [value[name] for name in names])
        for value in found
    )
    envelope = _drf_s_envelope(view) if paginated else []
    current = page_validators(
        _label(queryset.model), rows, envelope, view.versioning.representation()
    )
    # The page itself is counted and cut by a paginator that knows nothing yet.
    vars(view).pop("_paginator", None)
    return current


def _runs_drf_s_code(view: Any) -> bool:
    """Whether only DRF's code paginates, which may be called with made-up data."""
    kind: Any = type(view.paginator)
    return view.versioning.paginates_as_drf and (view.paginator is None or _is_drf_s(kind))


@lru_cache(maxsize=1000)
def _is_drf_s(kind: type) -> bool:
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
    """Notes the rows that DRF's ``list`` renders, and what the paginator makes of them."""

    def __init__(self, view: VersionedViewMixin) -> None:
        self.view = view
        self.queryset: Any = None
        self.page: Iterable[Any] | None = None
        # What a paginator of the project's own returned.
        self.shown: list[str] | None = None
        self.hooks: dict[str, Callable[..., Any]] = {
            "filter_queryset": noting(view.filter_queryset, partial(setattr, self, "queryset")),
            "paginate_queryset": noting(view.paginate_queryset, partial(setattr, self, "page")),
            "get_paginated_response": noting(view.get_paginated_response, self.note_response),
        }

    def note_response(self, response: Any) -> None:
        if not _runs_drf_s_code(self.view):
            # Now, since the view may still change it.
            self.shown = _content(response)

    def validators(self) -> Validators | None:
        """The page's validators, without a query; ``None`` if they cannot be told."""
        paginated = self.page is not None
        instances = self.page if paginated else getattr(self.queryset, "_result_cache", None)
        model = getattr(self.queryset, "model", None)
        if instances is None or model is None:
            return None
        instances = list(instances)
        if not all(isinstance(instance, model) for instance in instances):
            return None
        require_version(model)
        envelope = self._envelope() if paginated else []
        if envelope is None:
            return None
        names = annotation_names(self.queryset)
        rows = [row_of(instance, self.view.tag_key, names) for instance in instances]
        return page_validators(_label(model), rows, envelope, self.view.versioning.representation())

    def _envelope(self) -> list[str] | None:
        return _drf_s_envelope(self.view) if _runs_drf_s_code(self.view) else self.shown


def _drf_s_envelope(view: VersionedViewMixin) -> list[str]:
    """Count and links of the current page, as DRF's paginators show them around its rows."""
    return [json.dumps(view.get_paginated_response([]).data, sort_keys=True, default=str)]


def _content(response: Any) -> list[str] | None:
    """What a response shows, headers included; ``None`` where text does not tell it all."""
    try:
        data = json.dumps(response.data, default=_text)
    except (AttributeError, TypeError, ValueError, RecursionError):
        return None
    headers = [f"{name}: {value}" for name, value in response.headers.items()]
    return [data, *sorted(headers), response.cookies.output()]


def _text(value: Any) -> str:
    if isinstance(value, _PLAIN):
        return str(value)
    raise TypeError(f"{type(value)} need not change its text where it changes.")


def _label(model: Any) -> str:
    return str(model.tag_label or model._meta.model_name)
