"""The message that a client gets for each reason, in its language."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .preconditions import Outcome, Reason

__all__ = ["MESSAGES", "PAGES"]

# Header names and values are not translated.
MESSAGES: Mapping[Reason, str | Promise] = {
    Reason.STALE: _(
        "The resource was changed since you fetched it. Fetch it again with Cache-Control: "
        "no-cache, repeat your change on what is there now, and send the new ETag as If-Match."
    ),
    Reason.OTHER_RESOURCE: _(
        "If-Match names another resource. Fetch this resource with Cache-Control: no-cache, and "
        "send the ETag of the answer, with its quotes, as If-Match."
    ),
    Reason.ABSENT: _("If-Match was sent, and there is no such resource."),
    Reason.MALFORMED: _(
        'If-Match must be * or a list of entity tags, each in double quotes: "tag". Fetch the '
        "resource again with Cache-Control: no-cache, and send the ETag of the answer, with its "
        "quotes, as If-Match."
    ),
    Reason.WEAKENED: _(
        "If-Match names the current state by a weakened tag or that of another representation, "
        "and this server compares strongly. Fetch the resource again with Cache-Control: no-cache "
        "and Accept-Encoding: identity, and send the ETag as it comes."
    ),
    Reason.WILDCARD_FORBIDDEN: _(
        "If-Match: * is not accepted here. Fetch the resource again with Cache-Control: no-cache, "
        "and send the ETag of the answer, with its quotes, as If-Match."
    ),
    Reason.MODIFIED_SINCE: _(
        "The resource was changed after the date of If-Unmodified-Since. Fetch it again with "
        "Cache-Control: no-cache, repeat your change on what is there now, and send the new ETag "
        "as If-Match."
    ),
    Reason.EXISTS: _("If-None-Match matches the resource that is there."),
    Reason.REQUIRED: _(
        "This request needs an If-Match header. Fetch the resource with Cache-Control: no-cache, "
        "and send the ETag of the answer, with its quotes, as If-Match."
    ),
    Reason.DATE_NOT_ENOUGH: _(
        "If-Unmodified-Since counts in seconds and cannot guard this request; it needs an "
        "If-Match header. Fetch the resource with Cache-Control: no-cache, and send the ETag of "
        "the answer, with its quotes, as If-Match."
    ),
    Reason.CONFLICT: _(
        "Something that this request writes was changed by another at the same time. Nothing was "
        "written. Fetch it again with Cache-Control: no-cache, and repeat your change."
    ),
    Reason.INTERRUPTED: _(
        "Something that this request writes was changed by another at the same time. Part of the "
        "request may have been written. Fetch the resource again with Cache-Control: no-cache "
        "before you repeat your change."
    ),
    Reason.DUPLICATE: _(
        "Another resource has a value that must be unique. Nothing was written; send another value."
    ),
    Reason.GONE: _("The resource was deleted at the same time. Nothing was written."),
    Reason.UNREACHABLE: _(
        "The database cannot be reached at the moment. Try again; before you repeat a write, fetch "
        "the resource with Cache-Control: no-cache, since the write may have been made."
    ),
    Reason.CONTENTION: _("Others were writing at the same time. Nothing was written; try again."),
}

# For people who see an error in a browser: what happened, and what to do.
PAGES: Mapping[Outcome, tuple[str | Promise, str | Promise]] = {
    Outcome.PRECONDITION_FAILED: (
        _("Nothing was saved"),
        _(
            "This was changed after you opened it, perhaps by somebody else. To overwrite nothing, "
            "open it again, and repeat your change on what is there now."
        ),
    ),
    Outcome.PRECONDITION_REQUIRED: (
        _("Nothing was saved"),
        _(
            "The request did not say which state of the page you have seen, so it might overwrite "
            "what somebody else has saved. Open the page again, and repeat your change."
        ),
    ),
    Outcome.CONFLICT: (
        _("Not everything could be saved"),
        _(
            "Somebody else wrote at the same time. Open the page again, check what is there now, "
            "and repeat your change."
        ),
    ),
    Outcome.GONE: (
        _("This is no longer there"),
        _("Somebody else deleted it at the same time. Nothing was saved."),
    ),
    Outcome.UNAVAILABLE: (
        _("Please try again"),
        _("Others were saving at the same time. Nothing was saved; it will work in a moment."),
    ),
}
