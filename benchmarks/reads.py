"""
Reads: every kind of view, asked with the current tag (a hit), with another one (a
miss) and without a header, by the time of the same answer without any tag.
"""

from dataclasses import dataclass
from functools import partial

from benchmarks import data
from benchmarks.client import AsyncClient, Client
from benchmarks.turns import ratio, take_turns

STALE = '"of-another-time"'
KINDS = ("hit", "miss", "no header")
# Requests of each turn: enough for caches, the processor's among them, to be warm.
BURST = 8


@dataclass(frozen=True)
class Subject:
    """
    A view, and what it is compared with.

    Args:
        name: as in the tables.
        path: its address.
        plain: the address of the same answer without tags.
        floor: the address of what it cannot be faster than.
        peer: whether it is another library's, or Django's.
    """

    name: str
    path: str
    plain: str
    floor: str
    peer: bool = False


DETAIL, FLOOR = "/detail/1/", "/one-statement/1/"
CURSOR, DJANGO = "/cursor/", "/django-detail/1/"
SUBJECTS = [
    Subject("ConditionalGetMiddleware", "/hashed/1/", DETAIL, FLOOR, peer=True),
    Subject("Django's condition(), both functions", "/condition/1/", DETAIL, FLOOR, peer=True),
    Subject("drf-extensions", "/extensions/1/", DETAIL, FLOOR, peer=True),
    Subject("django-rest-framework-condition", "/drf-condition/1/", DETAIL, FLOOR, peer=True),
    Subject("DRF detail", "/versioned-detail/1/", DETAIL, FLOOR),
    Subject("DRF detail, filtered by request", "/versioned-filtered/1/", "/filtered/1/", FLOOR),
    Subject("DRF detail, object permission", "/versioned-permitted/1/", "/permitted/1/", FLOOR),
    Subject("DRF list, page of 25", "/versioned-cursor/", CURSOR, FLOOR),
    Subject("Django view", "/django-versioned/1/", DJANGO, "/django-one-statement/1/"),
    Subject(
        "async Django view", "/async/versioned/1/", "/async/detail/1/", "/async/one-statement/1/"
    ),
]
FLOORS = {
    "DRF view, 304 at once": "/at-once/1/",
    "DRF view, one raw statement, 304": FLOOR,
    "Django view, one raw statement, 304": "/django-one-statement/1/",
    "async Django view, one raw statement, 304": "/async/one-statement/1/",
}


class Reader:
    """Reads addresses, each by the handler that its view is made for."""

    def __init__(self):
        self.wsgi, self.asgi = Client(), AsyncClient()

    def close(self):
        self.asgi.close()

    def client(self, path):
        return self.asgi if "async" in path else self.wsgi

    def request(self, path, kind="no header"):
        client = self.client(path)
        if kind == "no header":
            return client.prepare("GET", path)
        tag = STALE if kind == "miss" else client.ask("GET", path).headers.get("ETag", STALE)
        return client.prepare("GET", path, If_None_Match=tag)

    def read(self, path, kind="no header"):
        return self.client(path).send(self.request(path, kind))[0]

    def statements(self, path, kind):
        return self.client(path).statements(self.request(path, kind))

    def timed(self, path, kind="no header", status=None):
        """A function that reads an address a few times, and returns the seconds."""
        client, request = self.client(path), self.request(path, kind)
        expected = status or (304 if kind == "hit" else 200)

        def burst():
            total = 0.0
            for copy in [dict(request) for _ in range(BURST)]:
                answer, took = client.send(copy)
                assert answer.status == expected, (path, kind, answer)
                total += took
            return total

        return burst


def measure(turns):
    """Each subject's ratios and statements, and the floors'."""
    data.make_employees(1000)
    reader = Reader()
    try:
        took = take_turns(_turns_of(reader), turns)
        rows = [_row(reader, took, subject) for subject in SUBJECTS]
        floors = {
            name: ratio(took[path, "hit"], took[DETAIL, "no header"])
            for name, path in FLOORS.items()
        }
    finally:
        reader.close()
    return {"subjects": rows, "floors": floors}


def _turns_of(reader):
    turns = {(path, "hit"): reader.timed(path, "hit", 304) for path in FLOORS.values()}
    for subject in SUBJECTS:
        turns[subject.plain, "no header"] = reader.timed(subject.plain)
        for kind in KINDS:
            turns[subject.path, kind] = reader.timed(subject.path, kind)
    return turns


def _row(reader, took, subject):
    plain = took[subject.plain, "no header"]
    of_plain = partial(ratio, others=plain)
    return {
        "name": subject.name,
        "peer": subject.peer,
        **{kind: of_plain(took[subject.path, kind]) for kind in KINDS},
        "hit by floor": ratio(took[subject.path, "hit"], took[subject.floor, "hit"]),
        "statements": [reader.statements(subject.path, kind) for kind in KINDS],
    }
