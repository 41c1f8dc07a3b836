"""
Settings of the test suite. ``DATABASE_URL`` chooses the database; the default
is SQLite in a file, so that threads have a connection each and race for real.
"""

import importlib.util
import os
import tempfile
from pathlib import Path

import dj_database_url

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "Europe/Berlin"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

HAS_DRF = importlib.util.find_spec("rest_framework") is not None

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "etag_versioning",
    "tests.testapp",
    "tests.triggerapp",
    "tests.audit",
    "tests.honesty",
]
if HAS_DRF:
    INSTALLED_APPS += [
        "rest_framework",
        "example_project.directory",
        "example_project.catalogue",
    ]
if importlib.util.find_spec("drf_spectacular") is not None:
    INSTALLED_APPS += ["drf_spectacular", "drf_spectacular_sidecar"]
    SCHEMA_CLASS = "etag_versioning.rest_framework.schema.VersionedAutoSchema"
    REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": SCHEMA_CLASS}
    SPECTACULAR_SETTINGS = {
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    }
STATIC_URL = "static/"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
# The tests of the admin have middleware and context processors of their own.
SILENCED_SYSTEM_CHECKS = ["admin.E404", "admin.E408", "admin.E409", "admin.E410"]
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

# One file per process and alias: parallel runs must not share them.
_folder = Path(tempfile.gettempdir()) / f"etag_versioning_tests_{os.getuid()}_{os.getpid()}"


def _database(name: str) -> dict:
    url = os.environ.get("DATABASE_URL")
    if url:
        database = dict(dj_database_url.parse(url))
        database["TEST"] = {"NAME": f"test_etag_{name}_{os.getpid()}"}
    else:
        _folder.mkdir(exist_ok=True)
        file = str(_folder / f"{name}.sqlite3")
        database = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": file,
            "TEST": {"NAME": file},
        }
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # No test outlives a power failure, so SQLite need not wait for the disk.
            "init_command": "PRAGMA synchronous=OFF",
        }
    if database["ENGINE"].endswith("postgresql"):
        database.setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off"
    return database


DATABASES = {"default": _database("default"), "other": _database("other")}
