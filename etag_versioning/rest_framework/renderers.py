"""DRF's browsable API, with forms that say which state they edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import is_form_media_type
from rest_framework.utils.serializer_helpers import ReturnDict

from .comparison import Difference, contents, differences
from .conflicts import own_handler, visible_row
from .exceptions import optional
from .versioning import versioning_of

__all__ = ["VersionedBrowsableAPIRenderer"]

# The answers to a write whose precondition is false, or missing.
_REFUSALS = (412, 428)


class VersionedBrowsableAPIRenderer(BrowsableAPIRenderer):
    """
    DRF's ``BrowsableAPIRenderer``, whose forms work on guarded views: each sends, in
    If-Match, the tag of the state that the page was rendered with.

    Where a write is refused (412, 428), the page shows what the user entered beside
    what is there now. The form keeps the input, with the tag of what is there now: a user
    who sends it again overwrites what the page shows.

    The mixins put it in the place of DRF's own. A project's own renderer stays: let it
    inherit from this class to get the same pages.
    """

    template = "etag_versioning/browsable_api.html"

    # The write that was refused, if one was.
    _refusal: _Refusal | None = None

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        view, request, response = (renderer_context[key] for key in ("view", "request", "response"))
        if response.status_code in _REFUSALS and _is_about_one_row(view):
            with optional("what is there now"):
                self._refusal = _refusal(view, request)
        context = super().get_context(data, accepted_media_type, renderer_context)
        tag = None
        with optional("the tag for the page's forms"):
            tag = self._page_tag(data, view, request, response)
        if tag is not None:
            headers = {"If-Match": tag}
            context["preconditions"] = {"url": request.get_full_path(), "headers": headers}
        context["conflict"] = self._refusal
        return dict(context)

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        return super().get_rendered_html_form(self._bound(data), view, method, request)

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        form = super().get_raw_data_form(self._bound(data), view, method, request)
        if form and self._refusal is not None:
            with optional("the input in the form"):
                form.initial.update(self._refusal.raw_input(method))
        return form

    def _bound(self, data: Any) -> Any:
        """The data that DRF makes its forms from: with the row and what the user entered."""
        if self._refusal is None or self._refusal.serializer is None:
            return data
        return ReturnDict(serializer=self._refusal.serializer)

    def _page_tag(self, data: Any, view: Any, request: Any, response: Any) -> str | None:
        """The tag of the state that the page's forms are about, if they are about one row."""
        if not _is_about_one_row(view):
            return None
        if self._refusal is not None:
            return _state_tag(view, self._refusal.row) or response.get("ETag")
        if response.has_header("ETag"):
            return str(response["ETag"])
        if response.status_code == 405:
            # The page of an action that has no GET shows no state, but can write one.
            return _state_tag(view, visible_row(view))
        if response.status_code >= 400:
            # The user corrects the input, and has seen no other state than the one that was sent.
            return request.headers.get("If-Match")
        return _state_tag(view, getattr(getattr(data, "serializer", None), "instance", None))


@dataclass
class _Refusal:
    """
    A refused write, for its page.

    Args:
        row: the row as it is now; ``None`` where it is gone, or the user may not GET it.
    """

    view: Any
    request: Any
    row: Any

    @property
    def method(self) -> str:
        return str(self.request.method)

    @property
    def has_input(self) -> bool:
        return hasattr(self.serializer, "initial_data")

    @cached_property
    def serializer(self) -> Any:
        """The view's, with the row and what the user entered."""
        if self.row is None or not hasattr(self.view, "get_serializer"):
            return None
        if self.method == "DELETE" or self._input is None:
            # A GET handler of the project's own may show less than the serializer does.
            own = own_handler(self.view) is not None
            return None if own else self.view.get_serializer(self.row)
        partial = self.method == "PATCH"
        bound = self.view.get_serializer(self.row, data=self._input, partial=partial)
        bound.is_valid()
        # A valid serializer would show its row, but the form has to keep the input.
        bound._data = bound.get_initial()
        return bound

    @cached_property
    def differences(self) -> list[Difference]:
        # A GET handler of the project's own may show less than the serializer does.
        if self.serializer is None or own_handler(self.view) is not None:
            return []
        with optional("what was entered beside what is there now"):
            return (differences if self.has_input else contents)(self.serializer)
        return []

    def raw_input(self, method: str) -> Mapping[str, str]:
        """The initial values of the form for raw data that DRF shows for ``method``."""
        # One form is for PUT and for PATCH.
        is_theirs = {method, self.method} <= {"PUT", "PATCH"} or method == self.method
        parser: Any = self.request.negotiator.select_parser(self.request, self.request.parsers)
        renderer = getattr(parser, "renderer_class", None)
        if not is_theirs or renderer is None or is_form_media_type(self.request.content_type):
            return {}
        content = renderer().render(self._input, parser.media_type, {"indent": 4})
        return {"_content": content.decode(), "_content_type": parser.media_type}

    @cached_property
    def _input(self) -> Any:
        try:
            return self.request.data
        except APIException:
            return None


def _refusal(view: Any, request: Any) -> _Refusal:
    """The refused write; without its row where the form for the row cannot be made."""
    refusal = _Refusal(view, request, visible_row(view))
    with optional("the form with what was entered"):
        _ = refusal.serializer
        return refusal
    return _Refusal(view, request, None)


def _is_about_one_row(view: Any) -> bool:
    versioning = versioning_of(view)
    return versioning is not None and versioning.is_about_one_row


def _state_tag(view: Any, row: Any) -> str | None:
    """The tag that guards a write of ``row``; ``None`` without a version."""
    if not hasattr(row, "tag_key"):
        return None
    return str(view.versioning.row_of(row).validators().etag)
