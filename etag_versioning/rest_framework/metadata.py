"""What OPTIONS tells of preconditions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["add_required_headers"]


def add_required_headers(view: Any, response: Any, methods: Iterable[str]) -> Any:
    """
    Add to an answer to OPTIONS which of ``methods`` need If-Match.

    Args:
        view: the view, at its request.
        response: DRF's answer. It stays as it is where a metadata class of the
            project's own has put something else than a dictionary into it.
    """
    if view.if_match == "required" and isinstance(response.data, dict):
        required = response.data.setdefault("required_headers", {})
        required.update({name: ["If-Match"] for name in methods if name in view.allowed_methods})
    return response
