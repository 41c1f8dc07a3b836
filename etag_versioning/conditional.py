"""
The way of one request through a decorated view: judge, claim, call, tag.

``Call`` is for plain views, ``AsyncCall`` for coroutines. What differs is that
a coroutine can hold no transaction: between two of its steps, other requests
may run on the same connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connections, transaction
from django.http import Http404, HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils import timezone

from . import http
from .conf import settings
from .etags import EntityTag
from .exceptions import StaleWriteError
from .guards import Guard, is_contention, is_lost_race
from .preconditions import (
    CONFLICT,
    GONE,
    READ_METHODS,
    UNAVAILABLE,
    Decision,
    Outcome,
    Policy,
    Validators,
    evaluate,
    reconsider,
)
from .validators import Row, RowSource, last_modified_seconds

__all__ = ["AsyncCall", "Call", "Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The arguments of ``versioned_condition``."""

    rows: RowSource | None
    etag_func: Callable[..., Any] | None
    last_modified_func: Callable[..., Any] | None
    required: bool
    allow_wildcard: bool
    allow_unmodified_since: bool
    cache_control: Mapping[str, Any] | None
    expose_tag: bool
    methods: tuple[str, ...] | None

    @property
    def policy(self) -> Policy:
        return Policy(
            if_match_required=self.required,
            allow_wildcard=self.allow_wildcard,
            allow_unmodified_since=self.allow_unmodified_since,
            strong=settings.strong_if_match,
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """What was read for a request, and what its preconditions make of it."""

    row: Row | None
    validators: Validators
    decision: Decision


class Call:
    """One request to a plain view."""

    def __init__(
        self, options: Options, view: Any, request: HttpRequest, args: Any, kwargs: Any
    ) -> None:
        self.options = options
        self.view = view
        self.request = request
        self.args = args
        self.kwargs = kwargs
        self.method = request.method or ""
        self.headers = http.conditional_headers(request)

    def respond(self) -> HttpResponseBase:
        if (response := self.method_not_allowed()) is not None:
            return response
        if self.method in ("OPTIONS", "TRACE"):
            return self.call_view()
        try:
            judged = self.judge()
        except DatabaseError as error:
            return self.unavailable(error)
        if (response := self.refuse(judged)) is not None:
            return response
        if self.method in READ_METHODS:
            return self.finish_read(self.call_view(), judged.validators)
        if judged.row is None:
            return self.call_view()
        return self.write(judged.row)

    def call_view(self) -> Any:
        return self.view(self.request, *self.args, **self.kwargs)

    # Before the view: method, row, preconditions.

    def method_not_allowed(self) -> HttpResponseBase | None:
        methods = self.options.methods
        if methods is None or self.method in methods:
            return None
        return HttpResponseNotAllowed(methods)

    def judge(self) -> Judged:
        # The row is read first: a write between the two makes the tag newer than
        # the state that is claimed, and the claim fails.
        row = self.read_row()
        etag, last_modified = (
            func and func(self.request, *self.args, **self.kwargs)
            for func in (self.options.etag_func, self.options.last_modified_func)
        )
        return self.decide(row, etag, last_modified)

    def read_row(self) -> Row | None:
        if self.options.rows is None:
            return None
        writes = self.method not in READ_METHODS
        row = self.options.rows.read(self.request, self.args, self.kwargs, writes=writes)
        if row is None:
            raise Http404("No row matches the request.")
        return row

    def decide(self, row: Row | None, etag: Any, last_modified: Any) -> Judged:
        own = Validators() if row is None else row.validators()
        validators = Validators(
            own.etag if self.options.etag_func is None else _entity_tag(etag),
            own.state if self.options.etag_func is None else None,
            own.last_modified if self.options.last_modified_func is None else _date(last_modified),
        )
        # For functions alone, as for ``condition``: nothing returned, nothing there.
        absent = row is None and validators == Validators()
        current = None if absent else validators
        decision = evaluate(self.method, self.headers, current, self.options.policy)
        return Judged(row, validators, decision)

    def refuse(self, judged: Judged) -> HttpResponseBase | None:
        decision = judged.decision
        if decision.outcome is Outcome.PROCEED:
            return None
        if decision.outcome is Outcome.NOT_MODIFIED:
            response = http.NotModified(judged.validators, decision)
            http.set_cache_control(response, self.options.cache_control)
            return response
        return http.ErrorResponse(*self.shown(decision, judged.validators)).render()

    def shown(
        self, decision: Decision, current: Validators | None
    ) -> tuple[Decision, EntityTag | None]:
        """A decision with the tag that its answer shows: a 412 and a 409 do."""
        tells = decision.outcome in (Outcome.PRECONDITION_FAILED, Outcome.CONFLICT)
        if current is None or not tells or not self.options.expose_tag:
            return decision, None
        return decision, current.etag

    # The view, and its answer.

    def write(self, row: Row) -> HttpResponseBase:
        """Run the view in one transaction, with the claim of its row if it names one."""
        guard = self.guard(row)
        try:
            block = guard.claim() if guard.enforced else transaction.atomic(using=row.using)
            with block, guard.watch():
                response = self.call_view()
            return self.finish_write(response, row, guard)
        except (StaleWriteError, DatabaseError) as error:
            if not is_lost_race(error):
                raise
            return self.lost(row, error)

    def guard(self, row: Row, *, detached: bool = False) -> Guard:
        dates_count = self.options.allow_unmodified_since or not self.options.required
        return row.guard(self.headers, dates_count=dates_count, detached=detached)

    def finish_read(self, response: Any, validators: Validators) -> Any:
        if 200 <= response.status_code < 300:
            http.set_validators(response, validators)
            http.set_cache_control(response, self.options.cache_control)
        return response

    def finish_write(self, response: Any, row: Row, guard: Guard) -> Any:
        own_tag = self.options.etag_func is None and guard.state is not None
        if own_tag and http.shows_new_tag(self.method, response):
            etag = row.with_state(guard.state).validators().etag  # type: ignore[arg-type]
            response.headers.setdefault("ETag", str(etag))
        return response

    # The view's write, or the claim, was lost to another's.

    def unavailable(self, error: DatabaseError) -> HttpResponseBase:
        """503 where not even the row's state can be read for others' locks."""
        if not is_contention(error):
            raise error
        return http.ErrorResponse(UNAVAILABLE).render()

    def lost(self, row: Row, error: Exception) -> HttpResponseBase:
        if not connections[row.using].in_atomic_block:
            return http.ErrorResponse(*self.settle(row, error)).render()
        # Under ATOMIC_REQUESTS, nothing of the request is to be committed, and its
        # transaction may be blind to what others wrote: what is true now is read
        # after it, when Django renders.
        for connection in connections.all(initialized_only=True):
            if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
                connection.set_rollback(True)
        return http.ErrorResponse(CONFLICT, settle=lambda: self.settle(row, error))

    def settle(self, row: Row, error: Exception) -> tuple[Decision, EntityTag | None]:
        """What to answer, by the row as it is now."""
        if not row.concerns(error):
            return CONFLICT, None
        try:
            return self.settled(row, error, self.judge())
        except (Http404, PermissionDenied):
            return GONE, None

    def settled(
        self, row: Row, error: Exception, again: Judged
    ) -> tuple[Decision, EntityTag | None]:
        assert again.row is not None
        moved = row.has_moved(error, again.row, self.headers)
        return self.shown(reconsider(self.headers, again.decision, moved), again.validators)


class AsyncCall(Call):
    """One request to a coroutine view."""

    async def respond(self) -> HttpResponseBase:  # type: ignore[override]
        if (response := self.method_not_allowed()) is not None:
            return response
        if self.method in ("OPTIONS", "TRACE"):
            return await self.call_view()
        try:
            judged = await self.ajudge()
        except DatabaseError as error:
            return self.unavailable(error)
        if (response := self.refuse(judged)) is not None:
            return response
        if self.method in READ_METHODS:
            return self.finish_read(await self.call_view(), judged.validators)
        if judged.row is None:
            return await self.call_view()
        return await self.awrite(judged.row)

    async def ajudge(self) -> Judged:
        functions = (self.options.etag_func, self.options.last_modified_func)
        if not any(iscoroutinefunction(func) for func in functions):
            return await sync_to_async(self.judge)()
        row = await sync_to_async(self.read_row)()
        etag, last_modified = [await self.acall(func) for func in functions]
        return self.decide(row, etag, last_modified)

    async def acall(self, func: Callable[..., Any] | None) -> Any:
        if func is None:
            return None
        afunc = func if iscoroutinefunction(func) else sync_to_async(func)
        return await afunc(self.request, *self.args, **self.kwargs)

    async def awrite(self, row: Row) -> HttpResponseBase:
        """
        Run the view with its row under guard. Each write of the row compares
        its state by itself; there is no transaction around them.
        """
        guard = self.guard(row, detached=True)
        try:
            with guard.watch():
                response = await self.call_view()
            return self.finish_write(response, row, guard)
        except (StaleWriteError, DatabaseError) as error:
            if not is_lost_race(error):
                raise
            decision, etag = await self.asettle(row, error)
            return http.ErrorResponse(decision, etag).render()

    async def asettle(self, row: Row, error: Exception) -> tuple[Decision, EntityTag | None]:
        if not row.concerns(error):
            return CONFLICT, None
        try:
            return self.settled(row, error, await self.ajudge())
        except (Http404, PermissionDenied):
            return GONE, None


def _entity_tag(value: Any) -> EntityTag | None:
    return None if value is None else EntityTag.from_text(str(value))


def _date(moment: datetime | None) -> int | None:
    """As ``condition`` does, a naive datetime of a user's function counts as UTC."""
    if not moment:
        return None
    return last_modified_seconds(
        moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
    )
