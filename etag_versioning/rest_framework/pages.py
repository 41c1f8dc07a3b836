"""The tag of a page of rows: from a narrow query, or from the rows that were rendered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import (
    CursorPagination,
    LimitOffsetPagination,
    PageNumberPagination,
)

from ..preconditions import Validators
from ..validators import (
    Row,
    annotation_names,
    list_validators,
    narrow_names,
    page_validators,
    require_version,
    row_from_values,
    row_of,
)
from .generic_views import VersionedViewMixin

__all__ = ["RenderedPage", "cheap_list", "narrow_page"]

# These take dictionaries for rows; a paginator of a project's own may not.
_PAGINATORS = tuple(
    (paginator.paginate_queryset, paginator.get_paginated_response)
    for paginator in (PageNumberPagination, LimitOffsetPagination, CursorPagination)
)


_CHUNK = 2000


def cheap_list(view: VersionedViewMixin) -> Validators | None:
    """The validators that ``list_validator`` makes, by its query; ``None`` without one."""
    make = type(view).list_validator
    if make is None:
        return None
    queryset = view.filter_queryset(view.get_queryset())
    require_version(queryset.model)
    terms = make(queryset)
    return list_validators(_label(queryset.model), terms, view._representation())


def narrow_page(view: VersionedViewMixin) -> Validators | None:
    """
    The validators of the page that a request asks for, by one narrow query of
    page size, through the view's filters, ordering and paginator.

    Returns:
        ``None`` where a paginator of the project's own wants to see whole rows.
    """
    paginator = view.paginator
    if not _takes_dictionaries(view, paginator):
        return None
    queryset = view.filter_queryset(view.get_queryset())
    if not isinstance(queryset, QuerySet) or queryset.query.combinator:
        return None
    if queryset.query.values_select:
        return None  # Its rows are no instances, and have no state.
    names = narrow_names(queryset.model, view.tag_key) + annotation_names(queryset)
    shown = list(names)
    if isinstance(paginator, CursorPagination):
        # The links of a cursor show the value that the page is ordered by.
        shown.append(paginator.get_ordering(view.request, queryset, view)[0].lstrip("-"))
    values = queryset.prefetch_related(None).values(*dict.fromkeys(shown))
    page: Any = view.paginate_queryset(values)
    paginated = page is not None
    # Without pages a list is as long as its table: its keys stream through.
    found = page if paginated else values.iterator(chunk_size=_CHUNK)
    rows = (
        row_from_values(queryset.model, queryset.db, [value[name] for name in names])
        for value in found
    )
    current = _validators(view, queryset.model, rows, paginated)
    # The page itself is counted and cut by a paginator that knows nothing yet.
    vars(view).pop("_paginator", None)
    return current


def _takes_dictionaries(view: Any, paginator: Any) -> bool:
    if not view._paginates_as_drf:
        return False
    kind = type(paginator)
    return paginator is None or (kind.paginate_queryset, kind.get_paginated_response) in _PAGINATORS


class RenderedPage:
    """Takes note of the rows that DRF's ``list`` renders."""

    def __init__(self, view: VersionedViewMixin) -> None:
        self.view = view
        self.queryset: Any = None
        self.page: Iterable[Any] | None = None
        self.hooks: dict[str, Callable[..., Any]] = {
            "filter_queryset": self._filter_queryset(view.filter_queryset),
            "paginate_queryset": self._paginate_queryset(view.paginate_queryset),
        }

    def validators(self) -> Validators | None:
        """The page's validators, without a query; ``None`` if it shows no model's rows."""
        paginated = self.page is not None
        instances = self.page if paginated else getattr(self.queryset, "_result_cache", None)
        model = getattr(self.queryset, "model", None)
        if instances is None or model is None:
            return None
        instances = list(instances)
        if not all(isinstance(instance, model) for instance in instances):
            return None
        require_version(model)
        names = annotation_names(self.queryset)
        rows = [row_of(instance, self.view.tag_key, names) for instance in instances]
        return _validators(self.view, model, rows, paginated)

    def _filter_queryset(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def filter_queryset(queryset: Any) -> Any:
            self.queryset = original(queryset)
            return self.queryset

        return filter_queryset

    def _paginate_queryset(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def paginate_queryset(queryset: Any) -> Any:
            self.page = original(queryset)
            return self.page

        return paginate_queryset


def _validators(
    view: VersionedViewMixin, model: Any, rows: Iterable[Row], paginated: bool
) -> Validators:
    envelope: list[str] = []
    if paginated:
        # Count, links, and whatever else the paginator shows around its rows.
        data = view.get_paginated_response([]).data
        envelope = [json.dumps(data, sort_keys=True, default=str)]
    return page_validators(_label(model), rows, envelope, view._representation())


def _label(model: Any) -> str:
    return str(model.tag_label or model._meta.model_name)
