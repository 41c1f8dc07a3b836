"""
Settings of the tests beside other apps: all of these are installed at once, as they can be in
one project. ``DATABASE_URL`` chooses the database; the default is SQLite.
"""

import os
from importlib import import_module
from pathlib import Path

from django.apps import AppConfig

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES = {"default": DATABASES["default"]}

ROOT_URLCONF = "tests.neighbours.urls"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "etag_versioning.middleware.StaleWriteMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
CACHEOPS_REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9")
# Everything of one app is cached; of the others, nothing.
CACHEOPS = {"test_cacheops.*": {"ops": "all", "timeout": 60}}
CACHEOPS_PREFIX = "tests.neighbours.settings.cacheops_prefix"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
MODELTRANSLATION_TRANSLATION_FILES = ["tests.neighbours.translation"]


def cacheops_prefix(query: object) -> str:
    """Tests that run in parallel have databases of their own, and one Redis."""
    return f"etag_versioning_{os.getpid()}:"


class TestModule(AppConfig):
    """An app whose models are in a test module, beside the tests that use them."""

    path = str(Path(__file__).parent)

    def __init__(self, name: str) -> None:
        super().__init__(f"tests.neighbours.{name}", None)

    def import_models(self) -> None:
        self.models = self.apps.all_models[self.label]
        self.models_module = import_module(self.name)


TEST_MODULES = sorted(file.stem for file in Path(__file__).parent.glob("test_*.py"))
TEST_MODULES.remove("test_project")  # Of all the others, without models of its own.
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    TEST_MODULES.remove("test_pgtrigger")  # Its triggers are written for PostgreSQL alone.

INSTALLED_APPS = [
    "modeltranslation",  # Before the admin, which it extends.
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "etag_versioning",
    "auditlog",
    "cacheops",
    "django_multitenant",
    "guardian",
    "import_export",
    "mptt",
    "parler",
    "polymorphic",
    "reversion",
    "safedelete",
    "simple_history",
    "taggit",
    "treebeard",
    *map(TestModule, TEST_MODULES),
]
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    INSTALLED_APPS.append("pgtrigger")
