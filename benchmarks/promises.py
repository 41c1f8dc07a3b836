"""
What is promised of the package's speed: ratios of two requests that take turns, and
numbers of statements. Exits with an error where one does not hold: the short form of
the comparison, for each change.
"""

from dataclasses import dataclass

from django.db import connection
from rich.console import Console
from rich.table import Table

from benchmarks import data, puts, reads, start
from benchmarks.turns import paired

# What noise may add to a ratio before it counts as a promise that is broken.
MARGIN = 1.15

DETAIL, FILTERED = "/versioned-detail/1/", "/versioned-filtered/1/"
PERMITTED = "/versioned-permitted/1/"
PLAIN, FLOOR = reads.DETAIL, reads.FLOOR
VIEW, VIEW_FLOOR = "/django-versioned/1/", "/django-one-statement/1/"


@dataclass(frozen=True)
class Promise:
    """
    The first takes at most so many times as long as the second.

    Args:
        name: as in the table.
        first, second: address and kind of request.
        sqlite, postgresql: the limit on each. SQLite answers a raw statement so soon
            that the work around it weighs more.
    """

    name: str
    first: tuple
    second: tuple
    sqlite: float
    postgresql: float

    @property
    def limit(self):
        return getattr(self, connection.vendor)


PROMISES = [
    Promise(
        "DRF detail, hit: DRF view + one statement", (DETAIL, "hit"), (FLOOR, "hit"), 1.45, 1.3
    ),
    Promise("filtered by request, hit: the same", (FILTERED, "hit"), (FLOOR, "hit"), 2.0, 1.7),
    Promise(
        "Django view, hit: view + one statement", (VIEW, "hit"), (VIEW_FLOOR, "hit"), 1.75, 1.35
    ),
    Promise(
        "DRF detail, no header: plain", (DETAIL, "no header"), (PLAIN, "no header"), 1.05, 1.05
    ),
    Promise("DRF detail, miss: plain", (DETAIL, "miss"), (PLAIN, "no header"), 1.2, 1.25),
    Promise(
        "filtered by request, miss: plain",
        (FILTERED, "miss"),
        ("/filtered/1/", "no header"),
        1.25,
        1.3,
    ),
    Promise(
        "object permission, hit: plain",
        (PERMITTED, "hit"),
        ("/permitted/1/", "no header"),
        0.3,
        0.3,
    ),
    *(
        Promise(f"DRF detail, hit: {peer.name}", (DETAIL, "hit"), (peer.path, "hit"), 0.8, 0.8)
        for peer in reads.SUBJECTS
        if peer.peer
    ),
]
# Of a hit, a miss and a request without a header.
STATEMENTS = {
    DETAIL: [1, 2, 1],
    FILTERED: [1, 2, 1],
    PERMITTED: [1, 2, 1],
    "/versioned-cursor/": [1, 2, 1],
    "/versioned-numbered/": [2, 4, 2],
    VIEW: [1, 2, 2],
}
# Of a guarded PUT: SELECT and UPDATE.
STATEMENTS_OF_PUT = 2
PUT_LIMITS = {puts.PLAIN: 1.2, puts.EXTENSIONS: 0.8, puts.CONCURRENT: 1.0}
# Of a process with Django and DRF.
START_LIMIT = 1.12


def add_arguments(parser):
    parser.add_argument("--turns", type=int, default=40, help="turns of each pair")


def run(options):
    found = measure(options.turns)
    table = Table(title=f"What each change is held to, {connection.vendor}")
    for heading in ("the first takes … times as long as the second", "at most", "measured"):
        table.add_column(heading)
    for promise in found["ratios"]:
        table.add_row(promise["name"], f"{promise['limit']:.2f}", f"{promise['ratio']:.2f}")
    Console(width=100).print(table)
    broken = [p for p in found["ratios"] if p["ratio"] > p["limit"] * MARGIN]
    wrong = [s for s in found["statements"] if s["expected"] != s["counted"]]
    if broken or wrong:
        raise SystemExit(f"Not as promised: {[*broken, *wrong]}")


def measure(turns):
    """What is measured of each promise."""
    data.make_employees(1000)
    reader = reads.Reader()
    try:
        ratios = [_reads(reader, promise, turns) for promise in PROMISES]
        statements = [
            _counted(path, expected, [reader.statements(path, kind) for kind in reads.KINDS])
            for path, expected in STATEMENTS.items()
        ]
    finally:
        reader.close()
    ours = puts.Writer(puts.VERSIONED, puts.make_row(puts.VERSIONED))
    ratios += [_puts(ours, other, limit, turns) for other, limit in PUT_LIMITS.items()]
    statements.append(_counted("PUT", STATEMENTS_OF_PUT, ours.client.statements(ours.edit())))
    found = start.measure(turns // 5)
    ratios.append(
        {
            "name": f"start of a process: without the app (+{found['seconds'] * 1000:.0f} ms)",
            "limit": START_LIMIT,
            "ratio": found["ratio"],
        }
    )
    return {"ratios": ratios, "statements": statements}


def _reads(reader, promise, turns):
    first, second = (
        # The floors answer 304 to whatever is asked.
        reader.timed(path, kind, 304 if kind == "hit" else 200)
        for path, kind in (promise.first, promise.second)
    )
    return {
        "name": promise.name,
        "limit": promise.limit,
        "ratio": paired(first, second, turns),
    }


def _puts(ours, other, limit, turns):
    theirs = puts.Writer(other, puts.make_row(other))
    found = paired(ours.timed, theirs.timed, turns)
    return {"name": f"guarded PUT: {other.name}", "limit": limit, "ratio": found}


def _counted(name, expected, counted):
    return {"name": name, "expected": expected, "counted": counted}
