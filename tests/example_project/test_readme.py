"""The README's conversation with curl is what the server says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.serving import example

ROOT = Path(__file__).parents[2]


def conversation():
    """Each command of the section, and the lines that the README shows below it."""
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.partition("## What a client sees\n")[2].partition("\n## ")[0]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    for step in "\n".join(lines).replace("\\\n", " ").split("$ curl")[1:]:
        command, *shown = [line.strip() for line in step.splitlines() if line.strip()]
        headers = [line for line in shown if re.match(r"[\w/.-]+[: ]", line)]
        yield f"curl -s {command}", headers, " ".join(shown[len(headers) :])


def pattern(text):
    """Timestamps differ each time, and … stands for any text."""
    return re.sub(r"(v\d+\\\.)[0-9a-z]+", r"\1[0-9a-z]+", re.escape(text)).replace("…", ".*")


@pytest.fixture
def address(tmp_path):
    with example(tmp_path) as address:
        yield address


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_is_answered_as_the_readme_shows(address, tmp_path):
    steps = list(conversation())
    assert len(steps) == 4
    for command, headers, body in steps:
        command = command.replace("http://127.0.0.1:8000", address)
        command = command.replace("/tmp/", f"{tmp_path}/")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        printed = done.stdout.splitlines()
        for shown in [*headers, body]:
            expected = re.compile(pattern(shown))
            assert not shown or any(map(expected.fullmatch, printed)), (command, shown, printed)
