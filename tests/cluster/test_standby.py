"""
PostgreSQL with a standby that applies each change 400 ms later: what a client gets that writes,
and writes or reads again at once. Each conversation is also had without our router.

The tests let the standby pause, so that it is behind on a slow machine, too.
"""

import asyncio
import json
import time

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext, override_settings

from tests.testapp.models import Person

OWN = "tests.cluster.routers.PrimaryReplicaRouter"
OURS = "etag_versioning.routers.ReadYourWritesRouter"
PATHS = {
    "plain": "/plain/people/{}/",
    "async": "/async/people/{}/",
    "DRF": "/api/people/{}/",
    "adrf": "/async-api/people/{}/",
}


@pytest.fixture(autouse=True)
def clean(postgresql_tables, empty_tables):
    empty_tables("default")


@pytest.fixture
def person():
    """A row that the standby has, which applies nothing more until ``resume()``."""
    resume()
    person = Person.objects.using("default").create(name="first")
    wait_for_standby(person)
    on_standby("SELECT pg_wal_replay_pause()")
    yield person
    resume()


def resume():
    on_standby("SELECT pg_wal_replay_resume()")


def on_standby(statement):
    with connections["replica"].cursor() as cursor:
        cursor.execute(statement)


def wait_for_standby(row):
    """Wait until the standby has the row in its state on the primary."""
    rows = type(row).objects.filter(pk=row.pk).values_list("version", "updated_at")
    end = time.monotonic() + 20
    while rows.using("replica").first() != rows.using("default").first():
        assert time.monotonic() < end, "The standby does not catch up."
        time.sleep(0.02)


@pytest.fixture
def our_router():
    with override_settings(DATABASE_ROUTERS=[OURS, OWN]):
        yield


@pytest.fixture(params=PATHS)
def send(request):
    """Send a request to one of the four views of a person, each in its kind of client."""
    path, is_async = PATHS[request.param], request.param in ("async", "adrf")

    def run(method, pk, *, body=None, **headers):
        arguments = (method, path.format(pk), "" if body is None else json.dumps(body))
        given = {"content_type": "application/json", "headers": headers}
        if not is_async:
            return Client().generic(*arguments, **given)

        async def in_loop():
            answer = await AsyncClient().generic(*arguments, **given)
            await sync_to_async(connections.close_all)()
            return answer

        return asyncio.run(in_loop())

    run.way = request.param
    return run


@pytest.mark.usefixtures("our_router")
class TestWithOurRouter:
    def test_a_second_patch_with_a_fresh_tag_is_200_at_once(self, send, person):
        tag = send("GET", person.pk)["ETag"]
        first = send("PATCH", person.pk, body={"name": "second"}, if_match=tag)
        second = send("PATCH", person.pk, body={"name": "third"}, if_match=first["ETag"])
        assert (first.status_code, second.status_code) == (200, 200)
        assert Person.objects.using("default").get().name == "third"

    def test_the_newest_tag_is_304_at_once(self, send, person):
        tag = send("GET", person.pk)["ETag"]
        newest = send("PATCH", person.pk, body={"name": "second"}, if_match=tag)["ETag"]
        assert send("GET", person.pk, if_none_match=newest).status_code == 304

    def test_a_tag_that_neither_has_gets_the_content_of_the_primary(self, send, person):
        tag = send("GET", person.pk)["ETag"]
        newest = send("PATCH", person.pk, body={"name": "second"}, if_match=tag)["ETag"]
        answer = send("GET", person.pk, if_none_match='"another"')
        assert (answer.status_code, answer.json()["name"]) == (200, "second")
        assert answer["ETag"].startswith(newest.rstrip('"').partition("~")[0])

    def test_a_second_delete_with_the_tag_of_a_write_is_204_at_once(self, send, person):
        tag = send("GET", person.pk)["ETag"]
        newest = send("PATCH", person.pk, body={"name": "second"}, if_match=tag)["ETag"]
        assert send("DELETE", person.pk, if_match=newest).status_code == 204

    def test_a_standby_that_has_caught_up_answers_alone(self, send, person):
        tag = send("GET", person.pk)["ETag"]
        newest = send("PATCH", person.pk, body={"name": "second"}, if_match=tag)["ETag"]
        resume()
        wait_for_standby(person)
        with CaptureQueriesContext(connections["default"]) as primary:
            assert send("GET", person.pk, if_none_match=newest).status_code == 304
        assert len(primary) == 0


class TestWithoutOurRouter:
    def test_a_plain_views_second_patch_is_503(self, send, person):
        tag = send("GET", person.pk)["ETag"]
        first = send("PATCH", person.pk, body={"name": "second"}, if_match=tag)
        second = send("PATCH", person.pk, body={"name": "third"}, if_match=first["ETag"])
        expected = 503 if send.way in ("plain", "async") else 200
        assert second.status_code == expected

    def test_the_newest_tag_gets_the_older_content(self, send, person):
        tag = send("GET", person.pk)["ETag"]
        newest = send("PATCH", person.pk, body={"name": "second"}, if_match=tag)["ETag"]
        answer = send("GET", person.pk, if_none_match=newest)
        assert (answer.status_code, answer.json()["name"]) == (200, "first")
