"""
One request to a decorated coroutine.

It can hold no transaction: between two of its steps, other requests may run on
the same connection. So each of its writes compares by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from ..exceptions import StaleWriteError
from ..http.etags import EntityTag
from ..http.preconditions import INTERRUPTED, READ_METHODS, UNCONDITIONAL_METHODS, Decision
from ..http.representation import request_representation
from ..http.responses import ErrorResponse
from ..orm.guards import Guard, WriteForbidden
from ..signals import report
from ..sources.raw_sql import is_unbumped, noting_raw_writes, warn_of_raw_sql
from ..sources.rows import Row
from .condition import Call, Evaluated

__all__ = ["AsyncCall"]


class AsyncCall(Call):
    """One request to a coroutine view."""

    async def respond(self) -> HttpResponseBase:  # type: ignore[override]
        methods = self.options.methods
        if methods is not None and self.method not in methods:
            return HttpResponseNotAllowed(methods)
        if self.method in UNCONDITIONAL_METHODS:
            return await self.acall_without_conditions()
        try:
            evaluated = await self.aevaluate()
        except DatabaseError as error:
            return self.unavailable(error)
        if (response := self.refuse(evaluated)) is not None:
            return response
        if self.method in READ_METHODS:
            return self.finish_read(await self.call_view(), evaluated.validators)
        return await self.awrite(evaluated)

    async def acall_without_conditions(self) -> HttpResponseBase:
        try:
            guard = await sync_to_async(self.read_only_guard)()
        except DatabaseError as error:
            return self.unavailable(error)
        if guard is None:
            return await self.call_view()
        guard.detached = True
        try:
            with guard.watch():
                return await self.call_view()
        except WriteForbidden:
            return self.must_not_write()

    async def aevaluate(self) -> Evaluated:
        functions = (self.options.etag_func, self.options.last_modified_func)
        terms = self.options.etag_extra
        if not any(iscoroutinefunction(func) for func in (*functions, terms)):
            return await sync_to_async(self.evaluate)()
        current = await sync_to_async(self.read)()
        if self.representation is None:
            terms = await self.acall(terms) if iscoroutinefunction(terms) else terms
            self.representation = await sync_to_async(request_representation)(
                self.request, terms, self.args, self.kwargs
            )
        etag, last_modified = [await self.acall(func) for func in functions]
        return self.decide(current, etag, last_modified)

    async def acall(self, func: Callable[..., Any] | None) -> Any:
        if func is None:
            return None
        afunc = func if iscoroutinefunction(func) else sync_to_async(func)
        return await afunc(self.request, *self.args, **self.kwargs)

    async def awrite(self, before: Evaluated) -> HttpResponseBase:
        """Run the view with its row under guard, and no transaction around it."""
        guard = self.guard(before, detached=True)
        if guard is None:
            return await self.call_view()
        try:
            with guard.watch():
                if before.row is not None and guard.enforced:
                    response = await self.acall_noting_raw_sql(before.row, guard)
                else:
                    response = await self.call_view()
            if before.row is None:
                await sync_to_async(self.finish_write)(response, before, guard)
            else:
                self.finish_write(response, before, guard)
            return response
        except (StaleWriteError, DatabaseError) as error:
            if not self.may_be_lost(before, error):
                raise
            if guard.committed:
                report(self.request, INTERRUPTED)
                return ErrorResponse(self.request, INTERRUPTED)
            decision, etag = await self.adecide_again(before, error)
            report(self.request, decision)
            return ErrorResponse(self.request, decision, etag)

    async def acall_noting_raw_sql(self, row: Row, guard: Guard) -> HttpResponseBase:
        """Run the view, and log raw SQL that left the row's version as it was."""
        # The view's statements run in the thread of sync_to_async(), on its connection.
        noting = noting_raw_writes(row, guard)
        found = await sync_to_async(noting.__enter__)()
        try:
            response: HttpResponseBase = await self.call_view()
        finally:
            await sync_to_async(noting.__exit__)(None, None, None)
        bumped = not found or response.status_code >= 400 or guard.state != row.state
        if not bumped and await sync_to_async(is_unbumped)(row, guard):
            warn_of_raw_sql(self.view, row)
        return response

    async def adecide_again(
        self, before: Evaluated, error: Exception
    ) -> tuple[Decision, EntityTag | None]:
        try:
            again = await self.aevaluate()
        except (Http404, PermissionDenied):
            again = None
        except DatabaseError as failure:
            return self.unreadable(failure)
        return self.compared(before, error, again)
