"""What OPTIONS tells of preconditions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.request import clone_request

from .hooks import hooked

__all__ = ["add_required_headers"]


def add_required_headers(view: Any, response: Any, methods: Iterable[str]) -> Any:
    """
    Add to an answer to OPTIONS which of ``methods`` need If-Match.

    Args:
        view: the view, at its request.
        response: DRF's answer. It stays as it is where a metadata class of the
            project's own has put something else than a dictionary into it.
    """
    if isinstance(response.data, dict):
        allowed = [name for name in methods if name in view.allowed_methods]
        needing = [name for name in allowed if _if_match_at(view, name) == "required"]
        if needing:
            required = response.data.setdefault("required_headers", {})
            required.update({name: ["If-Match"] for name in needing})
    return response


def _if_match_at(view: Any, method: str) -> Any:
    """What the view says at a request with ``method``; it may decide by its action."""
    there = {"request": clone_request(view.request, method)}
    if hasattr(view, "action_map"):
        there["action"] = view.action_map.get(method.lower())
    with hooked(view, **there):
        return view.get_if_match()
