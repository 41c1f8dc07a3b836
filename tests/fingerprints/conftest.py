import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .project import FILES

ROOT = Path(__file__).parents[2]


class Project:
    """A project in a folder of its own, whose fingerprints are made in processes of their own."""

    def __init__(self, folder, server):
        self.folder = folder
        self.server = server
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name, old, new):
        """Replace text that is there once."""
        text = (self.folder / name).read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def answer(self, before=""):
        """Everything that is known of the fingerprints, after the code ``before`` has run."""
        self.server.stdin.write(json.dumps([str(self.folder), before]) + "\n")
        self.server.stdin.flush()
        found = json.loads(self.server.stdout.readline())
        assert "error" not in found, found
        return found

    def fingerprints(self, before=""):
        """The fingerprint of each view, by its name."""
        return self.answer(before)["fingerprints"]


@pytest.fixture(scope="session")
def server():
    pytest.importorskip("rest_framework")
    # Bytecode is not stored: an edit in the same second could be missed.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fingerprints.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def project(tmp_path, server):
    return Project(tmp_path / "project", server)


@pytest.fixture(scope="session")
def unedited(tmp_path_factory, server):
    """The fingerprints of the project as it is."""
    return Project(tmp_path_factory.mktemp("unedited"), server).fingerprints()
