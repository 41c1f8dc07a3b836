"""A session as somebody types it: httpie against gunicorn, on a folder of files."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "handbook.txt").write_text("content")
    return tmp_path


@pytest.fixture
def server(folder):
    """The example project's address, served from ``folder`` by gunicorn."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
            *("--log-level", "warning", "example_project.wsgi"),
        ],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "DATABASE_URL": "sqlite://:memory:",
            "FILES": str(folder),
        },
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            assert process.poll() is None, "the server has ended"
            try:
                httpx.get(f"{address}/about/")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def http(*arguments, home):
    """What httpie prints of an answer: its status, and its headers by their names."""
    environment = os.environ | {"HTTPIE_CONFIG_DIR": str(home)}
    printed = subprocess.run(
        [sys.executable, "-m", "httpie", "--ignore-stdin", "--headers", *arguments],
        env=environment,
        text=True,
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    first, *lines = printed.strip().splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    return int(first.split()[1]), headers


def test_a_touched_file_has_another_tag(server, folder, tmp_path_factory):
    home = tmp_path_factory.mktemp("httpie")
    url = f"{server}/files/handbook.txt"

    status, full = http("GET", url, home=home)
    assert status == 200
    assert full["Content-Length"] == "7"

    status, again = http("GET", url, f"If-None-Match:{full['ETag']}", home=home)
    assert status == 304
    assert again["ETag"] == full["ETag"]
    assert "Content-Length" not in again

    status, head = http("HEAD", url, home=home)
    assert (status, head["ETag"], head["Content-Length"]) == (200, full["ETag"], "7")

    subprocess.run(["touch", folder / "handbook.txt"], check=True)
    status, touched = http("GET", url, f"If-None-Match:{full['ETag']}", home=home)
    assert status == 200
    assert touched["ETag"] != full["ETag"]

    status, _ = http("GET", url, f"If-None-Match:{touched['ETag']}", home=home)
    assert status == 304

    status, missing = http("GET", f"{server}/files/%2e%2e/handbook.txt", home=home)
    assert status == 404
    assert "ETag" not in missing
