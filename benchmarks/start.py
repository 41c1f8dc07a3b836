"""What the app adds to the start of a process that has Django and DRF, byte-compiled."""

import os
import statistics
import subprocess
import sys
from functools import partial

from benchmarks.turns import ratio, take_turns

PLAIN = ["django.core.handlers.wsgi", "rest_framework.viewsets", "rest_framework.pagination"]
OURS = [
    "etag_versioning.models",
    "etag_versioning.decorators",
    "etag_versioning.rest_framework.viewsets",
]
PROGRAM = """
import importlib, sys, time
started = time.process_time()
import django
from django.conf import settings
apps, names = sys.argv[1].split(","), sys.argv[2].split(",")
settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *apps])
django.setup()
for name in names:
    importlib.import_module(name)
print(time.process_time() - started)
"""


def measure(turns):
    """The ratio of the starts with the app and without it, and the difference in seconds."""
    subjects = {
        "plain": partial(_start, ["rest_framework"], PLAIN),
        "ours": partial(_start, ["rest_framework", "etag_versioning"], [*PLAIN, *OURS]),
    }
    took = take_turns(subjects, turns)  # What it warms up with compiles.
    plain, ours = took["plain"], took["ours"]
    difference = statistics.median(a - b for a, b in zip(ours, plain, strict=True))
    return {"ratio": ratio(ours, plain), "seconds": difference}


def _start(apps, names):
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    command = [sys.executable, "-c", PROGRAM, ",".join(apps), ",".join(names)]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    return float(done.stdout)
