"""Settings for Django's ``runtests.py``; ``DATABASE_URL`` chooses the database."""

import os

import dj_database_url


def _database(name):
    url = os.environ.get("DATABASE_URL")
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3"}
    test_name = f"test_django_{name}_{os.getpid()}"
    return {**dj_database_url.parse(url), "TEST": {"NAME": test_name}}


DATABASES = {"default": _database("default"), "other": _database("other")}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECRET_KEY = "only for tests"
TEST_RUNNER = "tests.django_suite.runner.Runner"
USE_TZ = False
