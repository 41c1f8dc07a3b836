"""What decides how everything is rendered: Python, Django, and settings of theirs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

import django
from django.conf import settings as django_settings
from django.urls import URLPattern, URLResolver, get_resolver

from .. import __version__
from .reader import Reader, Setting, is_secret

__all__ = ["RENDERING_SETTINGS", "read_routes", "read_setting", "versions"]

# Settings of Django's on which the bytes of an answer depend.
RENDERING_SETTINGS: Final = tuple(
    Setting(name)
    for name in (
        *("DATETIME_FORMAT", "DATE_FORMAT", "DECIMAL_SEPARATOR", "DEFAULT_CHARSET"),
        *("FIRST_DAY_OF_WEEK", "FORCE_SCRIPT_NAME", "FORMAT_MODULE_PATH", "LANGUAGE_CODE"),
        *("MEDIA_URL", "MONTH_DAY_FORMAT", "NUMBER_GROUPING", "SHORT_DATETIME_FORMAT"),
        *("SHORT_DATE_FORMAT", "STATIC_URL", "THOUSAND_SEPARATOR", "TIME_FORMAT", "TIME_ZONE"),
        *("USE_I18N", "USE_THOUSAND_SEPARATOR", "USE_TZ", "YEAR_MONTH_FORMAT"),
    )
)


def versions() -> dict[str, str]:
    """What the byte code is of, and what runs around every view."""
    return {
        "Python": "{} {}.{}.{}".format(sys.implementation.name, *sys.version_info),
        "Django": django.get_version(),
        "etag_versioning": __version__,
    }


def read_setting(setting: Setting, reader: Reader) -> None:
    """The value of a setting. A secret's is in no digest."""
    if is_secret(setting.name):
        reader.cannot_see("a secret, whose value is in no fingerprint")
    else:
        reader.value(getattr(django_settings, setting.name, None))


def read_routes(reader: Reader) -> None:
    """The routes that have names: ``reverse()`` makes addresses of them."""
    if not getattr(django_settings, "ROOT_URLCONF", None):
        return
    for route in _named_routes(get_resolver(), ""):
        reader.add(route)


def _named_routes(resolver: Any, text: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        here = f"{text}{entry.pattern}"
        if isinstance(entry, URLResolver):
            namespace = f" {entry.namespace}:" if entry.namespace else ""
            yield from _named_routes(entry, f"{here}{namespace}")
        elif isinstance(entry, URLPattern) and entry.name:
            yield f"{here} {entry.name}"
