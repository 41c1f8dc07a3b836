"""
The sources of a view's validators: a row, a page of rows, a revision.

For each request, a source reads what is current; rows by one validator query. Files and
combinations of sources have modules of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import DataError, connections, models
from django.http import Http404, HttpRequest

from ..conf import settings
from ..http.etags import encode_key
from ..http.preconditions import Validators
from ..http.representation import PLAIN, Representation, make_validators
from ..orm.locks import StoredRow
from .absent_rows import CreationGuard, DetachedCreationGuard
from .fast_select import Key, fixed_queryset, from_database
from .rows import (
    Row,
    as_queryset,
    for_write,
    is_impossible,
    page_validators,
    require_version,
    row_of,
)
from .validator_query import (
    RowReader,
    annotation_names,
    combined_annotation_names,
    key_names,
    read_row,
    row_from_values,
    validator_names,
)

__all__ = [
    "Current",
    "Page",
    "PageSource",
    "Revision",
    "RevisionSource",
    "RowSource",
    "Source",
    "Untagged",
    "locking",
    "url_value",
]

# The errors for a value that no column of its type can hold, from Python or the database.
_IMPOSSIBLE = (TypeError, ValueError, ArithmeticError, ValidationError, DataError)


class Current(Protocol):
    """The result of reading a source."""

    @property
    def row(self) -> Row | None:
        """The row that the view may write; ``None`` where the source is not one row."""

    def validators(self, representation: Representation = PLAIN) -> Validators:
        """The validators, with the representation part if one is given."""


class Source(Protocol):
    """Reads the validators of a response."""

    def read(
        self, request: HttpRequest, args: Any, kwargs: Any, *, writes: bool = False
    ) -> Current | None:
        """
        Read what is current; ``None`` where it is absent.

        Args:
            request, args, kwargs: the view's arguments.
            writes: whether to read from the database for writes.
        """


@dataclass(frozen=True)
class RowSource:
    """
    The row that the view shows and writes.

    Args:
        source: a model, a manager, a queryset, or a callable
            ``(request, *args, **kwargs)`` that returns one of these.
        lookup_field: the field that selects the row, "pk" by default. A callable
            that is given neither lookup selects the row itself.
        lookup_url_kwarg: the URL keyword argument that holds the value; the
            lookup field's name by default.
        tag_key: the field that stands for the row in its tags; the model's
            ``tag_key`` by default.

    Raises:
        ImproperlyConfigured: ``source`` is none of these.
    """

    source: Any
    lookup_field: str | None = None
    lookup_url_kwarg: str | None = None
    tag_key: str | None = None

    def __post_init__(self) -> None:
        _require_rows(self.source)

    def read(
        self, request: HttpRequest, args: Any, kwargs: Any, *, writes: bool = False
    ) -> Row | None:
        reader = self._reader
        queryset: Any = None
        if reader is None:
            queryset = _queryset(self.source, request, args, kwargs)
        name = self._kwarg
        value = None if self._selects_itself else kwargs.get(name) or url_value(kwargs, name)
        try:
            if isinstance(value, str) and is_impossible(value):
                raise ValueError("No database can store this text.")
            if reader is not None:
                return reader.read(value, writes=writes)
            row = self._read(for_write(queryset) if writes else queryset, kwargs)
        except _IMPOSSIBLE as error:
            # No row can have this key, so none can be created. After a DataError PostgreSQL
            # accepts no more statements in the transaction.
            if writes or isinstance(error, DataError):
                raise Http404("No row can have this key.") from None
            return None
        # A lookup by another field than the key can find another row later.
        named = not self._selects_itself and self._field in key_names(queryset.model)
        return row if row is None or named else row._replace(is_fixed=False)

    def guard_absent(
        self, request: HttpRequest, args: Any, kwargs: Any, *, detached: bool
    ) -> CreationGuard:
        """A guard on the row that ``read()`` did not find."""
        queryset = for_write(_queryset(self.source, request, args, kwargs))
        require_version(queryset.model)
        row = StoredRow.of(queryset.model, queryset.db, None)
        if not detached:
            return CreationGuard(row, look=lambda: self._read(locking(queryset.all()), kwargs))
        sees_hidden = self._is_unique_in(queryset.model)
        rows = queryset.model._base_manager.using(queryset.db) if sees_hidden else queryset
        return DetachedCreationGuard(
            row, look=lambda: self._read(locking(rows.all()), kwargs), sees_hidden=sees_hidden
        )

    def _is_unique_in(self, model: Any) -> bool:
        """Whether the address names one row of the table, whatever the source hides."""
        if self._selects_itself or "__" in self._field:
            return False
        return self._field == "pk" or bool(model._meta.get_field(self._field).unique)

    def _read(self, queryset: models.QuerySet[Any], kwargs: Any) -> Row | None:
        value = None if self._selects_itself else url_value(kwargs, self._kwarg)
        key = None if self._selects_itself else Key(self._field, value)
        return read_row(queryset, self.tag_key, key=key)

    @cached_property
    def _field(self) -> str:
        return self.lookup_field or "pk"

    @cached_property
    def _kwarg(self) -> str:
        return self.lookup_url_kwarg or self._field

    @cached_property
    def _reader(self) -> RowReader | None:
        """The reader for a queryset that is the same for all requests; otherwise ``None``."""
        queryset = fixed_queryset(self.source)
        return None if queryset is None else RowReader(queryset, self.tag_key, self._field)

    @cached_property
    def _selects_itself(self) -> bool:
        named = self.lookup_field or self.lookup_url_kwarg
        return not named and as_queryset(self.source) is None


def url_value(kwargs: Any, name: str) -> Any:
    """The value of the view's URL keyword argument of this name."""
    try:
        return kwargs[name]
    except KeyError:
        raise ImproperlyConfigured(
            f'The view was called without a URL keyword argument "{name}". Name the one that '
            f'holds the key: lookup_url_kwarg="…".'
        ) from None


class Page(NamedTuple):
    """The rows of a page, in output order."""

    label: str
    rows: tuple[Row, ...]

    @property
    def row(self) -> None:
        """A request to a page does not write one row."""

    def validators(self, representation: Representation = PLAIN) -> Validators:
        return page_validators(self.label, self.rows, (), representation)


class Untagged(NamedTuple):
    """Rows of which no tag can be made that changes with all that they show."""

    @property
    def row(self) -> None:
        """A request to them does not write one row."""

    def validators(self, representation: Representation = PLAIN) -> Validators:
        return Validators()


@dataclass(frozen=True)
class PageSource:
    """
    All rows of a queryset, in its order; a slice of it is a page.

    Args:
        source: as for ``RowSource``; a callable returns the queryset that is shown.

    Raises:
        ImproperlyConfigured: ``source`` is none of these.
    """

    source: Any

    def __post_init__(self) -> None:
        _require_rows(self.source)

    def read(
        self, request: HttpRequest, args: Any, kwargs: Any, *, writes: bool = False
    ) -> Page | Untagged:
        queryset = _queryset(self.source, request, args, kwargs)
        if not queryset.query.combinator:  # Django refuses it after union().
            queryset = queryset.prefetch_related(None)
        if writes:
            queryset = for_write(queryset)
        model, using = queryset.model, queryset.db
        label = model.tag_label or model._meta.model_name
        if combined := combined_annotation_names(queryset):
            instances = from_database(queryset)
            if not all(isinstance(instance, model) for instance in instances):
                return Untagged()
            return Page(label, tuple(row_of(each, None, combined) for each in instances))
        names = (*validator_names(model), *annotation_names(queryset))
        values = from_database(queryset.values_list(*names))
        return Page(label, tuple(row_from_values(model, using, row) for row in values))


class Revision(NamedTuple):
    """A revision of the project's code."""

    name: str

    @property
    def row(self) -> None:
        """A revision is not a row."""

    def validators(self, representation: Representation = PLAIN) -> Validators:
        # Encoded like a part of a key, so that "-br" at its end is no proxy's suffix.
        return make_validators(f"revision-{encode_key((self.name,))}", representation)


class RevisionSource(NamedTuple):
    """
    Content that only changes with a deployment.

    Args:
        revision: the name of the running code; by default the setting ``REVISION``.
    """

    revision: str | None = None

    def read(
        self, request: HttpRequest, args: Any, kwargs: Any, *, writes: bool = False
    ) -> Revision:
        revision = self.revision or settings.revision
        if not revision:
            raise ImproperlyConfigured(
                "There is no revision to build a tag from. Name the running code: "
                'ETAG_VERSIONING = {"REVISION": "2026-11-24"}; or for this view alone: '
                'revision_etag_func("2026-11-24").'
            )
        return Revision(revision)


def _require_rows(source: Any) -> None:
    if as_queryset(source) is None and (not callable(source) or iscoroutinefunction(source)):
        raise ImproperlyConfigured(
            f"{source!r} is no source of rows. Give a model, a manager, a queryset, or a "
            f"plain function that returns one: "
            f"def source(request, *args, **kwargs): return User.objects.filter(…)."
        )


def _queryset(source: Any, request: HttpRequest, args: Any, kwargs: Any) -> Any:
    queryset = as_queryset(source)
    if queryset is None:
        queryset = as_queryset(source(request, *args, **kwargs))
        if queryset is None:
            raise ImproperlyConfigured(f"{source!r} must return a queryset.")
    return queryset


def locking(queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """
    ``queryset`` as a locking read, where the query allows one. On MariaDB and MySQL, only a
    locking read sees a row that was committed after the transaction began.
    """
    query = queryset.query
    simple = not (query.distinct or query.is_sliced or query.combinator or query.group_by)
    if simple and len(query.alias_map) < 2 and connections[queryset.db].in_atomic_block:
        return queryset.select_for_update()
    return queryset
