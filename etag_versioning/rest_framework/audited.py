"""A GET of a view with the mixins, as the audit of a running project repeats it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import async_to_sync
from rest_framework.exceptions import APIException
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response

from ..conf import AuditSettings
from ..http.content import content_parts, header_parts, json_parts
from ..http.etags import EntityTag
from ..http.preconditions import (
    NO_CONDITIONS,
    ConditionalHeaders,
    Outcome,
    Validators,
    evaluate,
)
from ..runtime_audit.answers import AuditedRead, aaudited, audited
from ..runtime_audit.digests import Digest, digest_of

__all__ = ["audited_handler"]

Method = Callable[..., Any]


def audited_handler(view: Any, handler: Method, settings: AuditSettings) -> Method:
    """
    A handler of GET whose answers are compared with what was sent.

    Args:
        view: the view, at its request.
        handler: what gives its answers tags.
        settings: the audit's settings.
    """
    run = _arun if iscoroutinefunction(handler) else _run
    return partial(run, view, handler, settings)


def _run(view: Any, handler: Method, settings: AuditSettings, *args: Any, **kwargs: Any) -> Any:
    response = handler(*args, **kwargs)
    return audited(AuditedHandler(view, partial(handler, *args, **kwargs), settings), response)


async def _arun(
    view: Any, handler: Method, settings: AuditSettings, *args: Any, **kwargs: Any
) -> Any:
    response = await handler(*args, **kwargs)
    read = AuditedHandler(view, partial(handler, *args, **kwargs), settings)
    return await aaudited(read, response)


class AuditedHandler(AuditedRead):
    """
    One request to a view with the mixins. It starts behind ``initial()``, so throttles count
    once, and ends before ``finalize_response()``, which comes once.

    Args:
        view: the view, at its request.
        run: its handler, called without arguments.
        settings: the audit's settings.
    """

    refusals = (*AuditedRead.refusals, APIException)

    def __init__(self, view: Any, run: Method, settings: AuditSettings) -> None:
        super().__init__(view.request._request, type(view), settings)
        self.handled = view
        self.run = run
        self.attributes: dict[str, Any] = dict(vars(view))

    def fresh(self) -> Any:
        self.handled.versioning = self.handled.versioning.asking_again(NO_CONDITIONS)
        return self.run()

    def restore(self) -> None:
        attributes = vars(self.handled)
        attributes.clear()
        attributes.update(self.attributes)

    def is_not_modified(self, conditions: ConditionalHeaders) -> bool:
        view, run = self.handled, self.run
        attributes = dict(vars(view))
        view.versioning = view.versioning.asking_again(conditions)
        try:
            response = async_to_sync(run)() if iscoroutinefunction(run) else run()
            return response.status_code == 304 or self.becomes_304(response)
        except self.refusals:
            return False
        finally:
            vars(view).clear()
            vars(view).update(attributes)

    def etag_of(self, response: Any) -> str | None:
        if response.has_header("ETag"):
            return str(response["ETag"])
        shown = self.handled.versioning.shown
        return None if shown is None or shown.etag is None else str(shown.etag)

    def becomes_304(self, response: Any) -> bool:
        versioning = self.handled.versioning
        etag, shown = self.etag_of(response), versioning.shown
        if etag is None or shown is None or versioning.conditions == NO_CONDITIONS:
            return False
        if response.has_header("ETag"):
            shown = Validators(EntityTag.from_text(etag))
        return evaluate("GET", versioning.conditions, shown).outcome is Outcome.NOT_MODIFIED

    def send_in_full(self) -> None:
        self.handled.versioning.conditions = NO_CONDITIONS

    def digest_of(self, response: Any) -> Digest | None:
        if getattr(response, "streaming", False):
            return None
        return digest_of(self._parts(response), self.settings.max_bytes)

    def _parts(self, response: Any) -> Iterator[tuple[str, Any]]:
        if not isinstance(response, Response):
            yield from content_parts(response, response.content, sizes=True)
            return
        data, ignored = response.data, self.handled.etag_ignores
        if ignored and isinstance(data, Mapping):
            data = {name: value for name, value in data.items() if name not in ignored}
        renderer = self.handled.request.accepted_renderer
        # Of the browsable API's page, the data counts: its forms show what the user may choose.
        by_data = getattr(type(renderer), "render", None) is JSONRenderer.render
        if by_data or isinstance(renderer, BrowsableAPIRenderer):
            yield from header_parts(response)
            yield from json_parts(data, sizes=True)
        elif any(isinstance(value, Iterator) for _, value in json_parts(response.data)):
            yield "content", response.data  # It can be read once, by the answer's own renderer.
        else:
            yield from self._rendered_parts(response, data)

    def _rendered_parts(self, response: Any, data: Any) -> Iterator[tuple[str, Any]]:
        """The parts of what another renderer makes; the response itself stays unrendered."""
        request = self.handled.request
        headers = dict(response.items())
        copy: Any = Response(data, response.status_code, response.template_name, headers)
        copy.accepted_renderer = request.accepted_renderer
        copy.accepted_media_type = request.accepted_media_type
        copy.renderer_context = self.handled.get_renderer_context()
        content = copy.rendered_content
        yield from content_parts(copy, copy.make_bytes(content), sizes=True)
