"""A GET of a decorated view, as the audit of a running project repeats it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.utils.module_loading import import_string

from ..conf import AuditSettings
from ..http.content import content_parts
from ..http.preconditions import ConditionalHeaders, Outcome
from ..runtime_audit.answers import Audit, AuditedRead
from ..runtime_audit.digests import Digest, digest_of
from .request import Call

__all__ = ["AsyncAuditedCall", "AuditedCall"]


class AuditedCall(AuditedRead):
    """
    One request to a decorated view.

    Args:
        call: the call that has been answered.
        settings: the audit's settings.
    """

    def __init__(self, call: Call, settings: AuditSettings) -> None:
        super().__init__(call.request, call.view, settings)
        self.call = call

    def again(self) -> Call:
        """The same call, with the preconditions that the request has now."""
        call = self.call
        return type(call)(call.options, call.view, call.request, call.args, call.kwargs)

    def fresh(self) -> Any:
        return _with_content(self.again().respond())

    def is_not_modified(self, conditions: ConditionalHeaders) -> bool:
        again = self.again()
        again.headers = conditions
        try:
            return again.evaluate().decision.outcome is Outcome.NOT_MODIFIED
        except self.refusals:
            return False

    def etag_of(self, response: Any) -> str | None:
        etag: str | None = response.headers.get("ETag")
        return etag

    def digest_of(self, response: Any) -> Digest | None:
        if response.streaming:
            return None
        parts = content_parts(response, response.content, sizes=True)
        return digest_of(parts, self.settings.max_bytes)

    def look_at_later(self, response: Any, audit: Audit) -> bool:
        if getattr(response, "is_rendered", True):
            return False
        response.add_post_render_callback(audit.look_at)
        return True


class AsyncAuditedCall(AuditedCall):
    """One request to a decorated coroutine."""

    async def fresh(self) -> Any:
        return await sync_to_async(_with_content)(await self.again().respond())  # type: ignore[misc]


def _with_content(response: Any) -> Any:
    """
    A response whose content can be compared; ``None`` for another. Django renders a
    ``TemplateResponse`` after its middleware has seen the context, which is too late here.
    """
    if response.streaming:
        # Nobody is going to read the file. close() would end the request.
        stream = getattr(response, "file_to_stream", None)
        if stream is not None:
            stream.close()
        return None
    if getattr(response, "is_rendered", True):
        return response
    return None if _templates_change(*django_settings.MIDDLEWARE) else response.render()


@lru_cache(maxsize=16)
def _templates_change(*middleware: str) -> bool:
    """Whether a middleware may change what a ``TemplateResponse`` renders."""
    return any(hasattr(import_string(path), "process_template_response") for path in middleware)
