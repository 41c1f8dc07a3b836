"""
PgBouncer in transaction mode, with four connections for nine writers: what needs a session fails,
and nothing of ours does. The suite's main conversations run through it, too (``__main__.py``).
"""

import json
import threading

import pytest
from django.db import ProgrammingError, connections, transaction
from django.test import Client, override_settings

from tests.testapp.models import Person


class Pooled:
    """All rows are in the database behind PgBouncer."""

    def db_for_read(self, model, **hints):
        return "pooled"

    db_for_write = db_for_read


@pytest.fixture(autouse=True)
def clean(postgresql_tables, empty_tables):
    empty_tables("default")
    with override_settings(DATABASE_ROUTERS=[Pooled()]):
        yield


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def test_it_is_in_transaction_mode():
    """A prepared statement stays in the session that made it, which is another client's soon."""

    def backend():
        with transaction.atomic("pooled"), connections["pooled"].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    def statement(text):
        with connections["pooled"].cursor() as cursor:
            cursor.execute(text)

    statement("PREPARE one AS SELECT 1")
    first = backend()
    holding = threading.Event()
    held = threading.Event()

    def hold():
        """Occupy the connection that the statement was prepared on."""
        with transaction.atomic("pooled"), connections["pooled"].cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
            held.set()
            holding.wait(20)
        connections.close_all()

    pids = []
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    try:
        second = backend()
        assert first != second
        with pytest.raises(ProgrammingError, match="does not exist"):
            statement("EXECUTE one")
    finally:
        holding.set()
        thread.join()


@pytest.mark.parametrize("path", ["/plain/people/{}/", "/api/people/{}/"])
def test_nine_writers_lose_no_update(person, path):
    url, goal, errors = path.format(person.pk), 60, []
    successes = []

    def write():
        client = Client()
        try:
            while len(successes) < goal:
                got = client.get(url)
                body = json.dumps({"name": "a", "days": got.json()["days"] + 1})
                headers = {"If-Match": got["ETag"]}
                answer = client.put(url, body, "application/json", headers=headers)
                if answer.status_code == 200:
                    successes.append(1)
                elif answer.status_code != 412:
                    errors.append(answer.status_code)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors
    assert Person.objects.get().days == len(successes) >= goal


@pytest.fixture
def server_side_cursors():
    """As in a project that has not set DISABLE_SERVER_SIDE_CURSORS."""
    settings = connections["pooled"].settings_dict
    settings["DISABLE_SERVER_SIDE_CURSORS"] = False
    yield
    settings["DISABLE_SERVER_SIDE_CURSORS"] = True


def test_the_tag_of_a_long_list_streams_within_one_session(server_side_cursors):
    Person.objects.bulk_create([Person(name=str(number)) for number in range(5000)])
    client, stopped = Client(), threading.Event()

    def disturb():
        """Take the connections in turn, so that no client gets the same one twice."""
        while not stopped.is_set():
            Person.objects.count()
        connections.close_all()

    threads = [threading.Thread(target=disturb) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        tag = client.get("/api/people/")["ETag"]
        answer = client.get("/api/people/", headers={"If-None-Match": tag})
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert answer.status_code == 304
