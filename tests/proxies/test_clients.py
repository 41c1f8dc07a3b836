"""Clients as people have them: two on the command line, and three that keep copies."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec

import pytest

from . import programs
from .configurations import CACHES

ASK_AGAIN = {"Cache-Control": "no-cache"}


@contextmanager
def hishel(folder):
    """Version 2 heeds no header unless it is told to follow the RFC."""
    from hishel import CacheOptions, SqliteStorage
    from hishel.httpx import CacheClient

    storage = SqliteStorage(database_path=folder / "hishel.db")
    own = CacheOptions(shared=False)
    with CacheClient(storage=storage, rfc=own, trust_env=False, timeout=30) as client:
        yield client


@contextmanager
def cachecontrol(folder):
    from cachecontrol import CacheControl
    from cachecontrol.caches.file_cache import FileCache
    from requests import Session

    with Session() as session:
        session.trust_env = False
        yield CacheControl(session, FileCache(folder / "cachecontrol"))


@contextmanager
def requests_cache(folder):
    """It keeps everything for ever unless it is told to heed Cache-Control."""
    from requests_cache import CachedSession

    with CachedSession(folder / "requests_cache", cache_control=True) as session:
        session.trust_env = False
        yield session


CLIENTS = {"hishel": hishel, "cachecontrol": cachecontrol, "requests_cache": requests_cache}


@pytest.fixture(params=list(CLIENTS))
def client(request, tmp_path):
    """Each of the libraries that keep copies, with nothing in its cache."""
    if find_spec(request.param) is None:
        programs.absent(request.param)
    with CLIENTS[request.param](tmp_path) as client:
        yield client


def test_a_client_asks_about_its_copy(client, origin, number):
    """``private, no-cache``, the default: kept, and asked about each time."""
    path = f"/api/users/{number}/"
    first = client.get(origin.address + path)
    again = client.get(origin.address + path)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert again.headers["ETag"] == first.headers["ETag"]
    assert origin.seen(path) == [("GET", 200), ("GET", 304)]


def test_a_client_sees_what_was_written_meanwhile(client, origin, http, number):
    path = f"/api/users/{number}/"
    tag = {"If-Match": client.get(origin.address + path).headers["ETag"]}
    assert http.patch(origin.address + path, json={"desk": "Z1"}, headers=tag).status_code == 200
    assert client.get(origin.address + path).json()["desk"] == "Z1"
    assert [status for method, status in origin.seen(path) if method == "GET"] == [200, 200]


def test_a_client_that_asks_again_after_412_can_write(client, origin, http, number):
    """Its own copy is fresh for a minute more, and its tag is the stale one."""
    path = f"/kept/users/{number}/"
    url = origin.address + path
    old = {"If-Match": client.get(url).headers["ETag"]}
    assert http.patch(url, json={"desk": "Z1"}, headers=old).status_code == 200
    assert client.get(url).headers["ETag"] == old["If-Match"]
    assert origin.seen(path) == [("GET", 200), ("PATCH", 200)]

    assert client.patch(url, json={"leave_days": 7}, headers=old).status_code == 412
    read = client.get(url, headers=ASK_AGAIN)
    assert read.json()["desk"] == "Z1"
    new = {"If-Match": read.headers["ETag"]}
    assert client.patch(url, json={"leave_days": 7}, headers=new).status_code == 200


@pytest.mark.parametrize("name", CACHES)
def test_so_can_one_behind_a_cache(client, name, proxies, origin, http, number):
    """Two copies are in its way here, its own and the cache's."""
    path = f"/api/products/{number}/"
    url = proxies(name).address + path
    old = {"If-Match": client.get(url).headers["ETag"]}
    assert http.patch(origin.address + path, json={"stock": 7}, headers=old).status_code == 200
    assert client.patch(url, json={"stock": 8}, headers=old).status_code == 412
    read = client.get(url, headers=ASK_AGAIN)
    assert read.json()["stock"] == 7
    new = {"If-Match": read.headers["ETag"]}
    assert client.patch(url, json={"stock": 8}, headers=new).status_code == 200


def output_of(*command, **environment):
    done = subprocess.run(
        [str(part) for part in command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl_saves_a_tag_and_compares_it(origin, number, tmp_path):
    curl = programs.find("curl") or programs.absent("curl")
    url = f"{origin.address}/users/{number}/"
    tag, page = tmp_path / "tag", tmp_path / "page"
    ask = [curl, "--silent", "--show-error", "--noproxy", "*", "--write-out", "%{http_code}", url]
    change = ["--header", "Content-Type: application/json", "--data", '{"leave_days": 7}']

    assert output_of(*ask, "--etag-save", tag, "--output", page) == "200"
    assert f'"id": {number}' in page.read_text()
    assert output_of(*ask, "--etag-compare", tag, "--output", tmp_path / "empty") == "304"

    guard = ["--header", f"If-Match: {tag.read_text().strip()}", "--output", tmp_path / "answer"]
    assert output_of(*ask, "--request", "PATCH", *change, *guard) == "200"
    assert output_of(*ask, "--request", "PATCH", *change, *guard) == "412"
    both = ["--etag-compare", tag, "--etag-save", tag, "--output", page]
    assert output_of(*ask, *both) == "200"
    assert '"leave_days": 7' in page.read_text()
    assert output_of(*ask, *both) == "304"


def test_httpie_sends_a_tag_as_it_is_typed(origin, http, number, tmp_path):
    if find_spec("httpie") is None:
        programs.absent("httpie")
    (tmp_path / "config.json").write_text(json.dumps({"disable_update_warnings": True}))
    url = f"{origin.address}/users/{number}/"
    ask = partial(
        *(output_of, sys.executable, "-m", "httpie", "--ignore-stdin", "--print=h"),
        HTTPIE_CONFIG_DIR=str(tmp_path),
        NO_PROXY="*",
    )

    tag = http.get(url).headers["ETag"]
    answer = ask("GET", url, f"If-None-Match:{tag}")
    assert answer.startswith("HTTP/1.1 304 ")
    assert f"ETag: {tag}" in answer.splitlines()
    change = ["PATCH", url, f"If-Match:{tag}", "leave_days:=7"]
    assert ask(*change).startswith("HTTP/1.1 200 ")
    assert ask(*change).startswith("HTTP/1.1 412 ")
