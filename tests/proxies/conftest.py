"""One origin and one of each proxy, for all tests of this folder."""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import httpx
import pytest

from . import journal, programs
from .configurations import CACHES, PROXIES

ROOT = Path(__file__).parent.parent.parent
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """Where a server listens, where its logs are, and for an origin its journal."""

    name: str
    port: int
    folder: Path
    journal: Path | None = None

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def seen(self, path):
        """What has reached the origin for this path: its methods and statuses."""
        return journal.read_journal(self.journal, path)


@contextmanager
def own_folder():
    """A folder for a server: not in pytest's own, where nobody else may look."""
    folder = Path(tempfile.mkdtemp(prefix="etag_versioning_proxy_"))
    owner = programs.nobody()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show with a failure what the servers in it have logged."""
    report = yield
    if report.failed:
        for server in item.funcargs.values():
            if isinstance(server, Server):
                logs = programs.logs(server.folder)
                report.sections.append((f"Logs of {server.name}", logs))
    return report


@pytest.fixture(scope="session")
def environment():
    """For the example project: a database of its own with the sample data, and a journal."""
    with tempfile.TemporaryDirectory(prefix="etag_versioning_origin_") as folder:
        journal_file = Path(folder) / "journal"
        journal_file.touch()
        environment = dict(
            os.environ,
            DJANGO_SETTINGS_MODULE="tests.proxies.settings",
            DATABASE_URL=f"sqlite:///{folder}/origin.sqlite3",
            PYTHONPATH=str(ROOT),
            **{journal.VARIABLE: str(journal_file)},
        )
        for command in ("migrate", "load_sample_data"):
            subprocess.run(
                [sys.executable, "-m", "django", command, "--verbosity", "0"],
                env=environment,
                check=True,
            )
        # A row shows no Last-Modified in the second in which it was written.
        time.sleep(1)
        yield environment


WSGI = ["gunicorn", "--threads", "8", "--log-level", "warning", "example_project.wsgi", "--bind"]
ASGI = ["uvicorn", "--log-level", "warning", "example_project.asgi:application", "--port"]


@contextmanager
def serving(environment, name, arguments):
    """One of Python's servers, with the example project."""
    port = programs.free_port()
    where = f"127.0.0.1:{port}" if arguments is WSGI else str(port)
    command = [sys.executable, "-m", *arguments, where]
    with (
        tempfile.TemporaryDirectory(prefix="etag_versioning_server_") as folder,
        programs.running(command, port, Path(folder), env=environment),
    ):
        yield Server(name, port, Path(folder), Path(environment[journal.VARIABLE]))


@pytest.fixture(scope="session")
def origin(environment):
    """What the proxies stand in front of: gunicorn."""
    with serving(environment, "gunicorn", WSGI) as server:
        yield server


@pytest.fixture(scope="session")
def asgi_origin(environment):
    """The same under uvicorn."""
    with serving(environment, "uvicorn", ASGI) as server:
        yield server


@pytest.fixture(scope="session")
def proxies(origin):
    """Starts a proxy, by its name, when it is first asked for."""
    with ExitStack() as stack:

        @lru_cache
        def start(name, behind=origin):
            names, configure = PROXIES[name]
            if programs.find(*names) is None:
                programs.absent(names[0])
            folder = stack.enter_context(own_folder())
            port = programs.free_port()
            command = configure(folder, port, behind.port)
            stack.enter_context(
                programs.running(command, port, folder, **programs.nobody(), umask=0o022)
            )
            return Server(name, port, folder)

        yield start


@pytest.fixture(params=list(PROXIES))
def proxy(request, proxies):
    """Each of the proxies."""
    return proxies(request.param)


@pytest.fixture(params=list(CACHES))
def cache(request, proxies):
    """Each of the proxies that keeps copies."""
    return proxies(request.param)


@pytest.fixture
def http():
    """A client that keeps nothing."""
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def number():
    """The key of a user and of a product that no other test uses."""
    return next(NUMBERS)
