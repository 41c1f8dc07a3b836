"""Writes several rows, all or none, each with its own precondition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from django.db import DatabaseError, IntegrityError, connections, transaction
from django.http import Http404
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.mixins import UpdateModelMixin
from rest_framework.response import Response

from ...exceptions import StaleWriteError
from ...http.preconditions import (
    CONFLICT,
    GONE,
    STALE,
    UNAVAILABLE,
    Decision,
    Outcome,
    Validators,
)
from ...orm.database_errors import (
    is_duplicate,
    is_lost_race,
    violates_foreign_key,
    was_raised_after_commit,
)
from ...orm.guards import Demand
from ...orm.state_columns import state_columns
from ...sources.guarded_block import GuardedBlock
from ...sources.rows import Row, for_write
from ...touching.paths import touches_of
from ...touching.writes import Source, touch_for_rows
from ..conflicts import as_read, is_denied, loading, shown_content
from ..current import read_representation
from ..exceptions import LostRace, PreconditionError
from ..statements import refresh, saves_in_own_way
from .content import BulkContent, Item

__all__ = ["BulkUpdate"]


class BulkUpdate:
    """One request that updates several rows."""

    def __init__(self, view: Any, *, partial: bool) -> None:
        self.view = view
        self.partial = partial
        self.content = BulkContent(view)
        self.items: list[Item] = []

    def respond(self) -> Response:
        self.view.versioning.check_media_type()
        self.items = self.content.read(self.view.request.data)
        self.load(self.items)
        self.refuse([(item, self.evaluate(item)) for item in self.items])
        self.validate()
        try:
            return Response(self.write())
        except (StaleWriteError, DatabaseError) as error:
            if was_raised_after_commit(error) or (told := self.told(error)) is None:
                raise
            raise told from error

    def told(self, error: Exception) -> APIException | None:
        """What to answer to an error by other writes; ``None`` for a fault of the project's."""
        if is_lost_race(error):
            return LostRace(partial(self.by_row, error), partial(self.by_error, error))
        if violates_foreign_key(error):
            return PreconditionError(CONFLICT)
        is_clash = isinstance(error, _Clash) or not self.has_own_code
        if isinstance(error, IntegrityError) and is_clash:
            # Each item is valid by itself.
            message = "These items cannot all be written: their values exclude each other."
            return ValidationError({"non_field_errors": [message]})
        return PreconditionError(CONFLICT) if is_duplicate(error) else None

    # The rows.

    def load(self, items: Sequence[Item]) -> None:
        keys = [item.key for item in items if item.key is not None]
        found = self.find(self.view.lookup_field, keys)
        if not self.view.versioning.loads_as_drf:
            found = self.load_each(found)
        found = {key: each for key, each in found.items() if not is_denied(self.view, each)}
        unknown = [str(number) for number, item in enumerate(items) if item.key not in found]
        if unknown:
            raise NotFound(f"There are no such rows: items {', '.join(unknown)} (from 0).")
        for item in items:
            item.instance = found[item.key]
            self.view.check_object_permissions(self.view.request, item.instance)
            item.row = self.view.versioning.row_of(item.instance)

    def load_each(self, found: Mapping[Any, Any]) -> dict[Any, Any]:
        """The rows as the view's own ``get_object()`` loads them, without those it refuses."""
        loaded = {}
        for key, instance in found.items():
            with loading(self.view, instance), suppress(Http404, NotFound):
                seen = self.view.get_object()
                # A get_object() that ignores the address may return another row.
                if seen == instance:
                    loaded[key] = seen
        return loaded

    def find(self, name: str, keys: Sequence[Any]) -> dict[Any, Any]:
        """The view's rows with these keys, by key: one query."""
        view = self.view
        queryset = for_write(view.filter_queryset(view.get_queryset()))
        view.versioning.note_annotations(queryset)
        instances = list(queryset.filter(**{f"{name}__in": keys}))
        found = {getattr(instance, name): instance for instance in instances}
        if len(found) < len({instance.pk for instance in instances}):
            raise queryset.model.MultipleObjectsReturned(f"Several rows have the same {name}.")
        return found

    def evaluate(self, item: Item) -> Decision:
        versioning = self.view.versioning
        decision: Decision = versioning.evaluate(self.validators(item.row), conditions=item.headers)
        if decision.outcome is Outcome.PROCEED:
            versioning.report(decision)
        return decision

    def validators(self, row: Row) -> Validators:
        # An item's tag is that of the state alone.
        return row.validators(read_representation(self.view))

    def refuse(self, evaluated: Sequence[tuple[Item, Decision]]) -> None:
        """Raise what there is to answer, unless each item's precondition holds."""
        for outcome in (Outcome.PRECONDITION_REQUIRED, Outcome.PRECONDITION_FAILED):
            refused = [(item, each) for item, each in evaluated if each.outcome is outcome]
            if refused:
                name = "stale" if outcome is Outcome.PRECONDITION_FAILED else "without_etag"
                shown = [self.shown(item, tag=name == "stale") for item, _ in refused]
                raise PreconditionError(refused[0][1], extra={name: shown})

    def shown(self, item: Item, *, tag: bool) -> dict[str, Any]:
        named = {self.content.key_name: item.key}
        seen = as_read(self.view, item.instance) if tag else None
        if seen is None:
            return named
        etag = str(item.row.validators().etag)
        content = shown_content(self.view, seen) if self.view.conflict_includes_current else {}
        return {**named, "current_etag": etag, **content}

    def validate(self) -> None:
        for item in self.items:
            item.serializer = self.view.get_serializer(
                item.instance, data=item.data, partial=self.partial
            )
        valid = [item.serializer.is_valid() for item in self.items]
        if not all(valid):
            raise ValidationError([item.serializer.errors for item in self.items])

    # All requests write their rows in the same order, so that no two wait for each other.

    def write(self) -> list[Any]:
        """Write all items, and return what the answer shows of them."""
        for item in self.items:
            item.put_under_guard()
        ordered = sorted(self.items, key=lambda item: item.row.pk)
        using = ordered[0].guard.row.using
        with transaction.atomic(using=using):
            with (
                GuardedBlock(using, [item.guard for item in ordered]) as block,
                _telling_clashes(ordered[0].row.model, using),
            ):
                self.lock(ordered, using)
                block.statements.clear()
                for item in ordered:
                    refresh(item.serializer, item.guard)  # Touched by another.
                    self.view.perform_update(item.serializer)
            for item in ordered:
                refresh(item.serializer, item.guard)
                item.instance.__dict__.pop("_prefetched_objects_cache", None)
            # Before the commit: a serializer that fails must leave nothing written.
            return [item.serializer.data for item in self.items]

    @property
    def has_own_code(self) -> bool:
        """Whether code of the project's own writes the rows, in ways that are not known."""
        kinds: set[Any] = {type(item.serializer) for item in self.items}
        own_hook = type(self.view).perform_update is not UpdateModelMixin.perform_update
        return own_hook or any(map(saves_in_own_way, kinds))

    def lock(self, ordered: Sequence[Item], using: str) -> None:
        """Lock what each item will touch, and then the rows that no UPDATE compares."""
        self.lock_touched(using)
        loose = [item for item in ordered if item.guard.demand is Demand.ANY_STATE]
        for item in ordered:
            if self.has_own_code or loose:
                item.guard.lock()
            # Touching may have locked it, where models touch each other.
            item.guard.keep_lock()
        if loose:
            self.load_locked(loose)

    def lock_touched(self, using: str) -> None:
        model: Any = type(self.items[0].instance)
        if touches_of(model) is None or not connections[using].features.has_select_for_update:
            return
        keys = [item.instance.pk for item in self.items]
        written = [item.serializer.validated_data for item in self.items]
        touch_for_rows([Source(model, keys, written)], using, compared=True)

    def load_locked(self, loose: Sequence[Item]) -> None:
        """Load the rows of ``If-Match: *`` again where their state has changed."""
        for item in loose:
            item.guard.reread()
        changed = [item for item in loose if item.guard.state != item.row.state]
        if not changed:
            return
        self.load(changed)
        if any(item.guard.state != item.row.state for item in changed):
            # The transaction does not see what others wrote.
            raise PreconditionError(UNAVAILABLE)
        self.validate()

    # Another request wrote first.

    def by_row(self, error: Exception) -> APIException:
        """What to answer, by the rows as they are now."""
        self.view.versioning.representations.clear()
        items = self.items
        if not any(item.row.concerns(error) for item in items):
            return PreconditionError(CONFLICT)
        owner = state_columns(items[0].row.model).owner._meta.pk
        found = self.find(owner.attname, [item.row.pk for item in items])
        if any(item.row.pk not in found for item in items):
            return PreconditionError(GONE)
        changed = isinstance(error, StaleWriteError)
        for item in items:
            item.instance = found[item.row.pk]
            item.row = self.view.versioning.row_of(item.instance)
        try:
            self.refuse([(item, self.evaluate(item)) for item in items])
        except PreconditionError as refused:
            if refused.decision.outcome is Outcome.PRECONDITION_FAILED:
                return refused
        named = all(item.headers.if_match is not None for item in items)
        return PreconditionError(CONFLICT if changed and not named else UNAVAILABLE)

    def by_error(self, error: Exception) -> APIException:
        """What to answer, where the rows cannot be read as they are now: without tags."""
        if not isinstance(error, StaleWriteError):
            return PreconditionError(UNAVAILABLE)
        concerned = any(item.row.concerns(error) for item in self.items)
        named = all(item.headers.if_match is not None for item in self.items)
        return PreconditionError(STALE if concerned and named else CONFLICT)


class _Clash(IntegrityError):
    """An UPDATE of a row that violates a constraint."""


@contextmanager
def _telling_clashes(model: Any, using: str) -> Iterator[None]:
    """Let an UPDATE of a row of ``model`` raise ``_Clash`` for an ``IntegrityError``."""
    quote = connections[using].ops.quote_name
    tables = [table._meta.db_table for table in (model, *model._meta.get_parent_list())]
    updates = tuple(f"UPDATE {quote(table)} " for table in tables)

    def tell(execute: Any, sql: Any, *args: Any) -> Any:
        try:
            return execute(sql, *args)
        except IntegrityError as error:
            if str(sql).startswith(updates):
                # As a database's error has its driver's.
                raise _Clash(*error.args) from error.__cause__
            raise

    with connections[using].execute_wrapper(tell):
        yield
