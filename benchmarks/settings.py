"""Settings of the benchmarks: one database, chosen by ``DATABASE_URL``, made for the run."""

import os
import tempfile
from pathlib import Path

import dj_database_url

SECRET_KEY = "only for benchmarks"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["etag_versioning", "benchmarks"]

_file = Path(tempfile.gettempdir()) / f"etag_versioning_benchmark_{os.getpid()}.sqlite3"
DATABASES = {
    "default": {
        **dj_database_url.config(default=f"sqlite:///{_file}"),
        # A file, since a database in memory knows no other connection.
        "TEST": {"NAME": str(_file) if "DATABASE_URL" not in os.environ else None},
    }
}
