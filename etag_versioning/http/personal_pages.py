"""
Pages for one visitor: with a CSRF token, messages, or a nonce for the Content-Security-Policy.

Such a page gets no tag, unless the view's ``etag_extra`` says what it depends on: a 304 would
show the visitor an old token, or messages from before. A nonce is another in each answer.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import lru_cache, partial
from typing import Any, Final

from django.http import HttpRequest

from .reporting import view_name

__all__ = ["CSRF_TOKEN", "MESSAGES", "NONCE", "NO_MESSAGES", "remove_tag_from_personal_page"]

CSRF_TOKEN: Final = "the CSRF token"
MESSAGES: Final = "messages"
# None were waiting before the view. It may still add some, and show them.
NO_MESSAGES: Final = "no messages"
OWN_MESSAGES: Final = "messages of its own"
NONCE: Final = "a CSP nonce"

_MENDED: Final = {
    CSRF_TOKEN: "Write: etag_extra=[etag_extra.csrf_token].",
    MESSAGES: "Write: etag_extra=[etag_extra.messages].",
    OWN_MESSAGES: "Add them for the next page, as before a redirect.",
    NONCE: "Each answer has another nonce, so load scripts from files, or allow them by a hash.",
}
_logger = logging.getLogger("etag_versioning")


def remove_tag_from_personal_page(
    request: HttpRequest, covers: Collection[str], view: Any, response: Any
) -> None:
    """
    Remove ETag and Last-Modified if the page is one visitor's, now or once it is rendered.

    Args:
        request: Django's request.
        covers: the parts that the tag stands for.
        view: the view, for the log.
        response: its answer, which has the headers.
    """
    if not getattr(response, "is_rendered", True):
        remove = partial(remove_tag_from_personal_page, request, covers, view)
        response.add_post_render_callback(remove)
        return
    messages: Any = vars(request).get("_messages")
    shown = messages is not None and messages.used
    used = {
        # get_token() sets it.
        CSRF_TOKEN: "CSRF_COOKIE_NEEDS_UPDATE" in request.META,
        # {% if messages %} loads them, even if there are none this time.
        MESSAGES: (shown or "_loaded_data" in getattr(messages, "__dict__", ()))
        and NO_MESSAGES not in covers,
        OWN_MESSAGES: NO_MESSAGES in covers and shown and len(messages) > 0,
        # Django's is false until a template has shown it. django-csp sets it then.
        NONCE: vars(request).get("_csp_nonce"),
    }
    for part, is_used in used.items():
        if is_used and part not in covers:
            del response.headers["ETag"], response.headers["Last-Modified"]
            _log(view_name(view), part)


@lru_cache(maxsize=1000)
def _log(view: str, part: str) -> None:
    """Once for each view: it may be on purpose."""
    _logger.warning("%s used %s, so its answer has no ETag. %s", view, part, _MENDED[part])
