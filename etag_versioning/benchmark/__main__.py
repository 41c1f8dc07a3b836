"""``python -m etag_versioning.benchmark URL``: any server, with or without Django."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .cli import add_arguments, run
from .errors import BenchmarkError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Measure what the command line says.

    Args:
        arguments: those of the command line; by default, the process's own.

    Returns:
        The status for ``sys.exit()``: 1 where the address cannot be measured.
    """
    parser = argparse.ArgumentParser(
        prog="python -m etag_versioning.benchmark",
        description="Measure what an address saves by its ETag.",
    )
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        run(options, sys.stdout)
    except BenchmarkError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
