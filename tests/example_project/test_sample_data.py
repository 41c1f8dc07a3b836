"""Loading the sample data keeps the rows that are there, unless told to replace them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from example_project.directory.models import Office, Team, User

ROOT = Path(__file__).parents[2]

CHANGE = """
from example_project.catalogue.models import Product
from example_project.directory.models import User

User.objects.exclude(pk=9).delete()
User.objects.update(leave_days=3, username="own")
Product.objects.all().delete()
"""
SHOW = """
from example_project.directory.models import User

print(*User.objects.values_list("pk", "username", "leave_days"))
"""


@pytest.fixture
def own_user(db):
    team = Team.objects.create(name="Own")
    office = Office.objects.create(name="Own")
    return User.objects.create(username="own", hired_on="2026-01-01", team=team, office=office)


def test_loading_keeps_the_rows_that_are_there(own_user, capsys):
    call_command("load_sample_data")
    assert "Kept the rows that are there" in capsys.readouterr().out
    assert list(User.objects.values_list("username", "version")) == [("own", 1)]


def test_loading_with_reset_replaces_the_rows_that_are_there(own_user):
    call_command("load_sample_data", "--reset", verbosity=0)
    assert User.objects.count() == 200
    assert not User.objects.filter(username="own").exists()


def run(folder, *arguments):
    """Run a command of ``manage.py``, on a database in ``folder``."""
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def manage(folder, *arguments):
    """The output of a command that has to succeed."""
    done = run(folder, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_works_on_changed_rows_and_keeps_them(tmp_path):
    manage(tmp_path, "migrate", "--verbosity", "0")
    manage(tmp_path, "load_sample_data")
    manage(tmp_path, "shell", "--command", CHANGE)
    shown = manage(tmp_path, "demo")
    assert "8 of 8 changes are kept" in shown
    assert "All answers were the expected ones." in shown
    assert "(9, 'own', 3)" in manage(tmp_path, "shell", "--command", SHOW)


def test_the_demo_without_tables_says_how_to_make_them(tmp_path):
    done = run(tmp_path, "demo")
    assert done.returncode == 1
    assert done.stderr.endswith("Make the tables: manage.py migrate\n")
    assert "Traceback" not in done.stderr
