"""The example project behind gunicorn, on SQLite, for the tests that need a real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('client')}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
    }
    for command in ("migrate", "load_sample_data"):
        manage = [sys.executable, "manage.py", command, "--verbosity", "0"]
        subprocess.run(manage, cwd=ROOT, env=environment, check=True)
    with server("wsgi", environment) as address:
        yield address
