from django.apps import AppConfig, apps


class EtagVersioningConfig(AppConfig):
    name = "etag_versioning"
    verbose_name = "ETag versioning"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers them
        from .touching_signals import connect

        connect(apps.get_models())
