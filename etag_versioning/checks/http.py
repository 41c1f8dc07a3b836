"""System checks of what stands around the views: the order of MIDDLEWARE, and CORS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core import checks

__all__ = ["check_cors", "check_middleware", "mended"]

_UPDATE: Final = "django.middleware.cache.UpdateCacheMiddleware"
_FETCH: Final = "django.middleware.cache.FetchFromCacheMiddleware"
_GZIP: Final = "django.middleware.gzip.GZipMiddleware"
_CONDITIONAL: Final = "django.middleware.http.ConditionalGetMiddleware"
_COMMON: Final = "django.middleware.common.CommonMiddleware"
_SESSION: Final = "django.contrib.sessions.middleware.SessionMiddleware"
_CORS: Final = "corsheaders.middleware.CorsMiddleware"

# What has to stand before what, and what happens otherwise.
_ORDER: Final = (
    (_UPDATE, _SESSION, "pages are stored without Vary: Cookie, and shown to others"),
    (_GZIP, _CONDITIONAL, "answers without a version get a tag of their compressed form, which is "
     "another each time"),
    (_CONDITIONAL, _COMMON, "a 304 gets Content-Length: 0, and caches serve an empty page"),
    (_CONDITIONAL, _FETCH, "what comes from Django's cache is never answered 304"),
    (_CORS, _CONDITIONAL, "a 304 has no Access-Control-Allow-Origin, and scripts cannot see it"),
)  # fmt: skip


@checks.register("etag_versioning")
def check_middleware(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """W101: middleware in an order in which tags or 304s go wrong. W102: none for 304s."""
    given = list(settings.MIDDLEWARE)
    found: list[checks.CheckMessage] = []
    wrong = [
        f"{_name(first)} has to stand before {_name(second)}: otherwise {reason}."
        for first, second, reason in _ORDER
        if _is_behind(given, first, second)
    ]
    if wrong:
        lines = "".join(f'\n    "{path}",' for path in mended(given))
        found.append(
            checks.Warning(
                " ".join(wrong), hint=f"MIDDLEWARE = [{lines}\n]", id="etag_versioning.W101"
            )
        )
    if _FETCH in given and _CONDITIONAL not in given:
        position = given.index(_FETCH)
        lines = "".join(
            f'\n    "{path}",'
            for path in mended([*given[:position], _CONDITIONAL, *given[position:]])
        )
        found.append(
            checks.Warning(
                "FetchFromCacheMiddleware takes no notice of If-None-Match: what comes from "
                "Django's cache is sent in full to who has it.",
                hint=f"MIDDLEWARE = [{lines}\n]",
                id="etag_versioning.W102",
            )
        )
    return found


@checks.register("etag_versioning")
def check_cors(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """W103: scripts of other origins can neither read tags nor send them (Fetch standard)."""
    if _CORS not in settings.MIDDLEWARE:
        return []
    exposed = {name.lower() for name in getattr(settings, "CORS_EXPOSE_HEADERS", ())}
    allowed = getattr(settings, "CORS_ALLOW_HEADERS", None)
    sent = {name.lower() for name in allowed or ()}
    mends = []
    if "etag" not in exposed:
        mends.append('CORS_EXPOSE_HEADERS = ["etag", "location"]')
    if not {"if-match", "if-none-match"} <= sent:
        mends.append('CORS_ALLOW_HEADERS = [*default_headers, "if-match", "if-none-match"]')
    if not mends:
        return []
    return [
        checks.Warning(
            "Scripts of other origins cannot work with tags: they have to be let read ETag, and "
            "send If-Match and If-None-Match.",
            hint="\n".join(mends),
            id="etag_versioning.W103",
        )
    ]


def mended(middleware: Sequence[str]) -> list[str]:
    """
    The same middleware in an order in which nothing goes wrong, each moved no
    further than it has to be.

    >>> mended(["django.middleware.common.CommonMiddleware",
    ...         "django.middleware.http.ConditionalGetMiddleware"])[0]
    'django.middleware.http.ConditionalGetMiddleware'
    """
    order = list(middleware)
    while moves := [(a, b) for a, b, _ in _ORDER if _is_behind(order, a, b)]:
        first, second = moves[0]
        order.remove(first)
        order.insert(order.index(second), first)
    return order


def _is_behind(middleware: Sequence[str], first: str, second: str) -> bool:
    both = first in middleware and second in middleware
    return both and middleware.index(first) > middleware.index(second)


def _name(path: str) -> str:
    return path.rpartition(".")[2]
