"""
What a CDN takes off the origin, and what it costs in freshness: a trace of reads and writes is
generated, and sent through browsers' caches and a shared cache under several ``Cache-Control``::

    python -m benchmarks.cdn
    python -m benchmarks.cdn --reads-per-second 200 --writes-per-second 5

It is a simulation, with no network in it. A few rows are read often and most of them rarely
(Zipf); writes choose rows in the same way. The caches obey RFC 9111 (Age, revalidation by
If-None-Match) and RFC 5861 (stale-while-revalidate), and are never full.
"""

import argparse
import bisect
import itertools
import random
from collections import defaultdict
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

# Bytes of an answer of the origin: the body of the example project's user, and headers.
BODY, HEADERS = 4900, 400


@dataclass(frozen=True)
class Policy:
    """
    Seconds that an answer is fresh.

    Args:
        text: the ``Cache-Control``.
        browser: in a browser's cache (``max-age``); ``None`` where it may not be stored.
        shared: in the CDN (``s-maxage``, or ``max-age``); ``None`` where it may not be stored.
        while_revalidate: how much longer the CDN sends it while it asks the origin.
    """

    text: str
    browser: float | None
    shared: float | None
    while_revalidate: float = 0


POLICIES = [
    Policy("no-store", None, None),
    Policy("private, no-cache", 0, None),
    Policy("public, no-cache", 0, 0),
    Policy("public, max-age=10", 10, 10),
    Policy("public, max-age=60", 60, 60),
    Policy("public, max-age=0, s-maxage=2, stale-while-revalidate=10", 0, 2, 10),
    Policy("public, max-age=0, s-maxage=10, stale-while-revalidate=60", 0, 10, 60),
]


@dataclass
class Stored:
    """A copy in a cache: the version that it shows, and when the origin last confirmed it."""

    version: int
    confirmed: float


@dataclass
class Origin:
    """The application: which version each row has at a time, and what it has sent."""

    writes: dict[int, list[float]]
    requests: int = 0
    sent: int = 0

    def version(self, row, now):
        return bisect.bisect_right(self.writes[row], now)

    def answer(self, row, now, known=None):
        """The version now; 304 for a cache that knows it."""
        version = self.version(row, now)
        self.requests += 1
        self.sent += HEADERS if known == version else HEADERS + BODY
        return Stored(version, now)

    def stale_seconds(self, row, stored, now):
        """For how long the version of a copy has not been the current one."""
        written = self.writes[row]
        return now - written[stored.version] if stored.version < self.version(row, now) else 0.0


@dataclass
class Outcome:
    """What a policy has led to."""

    policy: Policy
    reads: int = 0
    requests: int = 0
    sent: int = 0
    stale: list[float] = field(default_factory=list)

    @property
    def hit_share(self):
        return 1 - self.requests / self.reads


def simulate(policy, reads, writes):
    """
    Send a trace through the caches.

    Args:
        policy: the ``Cache-Control`` of all answers.
        reads: (time, client, row), in the order of time.
        writes: the times of each row's writes, in order.
    """
    origin, outcome = Origin(writes), Outcome(policy)
    shared, browsers = {}, defaultdict(dict)
    for now, client, row in reads:
        outcome.reads += 1
        own = browsers[client].get(row)
        if own is None or not is_fresh(own, policy.browser, now):
            own = from_cdn(policy, origin, shared, row, now, own)
            if policy.browser is not None:
                browsers[client][row] = own
        seconds = origin.stale_seconds(row, own, now)
        if seconds:
            outcome.stale.append(seconds)
    outcome.requests, outcome.sent = origin.requests, origin.sent
    return outcome


def is_fresh(stored, seconds, now):
    return seconds is not None and now - stored.confirmed < seconds


def from_cdn(policy, origin, shared, row, now, own):
    """What the CDN sends a browser that has no fresh copy."""
    if policy.shared is None:
        # The browser's own tag reaches the origin.
        return origin.answer(row, now, own and own.version)
    stored = shared.get(row)
    if stored is None:
        shared[row] = stored = origin.answer(row, now, own and own.version)
        return stored
    if is_fresh(stored, policy.shared, now):
        return stored
    shared[row] = origin.answer(row, now, stored.version)
    may_be_stale = is_fresh(stored, policy.shared + policy.while_revalidate, now)
    return stored if may_be_stale else shared[row]


def trace(options):
    """The reads and writes of a run, which the seed determines."""
    chance = random.Random(options.seed)
    weights = [1 / rank for rank in range(1, options.rows + 1)]
    totals = list(itertools.accumulate(weights))

    def times(per_second):
        now = chance.expovariate(per_second)
        while now < options.seconds:
            yield now
            now += chance.expovariate(per_second)

    def row():
        return chance.choices(range(options.rows), cum_weights=totals)[0]

    writes = defaultdict(list)
    for now in times(options.writes_per_second):
        writes[row()].append(now)
    reads = [
        (now, chance.randrange(options.clients), row()) for now in times(options.reads_per_second)
    ]
    return reads, writes


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cdn", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="how long the trace is")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--reads-per-second", type=float, default=50)
    parser.add_argument("--writes-per-second", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    reads, writes = trace(options)
    written = sum(len(times) for times in writes.values())
    table = Table(
        title=f"{len(reads)} reads and {written} writes of {options.rows} rows by "
        f"{options.clients} clients in {options.seconds:.0f} s"
    )
    for heading in (
        *("Cache-Control", "at the origin", "off the origin", "MB sent", "stale answers"),
        *("mean stale s", "most stale s"),
    ):
        table.add_column(heading, justify="left" if heading == "Cache-Control" else "right")
    for policy in POLICIES:
        outcome = simulate(policy, reads, writes)
        stale = outcome.stale or [0.0]
        table.add_row(
            policy.text,
            str(outcome.requests),
            f"{outcome.hit_share:.0%}",
            f"{outcome.sent / 1e6:.1f}",
            f"{len(outcome.stale) / outcome.reads:.2%}",
            f"{sum(stale) / len(stale):.1f}",
            f"{max(stale):.1f}",
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
