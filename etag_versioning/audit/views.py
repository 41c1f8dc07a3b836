"""The view that an address leads to, and how it is told what else its tag depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from django.urls import Resolver404, get_script_prefix, resolve

from ..checks.layers import options_of

__all__ = ["AuditedView", "view_at"]


class AuditedView(NamedTuple):
    """
    The view of an address.

    Args:
        name: its name in the project's code.
        is_class: whether it is one of Django REST framework's, with ``get_etag_extra()``.
        lookup: the lookup by which it finds its row, and the URL keyword argument that
            holds the value; ``None`` for the view of a list.
        has_terms: whether it has terms of its own already.
    """

    name: str
    is_class: bool
    lookup: tuple[str, str] | None
    has_terms: bool = False

    @property
    def request(self) -> str:
        """The request, in the code of ``etag_extra``."""
        return "self.request" if self.is_class else "request"

    @property
    def key(self) -> str:
        """The value that selects the row, in the code of ``etag_extra``."""
        assert self.lookup is not None
        kwargs = "self.kwargs" if self.is_class else "kwargs"
        return f'{kwargs}["{self.lookup[1]}"]'

    def etag_extra(self, terms: Sequence[str]) -> str:
        """The code that puts terms into the view's tags."""
        inside = ", ".join(terms)
        needs_request = f"{self.request}." in inside or "kwargs[" in inside
        if not self.is_class:
            return f"etag_extra={'lambda request, **kwargs: ' if needs_request else ''}[{inside}]"
        if needs_request:
            return f"def get_etag_extra(self):\n    return [*super().get_etag_extra(), {inside}]"
        return f"etag_extra = ({inside}{',' if len(terms) == 1 else ''})"


def view_at(url: str) -> AuditedView:
    """Look an address up in the project's URLconf."""
    prefix = get_script_prefix()
    path = "/" + unquote(urlsplit(url).path).removeprefix(prefix)
    try:
        match = resolve(path)
    except Resolver404:  # A middleware answers.
        return AuditedView("the view", False, None)
    view: Any = match.func
    view_class: Any = getattr(view, "cls", None)
    if hasattr(view_class, "get_etag_extra"):
        kwarg = getattr(view_class, "lookup_url_kwarg", None)
        field = getattr(view_class, "lookup_field", None) or "pk"
        lookup = _lookup(field, kwarg or field, match.kwargs)
        has_terms = "get_etag_extra" in vars(view_class)
        return AuditedView(view_class.__name__, True, lookup, has_terms)
    options = options_of(view)
    source = getattr(options, "source", None)
    source = getattr(source, "first", source)
    field = getattr(source, "lookup_field", None) or "pk"
    kwarg = getattr(source, "lookup_url_kwarg", None) or field
    lookup = _lookup(field, kwarg, match.kwargs)
    has_terms = getattr(options, "etag_extra", None) is not None
    return AuditedView(getattr(view, "__qualname__", repr(view)), False, lookup, has_terms)


def _lookup(field: str, kwarg: str, kwargs: Any) -> tuple[str, str] | None:
    return (field, kwarg) if kwarg in kwargs else None
