"""A row in one state: its validators, and the guard on it. ``validator_query`` reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models, router
from django.utils import timezone
from django.utils.functional import LazyObject

from ..exceptions import StaleWriteError
from ..http.dates import parse_http_date
from ..http.etags import build_state, digest, encode_key
from ..http.preconditions import ConditionalHeaders, Validators, names_any
from ..http.representation import PLAIN, Representation, make_validators
from ..orm.guards import Demand, DetachedGuard, Guard
from ..orm.instances import instance_itself
from ..orm.locks import StoredRow
from ..orm.state_columns import State, StateColumns, state_columns
from ..touching.paths import touches_of
from ..touching.writes import Source, touch_for_rows

__all__ = [
    "Row",
    "as_queryset",
    "extra_names",
    "for_write",
    "is_impossible",
    "last_modified_seconds",
    "list_validators",
    "page_validators",
    "require_version",
    "row_of",
]


class Row(NamedTuple):
    """
    One row's key and state, as read.

    Args:
        model: the model that was asked for.
        using: the alias of the database that it was read from.
        pk: the primary key of the row that holds the state.
        key: what stands for the row in its tags.
        state: version and timestamp.
        annotations: the values of the queryset's annotations. They belong to the
            representation and not to the state, because they change without a write.
        is_fixed: whether the request's address names the row by its primary key. If not,
            an older row may take its place, which a date cannot show.
    """

    model: Any
    using: str
    pk: Any
    key: Any
    state: State
    annotations: tuple[Any, ...] = ()
    is_fixed: bool = True

    @property
    def row(self) -> Row:
        return self

    def validators(self, representation: Representation = PLAIN) -> Validators:
        """The row's validators, with the representation part if one is given."""
        if self.annotations:
            representation = representation.with_terms("annotations", [digest(self.annotations)])
        version, timestamp = self.state
        if timestamp is not None and timestamp.tzinfo is None:
            timestamp = _aware(timestamp)
        moment = None
        if timestamp is not None and self.is_fixed:
            moment = last_modified_seconds(timestamp)
        label = self.model.tag_label or self.model._meta.model_name
        state = build_state(label, self.key, version, timestamp)
        return make_validators(state, representation, moment)

    def guard(
        self, headers: ConditionalHeaders, *, dates_count: bool, detached: bool = False
    ) -> Guard:
        """
        A guard on this row, which holds writes to the request's precondition if it has one;
        ``detached`` where no transaction can be open around it, as in a coroutine.
        """
        if headers.if_match is not None:
            demand = Demand.ANY_STATE if names_any(headers) else Demand.THIS_STATE
        elif dates_count and parse_http_date(headers.if_unmodified_since) is not None:
            demand = Demand.THIS_STATE
        else:
            demand = Demand.NOTHING
        kind = DetachedGuard if detached else Guard
        lock_touched = None if touches_of(self.model) is None else self.lock_touched
        row = StoredRow(state_columns(self.model), self.using, self.pk)
        return kind(row, self.state, demand, lock_touched)

    @property
    def stored(self) -> StoredRow:
        """The row of the table that holds the state."""
        return StoredRow.of(self.model, self.using, self.pk)

    def lock_touched(self) -> None:
        """Lock the rows that a write of this row touches, as its foreign keys are now."""
        if connections[self.using].features.has_select_for_update:
            touch_for_rows([Source(self.model, [self.pk])], self.using, compared=True)

    def concerns(self, error: Exception) -> bool:
        """Whether ``error`` can be about this row. A database error does not say."""
        if not isinstance(error, StaleWriteError):
            return True
        return error.model is state_columns(self.model).owner and bool(error.pk == self.pk)

    def was_changed(self, error: Exception, again: Row, headers: ConditionalHeaders) -> bool:
        """
        Whether another request wrote first, where ``error`` ended the write and the row is
        ``again`` now. Without If-Match, a new state is the sign of it.
        """
        changed = headers.if_match is None and again.state != self.state
        return isinstance(error, StaleWriteError) or changed


# PostgreSQL refuses NUL, and a lone surrogate, which JSON can contain, is not valid UTF-8.
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")


def is_impossible(value: Any) -> bool:
    """Whether ``value`` is text that no database can store."""
    return isinstance(value, str) and _IMPOSSIBLE.search(value) is not None


def as_queryset(source: Any) -> models.QuerySet[Any] | None:
    """
    All rows of a model, a manager or a queryset; ``None`` for anything else. A queryset that a
    class keeps must not keep its rows, so this is another one.
    """
    if isinstance(source, type) and issubclass(source, models.Model):
        return source._default_manager.all()
    return source.all() if isinstance(source, models.Manager | models.QuerySet) else None


def for_write(queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """``queryset`` on the database for writes, unless it has a ``using()`` of its own."""
    rows: Any = queryset
    if rows._db is not None or not (router.routers or rows._hints):
        return queryset  # It has one, or no router and no hint could choose another.
    return queryset.using(router.db_for_write(queryset.model))


def extra_names(instance: Any) -> list[str]:
    """The names of an instance's public attributes beside its fields, as annotations are."""
    fields = {field.attname for field in instance._meta.concrete_fields}
    return sorted(
        name for name in instance.__dict__ if name not in fields and not name.startswith("_")
    )


def row_of(instance: Any, tag_key: str | None = None, annotations: Sequence[str] = ()) -> Row:
    """
    The row of a loaded instance, in the state in which it was read, without a query.

    Args:
        instance: a model instance; it may be lazy, as ``request.user`` is.
        tag_key: the field that stands for the row in its tags; the model's
            ``tag_key`` where it is ``None``.
        annotations: the names of annotations that it was loaded with.
    """
    if isinstance(instance, LazyObject):
        instance = instance_itself(instance)
    model, loaded = type(instance), instance.__dict__
    columns = require_version(model)
    try:
        state = State(*(loaded[name] for name in columns.attnames))
    except KeyError:
        raise _not_loaded(instance, columns) from None
    key = instance
    for name in (tag_key or model.tag_key).split("__"):
        key = getattr(key, name)
    return Row(
        model,
        router.db_for_write(model, instance=instance),
        getattr(instance, columns.owner._meta.pk.attname),
        key,
        state,
        tuple(loaded.get(name) for name in annotations),
    )


def _not_loaded(instance: Any, columns: StateColumns) -> ImproperlyConfigured:
    missing = [name for name in columns.attnames if name not in instance.__dict__]
    return ImproperlyConfigured(
        f"This {instance._meta.label} was loaded without {', '.join(missing)}, so there is "
        f"no tag for it. Load them too: "
        f".only(…, {', '.join(repr(name) for name in missing)})."
    )


def require_version(model: Any) -> StateColumns:
    """The model's state columns. Raises ``ImproperlyConfigured`` without a version."""
    columns = state_columns(model)
    if columns.version is None:
        raise ImproperlyConfigured(
            f"{model._meta.label} has no version, so it cannot have a tag. Write: "
            f"class {model.__name__}(VersionedModel): …, then run makemigrations and migrate."
        )
    return columns


def page_validators(
    label: str,
    rows: Iterable[Row],
    envelope: Iterable[Any] = (),
    representation: Representation = PLAIN,
) -> Validators:
    """
    The validators of a page of rows: a digest of their keys and states in output order, and
    of the envelope. It changes with anything on the page. A page has no Last-Modified.
    """
    return list_validators(label, _page_terms(rows, envelope), representation)


def list_validators(
    label: str, terms: Iterable[Any], representation: Representation = PLAIN
) -> Validators:
    """The validators of a list whose content ``terms`` determine."""
    # The digest is keyed: the terms may hold values that not every client may see.
    return make_validators(f"{encode_key(label)}.page", representation, hidden=digest(terms))


def _page_terms(rows: Iterable[Row], envelope: Iterable[Any]) -> Iterator[Any]:
    yield from envelope
    yield "rows"
    for row in rows:
        yield from (row.key, row.state.version, row.state.timestamp, *row.annotations)


def last_modified_seconds(moment: datetime) -> int:
    """
    Seconds since 1970, rounded up: a write later in the same second must not
    have the same date (RFC 9110 §8.8.2.2).
    """
    if moment.tzinfo is None:
        moment = _aware(moment)
    return -((_EPOCH - moment) // _SECOND)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def _aware(moment: datetime) -> datetime:
    """With ``USE_TZ = False``, Django's datetimes are in the default time zone."""
    return timezone.make_aware(moment, timezone.get_default_timezone())
