"""The README's code is a project that answers 304, 428 and 412."""

import os
import subprocess
import sys

import pytest

from .blocks import ROOT, blocks

SETTINGS = """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["testserver"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "staff.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "etag_versioning",
    "staff",
]
"""
PLAIN_URLS = """
from django.urls import path

from .views import user_detail

urlpatterns = [path("users/<int:user_id>/", user_detail)]
"""
ROUTED_URLS = """
from rest_framework.routers import SimpleRouter

from .api import UserViewSet

router = SimpleRouter()
router.register("users", UserViewSet)
urlpatterns = router.urls
"""
CLIENT = """
import django

django.setup()

from django.core.management import call_command
from django.test import Client

call_command("migrate", run_syncdb=True, verbosity=0)
call_command("check")

from staff.models import User

User.objects.create(name="Ada")
client = Client()


def put(name, **headers):
    return client.put(
        "/users/1/", {"name": name}, content_type="application/json", headers=headers
    ).status_code


tag = client.get("/users/1/")["ETag"]
statuses = [
    client.get("/users/1/", headers={"If-None-Match": tag}).status_code,
    put("Bob"),
    put("Bob", **{"If-Match": tag}),
    put("Eve", **{"If-Match": tag}),
]
print(*statuses, User.objects.get().name)
"""


def code(file):
    """The README's block that begins with the name of this file."""
    texts = [block.text for block in blocks(ROOT / "README.md")]
    [text] = [text for text in texts if text.startswith(f"# {file}\n")]
    return text


def answers(folder, urls, *files):
    app = folder / "staff"
    app.mkdir()
    (app / "__init__.py").write_text("")
    (folder / "settings.py").write_text(SETTINGS)
    (app / "urls.py").write_text(urls)
    for file in files:
        (app / file).write_text(code(file))
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": f"{folder}:{ROOT}",
    }
    done = subprocess.run(
        [sys.executable, "-c", CLIENT], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_the_plain_view_answers_304_428_200_and_412(tmp_path):
    assert answers(tmp_path, PLAIN_URLS, "models.py", "views.py") == "304 428 200 412 Bob"


def test_the_viewset_answers_304_428_200_and_412(tmp_path):
    pytest.importorskip("rest_framework")
    assert answers(tmp_path, ROUTED_URLS, "models.py", "api.py") == "304 428 200 412 Bob"
