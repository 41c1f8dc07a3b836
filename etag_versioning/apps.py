"""The app: its system checks, its signals, and whether a project has installed it."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured


class EtagVersioningConfig(AppConfig):
    name = "etag_versioning"
    verbose_name = "ETag versioning"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers them
        from .touching.receivers import connect

        connect(apps.get_models())


def require_installed() -> None:
    """
    Raise ``ImproperlyConfigured`` where the app is missing from ``INSTALLED_APPS``.

    Nothing is known before Django has read ``INSTALLED_APPS``. It has when the first
    model class is prepared: models of any app are loaded after that.
    """
    if apps.apps_ready and not apps.is_installed("etag_versioning"):
        raise ImproperlyConfigured(
            '"etag_versioning" is missing from INSTALLED_APPS. Without it, deletions touch '
            "nothing, no system check runs, and pages and messages have no templates: "
            'INSTALLED_APPS = ["etag_versioning", ...]'
        )
