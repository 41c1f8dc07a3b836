"""What the clients for programs take and return."""

from typing import Any, assert_type

import httpx

from etag_versioning.contrib.client import AsyncVersionedClient, VersionedClient


def add_a_day(user: dict[str, Any]) -> dict[str, Any] | None:
    return {"leave_days": user["leave_days"] + 1}


async def add_a_day_later(user: dict[str, Any]) -> dict[str, Any]:
    return {"leave_days": user["leave_days"] + 1}


with VersionedClient(base_url="https://example.org", remembered=10) as client:
    assert_type(client, VersionedClient)
    assert_type(client.get("/users/7/"), httpx.Response)
    assert_type(client.send(client.build_request("GET", "/users/7/")), httpx.Response)
    assert_type(client.retry_on_conflict("/users/7/", add_a_day, method="PUT"), httpx.Response)
    assert_type(client.etag("/users/7/"), str | None)
    client.remember(httpx.URL("/users/7/"), '"v1"')
    client.forget()


async def main() -> None:
    async with AsyncVersionedClient(timeout=5) as client:
        assert_type(client, AsyncVersionedClient)
        assert_type(await client.get("/users/7/"), httpx.Response)
        assert_type(await client.send(client.build_request("GET", "/")), httpx.Response)
        assert_type(await client.retry_on_conflict("/users/7/", add_a_day), httpx.Response)
        assert_type(await client.retry_on_conflict("/users/7/", add_a_day_later), httpx.Response)
