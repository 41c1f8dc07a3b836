"""One PUT, PATCH or DELETE: judged when the object is loaded, guarded when it is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connections, transaction
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import set_rollback

from .. import http
from ..exceptions import StaleWriteError
from ..guards import Guard, is_lost_race
from ..preconditions import Decision, Outcome, Reason, Validators, reconsider
from ..validators import Row, for_write, row_of
from .exceptions import CONFLICT, PreconditionError
from .views import VersionedViewMixin, hooked

__all__ = ["GuardedWrite"]


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

    def run(self, method: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
        """Call DRF's ``method``, and answer for a write that was lost to another's."""
        view = self.view
        hooks = {
            "get_queryset": partial(self.get_queryset, view.get_queryset),
            "get_object": partial(self.get_object, view.get_object),
            self.perform_name: partial(self.perform, getattr(view, self.perform_name)),
        }
        try:
            with hooked(view, **hooks):
                return method(*args, **kwargs)
        except (StaleWriteError, DatabaseError) as error:
            if self.row is None or not is_lost_race(error, self.row.using):
                raise
            return self.lost(self.row, error)

    def current(self) -> Validators | None:
        """The validators of what was written, as far as they are known."""
        if self.row is None or self.guard is None or self.guard.state is None:
            return None
        return self.row.with_state(self.guard.state).validators(self.view.get_representation())

    # The hooks.

    def get_queryset(self, original: Callable[[], Any]) -> Any:
        return for_write(original())

    def get_object(self, original: Callable[[], Any]) -> Any:
        instance = original()
        if self.row is None:
            view = self.view
            view._check_media_type()
            row = row_of(instance, view.tag_key)
            view._hold(row.validators(view.get_representation()))
            self.row = row
            dates_count = view.allow_unmodified_since or view.if_match != "required"
            self.guard = row.guard(view._conditions, dates_count=dates_count)
        return instance

    def perform(self, original: Callable[..., None], *args: Any) -> None:
        if self.guard is None:
            original(*args)
            return
        with transaction.atomic(using=self.guard.using), self.guard.watch():
            original(*args)

    # The write was lost to another's.

    def lost(self, row: Row, error: Exception) -> Response:
        connection = connections[row.using]
        if not connection.in_atomic_block:
            raise self.settle(row, error)
        # Under ATOMIC_REQUESTS the transaction may be blind to what others wrote:
        # what is true now is read after it, when Django renders.
        set_rollback()
        return SettledResponse(lambda: self.view.handle_exception(self.settle(row, error)))

    def settle(self, row: Row, error: Exception) -> APIException:
        """What to answer, by the row as it is now."""
        if not row.concerns(error):
            return PreconditionError(CONFLICT)
        view = self.view
        try:
            again = view._read_row(writes=True)
        except (Http404, PermissionDenied, APIException):
            again = None
        if again is None:
            return PreconditionError(Decision(Outcome.GONE, Reason.GONE))
        current = again.validators(view.get_representation())
        moved = isinstance(error, StaleWriteError) or again.state != row.state
        decision = reconsider(view._conditions, view._judge(current), moved)
        shows = decision.outcome is not Outcome.UNAVAILABLE
        return PreconditionError(decision, current.etag if shows else None)


class SettledResponse(Response):
    """An error whose status and content are known only when it is rendered."""

    def __init__(self, settle: Callable[[], Response]) -> None:
        super().__init__(status=http.ERRORS[Outcome.CONFLICT][0], exception=True)
        self._settle: Callable[[], Response] | None = settle

    @property
    def rendered_content(self) -> Any:
        if self._settle is not None:
            settle, self._settle = self._settle, None
            settled = settle()
            self.data, self.status_code = settled.data, settled.status_code
            for name, value in settled.items():
                self.headers[name] = value
        return super().rendered_content
