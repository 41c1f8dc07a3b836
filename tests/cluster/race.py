"""
Nine writers count on one row, and on nine, by PUT with If-Match: all on one node of a Galera
cluster of three, and then three on each node::

    python -m tests.cluster.race
    python -m tests.cluster.race --writes 405
"""

import argparse
import os
import sys
import time
from contextlib import ExitStack

import django

from . import servers

WAYS = {
    "plain view": ("wsgi", "/plain/people/{}/"),
    "async view": ("asgi", "/async/people/{}/"),
    "DRF": ("wsgi", "/api/people/{}/"),
}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.race", description=__doc__)
    parser.add_argument("--writes", type=int, default=135, help="successful writes to reach")
    options = parser.parse_args()
    failures = []
    with ExitStack() as stack:
        nodes = stack.enter_context(servers.galera())
        os.environ.update(
            PRIMARY="0",
            STANDBY="0",
            PGBOUNCER="0",
            NODES=",".join(str(node.port) for node in nodes),
            DJANGO_SETTINGS_MODULE="tests.cluster.settings",
        )
        django.setup()
        from .applications import application, create_database

        create_database("node1", "mysql")
        addresses = {
            kind: [stack.enter_context(application(kind, node)) for node in nodes]
            for kind in ("wsgi", "asgi")
        }
        print(f"{'':12}nodes  rows   200   412   503  writes/s  lost")
        for way, (kind, path) in WAYS.items():
            for number in (1, len(nodes)):
                for rows in (1, 9):
                    failures += run(way, path, addresses[kind][:number], rows, options.writes)
    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


def run(way, path, addresses, rows, writes):
    """One race; what is wrong about it."""
    from tests.testapp.models import Person

    from .writers import at_once, count, statuses

    people = [Person.objects.using("node1").create(name="a") for _ in range(rows)]
    for alias in ("node2", "node3"):  # Their reads wait for the rows.
        Person.objects.using(alias).filter(pk=people[-1].pk).exists()
    works = [count(path.format(person.pk), "PUT", goal=-(-writes // rows)) for person in people]
    started = time.monotonic()
    answers = at_once(addresses, lambda http, n, answers: works[n % rows](http, n, answers))
    seconds = time.monotonic() - started
    found = statuses(answers)
    stored = Person.objects.using("node1").filter(pk__in=[person.pk for person in people])
    lost = found[200] - sum(person.days for person in stored)
    print(
        f"{way:12}{len(addresses):5}{rows:6}{found[200]:6}{found[412]:6}{found[503]:6}"
        f"{found[200] / seconds:10.0f}{lost:6}",
        flush=True,
    )
    unexpected = set(found) - {200, 412, 503}
    return [f"{way}: lost {lost}, answers {unexpected}"] if lost or unexpected else []


if __name__ == "__main__":
    sys.exit(main())
