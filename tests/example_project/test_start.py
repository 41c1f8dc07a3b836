"""What the app adds to a project's start: no query, and nothing that a server has no use for."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

START = """
import sys
import django

django.setup()

from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connections
from django.urls import get_resolver

WSGIHandler()
assert get_resolver().url_patterns
loaded = set(sys.modules)
call_command("check")
assert [alias for alias in connections if connections[alias].connection] == []
print(*loaded)
"""

# Of migrations' and the benchmark's, what a server has no use for.
UNUSED = {
    "etag_versioning.benchmark",
    "etag_versioning.triggers.audit",
    "etag_versioning.triggers.backends",
    "httpx",
    "rich",
    "django.db.migrations.executor",
}


def start(program, **environment):
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "example_project.settings"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_no_database_is_asked():
    # In a folder that is not there: a connection to it would be an error.
    done = start(START, DATABASE_URL="sqlite:////no/such/folder/db.sqlite3")
    assert done.returncode == 0, done.stderr


def test_only_what_a_server_needs_is_imported():
    loaded = set(start(START).stdout.split())
    assert "etag_versioning.decorators" in loaded
    assert sorted(loaded & UNUSED) == []
