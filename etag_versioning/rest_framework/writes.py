"""One PUT, PATCH or DELETE: judged when the object is loaded, guarded when it is written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.mixins import DestroyModelMixin, UpdateModelMixin
from rest_framework.response import Response

from ..exceptions import StaleWriteError
from ..guards import Guard, is_lost_race
from ..preconditions import CONFLICT, GONE, Outcome, Validators, reconsider
from ..validators import Row, for_write
from .exceptions import LostRace, PreconditionError
from .hooks import hooked, noting
from .views import VersionedViewMixin

__all__ = ["GuardedWrite"]

_DRF_HOOKS = (UpdateModelMixin.perform_update, DestroyModelMixin.perform_destroy)


class GuardedWrite:
    """
    Runs one of DRF's writing methods.

    The object is loaded before the transaction, so that the transaction begins
    with the write: that is the order in which SQLite's locks are safe.

    Args:
        view: the view, at its request.
        perform: the name of the hook that writes.
    """

    def __init__(self, view: VersionedViewMixin, perform: str) -> None:
        self.view = view
        self.perform_name = perform
        self.row: Row | None = None
        self.guard: Guard | None = None
        self.claims = ExitStack()

    def run(self, method: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
        """
        Call DRF's ``method``.

        Raises:
            LostRace: the write was lost to another's.
        """
        view = self.view
        hooks = {
            "get_queryset": partial(self.get_queryset, view.get_queryset),
            "get_object": partial(self.get_object, view.get_object),
            "filter_queryset": noting(view.filter_queryset, view._note_annotations),
            self.perform_name: partial(self.perform, getattr(view, self.perform_name)),
        }
        try:
            with hooked(view, **hooks), self.claims:
                return method(*args, **kwargs)
        except (StaleWriteError, DatabaseError) as error:
            if self.row is None or not is_lost_race(error):
                raise
            raise LostRace(partial(self.settle, self.row, error)) from error

    def current(self) -> Validators | None:
        """The validators of what was written, as far as they are known."""
        if self.row is None or self.guard is None or self.guard.state is None:
            return None
        return self.view._validators_of(self.row.with_state(self.guard.state))

    # The hooks.

    def get_queryset(self, original: Callable[[], Any]) -> Any:
        return for_write(original())

    def get_object(self, original: Callable[[], Any]) -> Any:
        self.view._check_lookup()
        instance = original()
        if self.row is not None:
            return instance
        view = self.view
        view._check_media_type()
        row = view._row_of(instance)
        view._hold(view._validators_of(row))
        self.row = row
        dates_count = view.allow_unmodified_since or view.if_match != "required"
        self.guard = row.guard(view._conditions, dates_count=dates_count)
        if self.guard.any_state:
            # No state is compared when it is written: it is loaded under lock.
            self.claims.enter_context(self.guard.claim())
            instance = original()
        return instance

    def perform(self, original: Callable[..., None], *args: Any) -> None:
        guard = self.guard
        if guard is None:
            original(*args)
            return
        # DRF's own hook saves or deletes the row, which compares it. What a hook of
        # the project's own does is not known: the row is claimed before.
        own = getattr(type(self.view), self.perform_name) not in _DRF_HOOKS
        claims = own and guard.enforced and not guard.claimed
        with guard.claim() if claims else transaction.atomic(using=guard.using):
            with guard.watch():
                original(*args)
            if guard.enforced and not guard.compared:
                # A serializer of the project's own has written other rows.
                guard.lock()

    # The write was lost to another's.

    def settle(self, row: Row, error: Exception) -> APIException:
        """What to answer, by the row as it is now."""
        if not row.concerns(error):
            return PreconditionError(CONFLICT)
        view = self.view
        try:
            again = view._read_row_again(row)
        except (Http404, PermissionDenied, APIException):
            again = None
        if again is None:
            return PreconditionError(GONE)
        current = view._validators_of(again)
        moved = row.has_moved(error, again, view._conditions)
        decision = reconsider(view._conditions, view._judge(current), moved)
        shows = decision.outcome is not Outcome.UNAVAILABLE
        return PreconditionError(decision, current.etag if shows else None)
