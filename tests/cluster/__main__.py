"""
Start PostgreSQL with a standby, PgBouncer and three nodes of Galera; run the tests of this folder,
and then the suite's main conversations through PgBouncer; stop everything::

    python -m tests.cluster [what pytest takes]

A server that is missing is a failure. ``.ci/cluster`` installs them.
"""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest

from . import servers

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
# Tests that write, race, roll back, stream and lock.
CONVERSATIONS = [
    "tests/test_conversation.py",
    "tests/test_requirements.py",
    "tests/test_decorators.py",
    "tests/test_async.py",
    "tests/test_contention.py",
    "tests/test_creation.py",
    "tests/test_touching.py",
    "tests/rest_framework/test_writes.py",
    "tests/rest_framework/test_creates.py",
    "tests/rest_framework/test_bulk.py",
    "tests/rest_framework/test_collections.py",
    "tests/rest_framework/test_lists.py",
]


def plugin(nodes):
    """A plugin of pytest by which tests get the nodes of the cluster, to stop and start them."""

    @pytest.fixture(scope="session")
    def galera_nodes():
        return nodes

    module = ModuleType("tests.cluster.nodes")
    module.galera_nodes = galera_nodes
    return module


def main(arguments):
    # A signal, as of timeout(1), must not leave servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        primary, standby = stack.enter_context(servers.postgresql())
        pgbouncer = stack.enter_context(servers.pgbouncer(primary))
        nodes = stack.enter_context(servers.galera())
        ports = ",".join(str(node.port) for node in nodes)
        os.environ.update(
            PRIMARY=str(primary), STANDBY=str(standby), PGBOUNCER=str(pgbouncer), NODES=ports
        )
        os.chdir(ROOT)
        options = ["--override-ini=addopts=", "-p", "no:cacheprovider"]
        chosen = ["--ds=tests.cluster.settings", *(arguments or [str(FOLDER)])]
        failed = pytest.main([*options, *chosen], plugins=[plugin(nodes)])
        if arguments:
            return failed
        return failed or through_pgbouncer(options, pgbouncer)


def through_pgbouncer(options, port):
    """The suite's own tests, with PgBouncer between Django and PostgreSQL."""
    # PgBouncer keeps connections to the database, so pytest-django could not drop it.
    settings = ["--ds=tests.cluster.pooled_settings", "--create-db", "--reuse-db"]
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    command = [sys.executable, "-m", "pytest", *options, *settings, *CONVERSATIONS]
    return subprocess.run(command, env=dict(os.environ, DATABASE_URL=url), cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
