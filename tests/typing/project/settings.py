"""What the mypy plugin of django-stubs loads."""

SECRET_KEY = "for the type checker"
INSTALLED_APPS = ["etag_versioning", "tests.typing.project"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
