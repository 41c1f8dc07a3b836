"""
One write of one row: the preconditions are evaluated when the object is loaded, and the row is
guarded when it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from functools import cache, partial
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
    INTERRUPTED,
    NO_CONDITIONS,
    Decision,
    Outcome,
    Validators,
    reconsider,
)
from ..orm.database_errors import is_clash, is_lost_race, was_raised_after_commit
from ..orm.guards import Demand, DetachedGuard, Guard
from ..orm.retries import retry
from ..orm.state_columns import State, state_columns
from ..sources.guarded_block import GuardedBlock
from ..sources.lost_races import decide_in_transaction
from ..sources.rows import Row, for_write
from .conflicts import conflict
from .creates import GuardedCreate
from .current import (
    address_of,
    answers_as_get,
    is_extra_action,
    is_whole,
    lookup_value,
    read_representation,
)
from .exceptions import LostRace, PreconditionError, log_omission
from .fields import tag_field, tag_in, with_tag
from .handler_code import handler_code
from .hooks import hooked, noting
from .options import ViewOptions
from .statements import is_one_unit, refresh, saves_in_own_way

if TYPE_CHECKING:
    from .generic_views import GenericView

__all__ = ["Failed", "GuardedHandler", "GuardedWrite"]

# The modules of the methods whose answer is what the serializer shows of the row.
_MIXINS = frozenset({"rest_framework.mixins", "adrf.mixins"})
_DRF_HOOKS = (UpdateModelMixin.perform_update, DestroyModelMixin.perform_destroy)


class _Absent(Exception):
    """Leads from ``get_object()`` to the creation of the row that is not there."""


class Failed(Exception):
    """
    Leads from ``get_object()`` to the answer to a precondition that is false, which is made
    when the view has its own methods again.

    Args:
        decision: the outcome and its reason.
        row: the row as it is now.
        instance: its object.
    """


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

    def __init__(self, view: Any, perform: str = "") -> None:
        self.view: GenericView = view
        self.versioning = self.view.versioning
        self.row: Row | None = None
        self.guard: Guard | None = None
        self.block = ExitStack()
        self.guarded: GuardedBlock | None = None
        self.instance: Any = None
        self.has_terms = False
        queryset = "get_queryset" if hasattr(view, "get_queryset") else "get_versioned_queryset"
        original = getattr(view, queryset)
        self.hooks: dict[str, Callable[..., Any]] = {
            queryset: lambda: for_write(original()),
            "get_object": partial(self.get_object, view.get_object),
        }
        if hasattr(view, "filter_queryset") and self.versioning.fixed_queryset is None:
            note = self.versioning.note_annotations
            self.hooks["filter_queryset"] = noting(view.filter_queryset, note)
        if perform:
            own = getattr(type(view), perform) not in _DRF_HOOKS
            self.hooks[perform] = partial(self.perform, getattr(view, perform), own)

    def run(self, method: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
        """
        Call DRF's ``method``, and put the new tag on its answer.

        Raises:
            PreconditionError: a precondition is false, or missing.
            LostRace: another request wrote first.
        """
        try:
            with hooked(self.view, True, **self.hooks), self.block:
                response = method(*args, **kwargs)
                if self.guarded is not None:
                    self.guarded.response = response
        except _Absent:
            return self.create()
        except Failed as failed:
            raise conflict(self.view, *failed.args) from None
        except (StaleWriteError, DatabaseError) as error:
            if self.row is None or not self.wrote_nothing(error):
                raise
            raise LostRace(
                partial(self.by_row, self.row, error), partial(self.by_error, self.row, error)
            ) from error
        self.finish(response, method)
        return response

    @staticmethod
    def wrote_nothing(error: Exception) -> bool:
        """Whether this request wrote nothing because others wrote first."""
        known = is_lost_race(error) or is_clash(error)
        return known and not was_raised_after_commit(error)

    def finish(self, response: Any, method: Any) -> None:
        """
        Put the new tag on the answer, as far as the row's state is known. The write is
        committed, so an error in here must not turn it into a 500.

        Args:
            response: the answer.
            method: what made it.
        """
        versioning = self.versioning
        if self.row is None or self.guard is None or self.guard.state is None:
            return
        if not self.has_terms:
            # The write may have changed what the view's ``etag_extra`` depends on.
            versioning.representations.clear()
        view_class: Any = type(self.view)
        verb = self.view.request.method or ""
        try:
            shows = (
                isinstance(response, Response)
                and (
                    _is_drfs(view_class, getattr(method, "__func__", method))
                    or self.shows_state(response.data, self.guard.state)
                )
                and answers_as_get(self.view)
                and is_whole(response.data)
            )
            # The validators of a 201 are those of the row that was made (§15.3.2).
            if response.status_code != 201 and headers.shows_new_tag(verb, response):
                row = self.row._replace(state=self.guard.state)
                # If the body differs from a GET's, send the state-only tag: valid for
                # If-Match, never for a 304.
                current = versioning.validators_of(row) if shows else row.validators()
                response.headers.setdefault("ETag", str(current.etag))
            if response.status_code == 200 and verb in ("PUT", "PATCH") and shows:
                # RFC 9110 §8.7: the content is the representation at this URL.
                keeps_url = self.view.lookup_field == "pk"
                url = self.view.request.get_full_path() if keeps_url else self.url_of(response)
                if url is not None:
                    response.headers.setdefault("Content-Location", url)
        except Exception:
            log_omission("the tag of what was written")

    def shows_state(self, data: Any, state: State) -> bool:
        """
        Whether the answer of the project's own code is what the view's serializer shows of the
        row in this state. It may be anything else, or made before the code's last write.
        """
        serializer = getattr(data, "serializer", None)
        instance: Any = getattr(serializer, "instance", None)
        if (
            self.guard is None
            or not isinstance(instance, self.guard.row.columns.owner)
            or not hasattr(self.view, "get_serializer_class")
            or type(serializer) is not self.view.get_serializer_class()
            # They would be read after the body was made.
            or self.view.get_etag_extra()
        ):
            return False
        row = self.versioning.row_of(instance)
        is_same = self.guard.is_on(row.pk) and row.state == state
        return is_same and bool(data == serializer.data)

    def url_of(self, response: Any) -> str | None:
        """The row's URL after a write that may have changed what the view looks rows up by."""
        view = self.view
        saved = getattr(getattr(response.data, "serializer", None), "instance", self.instance)
        named = view.kwargs.get(view.lookup_url_kwarg or view.lookup_field)
        try:
            keeps_url = str(lookup_value(view, saved)) == str(named)
        except AttributeError:
            return None  # A lookup such as name__iexact cannot be read from the instance.
        url: str = view.request.get_full_path()
        return url if keeps_url else address_of(view, saved)

    def may_create(self) -> bool:
        view = self.view
        puts = view.request.method == "PUT" and hasattr(view, "get_serializer")
        return view.allow_create and puts and not is_extra_action(view)

    def create(self) -> Response:
        if (unreadable := self.read_body_tag()) is not None:
            self.versioning.check_preconditions(None)
            raise unreadable
        return GuardedCreate(self.view).put()

    # The view's hooks, replaced while DRF's method runs.

    def get_object(self, original: Callable[[], Any]) -> Any:
        try:
            instance = original()
        except (Http404, NotFound):
            if not self.may_create():
                raise
            # A row that a permission hides looks the same as one that is not there.
            raise _Absent from None
        if self.row is not None:
            return instance
        guard = self.evaluate(instance)
        if guard.demand is Demand.ANY_STATE and not self.detached:
            # ``If-Match: *`` names no state to compare, so load the row under its lock.
            self.block.enter_context(guard.locking())
            instance = original()
        return instance

    def evaluate(self, instance: Any) -> Guard:
        """Evaluate the preconditions, and put the row under guard; or raise the answer."""
        versioning = self.versioning
        versioning.check_media_type()
        row = versioning.row_of(instance)
        current = self.validators_to_compare(row)
        unreadable = self.read_body_tag(current)
        decision = versioning.evaluate(current)
        if decision.outcome is Outcome.PRECONDITION_FAILED:
            raise Failed(decision, row, instance)
        if decision.outcome is not Outcome.PROCEED:
            raise PreconditionError(decision)
        versioning.report(decision)
        if unreadable is not None:
            raise unreadable
        self.row, self.instance = row, instance
        conditions, view = versioning.conditions, self.view
        dates_count = conditions.if_unmodified_since is not None and (
            view.allow_unmodified_since or view.get_if_match() != "required"
        )
        self.guard = row.guard(conditions, dates_count=dates_count, detached=self.detached)
        return self.guard

    def has_precondition(self) -> bool:
        """Whether the request has to name a state, or names one in a header or its body."""
        versioning = self.versioning
        if self.view.get_if_match() != "optional":
            return True
        if versioning.conditions == NO_CONDITIONS and (error := self.read_body_tag()) is not None:
            raise error
        return versioning.conditions != NO_CONDITIONS

    def validators_to_compare(self, row: Row) -> Validators:
        """If-Match compares the state, so leave the representation out where nothing needs it."""
        if settings.strong_if_match or self.versioning.conditions.if_none_match is not None:
            return row.validators(read_representation(self.view))
        return row.validators()

    def read_body_tag(self, current: Validators | None = None) -> APIException | None:
        """
        Let the body's tag stand for If-Match.

        Args:
            current: the row's validators, if there is a row.

        Returns:
            What is wrong with a body that cannot be read. Like any other fault of the
            content, it is answered after the preconditions.
        """
        name = tag_field(self.view)
        if name is not None:
            versioning = self.versioning
            try:
                tag = tag_in(self.view.request.data, name)
            except APIException as error:
                return error
            versioning.conditions = with_tag(versioning.conditions, name, tag, current)
        return None

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
            return
        if not own and is_one_unit(written) and not connections[guard.row.using].in_atomic_block:
            # It compares by itself: a transaction around it would add nothing.
            with guard.watch():
                retry(partial(original, written))
            try:
                refresh(written, guard)
            except Exception:
                log_omission("what was written past the instance")
        else:
            kind: Any = type(written)
            using = guard.row.using
            # The project's own code may write in any way, so lock the row before.
            with guard.locking() if own or saves_in_own_way(kind) else transaction.atomic(using):
                block = GuardedBlock(using, [guard], view=self.view, row=self.row)
                with block:
                    original(written)
                refresh(written, guard)
        if _has_own_extra(type(self.view)) or self.view.etag_extra:
            self.take_terms(guard.row.using)

    def take_terms(self, using: str) -> None:
        """
        Read what else the tag depends on, such as ``etag_extra``: after the write, which may
        have changed it, and before the answer's body is made. If another request changes it in
        between, the tag is too old, which costs a refetch. One that is too new would be a lie.
        """
        self.versioning.representations.clear()
        # An error must not undo the write: finish() tries again, and logs it. A database error
        # would, in a transaction that is still open, so it gets a savepoint.
        is_open = connections[using].in_atomic_block
        with suppress(Exception), transaction.atomic(using) if is_open else nullcontext():
            self.versioning.representation()
        self.has_terms = True

    # Another request wrote first.

    def by_row(self, row: Row, error: Exception) -> Exception:
        """What to answer, by the row as it is now."""
        versioning = self.versioning
        versioning.representations.clear()
        if isinstance(self.guard, DetachedGuard) and self.guard.committed:
            return PreconditionError(INTERRUPTED)
        if is_clash(error) or not row.concerns(error):
            return PreconditionError(CONFLICT)
        try:
            found = versioning.read_row_again(row)
        except (Http404, PermissionDenied, APIException):
            found = None
        if found is None:
            return PreconditionError(self.gone())
        again, instance = found
        if again.state == row.state and _carries_other_state(error, row):
            return ImproperlyConfigured(
                f"{type(self.view).__name__} saved an instance whose version or timestamp was set "
                f"by hand, perhaps by a serializer, so its write can never succeed. Write: class "
                f"Meta: read_only_fields = {state_columns(row.model).names!r}."
            )
        changed = row.was_changed(error, again, versioning.conditions)
        decision = reconsider(
            versioning.conditions,
            versioning.evaluate(self.validators_to_compare(again)),
            changed,
        )
        if decision.outcome in (Outcome.CONFLICT, Outcome.PRECONDITION_FAILED):
            return conflict(self.view, decision, again, instance)
        return PreconditionError(decision)

    def by_error(self, row: Row, error: Exception) -> APIException:
        """What to answer while the request's transaction goes on: without a tag."""
        conditions = self.versioning.conditions
        return PreconditionError(decide_in_transaction(row, error, conditions, self.may_create()))

    def gone(self) -> Decision:
        """404; or 412 for If-Match where the request could create the row."""
        absent = self.versioning.evaluate(None) if self.may_create() else GONE
        return absent if absent.outcome is Outcome.PRECONDITION_FAILED else GONE


@cache
def _has_own_extra(view_class: Any) -> bool:
    return view_class.get_etag_extra is not ViewOptions.get_etag_extra


@cache
def _is_drfs(view_class: Any, function: Any) -> bool:
    """Whether DRF's own code, or adrf's, makes the answer."""
    code = handler_code(view_class, function).function
    return getattr(code, "__globals__", {}).get("__name__") in _MIXINS


def _carries_other_state(error: Exception, row: Row) -> bool:
    """Whether a write failed because the instance's state is not the one that was read."""
    instance: Any = getattr(error, "instance", None)
    if instance is None:
        return False
    model: Any = type(instance)
    return state_columns(model).state_of(instance) != row.state


class GuardedHandler(GuardedWrite):
    """
    Runs a handler of the project's own. Nobody knows what it writes, nor whether it loads
    its object, so the row is loaded, evaluated and locked before the handler runs.

    Args:
        view: the view, at its request.
    """

    def __init__(self, view: Any) -> None:
        super().__init__(view)
        self.detached = not view.lock_row
        self.loaded: Any = None
        # A handler may change self.kwargs, to load another row.
        self.address = dict(view.kwargs)
        # The blocks around the handler, where no precondition loads the object before it.
        self.blocks: dict[str, Any] | None = None

    def run(self, method: Callable[..., Response], *args: Any, **kwargs: Any) -> Response:
        return super().run(self.evaluate_first, method, *args, **kwargs)

    def evaluate_first(
        self, method: Callable[..., Response], *args: Any, **kwargs: Any
    ) -> Response:
        if self.has_precondition():
            self.loaded = self.load()
        else:
            self.blocks = _open_blocks()
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
            # The view's queryset has select_for_update(), so begin the handler's transaction here.
            self.block.enter_context(transaction.atomic(using=using))
            return view.get_object()

    def get_object(self, original: Callable[[], Any]) -> Any:
        # The first call returns the instance that was evaluated; another call loads it again.
        if self.loaded is not None and self.view.kwargs == self.address:
            instance, self.loaded = self.loaded, None
            return instance
        is_evaluated = self.row is not None
        if not is_evaluated and self.blocks is not None and self.blocks != _open_blocks():
            # The handler has begun a block of its own. A transaction that begins inside of it
            # can't end after it, so let each write compare instead.
            self.detached = True
        instance = super().get_object(original)
        if self.guard is not None and not is_evaluated:
            self.begin(self.guard)
        return instance

    def begin(self, guard: Guard) -> None:
        """Begin the handler's transaction, with the row's lock; or let each write compare."""
        if self.detached:
            self.block.enter_context(guard.watch())
            return
        self.block.enter_context(guard.locking())
        block = GuardedBlock(guard.row.using, [guard], view=self.view, row=self.row)
        self.guarded = self.block.enter_context(block)


def _open_blocks() -> dict[str, Any]:
    """The transactions, savepoints and execute wrappers that are there now, by database."""
    return {
        connection.alias: ([*connection.savepoint_ids], [*connection.execute_wrappers])
        for connection in connections.all(initialized_only=True)
        if connection.in_atomic_block or connection.execute_wrappers
    }
