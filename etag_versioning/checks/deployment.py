"""System checks for ``check --deploy``: whether each deployment changes the tags that it has to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.core import checks

from ..conf import settings
from .fingerprints import fingerprinted_views

__all__ = ["check_revision"]

_HINT: Final = (
    "from etag_versioning.revision import revision_from_files; "
    'ETAG_VERSIONING = {{"REVISION": revision_from_files(BASE_DIR)}}{0}'
)


@checks.register("etag_versioning", deploy=True)
def check_revision(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """W205: code that no fingerprint sees. W206: plain views without one. Neither with REVISION."""
    if settings.has_revision:
        return []
    views = fingerprinted_views()
    found: list[checks.CheckMessage] = []
    unseen = sorted({what for view in views if view.is_in_tags for what in view.fingerprint.unseen})
    if unseen:
        found.append(
            checks.Warning(
                f"A deployment may change what these show without a new tag, so that clients keep "
                f"old content. The fingerprint cannot see: {_listed(unseen)}.",
                hint=_HINT.format(""),
                id="etag_versioning.W205",
            )
        )
    plain = sorted({view.name for view in views if view.shows_rows and not view.is_in_tags})
    if plain:
        found.append(
            checks.Warning(
                f"A deployment that changes the code or the templates of these views changes no "
                f"tag, so that clients keep old content: {_listed(plain)}.",
                hint=_HINT.format("; or versioned_condition(..., fingerprint=True)"),
                id="etag_versioning.W206",
            )
        )
    return found


def _listed(names: Sequence[str]) -> str:
    shown = "; ".join(names[:5])
    return f"{shown}; and {len(names) - 5} more" if len(names) > 5 else shown
