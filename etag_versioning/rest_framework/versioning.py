"""
What the package does for one request of a DRF view. The mixins give each view one object for
it, ``self.versioning``, so that no other name of theirs stands in a project's class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import DatabaseError, DataError, connections
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.views import set_rollback

from ..cache_control import set_cache_control
from ..http import headers
from ..http.etags import EntityTag
from ..http.personal_pages import CSRF_TOKEN, remove_tag_from_personal_page
from ..http.policy import policy_for
from ..http.preconditions import (
    NO_CONDITIONS,
    READ_METHODS,
    ConditionalHeaders,
    Decision,
    Outcome,
    Validators,
    evaluate,
)
from ..http.reporting import report
from ..http.representation import Representation, request_representation
from ..orm.request_reads import current_reads, is_streamed_from_replica, newest
from ..sources.extra_terms import extended_representation
from ..sources.rows import Row, extra_names, row_of
from ..sources.validator_query import read_row
from .exceptions import LostRace, PreconditionError
from .permissions import looks_at_any_object
from .representation import PERSONAL_RENDERERS, representation_terms

if TYPE_CHECKING:
    from .views import VersionedView

__all__ = ["NO_SUCH_KEY", "Versioning", "raise_404_after_database_error", "versioning_of"]

# What Python or the database raises for a key that no row can have.
NO_SUCH_KEY = (TypeError, ValueError, ArithmeticError, ValidationError, DataError)
# The headers of the 200 that a 304 repeats (RFC 9110 §15.4.5).
_KEPT_HEADERS = ("Cache-Control", "Content-Location", "Expires", "Vary")


class Versioning:
    """
    One request: its preconditions, and the validators of its row.

    Args:
        view: the view, at its request. DRF makes one for each request.
        conditions: the conditional request fields; by default those of the request.
    """

    # The name that ``view.action`` has at a GET of the row.
    read_action: ClassVar[str] = "retrieve"

    def __init__(self, view: VersionedView, conditions: ConditionalHeaders | None = None) -> None:
        self.view = view
        self.conditions = (
            headers.conditional_headers(view.request._request) if conditions is None else conditions
        )
        # The validators of the answer to a GET or HEAD, once they are known.
        self.shown: Validators | None = None
        # The validators that the preconditions of a GET or HEAD were evaluated with.
        self.evaluated: Validators | None = None
        # The representation parts of tags, by what they depend on within one request.
        self.representations: dict[Any, Representation] = {}
        # The decision that the signal was last sent for.
        self.reported: Decision | None = None
        # Whether a guarded write is running: a project's own update() is guarded as a whole, so
        # DRF's update(), which it may call, must not be guarded again.
        self.is_guarded = False
        # The annotations of the queryset that an object is loaded from; ``None`` for those of
        # the view's class.
        self.annotations: Sequence[str] | None = None
        # The queryset that the validators were read from: filtered already, and not evaluated.
        self.rows: Any = None
        # The headers that decide what the terms of the last of these are.
        self.vary: tuple[str, ...] = ()
        # The last validators that were made, and what they were made of.
        self._built: tuple[Any, Validators] | None = None
        # Whether decisions are reported. The audit asks again, and that is no request.
        self.reports = True
        # Called if the answer is a 304.
        self.on_not_modified: list[Callable[[], None]] = []

    def for_nested_read(self) -> Versioning:
        """Another one without preconditions, to call a handler of GET during a write."""
        nested = type(self)(self.view, NO_CONDITIONS)
        nested.representations = self.representations
        return nested

    def asking_again(self, conditions: ConditionalHeaders) -> Versioning:
        """Another one, to answer the same request with other preconditions."""
        again = type(self)(self.view, conditions)
        again.reports = False
        return again

    # The row.

    @cached_property
    def is_about_one_row(self) -> bool:
        return True

    @property
    def fixed_queryset(self) -> Any:
        """The view's queryset, if that is one object for all requests, and nothing filters it."""
        return None

    def row_of(self, instance: Any) -> Row:
        """The row of a loaded object, with what else is shown of it."""
        return row_of(instance, self.view.tag_key, extra_names(instance))

    def read_row(self) -> Row | None:
        """The row, by the validator query; ``None`` where it is absent."""
        try:
            return read_row(self.view.get_versioned_queryset(), self.view.tag_key)
        except NO_SUCH_KEY as error:
            raise_404_after_database_error(error)
            return None

    def load_again(self) -> Any:
        view: Any = self.view
        return view.get_object()

    def may_read_row(self) -> bool:
        """Whether the row's state may be answered without loading its object for permissions."""
        return not looks_at_any_object(self.view)

    def read_first(self) -> Row | None:
        """
        The row, by the smallest query after which the request may be answered 304. ``None``
        where the object has to be loaded as the 200 shows it.
        """
        return self.read_row() if self.may_read_row() else None

    def read_first_validators(self) -> Validators | None:
        row = self.read_first()
        return None if row is None else self.validators_of(row)

    # Its tags.

    def validators_of(self, row: Row) -> Validators:
        """The validators that a GET of the row shows, if it is the request at hand."""
        representation = self.representation()
        facts = (row.key, row.state, row.annotations, representation)
        if self._built is None or self._built[0] != facts:
            found = row.validators(representation)
            if found.dated and not self.view.last_modified:
                # The tag also covers the code that renders the row, which a date cannot tell.
                found = found._replace(dated=False)
            self._built = facts, found
        return self._built[1]

    def representation(self) -> Representation:
        """
        The representation part of the tags of an answer to ``view.request``, which may be as
        at another method's request for the moment: computed once for each of these.
        """
        view, request = self.view, self.view.request
        at = (
            request.method,
            getattr(view, "action", None),
            request.accepted_renderer,
            request.accepted_media_type,
        )
        found = self.representations.get(at)
        if found is None:
            terms = [*representation_terms(view), *view.get_etag_extra()]
            common = (
                extended_representation(
                    request, terms, view.args, view.kwargs, http_request=request._request
                )
                if terms
                else request_representation(request._request)
            )
            # Only the view knows the format and the code that renders.
            found = common._replace(text=view.get_representation())
            self.representations[at] = found
            self.vary = found.vary
        return found

    # The preconditions.

    def newest(self, read: Callable[[], Validators | None]) -> Validators | None:
        """``read()``; on the primary for a read whose tag the replica does not have."""
        if self.conditions == NO_CONDITIONS or current_reads.get() is None:
            return read()

        def read_all() -> Validators | None:
            self.representations.clear()  # Its terms may come from the replica, too.
            return read()

        def answers(found: Validators | None) -> bool:
            return self.evaluate(found).outcome is Outcome.NOT_MODIFIED

        return newest(read_all, answers, Http404)

    def read_own_from_primary(self) -> None:
        """
        Let a conditional read whose tag is only known when the project's code has run go where
        writes go: that code is not run a second time.
        """
        reads = current_reads.get()
        if reads is not None and self.conditions != NO_CONDITIONS:
            reads.from_primary = True

    def evaluate(
        self,
        current: Validators | None,
        *,
        requires: bool = True,
        conditions: ConditionalHeaders | None = None,
    ) -> Decision:
        """
        Evaluate the preconditions.

        Args:
            current: the validators now; ``None`` where the row is absent.
            requires: whether If-Match can be required.
            conditions: others than the request's.
        """
        method = self.view.request.method or ""
        given = self.conditions if conditions is None else conditions
        if method in READ_METHODS:
            self.evaluated = current
            if given.if_match is None:
                # No option of the view applies to a read without If-Match.
                return evaluate(method, given, current)
        view = self.view
        policy = policy_for(view.get_if_match(), view, requires=requires)
        return evaluate(method, given, current, policy)

    def check_preconditions(
        self,
        current: Validators | None,
        *,
        requires: bool = True,
        conditions: ConditionalHeaders | None = None,
    ) -> HttpResponseBase | None:
        """
        Go on (``None``) only if the preconditions hold. Return the 304, and raise any other
        answer, if they do not. The arguments are those of ``evaluate()``.
        """
        decision = self.evaluate(current, requires=requires, conditions=conditions)
        if decision.outcome is Outcome.PROCEED:
            self.report(decision)
            return None
        if decision.outcome is Outcome.NOT_MODIFIED and current is not None:
            response = headers.NotModified(current, decision)
            # A project's finalize_response() may read response.data.
            response.data = None  # type: ignore[attr-defined]
            set_cache_control(response, self.view.cache_control, self.view.request._request)
            self.report(decision)
            return response
        shows = decision.outcome is Outcome.PRECONDITION_FAILED and current is not None
        raise PreconditionError(decision, current.etag if shows else None)  # type: ignore[union-attr]

    def report(self, decision: Decision) -> None:
        """Send the signal, once for each decision."""
        if decision != self.reported and self.reports:
            self.reported = decision
            report(self.view.request, decision)

    def check_media_type(self) -> None:
        """Raise the 415 that reading the body would; preconditions come after it."""
        request: Any = self.view.request
        if request.stream is None or request.content_type is None:
            return
        if not request.negotiator.select_parser(request, request.parsers):
            raise UnsupportedMediaType(request.content_type)

    # The answer.

    def finish_read(self, response: Any, shown: Validators) -> Any:
        """
        A successful answer to GET or HEAD with its headers; or the 304 that stands
        for it, where the preconditions were not evaluated with its validators before.
        """
        if response.has_header("ETag"):
            # The view's own: it has no state, and is compared to the letter.
            shown = Validators(EntityTag.from_text(response["ETag"]))
        if shown != self.evaluated and shown.etag and self.conditions != NO_CONDITIONS:
            try:
                not_modified = self.check_preconditions(shown)
            except PreconditionError as error:
                return self.view.handle_exception(error)
            if not_modified is not None:
                for name in _KEPT_HEADERS:
                    if response.has_header(name):
                        not_modified[name] = response[name]
                not_modified.cookies.update(response.cookies)
                return not_modified
        is_ours = "ETag" not in response.headers
        if not (response.streaming and is_streamed_from_replica(response)):
            headers.set_validators(response, shown)
        if is_ours and isinstance(self.view.request.accepted_renderer, PERSONAL_RENDERERS):
            # The terms of these renderers hold the token.
            covers = {CSRF_TOKEN, *self.representation().covers}
            remove_tag_from_personal_page(self.view.request._request, covers, self.view, response)
        set_cache_control(response, self.view.cache_control, self.view.request._request)
        return response

    def answer_after_lost_race(self, lost: LostRace) -> Exception:
        """What to answer to a lost write. Reading the row may meet another lock."""
        # Under ATOMIC_REQUESTS our transaction is still open, and may not see what others wrote.
        in_transaction = any(
            opened.in_atomic_block and opened.settings_dict["ATOMIC_REQUESTS"]
            for opened in connections.all(initialized_only=True)
        )
        try:
            return lost.by_error() if in_transaction else lost.by_row()
        except DatabaseError as error:
            return error
        finally:
            if in_transaction:
                set_rollback()


def versioning_of(view: Any) -> Versioning | None:
    """The object of a view with the mixins; ``None`` for another view."""
    found = getattr(view, "versioning", None)
    return found if isinstance(found, Versioning) else None


def raise_404_after_database_error(error: Exception) -> None:
    """
    Raise 404 where the database raised ``error`` for a key: PostgreSQL then takes no
    more statements in the transaction, so the view cannot look again.
    """
    if isinstance(error, DataError):
        raise Http404 from error
