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
import sys
import tempfile
from pathlib import Path

import httpx

from tests.serving import database, server

CLIENTS = 8
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
    with (
        tempfile.TemporaryDirectory() as folder,
        database(Path(folder), "tests.race.settings") as environment,
    ):
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


if __name__ == "__main__":
    sys.exit(main())
