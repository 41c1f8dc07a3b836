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
from ..http.preconditions import CONFLICT, UNAVAILABLE
from ..http.responses import set_error_headers
from ..orm.database_errors import is_contention, was_raised_after_commit
from .exceptions import LostRace, PreconditionError
from .options import ViewOptions
from .renderers import VersionedBrowsableAPIRenderer
from .responses import tell_as_problem

if TYPE_CHECKING:
    from .versioning import Versioning

__all__ = ["VersionedView"]


class VersionedView(ViewOptions, APIView):
    """The base of all."""

    if TYPE_CHECKING:
        # The mixins give it. It is about the versions of rows: DRF's ``versioning_class`` and
        # ``request.version`` are about those of an API.
        versioning: Versioning

    @classmethod
    def as_view(cls, *args: Any, **kwargs: Any) -> Any:
        require_installed()
        return super().as_view(*args, **kwargs)

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
        # The parameters of a media type choose too, where there is one renderer.
        if sent.get("Vary") != "Accept" and "ETag" in sent:
            patch_vary_headers(response, ("Accept",))
        return response

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, LostRace):
            exc = self.versioning.answer_after_lost_race(exc)
        if not isinstance(exc, PreconditionError) and not was_raised_after_commit(exc):
            if isinstance(exc, StaleWriteError):
                exc = PreconditionError(CONFLICT)
            elif is_contention(exc):
                exc = PreconditionError(UNAVAILABLE)
        response = super().handle_exception(exc)
        # Without Cache-Control, a cache may keep a 404 or a 410 (RFC 9110 §15.1).
        response.headers.setdefault("Cache-Control", "no-store")
        if isinstance(exc, PreconditionError):
            self.versioning.report(exc.decision)
            set_error_headers(response, exc.decision, exc.etag)
            tell_as_problem(self.request, response, exc)
            # After DRF's handling of details, which would make texts of all values.
            if isinstance(response.data, dict):
                response.data.update(exc.extra)
        return response

    def get_renderers(self) -> list[Any]:
        return [
            # A renderer that a project has derived from DRF's stays.
            VersionedBrowsableAPIRenderer() if type(renderer) is BrowsableAPIRenderer else renderer
            for renderer in super().get_renderers()
        ]
