"""
Makes the page and the picture of saved comparisons::

    python -m benchmarks.publish sqlite.json postgresql.json --folder benchmarks/results
"""

import argparse
import json
from pathlib import Path

import matplotlib

from benchmarks.report import markdown

METHOD = """\
All subjects take turns in one process, through Django's own handlers; another one begins
each time. A figure is the median of the ratios of neighbouring turns ({turns} of them). Time
is processor time, of the process and of the PostgreSQL backend that serves it, which changes
little on a busy machine; of eight writers at once it is the seconds that pass. The answer
has 15 fields, three of which are rows of joined tables. Statements are those of a hit, a miss
and a request without a header; SQLite's BEGIN is one too. In the last table of each database,
only the two of a pair take turns."""


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="what compare --save wrote")
    parser.add_argument("--folder", type=Path, required=True, help="where the results go")
    options = parser.parse_args()
    found = [json.loads(file.read_text()) for file in options.files]
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "README.md").write_text(page(found))
    draw(found, options.folder / "hits.svg")


def page(found):
    first = found[0]
    versions = ",\n".join(f"{name} {version}" for name, version in first["versions"].items())
    parts = [
        "# The comparison",
        f"{first['date']}; {versions}.",
        METHOD.format(turns=first["turns"]),
    ]
    parts += ["Made by `make bench`. ![Hits](hits.svg)"]
    return "\n\n".join([*parts, *map(markdown, found)]) + "\n"


def draw(found, file):
    """A bar for each subject's hit, by the time of the same answer without tags."""
    matplotlib.use("svg")
    # The same picture for the same figures.
    matplotlib.rcParams["svg.hashsalt"] = "etag_versioning"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4.5), layout="constrained")
    height = 0.8 / len(found)
    for number, comparison in enumerate(found):
        bars = _bars(comparison["reads"])
        places = [index + number * height for index in range(len(bars))]
        axes.barh(places, list(bars.values()), height, label=comparison["database"])
    axes.set_yticks([index + 0.4 - height / 2 for index in range(len(bars))], list(bars))
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:.0f} %")
    axes.set_xlabel("time of a 304, by that of the same answer without tags")
    axes.legend(loc="lower right")
    figure.savefig(file, metadata={"Date": None})


def _bars(found):
    bars = {row["name"]: row["hit"] * 100 for row in found["subjects"]}
    return bars | {name: ratio * 100 for name, ratio in found["floors"].items()}


if __name__ == "__main__":
    main()
