"""
How far a request of the example project travels through the package: the calls of its own
functions, counted under ``sys.setprofile`` for requests that have been made before. Exits with an
error where one takes more calls than the number it is held to::

    python -m benchmarks.distance
    python -m benchmarks.distance --show "plain PUT"    # each call, in order
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import django
from django.core.management import call_command
from rich.console import Console
from rich.table import Table

PLAIN, DRF = "/users/1/", "/api/users/1/"


@dataclass(frozen=True)
class Way:
    """
    Args:
        name: as in the table.
        path: what is requested.
        method: how.
        status: what the answer is.
        limit: how many calls it may take.
    """

    name: str
    path: str
    method: str
    status: int
    limit: int


WAYS = [
    Way("plain 200", PLAIN, "GET", 200, 32),
    Way("plain 304", PLAIN, "GET", 304, 30),
    Way("plain PUT", PLAIN, "PUT", 200, 106),
    Way("plain 412", PLAIN, "PUT", 412, 40),
    Way("DRF 200", DRF, "GET", 200, 47),
    Way("DRF 304", DRF, "GET", 304, 49),
    Way("DRF PATCH", DRF, "PATCH", 200, 122),
    Way("DRF 412", DRF, "PATCH", 412, 87),
]
# The code objects that Python 3.11 makes of comprehensions; later Pythons make none.
_NO_FUNCTIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distance", description=__doc__)
    parser.add_argument("--show", metavar="NAME", help="print each call of one of the requests")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/distance.sqlite3"
        os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("load_sample_data", verbosity=0)
        # A row shows no Last-Modified in the second in which it was written.
        time.sleep(1.1)
        found = {way: calls_of(way) for way in WAYS}
    if options.show:
        return show(next(calls for way, calls in found.items() if way.name == options.show))
    table = Table(title="Calls of the package's own functions")
    for heading in ("request", "at most", "calls", "functions", "modules"):
        table.add_column(heading)
    for way, calls in found.items():
        functions, modules = len(set(calls)), len({file for file, _ in calls})
        table.add_row(way.name, *map(str, (way.limit, len(calls), functions, modules)))
    Console(width=100).print(table)
    broken = [way.name for way, calls in found.items() if len(calls) > way.limit]
    if broken:
        raise SystemExit(f"Longer than they may be: {', '.join(broken)}")


def calls_of(way):
    """The calls of one such request, as (file, function), after others that were the same."""
    from django.test import Client

    client = Client(HTTP_HOST="localhost")
    for _ in range(3):
        calls, answer = recorded(prepared(client, way))
        assert answer.status_code == way.status, (way, answer.status_code, answer.content)
    return calls


def prepared(client, way):
    """The request, as a function that sends it."""
    now = client.get(way.path)
    if way.method == "GET":
        headers = {"If-None-Match": now.headers["ETag"]} if way.status == 304 else {}
        return lambda: client.get(way.path, headers=headers)
    body = now.json() if way.method == "PUT" else {"desk": now.json()["desk"]}
    tag = '"user-1-v0.0"' if way.status == 412 else now.headers["ETag"]
    content = json.dumps(body)
    return lambda: client.generic(
        way.method, way.path, content, "application/json", headers={"If-Match": tag}
    )


def recorded(request):
    """The calls that ``request()`` makes, and what it returns."""
    import etag_versioning

    root = str(Path(etag_versioning.__file__).parent)
    calls = []

    def note(frame, event, argument):
        code = frame.f_code
        own = code.co_filename.startswith(root)
        if event == "call" and own and code.co_name not in _NO_FUNCTIONS:
            calls.append((os.path.relpath(code.co_filename, root), code.co_qualname))

    sys.setprofile(note)
    try:
        answer = request()
    finally:
        sys.setprofile(None)
    return calls, answer


def show(calls):
    counted = Counter()
    for call in calls:
        counted[call] += 1
        print(f"{call[0]:40} {call[1]}" + (f"  ({counted[call]}.)" if counted[call] > 1 else ""))


if __name__ == "__main__":
    main()
