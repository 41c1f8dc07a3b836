"""
The settings, all in one dictionary of the project's::

    ETAG_VERSIONING = {"IF_MATCH": "strong"}

Each is looked up once, and again when a setting changes, so that
``override_settings`` works on it.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

__all__ = ["DEFAULTS", "settings"]

DEFAULTS: Final[dict[str, Any]] = {
    "IF_MATCH": "state",
    "ETAG_ON_PUT": True,
    "OPAQUE_TAGS": False,
    "REVISION": "",
}


class Settings:
    """One typed property per setting."""

    def __init__(self) -> None:
        self._values: dict[str, Any] | None = None
        setting_changed.connect(self._forget)

    def _forget(self, **kwargs: Any) -> None:
        self._values = None

    def _get(self, name: str) -> Any:
        if (values := self._values) is None:
            # Django would look for a setting that is not there each time anew.
            values = DEFAULTS | getattr(django_settings, "ETAG_VERSIONING", {})
            self._values = values
        return values[name]

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
