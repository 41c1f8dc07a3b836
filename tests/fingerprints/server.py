"""
Prints the fingerprints of projects, each in a process of its own. A process is made by fork()
from this one, which has loaded Django and DRF but no project: that takes a fraction of the time
of a new one::

    python -m tests.fingerprints.server < folders
"""

import importlib
import json
import os
import sys
import time

import django
from django.conf import settings
from django.utils.functional import empty


def load():
    """Load what no project changes, once. DRF wants settings when it is imported."""
    settings.configure()
    for name in (
        *("django.test", "django.views.generic", "django.contrib.auth.hashers", "django.forms"),
        *("rest_framework.routers", "rest_framework.viewsets", "etag_versioning.conf"),
        *("django.db.backends.sqlite3.base", "django.template.context_processors"),
    ):
        importlib.import_module(name)
    settings._wrapped = empty


def answer(folder, before=""):
    """The fingerprints of the project in a folder, after the code ``before`` has run."""
    sys.path.insert(0, folder)
    os.chdir(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    importlib.import_module("rest_framework.settings").api_settings.reload()
    django.setup()
    from etag_versioning.checks.fingerprints import fingerprinted_views

    importlib.import_module("urls")
    exec(before, {})
    start = time.thread_time()
    views = fingerprinted_views()
    return {
        "seconds": time.thread_time() - start,
        "fingerprints": {view.name: view.fingerprint.digest for view in views},
        "parts": {view.name: dict(view.fingerprint.parts) for view in views},
        "unseen": {view.name: list(view.fingerprint.unseen) for view in views},
    }


def answer_in_fork(line):
    folder, before = json.loads(line)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "w") as out:
            try:
                json.dump(answer(folder, before), out)
            except BaseException as error:
                json.dump({"error": repr(error)}, out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as found:
        text = found.read()
    os.waitpid(child, 0)
    print(text, flush=True)


if __name__ == "__main__":
    load()
    for each in sys.stdin:
        answer_in_fork(each)
