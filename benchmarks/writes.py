"""
What compare-and-swap costs: writes of a versioned model against plain ones.

Both models have the same columns; the writes take turns in one run, and each
figure is the median of the ratios of neighbouring turns.
"""

import gc
import statistics
import time
from datetime import date

import django
from django.db import connection, transaction
from rich.console import Console
from rich.table import Table

from benchmarks.models import PlainRow, VersionedRow

BATCH = 1000


def add_arguments(parser):
    parser.add_argument("--turns", type=int, default=60, help="turns of each write")


def run(options):
    report({name: ratios(write, options.turns) for name, write in WRITES.items()})


def make(model):
    return model(
        name="Ada Lovelace",
        email="ada@example.org",
        title="Analyst",
        notes="Notes on the engine. " * 20,
        hired=date(2026, 1, 1),
    )


def save(rows, turn):
    row = rows[0]
    for _ in range(100):
        row.days = turn
        row.save()


def save_of_some_fields(rows, turn):
    row = rows[0]
    for _ in range(100):
        row.days = turn
        row.save(update_fields=["days"])


def create(rows, turn):
    for _ in range(100):
        make(type(rows[0])).save(force_insert=True)


def update(rows, turn):
    model = type(rows[0])
    for row in rows[:100]:
        model.objects.filter(pk=row.pk).update(days=turn)


def delete(rows, turn):
    model = type(rows[0])
    made = model.objects.bulk_create([make(model) for _ in range(100)])
    yield
    for row in made:
        row.delete()


def bulk_update(rows, turn):
    for row in rows:
        row.days = turn
    type(rows[0]).objects.bulk_update(rows, ["days", "title"])


WRITES = {
    "save()": save,
    "save(update_fields=…)": save_of_some_fields,
    "save() of a new row": create,
    "QuerySet.update()": update,
    "delete()": delete,
    f"bulk_update() of {BATCH:,} rows": bulk_update,
}


def ratios(write, turns):
    """The versioned write's time by the plain one's, turn by turn, in a transaction."""
    found = []
    with transaction.atomic():
        kinds = {}
        for model in (PlainRow, VersionedRow):
            model.objects.bulk_create([make(model) for _ in range(BATCH)])
            kinds[model] = list(model.objects.all())
        for turn in range(turns + 5):
            # Who begins alternates, so that neither always finds a warm cache.
            order = (PlainRow, VersionedRow) if turn % 2 else (VersionedRow, PlainRow)
            took = {model: timed(write, kinds[model], turn) for model in order}
            if turn >= 5:
                found.append(took[VersionedRow] / took[PlainRow])
        transaction.set_rollback(True)
    return found


def timed(write, rows, turn):
    """Seconds that ``write`` takes; one that is a generator prepares itself first."""
    gc.collect()
    gc.disable()
    try:
        if write is delete:
            steps = write(rows, turn)
            next(steps)
            started = time.perf_counter()
            next(steps, None)
        else:
            started = time.perf_counter()
            write(rows, turn)
        return time.perf_counter() - started
    finally:
        gc.enable()


def report(found):
    table = Table(title=f"Versioned by plain, {connection.vendor}, Django {django.__version__}")
    for heading in ("write", "median", "quartiles"):
        table.add_column(heading)
    for name, values in found.items():
        low, median, high = statistics.quantiles(values, n=4)
        table.add_row(name, f"{median:.2f}", f"{low:.2f} to {high:.2f}")
    Console().print(table)
