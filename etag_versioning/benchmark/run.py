"""From options to a report: connects, measures, prints and draws."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from .errors import BenchmarkError, printable
from .figures import Kind, Series
from .measure import Plan, measure
from .report import build_report, print_report
from .targets import Target, Write

__all__ = ["parse_headers", "run_benchmark"]

_TIMEOUT: Final = 30.0
# A field line of RFC 9110 §5, in ASCII.
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)")
# What the benchmark itself says in its requests.
_OWN: Final = {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since"}


def run_benchmark(options: argparse.Namespace, out: TextIO, *, project: bool) -> None:
    """
    Args:
        options: those of the command line.
        out: where the report goes.
        project: whether a path is an address of this process's Django project.

    Raises:
        BenchmarkError: an option is wrong, or an address cannot be measured.
    """
    if options.plot:
        # Before anything is measured: what is missing or wrong shows at once.
        from .plot import FORMATS, plot_report

        if options.plot.suffix not in FORMATS:
            raise BenchmarkError(f"--plot {options.plot}: name it FILE.svg or FILE.png")
    headers = parse_headers(options.header)
    write = _write(options)
    urls = [options.url, options.compare] if options.compare else [options.url]
    with ExitStack() as stack:
        targets = []
        for url in urls:
            transport, address = _transport(url, project, options.concurrency)
            client = stack.enter_context(
                httpx.Client(
                    transport=transport,
                    headers=headers,
                    timeout=_TIMEOUT,
                    limits=httpx.Limits(max_connections=options.concurrency),
                )
            )
            targets.append(Target(client, address, write))
        measured = _measure_with_progress(targets, Plan(options.iterations, options.concurrency))
        report = build_report(
            targets, measured, hit_share=options.hit_share, concurrency=options.concurrency
        )
    if options.json:
        out.write(json.dumps(report, indent=2) + "\n")
    else:
        # What is no terminal has no width, and is read without wrapped cells.
        print_report(report, Console(file=out, width=None if out.isatty() else 100))
    if options.plot:
        plot_report(report, options.plot)


def parse_headers(lines: Iterable[str]) -> list[tuple[str, str]]:
    """
    Args:
        lines: what was given as ``--header``.

    Raises:
        BenchmarkError: a line is no header; the message leaves its value out,
            since it may be a password.

    >>> parse_headers(["Authorization: Bearer abc"])
    [('Authorization', 'Bearer abc')]
    """
    headers = []
    for number, line in enumerate(lines, start=1):
        match = _HEADER.fullmatch(line)
        if not match:
            raise BenchmarkError(
                f"--header, the {number}. one: not of the form 'Authorization: Bearer …' "
                "(a name, a colon, and a value of ASCII characters in one line)"
            )
        if match[1].lower() in _OWN:
            raise BenchmarkError(f"--header {match[1]}: the benchmark sends this one itself.")
        headers.append((match[1], match[2]))
    return headers


def _write(options: argparse.Namespace) -> Write | None:
    if not options.write:
        if options.data is not None:
            raise BenchmarkError("--data is written to the server only with --write.")
        return None
    data: str | None = options.data
    if data is None:
        return Write(options.method)
    if not data.startswith("@"):
        return Write(options.method, data.encode())
    try:
        return Write(options.method, Path(data[1:]).read_bytes())
    except OSError as error:
        raise BenchmarkError(f"--data {data}: {error.strerror}") from None


def _transport(
    url: str, project: bool, concurrency: int
) -> tuple[httpx.BaseTransport | None, httpx.URL]:
    """How an address is reached, and in which form: None is the network."""
    if not url.startswith("/"):
        try:
            return None, httpx.URL(url)
        except httpx.InvalidURL as error:
            raise BenchmarkError(f"{printable(url)} is no address: {error}") from None
    if not project:
        raise BenchmarkError(
            f"{printable(url)} is a path. In a Django project: "
            f"python manage.py etag_benchmark {printable(url)}"
        )
    if concurrency > 1:
        raise BenchmarkError(
            "A path is answered in this process, by one thread: --concurrency measures a "
            f"server. Start it, and give its address: http://127.0.0.1:8000{printable(url)}"
        )
    from .project import ProjectTransport, project_address

    return ProjectTransport(), httpx.URL(project_address() + url)


def _measure_with_progress(targets: Sequence[Target], plan: Plan) -> list[dict[Kind, Series]]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("Measuring", total=plan.requests(targets))
        return measure(targets, plan, lambda made: progress.advance(task, made))
