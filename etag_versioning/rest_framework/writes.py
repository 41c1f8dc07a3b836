"""
One write of one row: the preconditions are evaluated when the object is loaded, and the row is
guarded when it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import DatabaseError, connections, transaction
from django.db.transaction import TransactionManagementError
from django.http import Http404
from rest_framework.exceptions import APIException, NotFound
from rest_framework.mixins import DestroyModelMixin, UpdateModelMixin
from rest_framework.response import Response

from ..conf import settings
from ..exceptions import StaleWriteError
from ..http import headers
from ..http.preconditions import (
    CONFLICT,
    GONE,
    NO_CONDITIONS,
    Decision,
    Outcome,
    Validators,
    reconsider,
)
from ..orm.database_errors import is_clash, is_lost_race, was_raised_after_commit
from ..orm.guards import Demand, Guard
from ..orm.retries import retry
from ..orm.state import state_columns
from ..sources.guarded_block import GuardedBlock
from ..sources.lost_races import decide_in_transaction
from ..sources.rows import Row, annotation_names, for_write
from .body_tags import tag_field, tag_in, with_tag
from .conflicts import conflict
from .creates import GuardedCreate
from .current import answers_as_get, is_extra_action, is_whole, read_representation
from .exceptions import LostRace, PreconditionError
from .hooks import hooked, noting
from .statements import is_one_unit, refresh, saves_in_own_way
from .transactions import log_omission, raise_for_durable

if TYPE_CHECKING:
    from .generic_views import VersionedViewMixin

__all__ = ["GuardedHandler", "GuardedWrite", "carries_other_state"]

_DRF_HOOKS = (UpdateModelMixin.perform_update, DestroyModelMixin.perform_destroy)


class _Absent(Exception):
    """Leads from ``get_object()`` to the creation of the row that is not there."""


class GuardedWrite:
    """
    Runs one of DRF's writing methods.

    The object is loaded before the transaction, so that the transaction begins
    with the write: that is the order in which SQLite's locks are safe.

    Args:
        view: the view, at its request.
        perform: the name of the hook that writes, if there is one.
    """

    # Whether there is no transaction around it.
    detached = False

    def __init__(self, view: VersionedViewMixin, perform: str = "") -> None:
        self.view = view
        self.row: Row | None = None
        self.guard: Guard | None = None
        self.block = ExitStack()
        self.guarded: GuardedBlock | None = None
        queryset = "get_queryset" if hasattr(view, "get_queryset") else "get_versioned_queryset"
        self.hooks: dict[str, Callable[..., Any]] = {
            queryset: partial(self.get_queryset, getattr(view, queryset)),
            "get_object": partial(self.get_object, view.get_object),
        }
        if hasattr(view, "filter_queryset"):
            versioning, fixed = view.versioning, view.versioning.fixed_queryset
            if fixed is None:
                note = versioning.note_annotations
                self.hooks["filter_queryset"] = noting(view.filter_queryset, note)
            else:
                versioning.annotations = annotation_names(fixed)
        if perform:
            original = getattr(view, perform)
            own = getattr(type(view), perform) not in _DRF_HOOKS
            self.hooks[perform] = partial(self.perform, original, own)

    def run(self, method: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
        """
        Call DRF's ``method``, and put the new tag on its answer.

        Raises:
            LostRace: the write was lost to another's.
        """
        try:
            with hooked(self.view, True, **self.hooks), self.block:
                response = method(*args, **kwargs)
                if self.guarded is not None:
                    self.guarded.response = response
        except _Absent:
            return self.create()
        except RuntimeError as error:
            raise_for_durable(error)
            raise
        except (StaleWriteError, DatabaseError) as error:
            if self.row is None or not self.wrote_nothing(error):
                raise
            raise LostRace(
                partial(self.by_row, self.row, error), partial(self.by_error, self.row, error)
            ) from error
        self.finish(response)
        return response

    @staticmethod
    def wrote_nothing(error: Exception) -> bool:
        """Whether ``error`` tells of others' writes, for which this one was not made."""
        known = is_lost_race(error) or is_clash(error)
        return known and not was_raised_after_commit(error)

    def finish(self, response: Any) -> None:
        """Tell the state that was written, as far as it is known: it is committed by now."""
        # The write may have changed what the view's terms depend on.
        self.view.versioning.representations.clear()
        try:
            self.set_headers(response)
        except Exception:
            log_omission("the tag of what was written")

    def set_headers(self, response: Any) -> None:
        if self.row is None or self.guard is None or self.guard.state is None:
            return
        method = self.view.request.method or ""
        # Of an answer that no serializer made, nothing is known.
        shows = isinstance(response, Response) and self.shows_the_row() and is_whole(response.data)
        # The validators of a 201 are those of the row that was made (§15.3.2).
        if response.status_code != 201 and headers.shows_new_tag(method, response):
            row = self.row._replace(state=self.guard.state)
            # Where it is not what a GET shows, the tag of the state guards a write,
            # and can be no reason for a 304.
            current = self.view.versioning.validators_of(row) if shows else row.validators()
            response.headers.setdefault("ETag", str(current.etag))
        if response.status_code == 200 and method in ("PUT", "PATCH") and shows:
            # RFC 9110 §8.7: the content is the representation at this address.
            path = self.view.request.get_full_path()
            response.headers.setdefault("Content-Location", path)

    def shows_the_row(self) -> bool:
        """Whether the answer is made as that to a GET is."""
        return answers_as_get(self.view)

    def may_create(self) -> bool:
        view = self.view
        puts = view.request.method == "PUT" and hasattr(view, "get_serializer")
        return view.allow_create and puts and not is_extra_action(view)

    def create(self) -> Response:
        if (unreadable := self.read_body_tag()) is not None:
            self.view.versioning.check_preconditions(None)
            raise unreadable
        return GuardedCreate(self.view).put()

    # The hooks.

    def get_queryset(self, original: Callable[[], Any]) -> Any:
        return for_write(original())

    def get_object(self, original: Callable[[], Any]) -> Any:
        self.view.versioning.check_lookup()
        try:
            instance = original()
        except (Http404, NotFound):
            if not self.may_create():
                raise
            # A row that a permission hides is not told from one that is not there.
            raise _Absent from None
        if self.row is not None:
            return instance
        guard = self.evaluate(instance)
        if guard.demand is Demand.ANY_STATE:
            # No state is compared when it is written: it is loaded under lock.
            self.block.enter_context(guard.locking())
            instance = original()
        self.begin(guard)
        return instance

    def evaluate(self, instance: Any) -> Guard:
        """Evaluate the preconditions, and put the row under guard; or raise the answer."""
        versioning = self.view.versioning
        versioning.check_media_type()
        row = versioning.row_of(instance)
        current = self.validators_to_compare(row)
        unreadable = self.read_body_tag(current)
        decision = versioning.evaluate(current)
        if decision.outcome is not Outcome.PROCEED:
            raise self.refusal(decision, row, instance)
        versioning.report(decision)
        if unreadable is not None:
            raise unreadable
        dates_count = self.view.allow_unmodified_since or versioning.if_match != "required"
        self.row = row
        self.guard = row.guard(
            versioning.conditions, dates_count=dates_count, detached=self.detached
        )
        return self.guard

    def validators_to_compare(self, row: Row) -> Validators:
        """If-Match compares the state: the representation is computed only for who needs it."""
        if settings.strong_if_match or self.view.versioning.conditions.if_none_match is not None:
            return row.validators(read_representation(self.view))
        return row.validators()

    def read_body_tag(self, current: Validators | None = None) -> APIException | None:
        """
        Let the body's tag stand for If-Match. A body that cannot be read is answered
        after the precondition, as its content is.
        """
        view = self.view
        name = tag_field(view)
        if name is not None:
            try:
                tag = tag_in(view.request.data, name)
            except APIException as error:
                return error
            versioning = view.versioning
            versioning.conditions = with_tag(versioning.conditions, name, tag, current)
        return None

    def names_a_state(self) -> bool:
        """Whether the request says, in a header or its body, on which state it is based."""
        view = self.view
        if (
            view.versioning.conditions == NO_CONDITIONS
            and (error := self.read_body_tag()) is not None
        ):
            raise error
        return bool(view.versioning.conditions != NO_CONDITIONS)

    def refusal(self, decision: Decision, row: Row, instance: Any) -> APIException:
        """What to answer where a precondition of a row that is there does not hold."""
        if decision.outcome is not Outcome.PRECONDITION_FAILED:
            return PreconditionError(decision)
        return conflict(self.view, decision, row, instance)

    def begin(self, guard: Guard) -> None:
        """The object is loaded, and its precondition holds."""

    def perform(self, original: Callable[[Any], None], own: bool, written: Any) -> None:
        """
        Run the hook that writes.

        Args:
            original: the hook.
            own: whether it is the project's own.
            written: the serializer to save, or the instance to delete.
        """
        guard = self.guard
        if guard is None:
            original(written)
        elif not own and is_one_unit(written) and not connections[guard.row.using].in_atomic_block:
            # It compares by itself: a transaction around it would add nothing.
            with guard.watch():
                retry(partial(original, written))
            try:
                refresh(written, guard)
            except Exception:
                log_omission("what was written past the instance")
        else:
            kind: Any = type(written)
            self.perform_in_transaction(original, own or saves_in_own_way(kind), written, guard)

    def perform_in_transaction(
        self, original: Callable[[Any], None], own: bool, written: Any, guard: Guard
    ) -> None:
        # The project's own code may write in any way, so lock the row before.
        using = guard.row.using
        with guard.locking() if own else transaction.atomic(using=using):
            with GuardedBlock(using, [guard], view=self.view, row=self.row):
                original(written)
            refresh(written, guard)

    # The write was lost to another's.

    def by_row(self, row: Row, error: Exception) -> Exception:
        """What to answer, by the row as it is now."""
        self.view.versioning.representations.clear()
        if is_clash(error) or not row.concerns(error):
            return PreconditionError(CONFLICT)
        view = self.view
        try:
            found = view.versioning.read_row_again(row)
        except (Http404, PermissionDenied, APIException):
            found = None
        if found is None:
            return PreconditionError(self.gone())
        again, instance = found
        if again.state == row.state and carries_other_state(error, row):
            return ImproperlyConfigured(
                f"{type(view).__name__} saved an instance whose version or timestamp was set by "
                f"hand, perhaps by a serializer, so its write can never succeed. Write: class "
                f"Meta: read_only_fields = {state_columns(row.model).names!r}."
            )
        current = self.validators_to_compare(again)
        changed = row.has_moved(error, again, view.versioning.conditions)
        decision = reconsider(
            view.versioning.conditions, view.versioning.evaluate(current), changed
        )
        if decision.outcome is Outcome.CONFLICT:
            return conflict(view, decision, again, instance)
        return self.refusal(decision, again, instance)

    def by_error(self, row: Row, error: Exception) -> APIException:
        """What to answer while the request's transaction goes on: without a tag."""
        conditions = self.view.versioning.conditions
        decision = decide_in_transaction(row, error, conditions, self.may_create())
        return PreconditionError(decision)

    def gone(self) -> Decision:
        """404; but where the row may be created again, If-Match is about an absent one."""
        absent = self.view.versioning.evaluate(None) if self.may_create() else GONE
        return absent if absent.outcome is Outcome.PRECONDITION_FAILED else GONE


def carries_other_state(error: Exception, row: Row) -> bool:
    """Whether a write was stale for the instance's own state, not for the row's."""
    instance: Any = getattr(error, "instance", None)
    if instance is None:
        return False
    model: Any = type(instance)
    return state_columns(model).state_of(instance) != row.state


class GuardedHandler(GuardedWrite):
    """
    Runs a handler of the project's own, of which nobody knows what it writes, nor
    whether it loads its object: before it, the row is loaded, evaluated and locked.

    Args:
        view: the view, at its request.
    """

    def __init__(self, view: Any) -> None:
        super().__init__(view)
        self.loaded: Any = None

    def run(self, method: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
        return super().run(self.evaluate_first, method, *args, **kwargs)

    def evaluate_first(
        self, method: Callable[..., Response], *args: Any, **kwargs: Any
    ) -> Response:
        if self.view.get_if_match() != "optional" or self.names_a_state():
            self.loaded = self.load()
        return method(*args, **kwargs)

    def load(self) -> Any:
        view = self.view
        try:
            return view.get_object()
        except TransactionManagementError:
            named = getattr(view, "get_queryset", view.get_versioned_queryset)
            using = named().db
            if connections[using].in_atomic_block:
                raise
            # It locks the row, for the transaction that the handler is to begin.
            self.block.enter_context(transaction.atomic(using=using))
            return view.get_object()

    def get_object(self, original: Callable[[], Any]) -> Any:
        # The first call returns the instance that was evaluated; another call loads it again.
        if self.loaded is not None:
            instance, self.loaded = self.loaded, None
            return instance
        return super().get_object(original)

    def begin(self, guard: Guard) -> None:
        self.block.enter_context(guard.locking())
        block = GuardedBlock(guard.row.using, [guard], view=self.view, row=self.row)
        self.guarded = self.block.enter_context(block)

    def shows_the_row(self) -> bool:
        shows = hasattr(self.view, "get_serializer") and not is_extra_action(self.view)
        return shows and super().shows_the_row()
