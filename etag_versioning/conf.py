"""
The settings, all in one dictionary of the project's::

    ETAG_VERSIONING = {"IF_MATCH": "strong"}

Each is read at each access, so that ``override_settings`` works on it.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

__all__ = ["DEFAULTS", "settings"]

DEFAULTS: Final[dict[str, Any]] = {
    "IF_MATCH": "state",
    "ETAG_ON_PUT": True,
    "OPAQUE_TAGS": False,
    "REVISION": "",
}


class Settings:
    """One typed property per setting."""

    def _get(self, name: str) -> Any:
        return getattr(django_settings, "ETAG_VERSIONING", {}).get(name, DEFAULTS[name])

    @property
    def strong_if_match(self) -> bool:
        """
        ``IF_MATCH``: "state" (the default) lets a tag that a proxy weakened, or
        that came with another representation, guard a write; "strong" is the
        letter of RFC 9110 §13.1.1.
        """
        value = self._get("IF_MATCH")
        if value not in ("state", "strong"):
            raise ImproperlyConfigured(
                f'ETAG_VERSIONING["IF_MATCH"] is {value!r}; it must be "state" or "strong".'
            )
        return bool(value == "strong")

    @property
    def etag_on_put(self) -> bool:
        """
        ``ETAG_ON_PUT``: whether a successful PUT answers with the new tag
        (the default), which RFC 9110 §9.3.4 reserves for servers that store the
        body byte for byte.
        """
        return bool(self._get("ETAG_ON_PUT"))

    @property
    def opaque_tags(self) -> bool:
        """
        ``OPAQUE_TAGS``: whether tags are keyed digests, from which nobody can
        read or guess keys and versions.
        """
        return bool(self._get("OPAQUE_TAGS"))

    @property
    def revision(self) -> str:
        """
        ``REVISION``: what stands for the project's code in its tags, or a
        callable that returns it; the module ``revision`` reads one.
        """
        value = self._get("REVISION")
        return str((value() if callable(value) else value) or "")


settings: Final = Settings()
