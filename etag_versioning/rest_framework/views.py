"""The base of the mixins: how a view answers with tags and with the errors of preconditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.cache import patch_vary_headers
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from ..apps import require_installed
from ..exceptions import StaleWriteError
from ..http import headers
from ..http.error_responses import set_error_headers
from ..http.preconditions import CONFLICT, SAFE_METHODS, UNAVAILABLE, UNREACHABLE
from ..orm.database_errors import is_contention, is_unreachable, was_raised_after_commit
from ..orm.request_reads import reads_of_request
from ..views.late_rendering import render_with
from .exceptions import LostRace, PreconditionError, set_problem_details
from .fingerprint import read_early
from .options import ViewOptions
from .renderers import VersionedBrowsableAPIRenderer

if TYPE_CHECKING:
    from .versioning import Versioning

__all__ = ["VersionedView"]


class VersionedView(ViewOptions, APIView):
    """The base of all mixins."""

    if TYPE_CHECKING:
        # Each mixin sets it. It is about the versions of rows; DRF's ``versioning_class`` and
        # ``request.version`` are about versions of the API.
        versioning: Versioning

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        require_installed()
        view = super().as_view(*args, **kwargs)
        given = getattr(view, "initkwargs", {}).get("serializer_class")
        # Otherwise the first request would wait for all of it.
        view_class: Any = cls
        read_early(view_class, given or getattr(cls, "serializer_class", None))
        return view

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """DRF's; see ``routers`` for where the request reads."""
        with reads_of_request(writes=request.method not in SAFE_METHODS) as reads:
            response = super().dispatch(request, *args, **kwargs)
        if reads is not None:
            render_with(reads, response)
        return response

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        versioning = self.versioning
        if versioning.shown is not None and 200 <= response.status_code < 300:
            response = versioning.finish_read(response, versioning.shown)
        response = super().finalize_response(request, response, *args, **kwargs)
        headers.without_length(response)
        if response.status_code == 304:
            for function in versioning.on_not_modified:
                function()
        sent = response.headers
        # Even one renderer chooses by Accept: by the media type's parameters.
        if sent.get("Vary") != "Accept" and "ETag" in sent:
            patch_vary_headers(response, ("Accept",))
        if versioning.vary:
            patch_vary_headers(response, versioning.vary)
        return response

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, LostRace):
            exc = self.versioning.answer_after_lost_race(exc)
        if not isinstance(exc, PreconditionError) and not was_raised_after_commit(exc):
            if isinstance(exc, StaleWriteError):
                exc = PreconditionError(CONFLICT)
            elif is_contention(exc):
                exc = PreconditionError(UNAVAILABLE)
            elif is_unreachable(exc):
                exc = PreconditionError(UNREACHABLE)
            elif isinstance(exc, RuntimeError) and self.request.method not in SAFE_METHODS:
                _raise_for_durable(exc)
        response = super().handle_exception(exc)
        # Without Cache-Control, a cache may keep a 404 or a 410 (RFC 9110 §15.1).
        response.headers.setdefault("Cache-Control", "no-store")
        if isinstance(exc, PreconditionError):
            self.versioning.report(exc.decision)
            set_error_headers(response, exc.decision, exc.etag)
            set_problem_details(self.request, response, exc)
            # Add these last: DRF would turn each value of an error's detail into text.
            if isinstance(response.data, dict):
                response.data.update(exc.extra)
        return response

    def get_renderers(self) -> list[Any]:
        return [
            # A project's own subclass of DRF's renderer stays.
            VersionedBrowsableAPIRenderer() if type(renderer) is BrowsableAPIRenderer else renderer
            for renderer in super().get_renderers()
        ]


def _raise_for_durable(error: RuntimeError) -> None:
    """Raise what to write instead, if ``error`` is Django's about ``atomic(durable=True)``."""
    if str(error).startswith("A durable atomic block"):
        raise RuntimeError(
            "A guarded handler runs in a transaction, which holds its row locked, so it cannot "
            "begin a durable one. Write: with transaction.atomic(): … Call "
            "transaction.on_commit() for what has to wait for the commit."
        ) from error
