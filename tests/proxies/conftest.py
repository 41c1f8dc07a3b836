"""One origin and one of each proxy, for all tests of this folder."""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from . import journal, programs
from .configurations import CACHES, PROXIES

ROOT = Path(__file__).parent.parent.parent
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """Where a server listens, and where its logs are."""

    name: str
    port: int
    folder: Path

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def seen(self, path):
        """What has reached the origin for this path: its methods and statuses."""
        return journal.read_journal(self.folder / "journal", path)


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


@pytest.fixture(scope="session")
def origin():
    """gunicorn with the example project, and a database of its own."""
    with tempfile.TemporaryDirectory(prefix="etag_versioning_origin_") as name:
        folder = Path(name)
        (folder / "journal").touch()
        environment = dict(
            os.environ,
            DJANGO_SETTINGS_MODULE="tests.proxies.settings",
            DATABASE_URL=f"sqlite:///{folder / 'origin.sqlite3'}",
            PYTHONPATH=str(ROOT),
            **{journal.VARIABLE: str(folder / "journal")},
        )
        for command in ("migrate", "load_sample_data"):
            subprocess.run(
                [sys.executable, "-m", "django", command, "--verbosity", "0"],
                env=environment,
                check=True,
            )
        port = programs.free_port()
        command = [sys.executable, "-m", "gunicorn", "--threads", "8", "--log-level", "warning"]
        command += ["--bind", f"127.0.0.1:{port}", "example_project.wsgi"]
        with programs.running(command, port, folder, env=environment):
            yield Server("the origin", port, folder)


@pytest.fixture(scope="session")
def proxies(origin):
    """Starts a proxy, by its name, when it is first asked for."""
    with ExitStack() as stack:
        started = {}

        def start(name):
            if name not in started:
                names, configure = PROXIES[name]
                if programs.find(*names) is None:
                    programs.absent(names[0])
                folder = stack.enter_context(own_folder())
                port = programs.free_port()
                command = configure(folder, port, origin.port)
                stack.enter_context(
                    programs.running(command, port, folder, **programs.nobody(), umask=0o022)
                )
                started[name] = Server(name, port, folder)
            return started[name]

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
