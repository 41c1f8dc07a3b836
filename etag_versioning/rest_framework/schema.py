"""
For drf-spectacular: preconditions and tags in an OpenAPI schema.

One setting does it::

    REST_FRAMEWORK = {
        "DEFAULT_SCHEMA_CLASS": "etag_versioning.rest_framework.schema.VersionedAutoSchema",
    }

A project with an ``AutoSchema`` of its own puts the mixin before it. What
``@extend_schema`` says of a header or a status takes precedence.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from ..conf import settings
from ..http.negotiation import JSON, PROBLEM
from ..http.preconditions import READ_METHODS, Reason
from .bulk.mixins import VersionedBulkUpdateMixin
from .fields import ETagField, tag_field
from .mixins import (
    VersionedActionMixin,
    VersionedCreateMixin,
    VersionedDestroyMixin,
    VersionedListMixin,
    VersionedRetrieveMixin,
    VersionedUpdateMixin,
)
from .reads import gives_tags

__all__ = [
    "ETagFieldExtension",
    "PreconditionErrorSerializer",
    "PreconditionProblemSerializer",
    "VersionedAutoSchema",
    "VersionedSchemaMixin",
]

_PACKAGE = f"{__package__}."

# An entity tag, and what If-Match may be (RFC 9110 §8.8.3, §13.1.1).
_TAG = r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_IF_MATCH = rf"^\s*(\*|{_TAG}(\s*,\s*{_TAG})*)\s*$"

_MIXINS: Mapping[str, type] = {
    "bulk_update": VersionedBulkUpdateMixin,
    "create": VersionedCreateMixin,
    "destroy": VersionedDestroyMixin,
    "list": VersionedListMixin,
    "partial_bulk_update": VersionedBulkUpdateMixin,
    "partial_update": VersionedUpdateMixin,
    "retrieve": VersionedRetrieveMixin,
    "update": VersionedUpdateMixin,
}
_BULK = ("bulk_update", "partial_bulk_update")
_ERRORS = {
    "409": "Lost to another's write, and the request named no state of that row.",
    "412": "The row is in another state than If-Match says. Fetch it again with "
    "Cache-Control: no-cache, and repeat the change.",
    "428": "If-Match is missing. Fetch the row, and send its ETag.",
    "503": "Others held the row too long, and nothing was written. Try again.",
}
# No enum: a project's own "reason" would have to share its name in the schema.
_REASON = f"What failed: {Reason.STALE.name.lower()}, for instance."


class PreconditionErrorSerializer(serializers.Serializer):
    """The body of 409, 412, 428 and 503."""

    error = serializers.CharField(help_text="PRECONDITION_FAILED, for instance.")
    reason = serializers.CharField(help_text=_REASON)
    message = serializers.CharField(help_text="For people.")
    current_etag = serializers.CharField(
        required=False, help_text="What the row's tag is now, where it is known."
    )
    current = serializers.JSONField(
        required=False, help_text="What the row is now, where the view shows it."
    )


class PreconditionProblemSerializer(serializers.Serializer):
    """The same as problem details (RFC 9457), for clients that name them in Accept."""

    title = serializers.CharField(help_text="The phrase of the status.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="For people.")
    error = serializers.CharField(help_text="PRECONDITION_FAILED, for instance.")
    reason = serializers.CharField(help_text=_REASON)
    current_etag = serializers.CharField(
        required=False, help_text="What the row's tag is now, where it is known."
    )
    current = serializers.JSONField(
        required=False, help_text="What the row is now, where the view shows it."
    )


class ETagFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A tag is a text."""

    target_class = ETagField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "string"}


class VersionedSchemaMixin(AutoSchema):
    """
    Describes what the package's mixins and decorators do; other views stay as
    they are.

    Example::

        class ProjectSchema(VersionedSchemaMixin, ProjectAutoSchema): ...
    """

    def get_description(self) -> str:  # type: ignore[override]
        description = super().get_description()
        ours = [cls for cls in type(self.view).__mro__ if cls.__module__.startswith(_PACKAGE)]
        # The mixins' docstrings speak to the author of the view, not to the API's clients.
        return "" if description in map(inspect.getdoc, ours) else description

    def get_override_parameters(self) -> list[Any]:
        return [
            *_parameters(self.view, self.method, self._purpose()),
            *super().get_override_parameters(),
        ]

    def get_request_serializer(self) -> Any:
        serializer = super().get_request_serializer()
        return _many(serializer) if self._purpose() in _BULK else serializer

    def get_response_serializers(self) -> Any:
        serializers = super().get_response_serializers()
        return _many(serializers) if self._purpose() in _BULK else serializers

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            responses = operation.get("responses", {})
            for code, response in self._conditional_responses(responses):
                responses.setdefault(code, response)
            operation["responses"] = dict(sorted(responses.items()))
        return operation

    def _purpose(self) -> str | None:
        """
        Which of DRF's methods the operation is, or "action" for another one that is
        guarded; ``None`` where the package does nothing.
        """
        view: Any = self.view
        # By the route: a bulk update says of itself that it is an update.
        actions = getattr(view, "action_map", None) or {}
        name = actions.get(self.method.lower(), getattr(view, "action", None))
        handler = getattr(view, name or self.method.lower(), None)
        if self.method in READ_METHODS and getattr(handler, "is_versioned_read", False):
            return "retrieve"
        if name is None:
            name = "list" if self._reads_list() else self.method_mapping[self.method.lower()]
        if name in _MIXINS:
            return name if isinstance(view, _MIXINS[name]) else None
        detail = bool(getattr(view, "detail", False))
        if self.method in READ_METHODS:
            kind: Any = type(view)
            return ("retrieve" if detail else "list") if gives_tags(kind, detail=detail) else None
        return "action" if detail and isinstance(view, VersionedActionMixin) else None

    def _reads_list(self) -> bool:
        return self.method in READ_METHODS and isinstance(self.view, VersionedListMixin)

    def _conditional_responses(self, there: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        purpose = self._purpose()
        if purpose in ("list", "retrieve"):
            description = "The client has the current representation."
            yield "304", self._answer("304", OpenApiResponse(None, description))
        elif purpose is not None:
            if _creates_by_put(self.view, purpose) and "200" in there:
                created = dict(there["200"], headers=self._headers("201"))
                yield "201", created
            for code in _error_codes(self.view, purpose):
                yield code, self._error(code)

    def _headers(self, code: str) -> Any:
        return self._get_response_headers_for_code(code)

    def _error(self, code: str) -> Any:
        described = OpenApiResponse(PreconditionErrorSerializer, _ERRORS[code])
        error = self._answer(code, described)
        if JSON in error["content"]:
            problem = OpenApiResponse(PreconditionProblemSerializer, _ERRORS[code])
            error["content"].update(self._answer(code, problem, [PROBLEM])["content"])
        return error

    def _answer(self, code: str, answer: OpenApiResponse, types: Any = None) -> Any:
        return self._get_response_for_code(answer, code, types)  # type: ignore[no-untyped-call]


class VersionedAutoSchema(VersionedSchemaMixin, AutoSchema):
    """drf-spectacular's ``AutoSchema`` with preconditions and tags."""


def _error_codes(view: Any, purpose: str) -> Sequence[str]:
    if purpose == "create":
        return ("409", "412", "503")
    required = view.get_if_match() == "required"
    return ("409", "412", "428", "503") if required else ("409", "412", "503")


def _parameters(view: Any, method: str, purpose: str | None) -> Iterator[OpenApiParameter]:
    """The headers of requests and answers."""
    if purpose is None:
        return
    if purpose in ("list", "retrieve"):
        yield from _of_reads(view, purpose)
    else:
        yield from _of_writes(view, purpose)
        has_tag = method != "DELETE" and purpose not in _BULK
        if has_tag and (method != "PUT" or settings.etag_on_put):
            yield _answer("ETag", "The tag of the row now, for the next If-Match.", 200, 201)
        yield _answer("ETag", "The row's tag now.", 412)
        yield _answer("Retry-After", "Seconds.", 503, type=OpenApiTypes.INT)


def _of_reads(view: Any, purpose: str) -> Iterator[OpenApiParameter]:
    yield _header("If-None-Match", "The tag of what the client has: 304 if it is current.")
    yield _answer("ETag", "The tag of this representation.", 200, 304)
    yield _answer("Cache-Control", "Who may keep it, and for how long.", 200, 304)
    if purpose == "retrieve" and view.last_modified:
        yield _answer("Last-Modified", "When the row was last written.", 200, 304)


def _of_writes(view: Any, purpose: str) -> Iterator[OpenApiParameter]:
    creates = purpose == "create" or _creates_by_put(view, purpose)
    if creates:
        yield _header("If-None-Match", "*: create only what is not there.")
        yield _answer("Location", "The new row's address.", 201)
    if purpose == "create" or purpose in _BULK:
        return  # Each item of a bulk update has its own tag.
    field = None if purpose == "destroy" else tag_field(view)
    stands_in = creates or view.allow_unmodified_since or field is not None
    yield _header(
        "If-Match",
        "The ETag of the state that is edited."
        + (f" It may be sent as {field} in the content instead." if field else ""),
        required=view.get_if_match() == "required" and not stands_in,
        pattern=_IF_MATCH,
    )
    if view.allow_unmodified_since:
        yield _header("If-Unmodified-Since", "Instead of If-Match, to the second.")
    if purpose in ("update", "partial_update"):
        yield _answer("Content-Location", "Where the content is found.", 200, 201)


def _creates_by_put(view: Any, purpose: str) -> bool:
    return purpose == "update" and view.allow_create


def _many(serializer: Any) -> Any:
    return (
        type(serializer)(many=True)
        if isinstance(serializer, serializers.Serializer)
        else serializer
    )


def _header(name: str, description: str, **kwargs: Any) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, **kwargs)


def _answer(name: str, description: str, *codes: int, type: Any = str) -> OpenApiParameter:
    return OpenApiParameter(
        name, type, OpenApiParameter.HEADER, description=description, response=list(codes)
    )
