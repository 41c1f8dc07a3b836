"""What the mixins share: a view's options, its judgement, its representation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

from django.core.exceptions import ValidationError
from django.db import connections
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from rest_framework import permissions
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from .. import http
from ..columns import state_columns
from ..conf import settings
from ..etags import encode_key
from ..exceptions import StaleWriteError
from ..guards import is_contention
from ..preconditions import (
    CONFLICT,
    UNAVAILABLE,
    ConditionalHeaders,
    Decision,
    Outcome,
    Policy,
    Validators,
    evaluate,
)
from ..validators import Row, for_write, is_impossible, read_row
from .exceptions import LostRace, PreconditionError
from .fingerprint import fingerprint

__all__ = ["NotModifiedSignal", "VersionedViewMixin", "hooked"]


class NotModifiedSignal(Exception):
    """Leads from a hook, through DRF's own method, to the 304."""

    def __init__(self, response: HttpResponseBase) -> None:
        self.response = response


@contextmanager
def hooked(view: Any, **hooks: Callable[..., Any]) -> Iterator[None]:
    """For the block, let ``hooks`` stand in for the view's methods of these names."""
    vars(view).update(hooks)
    try:
        yield
    finally:
        for name in hooks:
            del vars(view)[name]


class VersionedViewMixin(GenericAPIView):
    """
    The base of the mixins.

    Attributes:
        if_match: "required" (a write without If-Match is answered 428) or
            "optional".
        allow_wildcard: whether ``If-Match: *`` may write.
        allow_unmodified_since: whether If-Unmodified-Since may stand in for
            If-Match, to the second.
        cache_control: Cache-Control for 200 and 304, as for Django's
            ``cache_control``; ``None`` for "private, no-cache", ``{}`` for none.
        tag_key: the field that stands for a row in its tags; the model's
            ``tag_key`` where it is ``None``.
    """

    if_match: ClassVar[Literal["required", "optional"]] = "required"
    allow_wildcard: ClassVar[bool] = True
    allow_unmodified_since: ClassVar[bool] = False
    cache_control: ClassVar[Mapping[str, Any] | None] = None
    tag_key: ClassVar[str | None] = None

    def get_representation(self) -> str:
        """
        The representation part of the tag: the format, and the fingerprint of
        the code that renders it. Extend it where the same row looks different
        to different users.
        """
        renderer = self.request.accepted_renderer
        serializer_class: Any = self.get_serializer_class()
        parts = [encode_key(renderer.format), fingerprint(serializer_class)]
        if isinstance(renderer, BrowsableAPIRenderer):
            # These pages show who is logged in, and the forms that they may use.
            user = f"{getattr(self.request.user, 'pk', None)}:{self.request.user}"
            parts.append(salted_hmac("etag_versioning", user, algorithm="sha256").hexdigest()[:24])
        return ".".join(parts)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, LostRace):
            settle = exc.settle
            if not any(opened.in_atomic_block for opened in connections.all(initialized_only=True)):
                return self.handle_exception(settle())
            # Under ATOMIC_REQUESTS the transaction may be blind to what others
            # wrote: what is true now is read after it, when Django renders.
            set_rollback()
            return SettledResponse(lambda: self.handle_exception(settle()))
        if isinstance(exc, StaleWriteError):
            exc = PreconditionError(CONFLICT)
        elif is_contention(exc):
            exc = PreconditionError(UNAVAILABLE)
        response = super().handle_exception(exc)
        if isinstance(exc, PreconditionError):
            http.set_error_headers(response, exc.decision, exc.etag)
        return response

    # Private to the package from here on.

    @property
    def _conditions(self) -> ConditionalHeaders:
        return http.conditional_headers(self.request)

    def _judge(self, current: Validators | None, *, requires: bool = True) -> Decision:
        policy = Policy(
            if_match_required=requires and self.if_match == "required",
            allow_wildcard=self.allow_wildcard,
            allow_unmodified_since=self.allow_unmodified_since,
            strong=settings.strong_if_match,
        )
        return evaluate(self.request.method or "", self._conditions, current, policy)

    def _hold(self, current: Validators | None, *, requires: bool = True) -> None:
        """Go on only if the request's preconditions hold; raise their answer if not."""
        decision = self._judge(current, requires=requires)
        if decision.outcome is Outcome.NOT_MODIFIED and current is not None:
            response = http.NotModified(current, decision)
            http.set_cache_control(response, self.cache_control)
            raise NotModifiedSignal(response)
        if decision.outcome is not Outcome.PROCEED:
            shows = decision.outcome is Outcome.PRECONDITION_FAILED and current is not None
            raise PreconditionError(decision, current.etag if shows else None)  # type: ignore[union-attr]

    def _check_media_type(self) -> None:
        """Raise the 415 that reading the body would; preconditions come after it."""
        request: Any = self.request
        if request.stream is None or request.content_type is None:
            return
        if not request.negotiator.select_parser(request, request.parsers):
            raise UnsupportedMediaType(request.content_type)

    def _check_lookup(self) -> None:
        """Raise the 404 of a key that no row can have."""
        if is_impossible(self.kwargs.get(self.lookup_url_kwarg or self.lookup_field)):
            raise Http404

    def _read_row(self) -> Row | None:
        """The row, by one narrow query through the view's own query set and filters."""
        queryset = self.filter_queryset(self.get_queryset())
        value = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        try:
            return read_row(queryset.filter(**{self.lookup_field: value}), self.tag_key)
        except (TypeError, ValueError, OverflowError, ValidationError):
            return None

    def _read_row_again(self, row: Row) -> Row | None:
        """The same row as it is now, if it still is one of the view's."""
        queryset = self.filter_queryset(self.get_queryset())
        owner = state_columns(row.model).owner
        return read_row(for_write(queryset).filter(**{owner._meta.pk.name: row.pk}), self.tag_key)

    def _may_read_narrowly(self) -> bool:
        """Whether nothing asks to see the object before an answer about it is given."""
        return (
            type(self).get_object is GenericAPIView.get_object
            and type(self).check_object_permissions is GenericAPIView.check_object_permissions
            and not any(map(_looks_at_objects, self.get_permissions()))
        )

    def _finish_read(self, response: HttpResponseBase, current: Validators | None) -> None:
        if 200 <= response.status_code < 300:
            if current is not None:
                http.set_validators(response, current)
            http.set_cache_control(response, self.cache_control)


def _looks_at_objects(permission: Any) -> bool:
    if type(permission) in (permissions.AND, permissions.OR):
        return _looks_at_objects(permission.op1) or _looks_at_objects(permission.op2)
    method = getattr(type(permission), "has_object_permission", None)
    return method is not permissions.BasePermission.has_object_permission


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
