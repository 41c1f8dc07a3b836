"""
A staff directory and a product catalogue, open to everybody, for your own desk.

Environment: ``DATABASE_URL`` (SQLite in db.sqlite3 by default),
``CONN_MAX_AGE`` (seconds), ``ATOMIC_REQUESTS=1``, ``DEBUG=1``.
"""

import os
from pathlib import Path

import dj_database_url

from etag_versioning import __version__

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "the example project has no secrets"
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
ROOT_URLCONF = "example_project.urls"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "etag_versioning",
    "example_project.directory",
    "example_project.catalogue",
]

MIDDLEWARE = [
    "example_project.middleware.count_queries",
    "django.middleware.common.CommonMiddleware",
    # For the admin, which protects its own forms against forgery.
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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

DATABASES = {
    "default": dj_database_url.config(
        default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}",
        # A new connection for each request costs more than a 304.
        conn_max_age=int(os.environ.get("CONN_MAX_AGE", "60")),
        conn_health_checks=True,
    )
}
DATABASES["default"]["ATOMIC_REQUESTS"] = os.environ.get("ATOMIC_REQUESTS") == "1"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Transactions take the write lock when they begin, and wait for it.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_PAGINATION_CLASS": "example_project.pagination.StrictPagination",
    "PAGE_SIZE": 25,
    "DEFAULT_SCHEMA_CLASS": "example_project.schema.ExampleSchema",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Staff directory and catalogue",
    "DESCRIPTION": "Versioned rows: 304 without the work, 412 on stale writes.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    # From the project itself: a page of documentation fetches nothing from elsewhere.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
