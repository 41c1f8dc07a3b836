"""The app's configuration: it registers system checks and connects signals."""

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

    Before Django has read ``INSTALLED_APPS`` nothing is raised. Models are loaded after that.
    """
    if apps.apps_ready and not apps.is_installed("etag_versioning"):
        raise ImproperlyConfigured(
            '"etag_versioning" is missing from INSTALLED_APPS. Without it, deletions touch '
            "nothing, no system check runs, and pages and messages have no templates: "
            'INSTALLED_APPS = ["etag_versioning", ...]'
        )
