"""Where a template reads that Django renders after the view."""

from __future__ import annotations

from typing import Any

from ..orm.request_reads import RequestReads

__all__ = ["render_with"]


def render_with(reads: RequestReads, response: Any) -> None:
    """
    Let a ``TemplateResponse`` read where its view has read. Django renders it when the view, and
    the middleware that may change its context, have run, and a template evaluates querysets.

    Args:
        reads: where the request reads.
        response: the view's answer. Its ``render()`` is wrapped for one call.
    """
    if getattr(response, "is_rendered", True):
        return
    render = response.render

    def render_once() -> Any:
        vars(response).pop("render", None)
        with reads:
            return render()

    response.render = render_once
