"""The main job over real HTTP: a server, a client, and each answer checked."""

import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console
from rich.table import Table

from etag_versioning.contrib.client import VersionedClient
from example_project.directory.models import User

WRITERS = 8
PRODUCTS = "/api/products/"


class Command(BaseCommand):
    help = (
        "Start a server on a free port, walk through reading and writing with tags, and fail "
        "if any answer is not the expected one. Run migrate and load_sample_data first."
    )

    def handle(self, **options):
        console = Console(highlight=False)
        try:
            user = User.objects.filter(pk=7).first() or User.objects.first()
        except DatabaseError as error:
            raise CommandError(f"{error}. Make the tables: manage.py migrate") from error
        if user is None:
            raise CommandError("There is no user. Load some: manage.py load_sample_data --reset")
        with server() as address, httpx.Client(base_url=address, timeout=30) as client:
            console.print(f"[bold]A real server on {address}[/bold]\n")
            walk = Walk(client, console, user.pk)
            walk.read_and_read_again()
            walk.write_twice()
            walk.list()
            walk.race()
            walk.race_and_retry()
            walk.what_was_saved()
            walk.put_back(user.leave_days)
        if walk.unexpected:
            raise CommandError(f"Not as expected: {'; '.join(walk.unexpected)}")
        console.print("\n[bold green]All answers were the expected ones.[/bold green]")


class Walk:
    """The requests of the demonstration, each printed with its answer."""

    def __init__(self, client, console, user_id):
        self.client = client
        self.user = f"/users/{user_id}/"
        self.api_user = f"/api/users/{user_id}/"
        self.console = console
        self.unexpected = []

    def ask(self, status, method, path, note="", **options):
        headers = options.get("headers", {})
        shown = "  ".join(f"{name}: {value}" for name, value in headers.items())
        answer = self.client.request(method, path, **options)
        color = "green" if answer.status_code == status else "red"
        self.console.print(f"[bold]{method} {path}[/bold]  {shown}", soft_wrap=True)
        parts = [f"ETag: {answer.headers['ETag']}"] if "ETag" in answer.headers else []
        parts.append(f"{len(answer.content):,} bytes")
        if queries := queries_of(answer):
            parts.append(queries)
        self.console.print(
            f"  [{color}]{answer.status_code} {answer.reason_phrase}[/{color}]  {'  '.join(parts)}",
            soft_wrap=True,
        )
        self.console.print(f"  [dim]{note}[/dim]\n")
        self.expect(answer.status_code == status, f"{method} {path} gave {answer.status_code}")
        return answer

    def expect(self, holds, what):
        if not holds:
            self.unexpected.append(what)

    def read_and_read_again(self):
        full = self.ask(200, "GET", self.user, "A user, with team, office and phone numbers.")
        tag = {"If-None-Match": full.headers["ETag"]}
        again = self.ask(304, "GET", self.user, "Not changed: one query, no body.", headers=tag)
        self.expect(again.content == b"", "a 304 with a body")
        self.expect(queries_of(again) == "1 query", f"a 304 took {queries_of(again)}")

    def write_twice(self):
        read = self.client.get(self.user)
        body = json.dumps(read.json() | {"leave_days": 20})
        headers = {"If-Match": read.headers["ETag"], "Content-Type": "application/json"}
        written = self.ask(
            200, "PUT", self.user, "The state that was read is the one that is there: written.",
            headers=headers, content=body,
        )  # fmt: skip
        self.expect(written.headers["ETag"] != read.headers["ETag"], "a write kept its tag")
        stale = self.ask(
            412, "PUT", self.user, "The same tag again: it is stale, nothing is written.",
            headers=headers, content=body,
        )  # fmt: skip
        self.console.print_json(stale.text)
        self.expect(stale.json()["current_etag"] == written.headers["ETag"], "a false current tag")
        self.ask(
            428, "PUT", self.user, "No tag at all: the client is told to send one.",
            headers={"Content-Type": "application/json"}, content=body,
        )  # fmt: skip

    def list(self):
        full = self.ask(200, "GET", PRODUCTS, "A page of products, in Django REST framework.")
        headers = {"If-None-Match": full.headers["ETag"]}
        self.ask(304, "GET", PRODUCTS, "Its tag is exact for the page.", headers=headers)

    def race(self):
        read = self.client.get(self.user)
        tag = {"If-Match": read.headers["ETag"]}

        def write(client, days):
            body = read.json() | {"leave_days": days}
            return client.put(self.user, headers=tag, json=body).status_code

        statuses = sorted(self.at_once(write))
        self.console.print(f"[bold]{WRITERS} writers with the same tag, at once[/bold]")
        self.console.print(f"  {' '.join(map(str, statuses))}: one wins, none is lost\n")
        self.expect(statuses == [200] + [412] * (WRITERS - 1), f"a race gave {statuses}")

    def race_and_retry(self):
        def write(client, _):
            try:
                return client.retry_on_conflict(self.user, add_a_day).status_code
            except httpx.HTTPStatusError as error:
                return error.response.status_code

        before = self.client.get(self.user).json()["leave_days"]
        statuses = sorted(self.at_once(write))
        after = self.client.get(self.user).json()["leave_days"]
        self.console.print(
            f"[bold]{WRITERS} writers again, each adds a day with retry_on_conflict[/bold]"
        )
        shown = " ".join(map(str, statuses))
        self.console.print(f"  {shown}: {after - before} of {WRITERS} changes are kept\n")
        self.expect(statuses == [200] * WRITERS, f"a race with retries gave {statuses}")
        self.expect(after == before + WRITERS, f"{before + WRITERS - after} changes were lost")

    def at_once(self, write):
        """What the writers return, each with a client of its own, that begin at the same time."""
        barrier = threading.Barrier(WRITERS)

        def begin(number):
            with VersionedClient(base_url=self.client.base_url, timeout=30) as client:
                barrier.wait()
                return write(client, number)

        with ThreadPoolExecutor(WRITERS) as pool:
            return list(pool.map(begin, range(WRITERS)))

    def put_back(self, leave_days):
        """Leave the row as it was: the data may be somebody's own."""
        with VersionedClient(base_url=self.client.base_url, timeout=30) as client:
            client.retry_on_conflict(self.user, lambda user: {"leave_days": leave_days})

    def what_was_saved(self, times=50):
        table = Table(title=f"What a 304 saves (median of {times} requests each)")
        for column in ("", "200", "304", "saved"):
            table.add_column(column, justify="right" if column else "left")
        for path in (self.user, self.api_user, PRODUCTS):
            tag = {"If-None-Match": self.client.get(path).headers["ETag"]}
            full, hit = [], []
            for _ in range(times):
                full.append(timed(self.client, path, {}))
                hit.append(timed(self.client, path, tag))
            middle = times // 2
            for index, unit in enumerate(("bytes", "queries", "ms")):
                before, after = (
                    sorted(kind, key=lambda row, index=index: row[index])[middle][index]
                    for kind in (full, hit)
                )
                table.add_row(
                    f"{path} {unit}", f"{before:,.4g}", f"{after:,.4g}", f"{1 - after / before:.0%}"
                )
        self.console.print(table)


def add_a_day(user):
    return {"leave_days": user["leave_days"] + 1}


def timed(client, path, headers):
    """Bytes of the body, queries, and milliseconds of one request."""
    started = time.perf_counter()
    answer = client.get(path, headers=headers)
    elapsed = (time.perf_counter() - started) * 1000
    return len(answer.content), int(queries_of(answer).split()[0]), elapsed


def queries_of(answer):
    """What the example project's middleware says about the queries."""
    timing = answer.headers.get("Server-Timing", "")
    return timing.partition('desc="')[2].partition('"')[0]


@contextmanager
def server():
    """gunicorn on a free port, for as long as the block; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--workers", "4", "--threads", "2"),
            *("--bind", f"127.0.0.1:{port}", "--log-level", "warning", "example_project.wsgi"),
        ]
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(150):
            if process.poll() is not None:
                raise CommandError("The server ended at once.")
            try:
                httpx.get(f"{address}/stats/")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            raise CommandError("The server does not answer.")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)
