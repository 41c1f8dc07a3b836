"""
Side by side, in one run: no tags, the peers, this package, and what nothing can be
faster than. Reads, writes, eight writers at once, and lists of tables that grow.
"""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from django.db import connection

from benchmarks import lists, promises, puts, reads
from benchmarks.report import show

PACKAGES = (
    "Django",
    "djangorestframework",
    "drf-extensions",
    "django-rest-framework-condition",
    "django-concurrency",
)


def add_arguments(parser):
    parser.add_argument("--turns", type=int, default=40, help="turns of each subject")
    parser.add_argument("--quick", action="store_true", help="fewer turns, and smaller tables")
    parser.add_argument("--save", type=Path, help="a JSON file, for python -m benchmarks.publish")


def run(options):
    turns = 15 if options.quick else options.turns
    sizes = lists.SIZES_OF_THE_SHORT_FORM if options.quick else lists.SIZES
    found = {
        "date": datetime.now(UTC).date().isoformat(),
        "turns": turns,
        "database": database(),
        "versions": {"Python": platform.python_version()} | {n: version(n) for n in PACKAGES},
        "promises": promises.measure(turns),
        "reads": reads.measure(turns),
        "writes": puts.measure(turns),
        "concurrent": puts.measure_concurrency(each=5 if options.quick else 25),
        # Last, since its rows are still there after it.
        "lists": lists.measure(sizes, turns // 3),
    }
    show(found)
    if options.save:
        options.save.parent.mkdir(parents=True, exist_ok=True)
        options.save.write_text(json.dumps(found, indent=1))


def database():
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        return f"SQLite {'.'.join(map(str, connection.Database.sqlite_version_info))}"
    # 150020 is 15.20.
    return "PostgreSQL {}.{}".format(*divmod(connection.pg_version, 10_000))
