"""
The tutorial's commands, in an empty folder, in order, do what it says.

With TUTORIAL=required, its environment and packages are installed as it says, this package from
this repository. Otherwise its lines that install are left out, and it runs in this environment.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from .blocks import DOCS, ROOT, blocks

INSTALLS = os.environ.get("TUTORIAL") == "required"
SETUP = ("python3 -m venv ", ". .venv/bin/activate", "pip install ")
AT_THE_END = ", at the end"


def matches(shown, printed):
    """Whether a line is as the page shows it; … stands for any text."""
    return re.fullmatch(re.escape(shown).replace("…", ".*"), printed) is not None


class Reader:
    """Does what the tutorial says: writes its files, runs its commands, compares what it shows."""

    def __init__(self, folder):
        self.folder = folder
        self.server = None
        self.serving = ""
        self.is_outdated = False
        self.printed = ""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "PYTHONPATH")
        }
        if not INSTALLS:
            self.environment["PYTHONPATH"] = str(ROOT)
            self.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def follow(self, block):
        if block.language == "python":
            self.write(block.title, block.text)
        elif block.language == "text":
            self.compare(block)
        elif block.title == "second terminal":
            self.serve(self.commands(block))
        else:
            self.run(self.commands(block))

    def commands(self, block):
        lines = block.text.splitlines()
        if not INSTALLS:
            lines = [line for line in lines if not line.startswith(SETUP)]
        text = "\n".join(lines).replace("8000", str(self.port))
        return text.replace("pip install django-etag-versioning", f"pip install {ROOT}")

    def write(self, title, text):
        file = self.folder / title.removesuffix(AT_THE_END)
        before = file.read_text() if title.endswith(AT_THE_END) else ""
        file.write_text(before + text)
        # The server would load the file by itself, but nothing tells when it has.
        self.is_outdated = True

    def run(self, commands):
        # What activates the environment holds for the commands after it, in other blocks too.
        if self.server is not None and self.is_outdated and "curl " in commands:
            self.stop()
            self.serve(self.serving)
        activate = "[ ! -e .venv ] || . .venv/bin/activate\n" if INSTALLS else ""
        done = subprocess.run(
            ["bash", "-e", "-c", activate + commands],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, (commands, done.stdout, done.stderr)
        self.printed = done.stdout

    def serve(self, commands):
        self.serving, self.is_outdated = commands, False
        self.server = subprocess.Popen(
            ["bash", "-e", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.wait()

    def answers(self):
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def wait(self, *, until=True):
        for _ in range(300):
            if self.answers() == until:
                return
            time.sleep(0.1)
        raise AssertionError(f"Port {self.port}: answers {not until}.")

    def compare(self, block):
        """Each line that the page shows was printed, in this order."""
        # A body has no newline at its end.
        printed = iter(re.sub(r"\}(?=[{H])", "}\n", self.printed).splitlines())
        for shown in block.text.splitlines():
            found = any(matches(shown, line.strip()) for line in printed)
            assert found, f"{block}: {shown!r} is not in:\n{self.printed}"

    def stop(self):
        if self.server is not None:
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait(timeout=30)
            # The server is a child of that shell, and ends a little later.
            self.wait(until=False)


@pytest.fixture
def reader(tmp_path):
    reader = Reader(tmp_path)
    yield reader
    reader.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the tutorial's project has SQLite")
def test_the_tutorial_leads_from_an_empty_folder_to_the_first_304_and_the_first_412(reader):
    steps = blocks(DOCS / "tutorial.md")
    shown = "".join(block.text for block in steps if block.language == "text")
    assert "304 Not Modified" in shown
    assert "412 Precondition Failed" in shown
    for block in steps:
        reader.follow(block)
