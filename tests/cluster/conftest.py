"""The databases of the cluster, with the tables of the tests' models."""

from contextlib import ExitStack

import pytest
from django.db import connections

from tests.testapp.models import Book, Leaf, Person, Shelf

from .applications import application, create_database


@pytest.fixture(scope="session")
def django_db_setup():
    """The tests make their databases: a standby and PgBouncer can make none."""


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker):
    with django_db_blocker.unblock():
        yield
        connections.close_all()


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
