"""Errors as problem details, where these are asked for."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from ..http.negotiation import JSON, PROBLEM, preferred_type
from ..http.responses import problem_body
from .exceptions import PreconditionError

__all__ = ["tell_as_problem"]


def tell_as_problem(request: Any, response: Response, error: PreconditionError) -> None:
    """Make an answer that would be JSON problem details (RFC 9457), if they are asked for."""
    renderer = getattr(request, "accepted_renderer", None)
    if getattr(renderer, "media_type", None) != JSON:
        return
    if preferred_type(request.META.get("HTTP_ACCEPT")) == PROBLEM:
        response.data = problem_body(error.decision, error.etag)
        response.content_type = PROBLEM
