"""What was measured, as a dictionary for programs, and as tables for people."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import __version__
from .errors import BenchmarkError, printable
from .figures import KINDS, Kind, Series, Summary, break_even, mixed, saved, summarise
from .targets import Target

__all__ = ["build_report", "print_report"]

# Raised with each change of the report that a program would notice.
SCHEMA: Final = 1


def build_report(
    targets: Sequence[Target],
    measured: Sequence[Mapping[Kind, Series]],
    *,
    hit_share: float,
    concurrency: int,
) -> dict[str, Any]:
    """
    Args:
        targets: the addresses; figures of each are compared with the first.
        measured: what ``measure()`` returned for them.
        hit_share: of which share of hits to say what they save.
        concurrency: how many clients have asked at once.

    Returns:
        All figures, in types of JSON. Durations are in milliseconds, shares
        from 0 to 1.

    Raises:
        BenchmarkError: of some kind of request none got its answer.
    """
    summaries = [
        {kind: _summary(target, kind, series) for kind, series in kinds.items()}
        for target, kinds in zip(targets, measured, strict=True)
    ]
    return {
        "schema": SCHEMA,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "etag_versioning": __version__,
            "python": platform.python_version(),
            "httpx": httpx.__version__,
        },
        "concurrency": concurrency,
        "hit_share": hit_share,
        "targets": [
            {
                "url": target.name,
                "etag": target.state.tag,
                "requests": {kind: _figures(summary) for kind, summary in kinds.items()},
                **_savings(kinds["full"], kinds["hit"], kinds["miss"], hit_share),
                "relative_to_first": {
                    kind: _relative(summaries[0][kind], summary) for kind, summary in kinds.items()
                },
            }
            for target, kinds in zip(targets, summaries, strict=True)
        ],
    }


def _summary(target: Target, kind: Kind, series: Series) -> Summary:
    summary = summarise(kind, series)
    if summary is None:
        statuses = sorted({each.status for each in series.exchanges})
        raise BenchmarkError(
            f"{target.name}: no request of the kind {kind!r} got its answer, but {statuses}. "
            "Others write it all the time: measure a row that is at rest, or with fewer clients."
        )
    return summary


def _figures(summary: Summary) -> dict[str, Any]:
    return {
        "statuses": {str(status): count for status, count in summary.statuses.items()},
        "share": summary.share,
        "p50_ms": summary.p50 * 1000,
        "p95_ms": summary.p95 * 1000,
        "p99_ms": summary.p99 * 1000,
        "per_second": summary.per_second,
        "bytes": summary.size,
        "statements": summary.statements,
        "sql_ms": None if summary.sql_seconds is None else summary.sql_seconds * 1000,
    }


def _savings(full: Summary, hit: Summary, miss: Summary, hit_share: float) -> dict[str, Any]:
    """What a hit saves, what a mixture of hits and misses saves, and from which one on."""
    return {
        "saved_per_hit": {
            "bandwidth": saved(full.size, hit.size),
            "latency": saved(full.p50, hit.p50),
        },
        "saved_at_hit_share": {
            "bandwidth": saved(full.size, mixed(hit.size, miss.size, hit_share)),
            "latency": saved(full.p50, mixed(hit.p50, miss.p50, hit_share)),
        },
        "miss_latency_added": miss.p50 / full.p50 - 1,
        "break_even_hit_share": break_even(full.p50, hit.p50, miss.p50),
    }


def _relative(first: Summary, this: Summary) -> dict[str, float]:
    return {
        "p50": this.p50 / first.p50,
        "bytes": this.size / first.size,
        "per_second": this.per_second / first.per_second,
    }


def print_report(report: Mapping[str, Any], console: Console) -> None:
    """
    Args:
        report: what ``build_report()`` returned.
        console: where to print it.
    """
    kinds = report["targets"][0]["requests"]
    for kind in kinds:
        console.print(Text.assemble((f"{kind:6}", "bold"), KINDS[kind][0]))
    for target in report["targets"]:
        console.print(_requests_table(target))
        console.print(_savings_table(target, report["hit_share"]))
    if len(report["targets"]) > 1:
        console.print(_comparison_table(report["targets"]))


def _requests_table(target: Mapping[str, Any]) -> Table:
    with_sql = target["requests"]["full"]["statements"] is not None
    table = Table(title=Text(printable(target["url"]), "bold"), title_justify="left")
    table.add_column("request")
    table.add_column("answers")
    columns = ["p50 ms", "p95 ms", "p99 ms", "per second", "bytes"]
    for column in columns + ["SQL", "SQL ms"] * with_sql:
        table.add_column(column, justify="right")
    for kind, figures in target["requests"].items():
        answers = ", ".join(f"{status}: {count}" for status, count in figures["statuses"].items())
        cells = [f"{figures[name]:.2f}" for name in ("p50_ms", "p95_ms", "p99_ms")]
        cells += [f"{figures['per_second']:,.0f}", f"{figures['bytes']:,.0f}"]
        if with_sql:
            cells += [f"{figures['statements']:g}", f"{figures['sql_ms']:.2f}"]
        table.add_row(kind, answers, *cells)
    return table


def _savings_table(target: Mapping[str, Any], hit_share: float) -> Table:
    hit = target["requests"]["hit"]
    table = Table.grid(padding=(0, 2))
    for name, savings in (
        ("saved by each hit", target["saved_per_hit"]),
        (f"saved where {hit_share:.0%} are hits", target["saved_at_hit_share"]),
    ):
        table.add_row(
            name, f"{savings['bandwidth']:.1%} bandwidth, {savings['latency']:.1%} latency (p50)"
        )
    table.add_row("added to each miss", f"{target['miss_latency_added']:+.1%} latency (p50)")
    table.add_row("break-even", _break_even_in_words(target["break_even_hit_share"]))
    table.add_row("hits in this run", f"{hit['share']:.1%} of the requests with the current tag")
    table.add_row()
    return table


def _break_even_in_words(share: float | None) -> str:
    if share is None:
        return "never: a hit takes as long as a full answer"
    if share == 0:
        return "at once: a miss takes no longer than a full answer"
    return f"from {share:.1%} hits on, tags save time"


def _comparison_table(targets: Sequence[Mapping[str, Any]]) -> Table:
    first, *others = targets
    table = Table(
        title=Text(f"In multiples of {printable(first['url'])}", "bold"), title_justify="left"
    )
    for column in ("address", "request", "p50", "bytes", "per second"):
        table.add_column(column, justify="left" if column in ("address", "request") else "right")
    for target in others:
        for kind, ratios in target["relative_to_first"].items():
            cells = [f"{ratios[name]:.2f}" for name in ("p50", "bytes", "per_second")]
            table.add_row(Text(printable(target["url"])), kind, *cells)
    return table
