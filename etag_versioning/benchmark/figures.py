"""The arithmetic of a benchmark: pure functions on what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Final, Literal

__all__ = [
    "KINDS",
    "Exchange",
    "Kind",
    "Series",
    "Summary",
    "break_even",
    "mixed",
    "saved",
    "summarise",
]

Kind = Literal["full", "hit", "miss", "write", "stale"]

# What each kind of request is, and which statuses are the answer that it asks for.
KINDS: Final[dict[Kind, tuple[str, range]]] = {
    "full": ("GET", range(200, 201)),
    "hit": ("GET, If-None-Match: the tag", range(304, 305)),
    "miss": ("GET, If-None-Match: another", range(200, 201)),
    "write": ("write, If-Match: the tag", range(200, 300)),
    "stale": ("write, If-Match: another", range(412, 413)),
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    One request and its answer.

    Args:
        status: the answer's.
        seconds: from the first byte sent to the last received.
        size: bytes of the answer, status line and headers among them.
        statements: SQL statements, where they can be seen.
        sql_seconds: the time in these.
    """

    status: int
    seconds: float
    size: int
    statements: int | None = None
    sql_seconds: float | None = None


@dataclass(slots=True)
class Series:
    """All exchanges of one kind, and the time by the clock in which they were made."""

    exchanges: list[Exchange] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """
    A series in figures.

    ``statuses`` and ``per_second`` are about all requests; the rest is about
    those that got the answer that this kind of request asks for: a row that
    changes meanwhile makes a 200 of a hit, which says nothing about hits.
    """

    statuses: dict[int, int]
    share: float
    p50: float
    p95: float
    p99: float
    per_second: float
    size: float
    statements: float | None
    sql_seconds: float | None


def summarise(kind: Kind, series: Series) -> Summary | None:
    """
    Args:
        kind: one of ``KINDS``.
        series: what was measured; at least one exchange.

    Returns:
        The figures, or None where no request got the answer that it asked for.

    >>> series = Series([Exchange(304, ms / 1000, 250) for ms in range(1, 102)], seconds=10.1)
    >>> figures = summarise("hit", series)
    >>> [round(seconds * 1000) for seconds in (figures.p50, figures.p95, figures.p99)]
    [51, 96, 100]
    >>> figures.per_second, figures.share
    (10.0, 1.0)
    """
    wanted = [each for each in series.exchanges if each.status in KINDS[kind][1]]
    if not wanted:
        return None
    # quantiles() wants two values at least.
    seconds = [each.seconds for each in wanted] * (2 if len(wanted) == 1 else 1)
    percentiles = quantiles(seconds, n=100, method="inclusive")
    return Summary(
        statuses=dict(sorted(Counter(each.status for each in series.exchanges).items())),
        share=len(wanted) / len(series.exchanges),
        p50=percentiles[49],
        p95=percentiles[94],
        p99=percentiles[98],
        per_second=len(series.exchanges) / series.seconds,
        size=median(each.size for each in wanted),
        statements=_median_of_known(each.statements for each in wanted),
        sql_seconds=_median_of_known(each.sql_seconds for each in wanted),
    )


def _median_of_known(values: Iterable[float | None]) -> float | None:
    known: Sequence[float] = [value for value in values if value is not None]
    return median(known) if known else None


def saved(before: float, after: float) -> float:
    """
    Which share of a cost is saved; negative where it has grown.

    >>> saved(before=5000, after=100)
    0.98
    """
    return 1 - after / before if before else 0.0


def mixed(hit: float, miss: float, hit_share: float) -> float:
    """
    What a request costs on average, where this share of them are hits.

    >>> mixed(hit=2, miss=12, hit_share=0.75)
    4.5
    """
    return hit_share * hit + (1 - hit_share) * miss


def break_even(full: float, hit: float, miss: float) -> float | None:
    """
    The hit share from which conditional requests cost less than plain ones.

    It solves ``mixed(hit, miss, share) == full``: what misses cost more is then
    what hits save.

    Returns:
        A share; 0.0 where even misses cost no more than plain requests; None
        where not even hits cost less.

    >>> break_even(full=10, hit=2, miss=12)
    0.2
    >>> break_even(full=10, hit=2, miss=10)
    0.0
    >>> break_even(full=10, hit=11, miss=12) is None
    True
    """
    if hit >= full:
        return None
    if miss <= full:
        return 0.0
    return (miss - full) / (miss - hit)
