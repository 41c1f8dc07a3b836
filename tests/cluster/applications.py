"""The views of this folder behind real servers, and the databases that they use."""

import os
import subprocess
import sys
from contextlib import contextmanager

import httpx
from django.core.management import call_command
from django.db import connections

from .servers import free_ports, stop, wait_for


def create_database(alias, using):
    """Create the database of an alias by a statement on another one, and its tables."""
    settings = connections[alias].settings_dict
    name, settings["NAME"] = settings["NAME"], using
    with connections[alias].cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    connections[alias].close()
    settings["NAME"] = name
    call_command("migrate", database=alias, run_syncdb=True, verbosity=0)


@contextmanager
def application(kind, node, atomic_requests=False):
    """
    The views of this folder behind a real server; yields its address.

    Args:
        kind: "wsgi" for gunicorn, "asgi" for uvicorn.
        node: the node of Galera that is its database.
        atomic_requests: the setting.
    """
    (port,) = free_ports(1)
    # A writer may wait for the others longer than servers usually keep a connection.
    servers = {
        "wsgi": (
            *("gunicorn", "--worker-class=gthread", "--threads=6", "--log-level=error"),
            *("--keep-alive=300", "--timeout=300"),
            *(f"--bind=127.0.0.1:{port}", "django.core.wsgi:get_wsgi_application()"),
        ),
        "asgi": (
            *("uvicorn", "--log-level=error", f"--port={port}", "--timeout-keep-alive=300"),
            "--factory",
            "django.core.asgi:get_asgi_application",
        ),
    }
    environment = dict(
        os.environ,
        DJANGO_SETTINGS_MODULE="tests.cluster.settings",
        NODE=str(node.port),
        ATOMIC_REQUESTS="1" if atomic_requests else "0",
    )
    process = subprocess.Popen([sys.executable, "-m", *servers[kind]], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: is_up(address), f"{kind} application")
        yield address
    finally:
        stop(process)


def is_up(address):
    try:
        return httpx.get(f"{address}/", timeout=10).status_code == 404
    except httpx.TransportError:
        return False
