"""The arguments of both commands, and what they run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final, TextIO

from .errors import BenchmarkError

__all__ = ["add_arguments", "run"]

# What the extra ``bench`` installs, and nothing before ``run()`` imports.
_EXTRA: Final = ("httpx", "matplotlib", "rich")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a benchmark to a parser."""
    parser.add_argument("url", help="the address to measure; under manage.py, a path too")
    parser.add_argument(
        "--compare", metavar="URL2", help="a second address, measured in turns with the first"
    )
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="send this header with each request, for credentials; may be repeated",
    )
    parser.add_argument(
        "--iterations",
        type=_positive,
        default=200,
        help="measured requests of each kind (%(default)s)",
    )
    parser.add_argument(
        "--concurrency", type=_positive, default=1, help="clients at a time (%(default)s)"
    )
    parser.add_argument(
        "--hit-share",
        type=_share,
        default=0.8,
        help="say what is saved where this share of requests are hits (%(default)s)",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="measure guarded writes too: what GET returns is written back, with If-Match",
    )
    parser.add_argument(
        "--method", choices=("PUT", "PATCH"), default="PUT", help="of the writes (%(default)s)"
    )
    parser.add_argument(
        "--data", help="the body of the writes, or @FILE that holds it, instead of what GET returns"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw the figures: FILE.svg or FILE.png"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return share


def run(options: argparse.Namespace, out: TextIO, *, project: bool = False) -> None:
    """
    Measure, and print what was measured.

    Args:
        options: what the parser of ``add_arguments()`` returned.
        out: where the report goes; the progress goes to stderr.
        project: whether a path is an address of this process's Django project.

    Raises:
        BenchmarkError: the address cannot be measured, and why.
    """
    try:
        from .run import run_benchmark

        run_benchmark(options, out, project=project)
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        raise BenchmarkError(
            f"The benchmark needs {error.name}: pip install 'django-etag-versioning[bench]'"
        ) from None
