"""
Writes: PUT of a whole row through DRF, plain and guarded, by the time of the plain
one; and eight clients who count on one row, and repeat what is refused.
"""

import json
import threading
import time
from dataclasses import dataclass

from django.db import connections

from benchmarks import data
from benchmarks.client import Client
from benchmarks.models import ConcurrentRow, PlainRow, VersionedRow
from benchmarks.turns import ratio, take_turns

WRITERS = 8
REFUSED = (409, 412)
BURST = 4


@dataclass(frozen=True)
class Subject:
    """A view that writes, the model of its row, and whether it is another library's."""

    name: str
    path: str
    model: type
    peer: bool = True


PLAIN = Subject("plain PUT", "/write-plain/", PlainRow)
LOCKED = Subject("select_for_update() and a check", "/write-locked/", PlainRow)
EXTENSIONS = Subject("drf-extensions", "/write-extensions/", PlainRow)
CONCURRENT = Subject("django-concurrency", "/write-concurrent/", ConcurrentRow)
VERSIONED = Subject("this package", "/write-versioned/", VersionedRow, peer=False)
SUBJECTS = [PLAIN, LOCKED, EXTENSIONS, CONCURRENT, VERSIONED]


class Writer:
    """A client that edits one row of a subject's."""

    def __init__(self, subject, row):
        self.client = Client()
        self.path = f"{subject.path}{row.pk}/"

    def edit(self):
        """A request that adds a day to the row as it is now."""
        answer = self.client.ask("GET", self.path)
        content = json.loads(answer.body)
        content["days"] += 1
        tag = answer.headers.get("ETag", "*")
        return self.client.prepare("PUT", self.path, json.dumps(content), If_Match=tag)

    def timed(self):
        total = 0.0
        for _ in range(BURST):
            answer, took = self.client.send(self.edit())
            assert answer.status == 200, (self.path, answer)
            total += took
        return total

    def count(self, times, barrier, tally):
        """Add a day ``times`` times, however often it takes."""
        try:
            barrier.wait()
            done = 0
            while done < times:
                status = self.client.send(self.edit())[0].status
                tally[status] = tally.get(status, 0) + 1
                done += status == 200
        finally:
            connections.close_all()


def make_row(subject):
    return subject.model.objects.create(**data.columns())


def measure(turns):
    """Each subject's time by that of a plain PUT, one writer at a time."""
    writers = {subject.name: Writer(subject, make_row(subject)) for subject in SUBJECTS}
    took = take_turns({name: writer.timed for name, writer in writers.items()}, turns)
    plain = took[PLAIN.name]
    return [
        {
            "name": subject.name,
            "ratio": ratio(took[subject.name], plain),
            "statements": writers[subject.name].client.statements(writers[subject.name].edit()),
        }
        for subject in SUBJECTS
    ]


def measure_concurrency(each, rounds=3):
    """What eight writers at once do, each until ``each`` of its writes were answered 200."""
    found = {subject.name: [] for subject in SUBJECTS}
    for _ in range(rounds):
        for subject in SUBJECTS:
            found[subject.name].append(race(subject, each))
    plain = [result["seconds"] for result in found[PLAIN.name]]
    return [
        {
            "name": name,
            "ratio": ratio([result["seconds"] for result in results], plain),
            "writes": sum(result["writes"] for result in results),
            "lost": sum(result["lost"] for result in results),
            "refused": sum(result["refused"] for result in results),
            "errors": sum(result["errors"] for result in results),
        }
        for name, results in found.items()
    ]


def race(subject, each):
    """One race on a new row."""
    row = make_row(subject)
    tallies = [{} for _ in range(WRITERS)]
    barrier = threading.Barrier(WRITERS + 1)
    threads = [
        threading.Thread(target=_writer(subject, row), args=(each, barrier, tally))
        for tally in tallies
    ]
    for thread in threads:
        thread.start()
    barrier.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    row.refresh_from_db()
    answers = [(status, count) for tally in tallies for status, count in tally.items()]
    return {
        "seconds": seconds,
        "writes": WRITERS * each,
        "lost": WRITERS * each - row.days,
        "refused": sum(count for status, count in answers if status in REFUSED),
        "errors": sum(count for status, count in answers if status not in (200, *REFUSED)),
    }


def _writer(subject, row):
    """What a thread runs: its client, with a connection of its own, is made in it."""

    def run(each, barrier, tally):
        Writer(subject, row).count(each, barrier, tally)

    return run
