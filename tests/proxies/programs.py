"""Servers as processes: found, started without root's rights, and ended by their id."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest

# A user's PATH lacks the folders where Debian puts servers.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])


def find(*names):
    """The file of the first of these programs that is installed, or ``None``."""
    return next(filter(None, (shutil.which(name, path=PATH) for name in names)), None)


def absent(what):
    """Skip a test that cannot run here; under ``make proxies`` nothing may be absent."""
    if os.environ.get("PROXIES") == "required":
        pytest.fail(f"{what} is not installed.")
    pytest.skip(f"{what} is not installed; make proxies installs it")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def nobody():
    """
    Whom servers run as, as arguments of ``Popen``: nobody, where we are root.

    Apache httpd and Squid refuse to be root, and all three would change to users
    who cannot read our folders.
    """
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def running(command, port, folder, **options):
    """
    A server, for as long as the block.

    Args:
        command: with its arguments; it must stay in the foreground.
        port: which it will listen to; the block begins when it does.
        folder: where its output goes, for when it fails.
        options: more for ``Popen``.
    """
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=folder, **options
        )
    try:
        wait_for(process, port, folder)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(process, port, folder, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args[0]} does not answer.\n{logs(folder)}")


def logs(folder):
    """The ends of all that a server has written into its folder."""
    files = [folder / "output", *sorted(folder.glob("*log*"))]
    return "\n".join(
        f"--- {file.name}\n{file.read_text('utf-8', 'replace')[-3000:]}"
        for file in files
        if file.is_file()
    )
