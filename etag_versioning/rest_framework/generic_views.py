"""The base of the mixins for DRF's generic views: their queryset, and the row in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from django.db import DataError, models
from django.db.models import QuerySet
from django.http import Http404
from django.utils.functional import cached_property
from rest_framework.generics import GenericAPIView

from ..http.preconditions import READ_METHODS
from ..orm.state_columns import state_columns
from ..sources.fast_select import Key, fixed_queryset
from ..sources.instances import instance_reader, loads_plainly, read_instance
from ..sources.rows import Row, for_write, row_of
from ..sources.validator_query import annotation_names, read_row, row_reader
from .fields import ignore_written_state
from .handlers import GuardingVersioning, GuardingView
from .hooks import hooked, noting
from .permissions import looks_at_any_object
from .versioning import NO_SUCH_KEY, raise_404_after_database_error

__all__ = ["GenericVersioning", "VersionedViewMixin"]

if TYPE_CHECKING:
    # In ``class UserViewSet(VersionedViewSetMixin, ModelViewSet[User])``, the type of
    # get_object() has to come from the second base. The first one would say Any.
    from rest_framework.views import APIView as _GenericAPIView
else:
    _GenericAPIView = GenericAPIView

# Since Django 6.1.
FETCH_ONE = getattr(models, "FETCH_ONE", None)


class GenericVersioning(GuardingVersioning):
    """``versioning`` of a generic view, whose row is in its queryset."""

    view: Any
    # The row that the permissions have permitted, while the object to show is not loaded yet.
    permitted: Row | None = None

    @cached_property
    def is_about_one_row(self) -> bool:
        """As the router says; where there is none, by the address."""
        view = self.view
        detail = getattr(view, "detail", None)
        if detail is not None:
            return bool(detail)
        return (view.lookup_url_kwarg or view.lookup_field) in view.kwargs

    @cached_property
    def loads_as_drf(self) -> bool:
        """Whether ``get_object()`` is DRF's own."""
        view_class: Any = type(self.view)
        return _loads_as_drf(view_class)

    @property
    def paginates_as_drf(self) -> bool:
        kind = type(self.view)
        return (
            kind.paginate_queryset is GenericAPIView.paginate_queryset
            and kind.get_paginated_response is GenericAPIView.get_paginated_response
        )

    @property
    def fixed_queryset(self) -> Any:
        view = self.view
        view_class: Any = type(view)
        fixed = _fixed_queryset(view_class)
        # A request may have put another on the view, as as_view(queryset=…) does.
        return fixed if fixed is view.queryset and not view.filter_backends else None

    def may_read_row(self) -> bool:
        return self.loads_as_drf and not looks_at_any_object(self.view)

    def read_first(self) -> Row | None:
        view_class: Any = type(self.view)
        if not _loads_as_drf(view_class):
            return None
        return self.read_permitted_row() if looks_at_any_object(self.view) else self.read_row()

    def read_permitted_row(self) -> Row | None:
        """
        Load the object for the permissions alone, without the joins and prefetches that only
        the serializer needs, and return its row. A permission that follows a relation makes
        a query of its own. ``None`` where there is nothing to leave out.
        """
        view, rows = self.view, self.fixed_queryset
        if rows is None:
            rows = view.filter_queryset(view.get_queryset())
        self.rows = rows
        if not _loads_other_rows(rows):
            return None
        if loads_plainly(rows):
            instance = self.read_instance(rows)
            if instance is None:
                return None
            view.check_object_permissions(view.request, instance)
        else:
            with self.loading_from(_without_other_rows(rows)):
                instance = view.get_object()
        self.permitted = self.row_of(instance)
        return self.permitted

    def read_instance(self, rows: Any) -> Any:
        """The instance that DRF's ``get_object()`` would find; ``None`` where it finds none."""
        view = self.view
        name = view.lookup_field
        value = view.kwargs[view.lookup_url_kwarg or name]
        try:
            if rows is view.queryset:
                return instance_reader(rows, name).read(value)
            return read_instance(rows, Key(name, value))
        except NO_SUCH_KEY as error:
            raise_404_after_database_error(error)
            return None

    def read_row(self) -> Row | None:
        view = self.view
        if type(view).get_versioned_queryset is not VersionedViewMixin.get_versioned_queryset:
            return super().read_row()
        name = view.lookup_field
        value = view.kwargs[view.lookup_url_kwarg or name]
        fixed = self.fixed_queryset
        self.rows = view.filter_queryset(view.get_queryset()) if fixed is None else fixed
        try:
            if fixed is not None:
                return row_reader(fixed, view.tag_key, name).read(value)
            return read_row(self.rows, view.tag_key, key=Key(name, value))
        except NO_SUCH_KEY as error:
            raise_404_after_database_error(error)
            return None

    def read_row_again(self, row: Row) -> tuple[Row, Any] | None:
        """
        The same row as it is now, with its object; ``None`` where the view's queryset does not
        have it any more.
        """
        queryset = for_write(self.view.filter_queryset(self.view.get_queryset()))
        owner = state_columns(row.model).owner
        queryset = queryset.filter(**{owner._meta.pk.name: row.pk})
        instance = queryset.first()
        if instance is None:
            return None
        return row_of(instance, self.view.tag_key, annotation_names(queryset)), instance

    def row_of(self, instance: Any) -> Row:
        if not self.loads_as_drf:
            return super().row_of(instance)
        names = self.annotations
        if names is None:
            view_class: Any = type(self.view)
            names = _annotations_of_fixed(view_class)
        return row_of(instance, self.view.tag_key, names)

    def note_annotations(self, queryset: Any) -> None:
        self.annotations = annotation_names(queryset)

    def load(self, load: Callable[[], Any]) -> Any:
        """
        ``load()``, which is the view's ``get_object()``. DRF's own loads from the queryset that
        the validators were read from, so that it is not made and filtered again.
        """
        view, rows, self.rows = self.view, self.rows, None
        if rows is None:
            if self.loads_as_drf and self.fixed_queryset is not None:
                return load()  # Its annotations are known.
            with hooked(view, filter_queryset=noting(view.filter_queryset, self.note_annotations)):
                return load()
        hooks: dict[str, Any] = {}
        if self.permitted is not None:
            hooks["check_object_permissions"] = partial(
                self.check_once, self.permitted, view.check_object_permissions
            )
            self.permitted = None
        with self.loading_from(rows, **hooks):
            return load()

    def loading_from(self, rows: Any, **hooks: Any) -> AbstractContextManager[None]:
        """For the block, let ``get_object()`` load from ``rows``, which is filtered already."""
        view = self.view
        self.annotations = annotation_names(rows)
        # Once, since a second call may be for a queryset to evaluate.
        once, get_queryset, filter_queryset = [rows], view.get_queryset, view.filter_queryset
        return hooked(
            view,
            get_queryset=lambda: once.pop() if once else get_queryset(),
            filter_queryset=lambda queryset: (
                queryset if queryset is rows else filter_queryset(queryset)
            ),
            **hooks,
        )

    def check_once(
        self, permitted: Row, check: Callable[..., None], request: Any, obj: Any
    ) -> None:
        """``check_object_permissions()``, unless it has permitted the row in this state."""
        row = self.row_of(obj)
        if (row.pk, row.state) != (permitted.pk, permitted.state):
            check(request, obj)

    def load_again(self) -> Any:
        view = self.view
        with hooked(view, filter_queryset=noting(view.filter_queryset, self.note_annotations)):
            return view.get_object()


class VersionedViewMixin(GuardingView, _GenericAPIView):
    """
    The base of the mixins for DRF's generic views and viewsets.

    With any of the mixins, every handler that writes the row of its address is
    guarded: DRF's ``update()`` and ``destroy()``, and the view's own ``put()``,
    ``patch()``, ``post()`` and ``delete()``.
    """

    versioning = cached_property(GenericVersioning)

    def get_versioned_queryset(self) -> Any:
        """The queryset of the one row that DRF's ``get_object()`` loads."""
        view: Any = self
        value = view.kwargs[view.lookup_url_kwarg or view.lookup_field]
        queryset = view.filter_queryset(view.get_queryset())
        return queryset.filter(**{view.lookup_field: value})

    if not TYPE_CHECKING:

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


if TYPE_CHECKING:

    class GenericView(VersionedViewMixin, GenericAPIView[Any]):
        """The mixin and DRF's view behind it, as each view has both: for annotations."""


@cache
def _loads_as_drf(view_class: Any) -> bool:
    mixin: Any = VersionedViewMixin
    ours = view_class.get_object is mixin.get_object
    later: Any = super(VersionedViewMixin, view_class)
    return ours and later.get_object is GenericAPIView.get_object


@cache
def _fixed_queryset(view_class: Any) -> Any:
    if (
        view_class.get_queryset is not GenericAPIView.get_queryset
        or view_class.filter_queryset is not GenericAPIView.filter_queryset
        or not isinstance(view_class.queryset, QuerySet)
    ):
        return None
    return fixed_queryset(view_class.queryset)


@cache
def _annotations_of_fixed(view_class: Any) -> tuple[str, ...]:
    return annotation_names(_fixed_queryset(view_class))


def _loads_other_rows(rows: Any) -> bool:
    """
    Whether a queryset loads related rows that a permission could as well load by itself. Not
    where it filters or renames them, by ``Prefetch(queryset=…)`` or a ``FilteredRelation``:
    the permission must not see other rows than these.
    """
    if not isinstance(rows, QuerySet) or rows.query.combinator or rows.query.values_select:
        return False
    unchecked: Any = rows
    prefetched = unchecked._prefetch_related_lookups
    if unchecked.query._filtered_relations or not all(isinstance(each, str) for each in prefetched):
        return False
    return bool(rows.query.select_related or prefetched)


def _without_other_rows(rows: Any) -> Any:
    bare = rows.select_related(None).prefetch_related(None)
    # Since Django 6.1, a queryset may forbid further queries, counting on what it selects.
    return bare.fetch_mode(FETCH_ONE) if FETCH_ONE is not None else bare
