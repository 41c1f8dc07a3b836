from django.apps import AppConfig


class EtagVersioningConfig(AppConfig):
    name = "etag_versioning"
    verbose_name = "ETag versioning"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers them
