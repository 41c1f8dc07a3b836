"""What the mixins share: a view's options, and its judgement of preconditions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import DatabaseError, DataError, connections
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property
from rest_framework import permissions
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from ..apps import require_installed
from ..cache_control import set_cache_control
from ..conf import settings
from ..exceptions import StaleWriteError
from ..http import headers
from ..http.etags import EntityTag
from ..http.preconditions import (
    CONFLICT,
    NO_CONDITIONS,
    NO_POLICY,
    UNAVAILABLE,
    ConditionalHeaders,
    Decision,
    Outcome,
    Policy,
    Validators,
    evaluate,
    needs_policy,
)
from ..http.representation import Representation, request_representation
from ..http.responses import set_error_headers
from ..orm.guards import is_contention
from ..signals import report
from ..sources.rows import Row, extra_names, read_row, row_of
from .exceptions import LostRace, PreconditionError
from .options import ViewOptions
from .renderers import VersionedBrowsableAPIRenderer
from .representation import representation_terms
from .responses import tell_as_problem
from .transactions import was_raised_after_commit

__all__ = ["NO_SUCH_KEY", "VersionedView", "absent", "looks_at_objects"]

# What a key raises that no row can have: in Python, or in the database.
NO_SUCH_KEY = (TypeError, ValueError, ArithmeticError, ValidationError, DataError)
# What a 304 says as the 200 would (RFC 9110 §15.4.5).
_KEPT_HEADERS = ("Cache-Control", "Content-Location", "Expires", "Vary")


class VersionedView(ViewOptions, APIView):
    """The base of all."""

    # The validators of what a GET or HEAD shows, once they are known.
    _shown: Validators | None = None
    # What the signal was sent for last.
    _reported: Decision | None = None

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        require_installed()
        return super().as_view(*args, **kwargs)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self._shown is not None and 200 <= response.status_code < 300:
            response = self._finish_read(response, self._shown)
        response = super().finalize_response(request, response, *args, **kwargs)
        headers.without_length(response)
        sent = response.headers
        # The parameters of a media type choose too, where there is one renderer.
        if sent.get("Vary") != "Accept" and "ETag" in sent:
            patch_vary_headers(response, ("Accept",))
        return response

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, LostRace):
            exc = self._settled(exc)
        if not was_raised_after_commit(exc):
            if isinstance(exc, StaleWriteError):
                exc = PreconditionError(CONFLICT)
            elif is_contention(exc):
                exc = PreconditionError(UNAVAILABLE)
        response = super().handle_exception(exc)
        # A cache may keep a 404 or a 410 of which nothing is said (RFC 9110 §15.1).
        response.headers.setdefault("Cache-Control", "no-store")
        if isinstance(exc, PreconditionError):
            self._report(exc.decision)
            set_error_headers(response, exc.decision, exc.etag)
            tell_as_problem(self.request, response, exc)
            # Past DRF's handling of details, which makes texts of all values.
            if isinstance(response.data, dict):
                response.data.update(exc.extra)
        return response

    def get_renderers(self) -> list[Any]:
        return [
            # Not in the place of a renderer that a project has made from it.
            VersionedBrowsableAPIRenderer() if type(renderer) is BrowsableAPIRenderer else renderer
            for renderer in super().get_renderers()
        ]

    # Private to the package from here on.

    def _settled(self, lost: LostRace) -> Exception:
        """What to answer to a lost write. Reading the row may meet a lock, too."""
        # Under ATOMIC_REQUESTS the transaction may be blind to what others wrote.
        blind = any(
            opened.in_atomic_block and opened.settings_dict["ATOMIC_REQUESTS"]
            for opened in connections.all(initialized_only=True)
        )
        try:
            return lost.blind() if blind else lost.settle()
        except DatabaseError as error:
            return error
        finally:
            if blind:
                set_rollback()

    def _load_anew(self) -> Any:
        view: Any = self
        return view.get_object()

    # Whether a guarded write has called the method at hand.
    _is_guarded: ClassVar[bool] = False

    def _is_about_one_row(self) -> bool:
        return True

    @cached_property
    def _conditions(self) -> ConditionalHeaders:
        return headers.conditional_headers(self.request._request)

    @property
    def _is_conditional(self) -> bool:
        return self._conditions != NO_CONDITIONS

    def _validators_of(self, row: Row) -> Validators:
        found = row.validators(self._representation())
        # The tag also covers the code that renders the row, which a date cannot tell.
        return found._replace(dated=found.dated and self.last_modified)

    def _representation(self) -> Representation:
        own = [*representation_terms(self), *self.get_etag_terms()]
        shown = request_representation(self.request._request, own)
        return shown.with_text(self.get_representation())

    def _report(self, decision: Decision) -> None:
        """Once for each decision: a read may be judged before it is rendered and after."""
        if decision != self._reported:
            self._reported = decision
            report(self.request, decision)

    def _row_of(self, instance: Any) -> Row:
        """The row of a loaded object, with what else is shown of it."""
        return row_of(instance, self.tag_key, extra_names(instance))

    def _judge(self, current: Validators | None, *, requires: bool = True) -> Decision:
        method, conditions = self.request.method or "", self._conditions
        policy = self._policy(requires) if needs_policy(method, conditions) else NO_POLICY
        return evaluate(method, conditions, current, policy)

    def _policy(self, requires: bool) -> Policy:
        if_match = self.get_if_match()
        return Policy(
            if_match_required=requires and if_match != "optional",
            lets_pass=if_match == "report",
            allow_wildcard=self.allow_wildcard,
            allow_unmodified_since=self.allow_unmodified_since,
            strong=settings.strong_if_match,
        )

    def _hold(
        self, current: Validators | None, *, requires: bool = True
    ) -> HttpResponseBase | None:
        """
        Go on (``None``) only if the request's preconditions hold. Return the 304,
        and raise any other answer, if they do not.
        """
        decision = self._judge(current, requires=requires)
        if decision.outcome is Outcome.PROCEED:
            self._report(decision)
            return None
        if decision.outcome is Outcome.NOT_MODIFIED and current is not None:
            response = headers.NotModified(current, decision)
            # Views of a project look at it when they finish their responses.
            response.data = None  # type: ignore[attr-defined]
            set_cache_control(response, self.cache_control, self.request._request)
            self._report(decision)
            return response
        shows = decision.outcome is Outcome.PRECONDITION_FAILED and current is not None
        raise PreconditionError(decision, current.etag if shows else None)  # type: ignore[union-attr]

    def _check_media_type(self) -> None:
        """Raise the 415 that reading the body would; preconditions come after it."""
        request: Any = self.request
        if request.stream is None or request.content_type is None:
            return
        if not request.negotiator.select_parser(request, request.parsers):
            raise UnsupportedMediaType(request.content_type)

    def _read_row(self) -> Row | None:
        """The row, by one narrow query."""
        try:
            return read_row(self.get_versioned_queryset(), self.tag_key)
        except NO_SUCH_KEY as error:
            absent(error)
            return None

    def _may_read_narrowly(self) -> bool:
        """Whether nothing asks to see the object before an answer about it is given."""
        check = getattr(self.check_object_permissions, "__func__", None)
        return check is APIView.check_object_permissions and not any(
            map(looks_at_objects, self.get_permissions())
        )

    def _finish_read(self, response: Any, shown: Validators) -> Any:
        """
        A successful answer to GET or HEAD with its headers; or the 304 that stands
        for it, where the row was not judged before.
        """
        if response.has_header("ETag"):
            # The view's own: it has no state, and is compared to the letter.
            shown = Validators(EntityTag.from_text(response["ETag"]))
        if self._is_conditional and shown.etag is not None:
            try:
                not_modified = self._hold(shown)
            except PreconditionError as error:
                return self.handle_exception(error)
            if not_modified is not None:
                for name in _KEPT_HEADERS:
                    if response.has_header(name):
                        not_modified[name] = response[name]
                not_modified.cookies.update(response.cookies)
                return not_modified
        headers.set_validators(response, shown)
        set_cache_control(response, self.cache_control, self.request._request)
        return response


def absent(error: Exception) -> None:
    """
    Raise 404 where the database raised ``error`` for a key: PostgreSQL then takes no
    more statements in the transaction, so the view cannot look again.
    """
    if isinstance(error, DataError):
        raise Http404 from error


def looks_at_objects(permission: Any) -> bool:
    if type(permission) in (permissions.AND, permissions.OR):
        return looks_at_objects(permission.op1) or looks_at_objects(permission.op2)
    look = getattr(permission, "has_object_permission", None)
    return getattr(look, "__func__", None) is not permissions.BasePermission.has_object_permission
