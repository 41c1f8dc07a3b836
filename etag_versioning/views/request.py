"""One request to a decorated view: evaluate its preconditions, lock the row, call, tag."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.http import Http404, HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from ..cache_control import set_cache_control
from ..code.views import view_fingerprint
from ..exceptions import StaleWriteError
from ..http import headers
from ..http.error_responses import ErrorResponse
from ..http.etags import EntityTag
from ..http.personal_pages import remove_tag_from_personal_page
from ..http.policy import policy_for
from ..http.preconditions import (
    CONFLICT,
    DUPLICATE,
    GONE,
    NO_CONDITIONS,
    NO_POLICY,
    READ_METHODS,
    UNAVAILABLE,
    UNCONDITIONAL_METHODS,
    UNREACHABLE,
    Decision,
    Outcome,
    Validators,
    evaluate,
    reconsider,
)
from ..http.reporting import report
from ..http.representation import Representation, request_representation
from ..orm.database_errors import (
    is_contention,
    is_duplicate,
    is_lost_race,
    is_unreachable,
    was_raised_after_commit,
)
from ..orm.guards import Guard, ReadOnlyGuard, WriteForbidden
from ..orm.request_reads import current_reads, is_streamed_from_replica, newest
from ..sources.absent_rows import CreationGuard
from ..sources.base import Current
from ..sources.extra_terms import extended_representation
from ..sources.guarded_block import GuardedBlock
from ..sources.lost_races import (
    decide_creation_in_transaction,
    decide_in_transaction,
    not_created,
)
from ..sources.rows import Row, last_modified_seconds
from .etag_options import Options

__all__ = ["Call"]

_NOTHING = Validators()
# The methods that may create the row where the view allows it.
_CREATING = ("PUT", "POST")
# The Allow header of a view that declares no methods.
_USUAL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_NOT_DURABLE = (
    "A guarded view runs in a transaction, with the lock of its row, so a block in it can't be "
    "durable. Write: with transaction.atomic(): ...; and do what has to wait for the COMMIT in "
    "transaction.on_commit()."
)


class Evaluated(NamedTuple):
    """
    What was read for a request, and what its preconditions make of it.

    Args:
        current: what the source has read; ``None`` where nothing is there.
        row: the row that the view may write, if there is one.
        validators: the current ones.
        decision: what to do with the request.
    """

    current: Current | None
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
        self.call_view = partial(view, request, *args, **kwargs)
        self.method = request.method or ""
        self.headers = headers.conditional_headers(request)
        # Read once, before the view: it may write what the terms depend on.
        self.representation: Representation | None = None

    def respond(self) -> HttpResponseBase:
        methods = self.options.methods
        if methods is not None and self.method not in methods:
            return HttpResponseNotAllowed(methods)
        if self.method in UNCONDITIONAL_METHODS:
            return self.call_without_conditions()
        checked = self.check()
        if isinstance(checked, HttpResponseBase):
            return checked
        if self.method in READ_METHODS:
            return self.finish_read(self.call_view(), checked.validators)
        return self.write(checked)

    # OPTIONS, TRACE and CONNECT carry no preconditions: the row must be there, and the
    # view must not write it.

    def call_without_conditions(self) -> HttpResponseBase:
        guard = self.read_only_guard()
        if isinstance(guard, HttpResponseBase):
            return guard
        if guard is None:
            return self.call_view()
        try:
            with transaction.atomic(using=guard.row.using), guard.watch():
                return self.call_view()
        except WriteForbidden:
            return self.must_not_write()

    def read_only_guard(self) -> ReadOnlyGuard | HttpResponseBase | None:
        """The guard on the row, if the view has one; or what to answer at once."""
        try:
            current = self.read()
        except DatabaseError as error:
            return self.unavailable(error)
        row = None if current is None else current.row
        return None if row is None else ReadOnlyGuard(row.stored, row.state)

    def must_not_write(self) -> HttpResponseBase:
        """405: the view takes the method for one that writes."""
        methods = self.options.methods or _USUAL_METHODS
        return HttpResponseNotAllowed([name for name in methods if name != self.method])

    # Before the view: read the row, and evaluate the preconditions (RFC 9110 §13.2.2).

    def check(self) -> Evaluated | HttpResponseBase:
        """What was read for the request, if the view may run; if not, what to answer."""
        try:
            evaluated = self.evaluate() if current_reads.get() is None else self.evaluate_newest()
        except DatabaseError as error:
            return self.unavailable(error)
        decision = evaluated.decision
        if self.method not in READ_METHODS or self.headers != NO_CONDITIONS:
            report(self.request, decision)
        if decision.outcome is Outcome.PROCEED:
            return evaluated
        if decision.outcome is Outcome.NOT_MODIFIED:
            response = headers.NotModified(evaluated.validators, decision)
            if self.representation is not None and self.representation.vary:
                patch_vary_headers(response, self.representation.vary)
            set_cache_control(response, self.options.cache_control, self.request)
            return response
        return ErrorResponse(self.request, *self.shown(decision, evaluated.validators))

    def evaluate_newest(self) -> Evaluated:
        """``evaluate()``; on the primary for a read whose tag the replica does not have."""
        if self.method not in READ_METHODS or self.headers == NO_CONDITIONS:
            return self.evaluate()

        def read() -> Evaluated:
            self.representation = None  # Its terms may come from the replica, too.
            return self.evaluate()

        def answers(found: Evaluated) -> bool:
            return found.decision.outcome is Outcome.NOT_MODIFIED

        return newest(read, answers, Http404, attrgetter("validators"))

    def evaluate(self) -> Evaluated:
        options, method = self.options, self.method
        # The row is read first: a write between the two makes the tag newer than
        # the state that is locked, and the lock fails.
        current = self.read()
        if self.representation is None:
            extra = options.etag_extra
            self.representation = (
                request_representation(self.request)
                if extra is None
                else extended_representation(self.request, extra, self.args, self.kwargs)
            )
            if options.fingerprint:
                code = view_fingerprint(self.view)
                self.representation = self.representation.with_terms("code", [code])
        validators = None if current is None else current.validators(self.representation)
        if options.etag_func is not None or options.last_modified_func is not None:
            validators = self.with_own(validators)
        asked = method not in READ_METHODS or self.headers.if_match is not None
        policy = NO_POLICY
        if asked:
            creates = options.creates is not None
            if_match = options.if_match_of(self.headers) if creates else options.if_match
            policy = policy_for(if_match, options)
        decision = evaluate(method, self.headers, validators, policy)
        row = None if current is None or not asked else current.row
        return Evaluated(current, row, validators or _NOTHING, decision)

    def read(self) -> Current | None:
        source = self.options.source
        if source is None:
            return None
        writes = self.method not in READ_METHODS
        current = source.read(self.request, self.args, self.kwargs, writes=writes)
        if current is None and not (self.options.creates and self.method in _CREATING):
            raise Http404("Nothing is there that matches the request.")
        return current

    def with_own(self, found: Validators | None) -> Validators | None:
        """The validators with those that the user's own functions return in their place."""
        options, validators = self.options, found or _NOTHING
        etag_func, last_modified_func = options.etag_func, options.last_modified_func
        if etag_func is not None:
            tag = _entity_tag(etag_func(self.request, *self.args, **self.kwargs))
            validators = Validators(tag, None, validators.last_modified, dated=validators.dated)
        if last_modified_func is not None:
            # The function knows what the view shows, but not the terms.
            dated = options.etag_extra is None and not options.fingerprint
            date = _date(last_modified_func(self.request, *self.args, **self.kwargs))
            validators = validators._replace(last_modified=date, dated=dated)
        # For functions alone, as for ``condition``: nothing returned, nothing there.
        there = found is not None or (options.source is None and validators != _NOTHING)
        return validators if there else None

    def shown(
        self, decision: Decision, current: Validators | None
    ) -> tuple[Decision, EntityTag | None]:
        """A decision with the tag that its answer shows: a 412 and a 409 do."""
        tells = decision.outcome in (Outcome.PRECONDITION_FAILED, Outcome.CONFLICT)
        if current is None or not tells or not self.options.expose_tag:
            return decision, None
        return decision, current.etag

    # The view, and its answer.

    def write(self, before: Evaluated) -> HttpResponseBase:
        """
        Run the view in one transaction: with the lock of its row if it names one,
        with the row's creation if it is absent.
        """
        guard = self.guard(before)
        if guard is None:
            return self.call_view()
        response = None
        try:
            with guard.locking():
                using = guard.row.using
                with GuardedBlock(using, (guard,), view=self.view, row=before.row) as block:
                    block.response = response = self.call_view()
                self.finish_write(response, before, guard)
            return response
        except (StaleWriteError, DatabaseError) as error:
            # After the COMMIT, an on_commit() callback failed: nothing was lost.
            is_over = response is not None and was_raised_after_commit(error)
            if is_over or not self.may_be_lost(before, error):
                raise
            return self.lost(before, error)
        except RuntimeError as error:
            if "durable" in str(error):
                error.add_note(_NOT_DURABLE)
            raise

    def guard(self, before: Evaluated, *, detached: bool = False) -> Guard | None:
        """The guard on the row that the view may write, or create."""
        options = self.options
        if before.row is not None:
            dates_count = options.allow_unmodified_since or options.if_match != "required"
            return before.row.guard(self.headers, dates_count=dates_count, detached=detached)
        if before.current is None and options.creates is not None:
            creates = options.creates
            return creates.guard_absent(self.request, self.args, self.kwargs, detached=detached)
        return None

    @staticmethod
    def may_be_lost(before: Evaluated, error: Exception) -> bool:
        """Whether the error can come from another request that wrote first."""
        creation = before.row is None and isinstance(error, IntegrityError)
        return creation or is_lost_race(error) or is_duplicate(error) or is_unreachable(error)

    def finish_read(self, response: Any, validators: Validators) -> Any:
        if 200 <= response.status_code < 300:
            # Who writes the tag, or its function, knows what the page depends on.
            is_ours = self.options.etag_func is None and "ETag" not in response.headers
            if not (response.streaming and is_streamed_from_replica(response)):
                headers.set_validators(response, validators)
            if is_ours:
                covers = self.representation.covers if self.representation else ()
                remove_tag_from_personal_page(self.request, covers, self.view, response)
            if self.representation is not None and self.representation.vary:
                patch_vary_headers(response, self.representation.vary)
            set_cache_control(response, self.options.cache_control, self.request)
        elif response.status_code >= 400:
            # A cache may keep a 404 or a 410 without Cache-Control (RFC 9110 §15.1).
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def finish_write(self, response: Any, before: Evaluated, guard: Guard) -> None:
        if isinstance(guard, CreationGuard):
            row = self.created(response, guard)
        elif before.row is None or guard.state is None:
            row = None
        else:
            row = before.row._replace(state=guard.state)
        if row is None or self.options.etag_func is not None:
            return
        if headers.shows_new_tag(self.method, response):
            # The tag of the row alone: what else the view shows, as another source, may have
            # changed with this write, and the next GET tells.
            assert self.representation is not None
            response.headers.setdefault("ETag", str(row.validators(self.representation).etag))

    def created(self, response: Any, guard: CreationGuard) -> Row | None:
        """The row that was absent, if the request has created it."""
        creates = self.options.creates
        if creates is None or connections[guard.row.using].needs_rollback:
            return None
        row = creates.read(self.request, self.args, self.kwargs, writes=True)
        guard.check_key(None if row is None else row.pk)
        if row is None or guard.owns(row):
            return row
        if response.status_code >= 400:
            # The view rejected a duplicate: another request created the row first.
            raise StaleWriteError(guard.row.columns.owner, row.pk, guard.row.using)
        return None

    # Another request wrote the row first, or holds its lock.

    def unavailable(self, error: DatabaseError) -> HttpResponseBase:
        """503 if other requests' locks, or a broken connection, keep us from the row's state."""
        if is_unreachable(error):
            return self.answer_lost(UNREACHABLE)
        if not is_contention(error):
            raise error
        return self.answer_lost(UNAVAILABLE)

    def lost(self, before: Evaluated, error: Exception) -> HttpResponseBase:
        """
        The answer after a lost race. Once our own transaction has ended, the row is read
        again, for the current tag. Under ATOMIC_REQUESTS it goes on, and the answer names none.
        """
        if is_unreachable(error):
            return self.answer_lost(UNREACHABLE)
        opened = [each for each in connections.all(initialized_only=True) if each.in_atomic_block]
        if not opened:
            decision, etag = self.decide_again(before, error)
        else:
            decision, etag = self.decide_in_transaction(before, error), None
            for connection in opened:
                if connection.settings_dict["ATOMIC_REQUESTS"]:
                    connection.set_rollback(True)
        return self.answer_lost(decision, etag)

    def answer_lost(self, decision: Decision, etag: EntityTag | None = None) -> HttpResponseBase:
        report(self.request, decision)
        return ErrorResponse(self.request, decision, etag)

    def decide_in_transaction(self, before: Evaluated, error: Exception) -> Decision:
        if before.row is not None:
            return decide_in_transaction(before.row, error, self.headers, self.may_create())
        assert self.options.creates is not None
        absent = partial(
            self.options.creates.guard_absent, self.request, self.args, self.kwargs, detached=False
        )
        return decide_creation_in_transaction(lambda: absent().look(), error, self.headers)

    def may_create(self) -> bool:
        return self.options.creates is not None and self.method in _CREATING

    def decide_again(
        self, before: Evaluated, error: Exception
    ) -> tuple[Decision, EntityTag | None]:
        """What to answer, by the row as it is now."""
        try:
            again = self.evaluate()
        except (Http404, PermissionDenied):
            again = None
        except DatabaseError as failure:
            if is_unreachable(failure):
                return UNREACHABLE, None
            if not is_lost_race(failure):
                raise
            return UNAVAILABLE, None  # Other requests hold the row's lock.
        now = None if again is None else again.row
        row = before.row or now
        if before.row is not None and is_duplicate(error):
            return DUPLICATE, None
        if row is None:
            return not_created(error), None
        if not row.concerns(error):
            return CONFLICT, None
        if again is None or now is None:
            # The row is gone, and the view may create it: If-Match names an absent row.
            refused = again is not None and again.decision.outcome is Outcome.PRECONDITION_FAILED
            return (again.decision if again and refused else GONE), None
        changed = before.row is None or before.row.was_changed(error, now, self.headers)
        return self.shown(reconsider(self.headers, again.decision, changed), again.validators)


def _entity_tag(value: Any) -> EntityTag | None:
    return None if value is None else EntityTag.from_text(str(value))


def _date(moment: datetime | None) -> int | None:
    """As ``condition`` does, a naive datetime of a user's function counts as UTC."""
    if not moment:
        return None
    return last_modified_seconds(
        moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
    )
