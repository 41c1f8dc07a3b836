"""
Eight clients count to 200 on one row, through a real server.

Each client reads, adds one, writes with If-Match, and reads again on 412. If no
update is lost, the stored number is the number of successful writes. The same
is then tried with a check before an ordinary save, which has to lose some:
otherwise the race would prove nothing.

    python -m tests.race                      # SQLite
    DATABASE_URL=postgres://… python -m tests.race
"""

import argparse
import collections
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx

CLIENTS = 8
WORKERS = 4
WSGI = ["gunicorn", "--workers", str(WORKERS), "--log-level", "warning"]
ASGI = ["uvicorn", "--workers", str(WORKERS), "--log-level", "warning"]
ROUNDS = (
    ("plain view", "wsgi", "/users/1/"),
    ("DRF", "wsgi", "/api/users/1/"),
    ("async view", "asgi", "/async/users/1/"),
)
NAIVE = ("check, then save", "wsgi", "/naive/users/1/")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.race", description=__doc__)
    parser.add_argument("--writes", type=int, default=200, help="successful writes to reach")
    options = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as environment:
        for atomic_requests in ("0", "1"):
            environment["ATOMIC_REQUESTS"] = atomic_requests
            for kind in ("wsgi", "asgi"):
                # In a transaction that locks when it begins (SQLite, IMMEDIATE), even
                # the naive view cannot race.
                turns = (*ROUNDS, NAIVE) if atomic_requests == "0" else ROUNDS
                rounds = [turn for turn in turns if turn[1] == kind]
                with server(kind, environment) as address:
                    for name, _, path in rounds:
                        failures += run(name, address + path, options.writes, atomic_requests)
    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


def run(name, url, writes, atomic_requests):
    start = httpx.get(url).json()["leave_days"]
    successes = multiprocessing.Value("i", 0)
    barrier = multiprocessing.Barrier(CLIENTS)
    answers = multiprocessing.Queue()
    clients = [
        multiprocessing.Process(target=client, args=(url, writes, successes, barrier, answers))
        for _ in range(CLIENTS)
    ]
    for process in clients:
        process.start()
    counted = sum((answers.get(timeout=300) for _ in clients), collections.Counter())
    for process in clients:
        process.join()
    stored = httpx.get(url, headers={"Cache-Control": "no-cache"}).json()["leave_days"] - start
    lost = counted[200] - stored
    title = f"{name}, ATOMIC_REQUESTS {'on' if atomic_requests == '1' else 'off'}"
    print(f"{title}: {dict(sorted(counted.items()))}, lost updates: {lost}", flush=True)
    if name == NAIVE[0]:
        return [] if lost > 0 else [f"{title}: lost nothing, so this is no race"]
    unexpected = set(counted) - {200, 412}
    found = [f"{title}: answers {unexpected}"] if unexpected else []
    if lost or counted[200] < writes or not counted[412]:
        found.append(f"{title}: {lost} lost, {counted[412]} conflicts")
    return found


def client(url, writes, successes, barrier, answers):
    """Count until all clients together have made ``writes`` successful writes."""
    counted = collections.Counter()
    with httpx.Client(timeout=60) as http:
        barrier.wait()
        while successes.value < writes:
            answer = http.get(url)
            if answer.status_code != 200:
                counted[answer.status_code] += 1
                print(answer.status_code, answer.text[:300], file=sys.stderr)
                break
            body = answer.json()
            body["leave_days"] += 1
            headers = {"If-Match": answer.headers["ETag"], "Content-Type": "application/json"}
            written = http.put(url, content=json.dumps(body), headers=headers)
            counted[written.status_code] += 1
            if written.status_code == 200:
                with successes.get_lock():
                    successes.value += 1
            elif written.status_code != 412:
                print(written.status_code, written.text[:300], file=sys.stderr)
    answers.put(counted)


@contextmanager
def database(folder):
    """A database of the race's own, with the sample data; yields the environment for it."""
    environment = dict(os.environ, DJANGO_SETTINGS_MODULE="tests.race.settings")
    url = environment.get("DATABASE_URL")
    if not url:
        environment["DATABASE_URL"] = f"sqlite:///{folder / 'race.sqlite3'}"
    os.environ.update(environment)
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    if url:
        name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
        environment["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    else:
        call_command("migrate", verbosity=0)
    call_command("load_sample_data", verbosity=0)
    print(f"{connection.vendor}: {CLIENTS} clients, {WORKERS} workers", flush=True)
    connection.close()
    yield environment
    if url:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


@contextmanager
def server(kind, environment):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if kind == "wsgi":
        arguments = [*WSGI, "--bind", f"127.0.0.1:{port}", "example_project.wsgi"]
    else:
        arguments = [*ASGI, "--port", str(port), "example_project.asgi:application"]
    process = subprocess.Popen([sys.executable, "-m", *arguments], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                httpx.get(f"{address}/stats/")
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())
