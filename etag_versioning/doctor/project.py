"""What stands around models and views: settings, middleware, caches, checks, and the audit."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import django
from django.conf import settings as django_settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections

from .. import __version__
from ..conf import DEFAULTS, given_settings, settings
from ..http.reporting import view_name
from ..runtime_audit.findings import Findings

__all__ = [
    "audit_of_project",
    "caches_of_project",
    "databases_of_project",
    "messages_of_checks",
    "middleware_of_project",
    "settings_of_project",
    "versions_of_project",
]

# The middleware that reads or changes validators.
_MIDDLEWARE = (
    "ConditionalGetMiddleware",
    "FetchFromCacheMiddleware",
    "GZipMiddleware",
    "StaleWriteMiddleware",
    "UpdateCacheMiddleware",
)
# Caches of which each process has its own, or which keep nothing.
_NOT_SHARED = ("DummyCache", "LocMemCache")


def versions_of_project() -> dict[str, str | None]:
    """The versions of what answers; ``None`` for what is not installed."""
    try:
        drf = metadata.version("djangorestframework")
    except metadata.PackageNotFoundError:
        drf = None
    return {
        "etag_versioning": __version__,
        "Django": django.get_version(),
        "Django REST framework": drf,
    }


def settings_of_project() -> list[dict[str, Any]]:
    """Each setting of the package, its value, and where that comes from."""
    try:
        given = given_settings()
    except ImproperlyConfigured:  # E001.
        given = {}
    return [
        {
            "name": name,
            "value": _shown(name, given.get(name, default)),
            "from": "ETAG_VERSIONING" if name in given else "default",
        }
        for name, default in sorted(DEFAULTS.items())
    ]


def _shown(name: str, value: Any) -> Any:
    if name != "REVISION":
        return value if isinstance(value, str | int | dict | None) else repr(value)
    # What stands for the code need not be known to readers of the report.
    if callable(value):
        return view_name(value)
    return "set" if value else "not set"


def middleware_of_project() -> list[str]:
    """The middleware that reads or changes validators, in its order."""
    return [path for path in django_settings.MIDDLEWARE if path.endswith(_MIDDLEWARE)]


def caches_of_project() -> dict[str, str]:
    """The backend of each cache. Addresses and passwords are left out."""
    return {alias: str(cache["BACKEND"]) for alias, cache in django_settings.CACHES.items()}


def databases_of_project() -> dict[str, dict[str, Any]]:
    """Each database: its kind, whether requests are transactions, and whether it answers."""
    return {alias: _database(alias) for alias in connections}


def _database(alias: str) -> dict[str, Any]:
    connection = connections[alias]
    try:
        connection.ensure_connection()
        error = None
    except (Error, ImproperlyConfigured) as failure:
        error = type(failure).__qualname__
    return {
        "vendor": connection.vendor,
        "atomic_requests": bool(connection.settings_dict["ATOMIC_REQUESTS"]),
        "error": error,
    }


def messages_of_checks(databases: list[str]) -> list[dict[str, Any]]:
    """
    What the package's system checks say, those of ``check --deploy`` and ``--database`` included.

    Args:
        databases: the aliases of the databases to check.
    """
    found = checks.run_checks(
        tags=["etag_versioning", checks.Tags.database],
        include_deployment_checks=True,
        databases=databases,
    )
    return [
        {
            "id": message.id,
            "level": _level(message.level),
            "about": _about(message.obj),
            "message": message.msg,
            "hint": message.hint,
        }
        for message in found
        if str(message.id).startswith("etag_versioning.") and not message.is_silenced()
    ]


def _level(level: int) -> str:
    if level >= checks.ERROR:
        return "error"
    return "warning" if level >= checks.WARNING else "info"


def _about(obj: Any) -> str:
    """The model or the view of a message; "project" for one about neither."""
    if obj is None:
        return "project"
    meta = getattr(obj, "_meta", None)
    if meta is not None:
        return str(meta.label)
    owner = getattr(obj, "model", None)  # A field, or a manager.
    if owner is not None and hasattr(owner, "_meta"):
        return str(owner._meta.label)
    return obj if isinstance(obj, str) else view_name(obj)


def audit_of_project() -> dict[str, Any]:
    """Whether the audit is on, and what it has counted."""
    try:
        audit = settings.audit
    except ImproperlyConfigured:  # E001.
        audit = None
    if audit is None:
        return {"on": False}
    backend = caches_of_project()[audit.cache]
    found: dict[str, Any] = {
        "on": True,
        **audit._asdict(),
        "shared": not backend.endswith(_NOT_SHARED),
    }
    try:
        found.update(Findings(audit).summary()._asdict(), error=None)
    except Exception as error:  # Each cache raises its own.
        found.update(compared=None, differences=None, last=[], error=type(error).__qualname__)
    return found
