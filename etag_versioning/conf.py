"""
The settings, all in one dictionary of the project's::

    ETAG_VERSIONING = {"IF_MATCH": "strong"}

Each is read once, and again when a setting changes, so that ``override_settings``
works on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

__all__ = [
    "DEFAULTS",
    "STALE_WRITES",
    "AuditSettings",
    "check_value",
    "given_settings",
    "settings",
]

# What a stale save() or delete() does; a model may say otherwise.
STALE_WRITES: Final = ("raise", "report", "merge")


class AuditSettings(NamedTuple):
    """
    ``AUDIT``: the audit of the running project.

    Args:
        sample_rate: the share of the would-be 304s that are rendered and compared, from 0 to 1.
        cache: the alias of the cache for the digests of what was sent.
        timeout: how long they are kept, in seconds.
        max_bytes: responses that show more are not compared.
    """

    sample_rate: float = 0.0
    cache: str = "default"
    timeout: float = 7 * 24 * 3600
    max_bytes: int = 1_000_000


DEFAULTS: Final[dict[str, Any]] = {
    "AUDIT": None,
    "IF_MATCH": "state",
    "ETAG_ON_PUT": True,
    "OPAQUE_TAGS": False,
    "REVISION": "",
    "STALE_WRITES": "raise",
}
# The values that a setting can have, where they can be listed.
_CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "IF_MATCH": ("state", "strong"),
    "ETAG_ON_PUT": (True, False),
    "OPAQUE_TAGS": (True, False),
    "STALE_WRITES": STALE_WRITES,
}


def given_settings() -> Mapping[str, Any]:
    """What the project's settings say."""
    given = getattr(django_settings, "ETAG_VERSIONING", {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"ETAG_VERSIONING is {given!r}; it must be a dictionary.")
    return given


def check_value(name: str, value: Any) -> None:
    """Raise ``ImproperlyConfigured`` for an unknown setting, or a value that it cannot have."""
    if name not in DEFAULTS:
        raise ImproperlyConfigured(f'ETAG_VERSIONING has no setting "{name}".')
    choices = _CHOICES.get(name)
    if choices and value not in choices:
        listed = " or ".join(
            f'"{each}"' if isinstance(each, str) else str(each) for each in choices
        )
        raise ImproperlyConfigured(f'ETAG_VERSIONING["{name}"] is {value!r}; it must be {listed}.')
    if name == "REVISION" and not (
        value is None or isinstance(value, str | int) or callable(value)
    ):
        raise ImproperlyConfigured(
            f'ETAG_VERSIONING["REVISION"] is {value!r}; it must be text, or a callable that '
            f"returns it."
        )
    if name == "AUDIT" and value is not None:
        _check_audit(value)


def _check_audit(value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ImproperlyConfigured(
            f'ETAG_VERSIONING["AUDIT"] is {value!r}; it must be a dictionary: '
            f'{{"sample_rate": 0.01}}.'
        )
    for name, given in value.items():
        must_be = _AUDIT_VALUES.get(name)
        if must_be is None:
            raise ImproperlyConfigured(
                f'ETAG_VERSIONING["AUDIT"] has no key "{name}". The keys are: '
                f"{', '.join(_AUDIT_VALUES)}."
            )
        if isinstance(given, bool) or not must_be[1](given):
            raise ImproperlyConfigured(
                f'ETAG_VERSIONING["AUDIT"]["{name}"] is {given!r}; it must be {must_be[0]}.'
            )


# What each key of AUDIT must be, in words, and whether a value is that.
_AUDIT_VALUES: Final[dict[str, tuple[str, Callable[[Any], bool]]]] = {
    "sample_rate": (
        "a number from 0 to 1",
        lambda value: isinstance(value, int | float) and 0 <= value <= 1,
    ),
    "cache": (
        "one of the aliases in CACHES",
        lambda value: isinstance(value, str) and value in django_settings.CACHES,
    ),
    "timeout": (
        "a number of seconds above 0",
        lambda value: isinstance(value, int | float) and value > 0,
    ),
    "max_bytes": (
        "a number of bytes above 0",
        lambda value: isinstance(value, int) and value > 0,
    ),
}


class Settings:
    """One typed property per setting."""

    def __init__(self) -> None:
        setting_changed.connect(self._forget)

    def _forget(self, **kwargs: Any) -> None:
        vars(self).clear()

    @cached_property
    def _values(self) -> Mapping[str, Any]:
        return {**DEFAULTS, **given_settings()}

    @cached_property
    def audit(self) -> AuditSettings | None:
        """
        ``AUDIT``: how a running project's would-be 304s are compared with what was sent;
        ``None`` (the default) for not at all.
        """
        value = self._values["AUDIT"]
        check_value("AUDIT", value)
        return AuditSettings(**value) if value and value.get("sample_rate") else None

    @cached_property
    def strong_if_match(self) -> bool:
        """
        ``IF_MATCH``: "state" (the default) lets a tag that a proxy weakened, or
        that came with another representation, guard a write; "strong" is the
        letter of RFC 9110 §13.1.1.
        """
        value = self._values["IF_MATCH"]
        check_value("IF_MATCH", value)
        return bool(value == "strong")

    @cached_property
    def etag_on_put(self) -> bool:
        """
        ``ETAG_ON_PUT``: whether a successful PUT answers with the new tag
        (the default), which RFC 9110 §9.3.4 reserves for servers that store the
        body byte for byte.
        """
        return bool(self._values["ETAG_ON_PUT"])

    @cached_property
    def opaque_tags(self) -> bool:
        """
        ``OPAQUE_TAGS``: whether tags are keyed digests, from which nobody can
        read or guess keys and versions.
        """
        return bool(self._values["OPAQUE_TAGS"])

    @cached_property
    def has_revision(self) -> bool:
        """Whether ``REVISION`` is set."""
        return bool(self._values["REVISION"])

    @property
    def revision(self) -> str:
        """
        ``REVISION``: what stands for the project's code in its tags, or a
        callable that returns it; the module ``revision`` reads one.
        """
        value = self._values["REVISION"]
        return str((value() if callable(value) else value) or "")

    @cached_property
    def stale_writes(self) -> str:
        """
        ``STALE_WRITES``: what a stale ``save()`` or ``delete()`` does, for the models that don't
        say it themselves. "raise" (the default) raises ``StaleWriteError``; "report" writes,
        and logs where in the code it happened; "merge" writes where nobody else has changed
        the same columns.
        """
        value = self._values["STALE_WRITES"]
        check_value("STALE_WRITES", value)
        return str(value)


settings: Final = Settings()
