"""Node.js, with what npm/package.json names; and the example project behind a real server."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.serving import example

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
    with example(tmp_path_factory.mktemp("server")) as address:
        yield address
