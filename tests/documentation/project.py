"""
A page of the documentation as a project of its own, in an empty folder: its files are written, and
its other code runs in order. ``blocks.py`` says how a page is written for this.

    python -m tests.documentation.project docs/cors.md /tmp/empty
"""

import importlib
import os
import shlex
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import django
import pytest
from django.conf import settings
from django.core.management import call_command

from .blocks import ROOT, parts

APP = "shop"
SETTINGS = {
    "SECRET_KEY": "only for the pages",
    "ALLOWED_HOSTS": ["*"],
    "USE_TZ": True,
    "STATIC_URL": "static/",
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "INSTALLED_APPS": [
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "etag_versioning",
        APP,
    ],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
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
        },
    ],
}
COMMANDS = {
    "python manage.py ": lambda *arguments: call_command(*arguments),
    "python -m pytest": lambda *arguments: pytest.main([*arguments, "-p", "no:asyncio", APP]),
}


def completed(values, text):
    """Settings with those of a page; in a list, ``...`` stands for what was there."""
    given = {**values, "__file__": "settings.py"}
    exec(text, given)
    for name, value in given.items():
        if isinstance(value, list) and ... in value:
            place = value.index(...)
            before = [each for each in values.get(name, ()) if each not in value]
            given[name] = [*value[:place], *before, *value[place + 1 :]]
    return {name: value for name, value in given.items() if name.isupper()}


def write_files(blocks, folder):
    """The files that blocks are, and the settings with which the page changes them."""
    app = folder / APP
    app.mkdir()
    for name in ("__init__.py", "models.py"):
        app.joinpath(name).touch()
    values = {**SETTINGS, "ROOT_URLCONF": f"{APP}.guide"}
    for block in blocks:
        if block.title == "settings.py":
            values = completed(values, block.text)
        elif is_file(block):
            with app.joinpath(block.title).open("a", encoding="utf-8") as file:
                file.write(block.text)
    if app.joinpath("urls.py").exists():
        values["ROOT_URLCONF"] = f"{APP}.urls"
    return values


def is_file(block):
    return block.language == "python" and block.title.endswith(".py")


def run_commands(block):
    for line in block.text.splitlines():
        for beginning, command in COMMANDS.items():
            if line.startswith(beginning):
                failed = command(*shlex.split(line.removeprefix(beginning)))
                assert not failed, f"{block}: {line}"


def run(block, guide):
    if block.language == "sh":
        run_commands(block)
    elif block.language != "python" or block.excerpt or block.title == "settings.py":
        return
    elif block.title.startswith(("conftest", "test_")):
        return  # For pytest, which loads it by itself.
    elif is_file(block):
        importlib.import_module(f"{APP}.{block.title.removesuffix('.py')}")
    else:
        # With the lines and the name of the page, for what fails.
        exec(compile("\n" * (block.line - 1) + block.text, block.page, "exec"), vars(guide))


def create_tables():
    """For code of a page that the reader does not see: the tables of the models so far."""
    call_command("migrate", run_syncdb=True, verbosity=0)


def main(page, folder):
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    blocks = [block for block in parts(page) if not block.excerpt]
    settings.configure(**write_files(blocks, folder))
    django.setup()
    # A page may show one model in several states.
    warnings.filterwarnings("ignore", "Model .* was already registered", RuntimeWarning)
    guide = sys.modules[f"{APP}.guide"] = ModuleType(f"{APP}.guide")
    guide.__package__ = APP
    guide.urlpatterns = []
    guide.create_tables = create_tables
    for block in blocks:
        run(block, guide)


def run_page(page, folder):
    """Run a page in a process of its own, for a test; what fails is an AssertionError."""
    # Of the tests' own settings it knows nothing.
    others = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "PYTEST_ADDOPTS")
    environment = {name: value for name, value in os.environ.items() if name not in others}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", __name__, page, folder],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
