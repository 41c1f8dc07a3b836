"""`retry_on_conflict()`: read, change, write, and again after a 412."""

import json

import httpx
import pytest

from etag_versioning.contrib.client import AsyncVersionedClient, VersionedClient

from .answers import URL, Answers, answer


@pytest.fixture(autouse=True)
def waited(monkeypatch):
    """The seconds that the clients have waited, of which the tests wait none."""
    seconds = []

    async def wait(time):
        seconds.append(time)

    monkeypatch.setattr("time.sleep", seconds.append)
    monkeypatch.setattr("anyio.sleep", wait)
    return seconds


def add_one(data):
    return {"days": data["days"] + 1}


def days(number, **headers):
    return answer(tag=f'"v{number}"', data={"days": number}, **headers)


def bodies(server):
    return [json.loads(request.content) for request in server.asked if request.content]


def test_what_was_read_is_changed_and_written_with_its_tag():
    server = Answers(days(1), days(2))
    with VersionedClient(transport=server) as client:
        written = client.retry_on_conflict(URL, add_one)
    read, write = server.asked
    assert (read.method, read.headers["Cache-Control"]) == ("GET", "no-cache")
    assert (write.method, write.headers["If-Match"]) == ("PATCH", '"v1"')
    assert bodies(server) == [{"days": 2}]
    assert written.json() == {"days": 2}


def test_after_a_412_the_change_is_made_of_what_is_there_now(waited):
    server = Answers(days(1), answer(412), days(5), days(6))
    with VersionedClient(transport=server) as client:
        written = client.retry_on_conflict(URL, add_one)
    assert bodies(server) == [{"days": 2}, {"days": 6}]
    assert server.asked[3].headers["If-Match"] == '"v5"'
    assert written.status_code == 200
    assert len(waited) == 1


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
async def test_the_async_client_does_the_same(kind, waited):
    async def add_one_later(data):
        return add_one(data)

    server = Answers(days(1), answer(412), days(5), days(6))
    async with AsyncVersionedClient(transport=server) as client:
        change = add_one if kind == "function" else add_one_later
        written = await client.retry_on_conflict(URL, change)
    assert bodies(server) == [{"days": 2}, {"days": 6}]
    assert written.status_code == 200
    assert len(waited) == 1


def test_the_read_may_be_a_304_and_the_write_names_its_tag():
    server = Answers(days(1), answer(304, tag='"v1"'), days(2))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.retry_on_conflict(URL, add_one)
    assert server.asked[1].headers["If-None-Match"] == '"v1"'
    assert server.asked[2].headers["If-Match"] == '"v1"'


def test_the_write_names_what_was_read_though_another_request_has_renewed_the_tag():
    server = Answers(days(1), days(2), answer(412), days(2), days(3))
    with VersionedClient(transport=server) as client:

        def change(data):
            if data["days"] == 1:
                client.get(URL)
            return add_one(data)

        client.retry_on_conflict(URL, change)
    assert server.asked[2].headers["If-Match"] == '"v1"'


def test_a_change_to_none_writes_nothing():
    server = Answers(days(1))
    with VersionedClient(transport=server) as client:
        read = client.retry_on_conflict(URL, lambda data: None)
    assert len(server.asked) == 1
    assert read.json() == {"days": 1}


def test_a_change_that_alters_the_data_and_returns_nothing_is_a_mistake():
    with (
        VersionedClient(transport=Answers(days(1))) as client,
        pytest.raises(TypeError, match="return them"),
    ):
        client.retry_on_conflict(URL, lambda data: data.update(days=2))


def test_a_change_may_alter_the_data_and_return_them():
    server = Answers(days(1), days(2))
    with VersionedClient(transport=server) as client:
        client.retry_on_conflict(URL, lambda data: data.update(days=2) or data)
    assert bodies(server) == [{"days": 2}]


def test_method_and_options_are_those_of_the_requests():
    server = Answers(days(1), days(2))
    with VersionedClient(transport=server) as client:
        options = {"headers": {"Authorization": "Bearer t"}, "params": {"language": "de"}}
        client.retry_on_conflict(URL, add_one, method="PUT", **options)
    assert [request.method for request in server.asked] == ["GET", "PUT"]
    for request in server.asked:
        assert request.url.query == b"language=de"
        assert request.headers["Authorization"] == "Bearer t"
    assert "Cache-Control" not in server.asked[1].headers
    assert "If-Match" not in server.asked[0].headers


def test_the_last_412_is_raised(waited):
    server = Answers(*[days(1), answer(412)] * 3)
    with (
        VersionedClient(transport=server) as client,
        pytest.raises(httpx.HTTPStatusError) as raised,
    ):
        client.retry_on_conflict(URL, add_one, attempts=3)
    assert raised.value.response.status_code == 412
    assert len(waited) == 2


def test_the_waits_are_random_grow_and_are_bounded(monkeypatch, waited):
    monkeypatch.setattr("random.uniform", lambda shortest, longest: longest)
    server = Answers(*[days(1), answer(412)] * 9)
    with VersionedClient(transport=server) as client, pytest.raises(httpx.HTTPStatusError):
        client.retry_on_conflict(URL, add_one, attempts=9)
    assert waited == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2]


@pytest.mark.parametrize("status", [400, 403, 409, 428, 500])
def test_another_refusal_of_the_write_is_raised_at_once(status, waited):
    server = Answers(days(1), answer(status))
    with (
        VersionedClient(transport=server) as client,
        pytest.raises(httpx.HTTPStatusError) as raised,
    ):
        client.retry_on_conflict(URL, add_one)
    assert raised.value.response.status_code == status
    assert waited == []


@pytest.mark.parametrize("status", [302, 403, 404])
def test_a_read_that_shows_nothing_is_raised_and_nothing_is_written(status):
    server = Answers(answer(status, location="/elsewhere/"))
    with (
        VersionedClient(transport=server) as client,
        pytest.raises(httpx.HTTPStatusError) as raised,
    ):
        client.retry_on_conflict(URL, add_one)
    assert raised.value.response.status_code == status
    assert len(server.asked) == 1


CONTENTION = {"error": "SERVICE_UNAVAILABLE", "reason": "contention"}


@pytest.mark.parametrize("busy", ["read", "write"])
def test_a_busy_server_is_asked_again_after_the_seconds_that_it_names(busy, waited):
    refused = answer(503, data=CONTENTION, retry_after="1")
    first = [refused] if busy == "read" else [days(1), refused]
    server = Answers(*first, days(1), days(2))
    with VersionedClient(transport=server) as client:
        client.retry_on_conflict(URL, add_one)
    assert len(waited) == 1
    assert 1 <= waited[0] <= 1.05


@pytest.mark.parametrize("told", [{}, {"retry_after": "60"}, {"retry_after": "soon"}])
def test_a_server_that_is_busy_for_long_is_told_at_once(told, waited):
    server = Answers(days(1), answer(503, data=CONTENTION, **told))
    with (
        VersionedClient(transport=server) as client,
        pytest.raises(httpx.HTTPStatusError) as raised,
    ):
        client.retry_on_conflict(URL, add_one)
    assert raised.value.response.status_code == 503
    assert waited == []


@pytest.mark.parametrize("data", [None, [], {"reason": "unreachable"}, "busy"])
def test_a_write_that_may_have_been_made_is_not_made_again(data, waited):
    server = Answers(days(1), answer(503, data=data, retry_after="1"))
    with VersionedClient(transport=server) as client, pytest.raises(httpx.HTTPStatusError):
        client.retry_on_conflict(URL, add_one)
    assert waited == []


def test_a_write_that_was_made_and_redirected_to_a_busy_page_is_not_made_again(waited):
    made, busy = answer(303, location=URL), answer(503, retry_after="1")
    with (
        VersionedClient(transport=Answers(days(1), made, busy), follow_redirects=True) as client,
        pytest.raises(httpx.HTTPStatusError),
    ):
        client.retry_on_conflict(URL, add_one)
    assert waited == []


def test_a_busy_server_takes_attempts_too(waited):
    server = Answers(*[answer(503, retry_after="1")] * 2)
    with VersionedClient(transport=server) as client, pytest.raises(httpx.HTTPStatusError):
        client.retry_on_conflict(URL, add_one, attempts=2)
    assert len(waited) == 1


def test_a_resource_without_a_tag_is_not_written():
    server = Answers(answer(data={"days": 1}))
    with VersionedClient(transport=server) as client, pytest.raises(ValueError, match="no ETag"):
        client.retry_on_conflict(URL, add_one)
    assert len(server.asked) == 1


def test_no_attempts_are_a_mistake():
    with VersionedClient() as client, pytest.raises(ValueError, match="attempts=0"):
        client.retry_on_conflict(URL, add_one, attempts=0)


def test_an_error_of_the_change_is_the_callers():
    with (
        VersionedClient(transport=Answers(days(1))) as client,
        pytest.raises(KeyError, match="day"),
    ):
        client.retry_on_conflict(URL, lambda data: data["day"])
