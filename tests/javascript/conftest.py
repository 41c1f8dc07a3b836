"""Node.js, with what npm/package.json names; and the example project behind a real server."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NPM = ROOT / "npm"


def missing():
    """What JavaScript cannot be tested without, if it is not there."""
    for name in ("node", "npm"):
        if not shutil.which(name):
            return name
    return None if (NPM / "node_modules").is_dir() else "npm/node_modules"


@pytest.fixture(scope="package", autouse=True)
def package():
    """The npm package, in its folder, with the files of today."""
    absent = missing()
    if absent and os.environ.get("JAVASCRIPT") == "required":
        pytest.fail(f"{absent} is not installed.")
    if absent:
        pytest.skip(f"{absent} is not installed; make javascript installs it")
    subprocess.run(["npm", "run", "--silent", "prepare"], cwd=NPM, check=True)
    return NPM


@pytest.fixture
def run(package):
    """Run a program in the npm package; returns its status and what it has printed."""

    def run(*command, **environment):
        return subprocess.run(
            command,
            cwd=package,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture(scope="package")
def server(package, tmp_path_factory):
    """The address of the example project, with a database of its own."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "PYTHONPATH": str(ROOT),
    }
    for command in ("migrate", "load_sample_data"):
        manage = [sys.executable, "-m", "django", command, "--verbosity", "0"]
        subprocess.run(manage, env=environment, check=True)
    bind = ["--bind", f"127.0.0.1:{port}"]
    serve = ["gunicorn", "--threads", "8", "--log-level", "warning", *bind, "example_project.wsgi"]
    process = subprocess.Popen([sys.executable, "-m", *serve], env=environment)
    try:
        wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(process, port):
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("The server does not answer.")
