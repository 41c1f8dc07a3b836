"""What the mixins for DRF's generic views share: their query set, and the row in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db import DataError
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.generics import GenericAPIView

from ..http.preconditions import READ_METHODS
from ..orm.state import state_columns
from ..sources.fast_select import Key, fixed_queryset
from ..sources.rows import (
    Row,
    annotation_names,
    for_write,
    is_impossible,
    read_row,
    row_of,
    row_reader,
)
from .handlers import GuardingView
from .hooks import hooked, noting
from .state_fields import ignore_written_state
from .views import NO_SUCH_KEY, absent

__all__ = ["VersionedViewMixin"]


class VersionedViewMixin(GuardingView, GenericAPIView):
    """
    The base of the mixins for DRF's generic views and viewsets.

    With any of the mixins, every handler that writes the row of its address is
    guarded: DRF's ``update()`` and ``destroy()``, and the view's own ``put()``,
    ``patch()``, ``post()`` and ``delete()``.
    """

    def get_versioned_queryset(self) -> Any:
        """The query set of the one row that DRF's ``get_object()`` loads."""
        value = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        queryset = self.filter_queryset(self.get_queryset())
        return queryset.filter(**{self.lookup_field: value})

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """DRF's. In a write it ignores the version and the timestamp that a client sends."""
        serializer = super().get_serializer(*args, **kwargs)
        if self.request is None or self.request.method not in READ_METHODS:
            ignore_written_state(serializer)
        return serializer

    def get_object(self) -> Any:
        """As the next class does it. A key that the database refuses is a 404."""
        try:
            return super().get_object()
        except (ArithmeticError, DataError) as error:
            raise Http404 from error

    # Private to the package from here on.

    # What the view does with a GET of its row, as ``action`` names it.
    _read_action: ClassVar[str] = "retrieve"

    def _read_row(self) -> Row | None:
        view = type(self)
        if view.get_versioned_queryset is not VersionedViewMixin.get_versioned_queryset:
            return super()._read_row()
        name = self.lookup_field
        value = self.kwargs[self.lookup_url_kwarg or name]
        fixed = self._fixed_queryset
        self._rows = self.filter_queryset(self.get_queryset()) if fixed is None else fixed
        try:
            if fixed is not None:
                return row_reader(fixed, self.tag_key, name).read(value)
            return read_row(self._rows, self.tag_key, key=Key(name, value))
        except NO_SUCH_KEY as error:
            absent(error)
            return None

    @property
    def _fixed_queryset(self) -> Any:
        """The view's query set, if that is one object for all requests, and nothing filters it."""
        view: Any = type(self)
        own: Any = self
        if (
            view.get_queryset is not GenericAPIView.get_queryset
            or view.filter_queryset is not GenericAPIView.filter_queryset
            or own.filter_backends
            # One that the request has put there.
            or own.queryset is not view.queryset
        ):
            return None
        return fixed_queryset(own.queryset) if isinstance(own.queryset, QuerySet) else None

    # The annotations of the query set that an object is loaded from.
    _annotations: Sequence[str] = ()

    def _note_annotations(self, queryset: Any) -> None:
        self._annotations = annotation_names(queryset)

    # What a narrow query has read from: filtered already, and not evaluated.
    _rows: Any = None

    def _load(self, load: Callable[[], Any]) -> Any:
        """
        ``load()``, which is the view's ``get_object()``. DRF's own loads from the
        same query set as the narrow query, which is not made and filtered anew.
        """
        rows, self._rows = self._rows, None
        if rows is None and self._loads_as_drf:
            rows = self._fixed_queryset
        if rows is None:
            return self._load_noting(load)
        self._note_annotations(rows)
        # Once: who asks for a query set after that may evaluate it.
        once, get_queryset, filter_queryset = [rows], self.get_queryset, self.filter_queryset
        with hooked(
            self,
            get_queryset=lambda: once.pop() if once else get_queryset(),
            filter_queryset=lambda queryset: (
                queryset if queryset is rows else filter_queryset(queryset)
            ),
        ):
            return load()

    def _row_of(self, instance: Any) -> Row:
        if not self._loads_as_drf:
            return super()._row_of(instance)
        return row_of(instance, self.tag_key, self._annotations)

    def _load_noting(self, load: Callable[[], Any]) -> Any:
        hook = noting(self.filter_queryset, self._note_annotations)
        with hooked(self, filter_queryset=hook):
            return load()

    def _load_anew(self) -> Any:
        return self._load_noting(self.get_object)

    @property
    def _loads_as_drf(self) -> bool:
        ours = type(self).get_object is VersionedViewMixin.get_object
        loads: Any = super().get_object
        return ours and loads.__func__ is GenericAPIView.get_object

    @property
    def _paginates_as_drf(self) -> bool:
        kind = type(self)
        return (
            kind.paginate_queryset is GenericAPIView.paginate_queryset
            and kind.get_paginated_response is GenericAPIView.get_paginated_response
        )

    def _is_about_one_row(self) -> bool:
        """As the router says; where there is none, by the address."""
        detail = getattr(self, "detail", None)
        if detail is not None:
            return bool(detail)
        return (self.lookup_url_kwarg or self.lookup_field) in self.kwargs

    def _check_lookup(self) -> None:
        """Raise the 404 of a key that no row can have."""
        if is_impossible(self.kwargs.get(self.lookup_url_kwarg or self.lookup_field)):
            raise Http404

    def _read_row_again(self, row: Row) -> tuple[Row, Any] | None:
        """
        The same row as it is now, if it still is one of the view's; with its object,
        which says who may read it.
        """
        queryset = for_write(self.filter_queryset(self.get_queryset()))
        owner = state_columns(row.model).owner
        queryset = queryset.filter(**{owner._meta.pk.name: row.pk})
        instance = queryset.first()
        if instance is None:
            return None
        return row_of(instance, self.tag_key, annotation_names(queryset)), instance

    def _may_read_narrowly(self) -> bool:
        return self._loads_as_drf and super()._may_read_narrowly()
