"""
Reads and guards one row for adrf's coroutines.

Queries and preconditions run in a thread. A coroutine cannot hold a transaction, so each
write of the row compares by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError
from rest_framework.response import Response

from ...exceptions import StaleWriteError
from ...http.preconditions import NO_CONDITIONS, Validators
from ...sources.rows import for_write
from ..conflicts import conflict
from ..creates import REFUSALS, GuardedCreate, is_versioned
from ..exceptions import optional
from ..hooks import hooked
from ..pagination import RenderedPage, cheap_list, validators_of_page
from ..reads import OwnAnswer
from ..statements import refresh
from ..writes import Failed, GuardedWrite

if TYPE_CHECKING:
    from .generic_views import AsyncVersioning

__all__ = [
    "AsyncGuardedCreate",
    "AsyncGuardedHandler",
    "AsyncGuardedWrite",
    "aread_object",
    "aread_own",
    "aread_page",
]

Method = Callable[..., Awaitable[Any]]


def _noting(original: Method, note: Callable[[Any], None]) -> Method:
    """``original``, with ``note`` called with each result."""

    async def hook(*args: Any, **kwargs: Any) -> Any:
        result = await original(*args, **kwargs)
        note(result)
        return result

    return hook


async def aread_object(view: Any, method: Method, *args: Any, **kwargs: Any) -> Any:
    """As ``read_object()``, for a method that awaits ``aget_object()``."""
    versioning: AsyncVersioning = view.versioning
    loaded: list[Any] = []
    load = view.aget_object

    def validators_of(instance: Any) -> Validators:
        return versioning.validators_of(versioning.row_of(instance))

    async def aget_object() -> Any:
        if loaded:
            return loaded.pop()
        instance = await load()
        if versioning.shown is None:
            versioning.shown = await sync_to_async(validators_of)(instance)
        return instance

    def validators_of_row() -> Validators | None:
        row = versioning.read_row() if versioning.may_read_row() else None
        return None if row is None else versioning.validators_of(row)

    await sync_to_async(versioning.representation)()
    note = _noting(view.afilter_queryset, versioning.note_annotations)
    with hooked(view, aget_object=aget_object, afilter_queryset=note):
        if versioning.conditions != NO_CONDITIONS:
            current = await sync_to_async(validators_of_row)()
            if current is None:
                loaded.append(await view.aget_object())
                current = versioning.shown
            not_modified = await sync_to_async(versioning.check_preconditions)(current)
            if not_modified is not None:
                return not_modified
        return await method(*args, **kwargs)


async def aread_page(view: Any, method: Method, *args: Any, **kwargs: Any) -> Any:
    """As ``read_page()``, for a method that awaits its page."""
    versioning = view.versioning
    await sync_to_async(versioning.representation)()
    cheap, early = await sync_to_async(cheap_list)(view), None
    if versioning.conditions != NO_CONDITIONS:
        early = await sync_to_async(validators_of_page)(view) if cheap is None else None
        current = early.validators if early is not None else cheap
        if current is not None:
            not_modified = await sync_to_async(versioning.check_preconditions)(current)
            if not_modified is not None:
                return not_modified
    page = RenderedPage(view, early)
    hooks = {
        "afilter_queryset": _noting(view.afilter_queryset, page.note_queryset),
        "apaginate_queryset": _noting(view.apaginate_queryset, page.note_page),
        "get_apaginated_response": _noting(view.get_apaginated_response, page.note_response),
    }
    with hooked(view, **hooks):
        response = await method(*args, **kwargs)
    versioning.shown = cheap or await sync_to_async(page.validators)() or Validators()
    return response


async def aread_own(view: Any, handler: Method, *args: Any, **kwargs: Any) -> Any:
    """As ``read_own()``, for a coroutine."""
    await sync_to_async(view.versioning.representation)()
    answer, load = OwnAnswer(view), view.aget_object

    async def aget_object() -> Any:
        instance = await load()
        await sync_to_async(answer.note_object)(instance)
        return instance

    note = _noting(view.afilter_queryset, view.versioning.note_annotations)
    with hooked(view, aget_object=aget_object, afilter_queryset=note):
        response = await handler(*args, **kwargs)
    await sync_to_async(answer.finish)(response)
    return response


class AsyncGuardedWrite(GuardedWrite):
    """
    Runs one of adrf's writing methods.

    Args:
        view: the view, at its request.
    """

    detached = True

    def __init__(self, view: Any) -> None:
        super().__init__(view)
        get_queryset = view.get_queryset
        self.hooks = {
            "get_queryset": lambda: for_write(get_queryset()),
            "aget_object": partial(self.aget_object, view.aget_object),
            "afilter_queryset": _noting(view.afilter_queryset, view.versioning.note_annotations),
        }
        if hasattr(view, "perform_aupdate"):
            self.hooks["perform_aupdate"] = partial(self.aupdate, view.perform_aupdate)

    async def arun(self, method: Method, *args: Any, **kwargs: Any) -> Response:
        """Await adrf's ``method``, and put the new tag on its answer."""
        try:
            with hooked(self.view, True, **self.hooks), self.block:
                response: Response = await method(*args, **kwargs)
        except Failed as failed:
            raise await sync_to_async(conflict)(self.view, *failed.args) from None
        except (StaleWriteError, DatabaseError) as error:
            if self.row is None or not self.wrote_nothing(error):
                raise
            raise await sync_to_async(self.by_row)(self.row, error) from error
        await sync_to_async(self.finish)(response, method)
        return response

    async def aget_object(self, original: Method) -> Any:
        instance = await original()
        if self.row is None:
            guard = await sync_to_async(self.evaluate)(instance)
            self.block.enter_context(guard.watch())
        return instance

    async def aupdate(self, original: Method, serializer: Any) -> None:
        await original(serializer)
        if self.guard is not None:
            with optional("what was written past the instance"):
                await sync_to_async(refresh)(serializer, self.guard)
            await sync_to_async(self.take_terms)(self.guard.row.using)


class AsyncGuardedHandler(AsyncGuardedWrite):
    """
    Runs a coroutine of the project's own: before it, the row is loaded, and the
    preconditions are evaluated.

    Args:
        view: the view, at its request.
    """

    def __init__(self, view: Any) -> None:
        super().__init__(view)
        self.loaded: Any = None
        # A handler may change self.kwargs, to load another row.
        self.address = dict(view.kwargs)
        self.task = asyncio.current_task()

    async def arun(self, method: Method, *args: Any, **kwargs: Any) -> Response:
        return await super().arun(self.evaluate_first, method, *args, **kwargs)

    async def evaluate_first(self, method: Method, *args: Any, **kwargs: Any) -> Any:
        view: Any = self.view
        if await sync_to_async(self.has_precondition)():
            self.loaded = await view.aget_object()
        return await method(*args, **kwargs)

    async def aget_object(self, original: Method) -> Any:
        # The first call returns the instance that was evaluated; another call loads it again.
        if self.loaded is not None and self.view.kwargs == self.address:
            instance, self.loaded = self.loaded, None
            return instance
        if self.row is None and asyncio.current_task() is not self.task:
            # Without a precondition. A guard that begins in another task, as gather() makes
            # them, is unknown to this one, so the answer has no new tag.
            return await original()
        return await super().aget_object(original)


class AsyncGuardedCreate(GuardedCreate):
    """
    Creates a row by adrf's ``acreate()``. If another request created it first, answers
    409 or 412.

    Args:
        view: the view, at its request.
    """

    async def apost(self, method: Method, *args: Any, **kwargs: Any) -> Response:
        view: Any = self.view
        view.versioning.check_media_type()
        await sync_to_async(self.check_preconditions)()
        self.find = self.find_by_content if self.only_new else None
        hook = partial(self.aperform, view.perform_acreate)
        try:
            with hooked(view, perform_acreate=hook):
                self.answer = response = await method(*args, **kwargs)
        except REFUSALS as error:
            self.refuse(error, self.find)
            if self.find is None:
                raise
            raise await sync_to_async(self.by_row)(self.find, error) from error
        if response.status_code == 201 and self.row is not None:
            await sync_to_async(self.finish)(response, self.row)
        done: Response = response
        return done

    async def ahandle(self, handler: Method, *args: Any, **kwargs: Any) -> Response:
        """As ``handle()``, for a coroutine."""
        return await self.apost(self.ahandled, handler, *args, **kwargs)

    async def ahandled(self, handler: Method, *args: Any, **kwargs: Any) -> Any:
        model = self.view.get_queryset().model if self.find is not None else None
        with hooked(self.view, True), self.guarded(model, detached=True):
            return await handler(*args, **kwargs)

    async def aperform(self, original: Method, serializer: Any) -> None:
        model = getattr(getattr(serializer, "Meta", None), "model", None)
        with self.guarded(model, detached=True):
            await original(serializer)
        self.created = serializer.instance
        if is_versioned(self.created):
            with optional("the tag of what was created"):
                self.row = await sync_to_async(self.read_again)(self.created)
