"""Both clients against the example project behind a real server."""

import asyncio
import threading

import httpx

from etag_versioning.contrib.client import AsyncVersionedClient, VersionedClient

CLIENTS = 8


def add_one(user):
    return {"leave_days": user["leave_days"] + 1}


def leave_days(address, path):
    return httpx.get(address + path).json()["leave_days"]


def test_a_read_is_a_304_until_somebody_writes(address):
    with VersionedClient(base_url=address) as client, VersionedClient(base_url=address) as other:
        user = client.get("/users/1/").json()
        again = client.get("/users/1/")
        assert again.json() == user
        assert again.extensions["not_modified"].status_code == 304
        assert again.extensions["not_modified"].content == b""

        other.get("/users/1/")
        assert other.patch("/users/1/", json={"desk": "Z1"}).status_code == 200
        assert client.get("/users/1/").json()["desk"] == "Z1"


def test_the_answer_to_a_write_is_the_content_of_the_next_read(address):
    with VersionedClient(base_url=address) as client:
        client.get("/api/users/2/")
        client.patch("/api/users/2/", json={"desk": "Z2"})
        read = client.get("/api/users/2/")
        assert read.extensions["not_modified"].status_code == 304
        assert read.json()["desk"] == "Z2"


def test_a_write_of_an_old_state_is_a_412_and_the_next_one_too(address):
    with VersionedClient(base_url=address) as client, VersionedClient(base_url=address) as other:
        client.get("/users/3/")
        other.get("/users/3/")
        assert other.patch("/users/3/", json={"desk": "Z3"}).status_code == 200
        assert client.patch("/users/3/", json={"desk": "A"}).status_code == 412
        assert client.patch("/users/3/", json={"desk": "A"}).status_code == 412


def test_eight_threads_add_one_and_all_are_kept(address):
    before, answers = leave_days(address, "/users/4/"), []
    barrier = threading.Barrier(CLIENTS)

    def write():
        with VersionedClient(base_url=address, timeout=60) as client:
            barrier.wait()
            answers.append(client.retry_on_conflict("/users/4/", add_one))

    threads = [threading.Thread(target=write) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.json()["leave_days"] for answer in answers) == [
        before + number for number in range(1, CLIENTS + 1)
    ]
    assert leave_days(address, "/users/4/") == before + CLIENTS


async def test_eight_coroutines_add_one_and_all_are_kept(address):
    before = leave_days(address, "/api/users/5/")

    async def write():
        async with AsyncVersionedClient(base_url=address, timeout=60) as client:
            return await client.retry_on_conflict("/api/users/5/", add_one)

    answers = await asyncio.gather(*(write() for _ in range(CLIENTS)))
    assert {answer.status_code for answer in answers} == {200}
    assert leave_days(address, "/api/users/5/") == before + CLIENTS


def test_eight_threads_with_one_client_add_one_and_all_are_kept(address):
    before, threads = leave_days(address, "/users/6/"), []
    with VersionedClient(base_url=address, timeout=60) as client:
        for _ in range(CLIENTS):
            arguments = ("/users/6/", add_one)
            threads.append(threading.Thread(target=client.retry_on_conflict, args=arguments))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert leave_days(address, "/users/6/") == before + CLIENTS
