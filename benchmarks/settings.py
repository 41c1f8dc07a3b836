"""Settings of the benchmarks: one database, chosen by ``DATABASE_URL``, made for the run."""

import os
import tempfile
from pathlib import Path

import dj_database_url

SECRET_KEY = "only for benchmarks"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "benchmarks.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "etag_versioning",
    "benchmarks",
]

_file = Path(tempfile.gettempdir()) / f"etag_versioning_benchmark_{os.getpid()}.sqlite3"
_database = dj_database_url.config(default=f"sqlite:///{_file}", conn_max_age=None)
if _database["ENGINE"].endswith("sqlite3"):
    # A file, since a database in memory knows no other connection.
    _database |= {
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
        "TEST": {"NAME": str(_file)},
    }
DATABASES = {"default": _database}
