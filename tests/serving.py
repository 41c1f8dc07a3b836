"""The example project behind a real server, with a database of its own."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx

ROOT = Path(__file__).parents[1]
WORKERS = 4
WSGI = ["gunicorn", "--workers", str(WORKERS), "--log-level", "warning"]
ASGI = ["uvicorn", "--workers", str(WORKERS), "--log-level", "warning"]


@contextmanager
def database(folder, settings):
    """
    A database of its own, with the sample data; yields the environment for it.

    Args:
        folder: where a file of SQLite's goes, if ``DATABASE_URL`` names no database.
        settings: the module of the settings.
    """
    environment = dict(os.environ, DJANGO_SETTINGS_MODULE=settings)
    url = environment.get("DATABASE_URL")
    if not url:
        environment["DATABASE_URL"] = f"sqlite:///{folder / 'db.sqlite3'}"
    os.environ.update(environment)
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    if url:
        name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
        environment["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    else:
        call_command("migrate", verbosity=0)
    call_command("load_sample_data", verbosity=0)
    print(f"{connection.vendor}, {WORKERS} workers", flush=True)
    connection.close()
    yield environment
    if url:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


@contextmanager
def example(folder, kind="wsgi"):
    """The example project with the sample data, in a file in ``folder``; yields its address."""
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
    }
    for command in ("migrate", "load_sample_data"):
        manage = [sys.executable, "manage.py", command, "--verbosity", "0"]
        subprocess.run(manage, cwd=ROOT, env=environment, check=True)
    with server(kind, environment) as address:
        yield address


@contextmanager
def server(kind, environment):
    """The example project through gunicorn ("wsgi") or uvicorn ("asgi"); yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if kind == "wsgi":
        arguments = [*WSGI, "--bind", f"127.0.0.1:{port}", "example_project.wsgi"]
    else:
        arguments = [*ASGI, "--port", str(port), "example_project.asgi:application"]
    process = subprocess.Popen([sys.executable, "-m", *arguments], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                httpx.get(f"{address}/stats/")
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)
