"""Errors: as problem details where these are asked for, and those that are known late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.response import Response

from ..error_responses import ERRORS, problem_body
from ..negotiation import JSON, PROBLEM, preferred_type
from ..preconditions import Outcome
from .exceptions import PreconditionError

__all__ = ["SettledResponse", "tell_as_problem"]


class SettledResponse(Response):
    """An error whose status and content are known only when it is rendered."""

    def __init__(self, settle: Callable[[], Response]) -> None:
        super().__init__(status=ERRORS[Outcome.CONFLICT][0], exception=True)
        self._settle: Callable[[], Response] | None = settle

    @property
    def rendered_content(self) -> Any:
        if self._settle is not None:
            settle, self._settle = self._settle, None
            settled = settle()
            self.data, self.status_code = settled.data, settled.status_code
            self.content_type = settled.content_type
            for name, value in settled.items():
                self.headers[name] = value
        return super().rendered_content


def tell_as_problem(request: Any, response: Response, error: PreconditionError) -> None:
    """Make an answer that would be JSON problem details (RFC 9457), if they are asked for."""
    renderer = getattr(request, "accepted_renderer", None)
    if getattr(renderer, "media_type", None) != JSON:
        return
    if preferred_type(request.META.get("HTTP_ACCEPT")) == PROBLEM:
        response.data = problem_body(error.decision, error.etag)
        response.content_type = PROBLEM
