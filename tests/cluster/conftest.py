"""The databases of the cluster, with the tables of the tests' models."""

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from django.core.management import call_command
from django.db import connections

from tests.testapp.models import Book, Leaf, Person, Shelf

from .servers import free_ports, stop, wait_for


@pytest.fixture(scope="session")
def django_db_setup():
    """The tests make their databases: a standby and PgBouncer can make none."""


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker):
    with django_db_blocker.unblock():
        yield
        connections.close_all()


def create_database(alias, using):
    """Create the database of an alias by a statement on another one, and its tables."""
    settings = connections[alias].settings_dict
    name, settings["NAME"] = settings["NAME"], using
    with connections[alias].cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    connections[alias].close()
    settings["NAME"] = name
    call_command("migrate", database=alias, run_syncdb=True, verbosity=0)


@pytest.fixture(scope="session")
def postgresql_tables(django_db_blocker):
    with django_db_blocker.unblock():
        create_database("default", "postgres")


@pytest.fixture(scope="session")
def galera_tables(django_db_blocker, galera_nodes):
    with django_db_blocker.unblock():
        create_database("node1", "mysql")


@pytest.fixture
def empty_tables():
    """A function that deletes the rows of all tests in one database."""

    def delete(alias):
        for model in (Leaf, Book, Shelf, Person):
            model.objects.using(alias).all().delete()

    return delete


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
    servers = {
        "wsgi": (
            *("gunicorn", "--worker-class=gthread", "--threads=6", "--log-level=error"),
            *(f"--bind=127.0.0.1:{port}", "django.core.wsgi:get_wsgi_application()"),
        ),
        "asgi": (
            *("uvicorn", "--log-level=error", f"--port={port}", "--factory"),
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


@pytest.fixture(scope="session")
def applications(galera_nodes, galera_tables):
    """A function that returns the addresses of one kind of application, one for each node."""
    with ExitStack() as stack:
        running = {}

        def addresses(kind, atomic_requests=False):
            key = kind, atomic_requests
            if key not in running:
                running[key] = [
                    stack.enter_context(application(kind, node, atomic_requests))
                    for node in galera_nodes
                ]
            return running[key]

        yield addresses
