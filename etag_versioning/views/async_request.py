"""
One request to a decorated coroutine.

It can hold no transaction: between two of its steps, other requests may run on
the same connection. So each of its writes compares by itself. What reads the
database runs in the thread that Django has for that.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.db import DatabaseError
from django.http import HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from ..exceptions import StaleWriteError
from ..http.preconditions import INTERRUPTED, READ_METHODS, UNCONDITIONAL_METHODS
from ..orm.guards import DetachedGuard, Guard, WriteForbidden
from ..sources.raw_sql import noting_raw_writes, warn_if_unbumped
from ..sources.rows import Row
from .etag_options import Options
from .request import Call, Evaluated

__all__ = ["AsyncCall", "for_threads"]


def for_threads(options: Options) -> Options:
    """The options of a coroutine view, with functions that can be called from threads."""

    def plain(function: Any) -> Any:
        return async_to_sync(function) if iscoroutinefunction(function) else function

    def terms(extra: Any) -> Any:
        return plain(extra) if extra is None or callable(extra) else [*map(plain, extra)]

    return options._replace(
        etag_func=plain(options.etag_func),
        last_modified_func=plain(options.last_modified_func),
        etag_extra=terms(options.etag_extra),
    )


class AsyncCall(Call):
    """One request to a coroutine view."""

    async def respond(self) -> HttpResponseBase:  # type: ignore[override]
        methods = self.options.methods
        if methods is not None and self.method not in methods:
            return HttpResponseNotAllowed(methods)
        if self.method in UNCONDITIONAL_METHODS:
            return await self.call_without_conditions()
        checked = await sync_to_async(self.check)()
        if isinstance(checked, HttpResponseBase):
            return checked
        if self.method in READ_METHODS:
            return self.finish_read(await self.call_view(), checked.validators)
        return await self.write(checked)

    async def call_without_conditions(self) -> HttpResponseBase:  # type: ignore[override]
        guard = await sync_to_async(self.read_only_guard)()
        if isinstance(guard, HttpResponseBase):
            return guard
        if guard is None:
            return await self.call_view()
        try:
            with guard.watch():
                return await self.call_view()
        except WriteForbidden:
            return self.must_not_write()

    async def write(self, before: Evaluated) -> HttpResponseBase:  # type: ignore[override]
        """Run the view with its row under guard, and no transaction around it."""
        guard = await sync_to_async(self.guard)(before, detached=True)
        if guard is None:
            return await self.call_view()
        try:
            with guard.watch():
                response = await self.call_noting_raw_sql(before.row, guard)
            await sync_to_async(self.finish_write)(response, before, guard)
            return response
        except (StaleWriteError, DatabaseError) as error:
            if not self.may_be_lost(before, error):
                raise
            if isinstance(guard, DetachedGuard) and guard.committed:
                return self.answer_lost(INTERRUPTED)
            return self.answer_lost(*await sync_to_async(self.decide_again)(before, error))

    async def call_noting_raw_sql(self, row: Row | None, guard: Guard) -> HttpResponseBase:
        """Run the view, and log raw SQL that left the row's version as it was."""
        if row is None or not guard.enforced:
            return await self.call_view()
        # The view's statements run in the thread of sync_to_async(), on its connection.
        noting = noting_raw_writes(row, guard)
        found = await sync_to_async(noting.__enter__)()
        try:
            response = await self.call_view()
        finally:
            await sync_to_async(noting.__exit__)(None, None, None)
        if found and response.status_code < 400 and guard.state == row.state:
            await sync_to_async(warn_if_unbumped)(self.view, row)
        return response
