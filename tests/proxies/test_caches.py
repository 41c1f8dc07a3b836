"""What caches in front of the origin keep, for how long, and how they ask again."""

import itertools
import time

import httpx
import pytest

from .configurations import CACHES

# Caches count age in whole seconds, and both ends of the second are in it.
MAX_AGE = 1
GRAIN = 1
OLD_COPIES = 4
# Products far from those that other tests use.
KEYS = itertools.count(501)


@pytest.fixture(scope="module")
def old_copies():
    """For each cache, by its name, pages that have grown old together."""
    return {}


@pytest.fixture
def old_copy(cache, http, old_copies):
    """A path under ``/dated/``, and the answer that the cache has kept longer than it may."""
    if cache.name not in old_copies:
        paths = [f"/dated/products/{next(KEYS)}/" for _ in range(OLD_COPIES)]
        old_copies[cache.name] = [(path, http.get(cache.address + path)) for path in paths]
        time.sleep(MAX_AGE + GRAIN + 0.1)
    return old_copies[cache.name].pop()


def test_a_fresh_copy_is_served_without_the_origin(cache, origin, http, number):
    path = f"/api/products/{number}/"
    full = http.get(cache.address + path)
    again = http.get(cache.address + path)
    assert again.json() == full.json()
    assert again.headers["ETag"] == full.headers["ETag"]
    tag = {"If-None-Match": full.headers["ETag"]}
    assert http.get(cache.address + path, headers=tag).status_code == 304
    assert origin.seen(path) == [("GET", 200)]


def test_an_old_copy_is_asked_about_and_then_served_whole(cache, origin, http, old_copy):
    """
    The origin's 304 has no Content-Length. ``Content-Length: 0`` there makes Squid
    serve an empty page, and mod_cache drop its copy and ask for the page again.
    """
    path, full = old_copy
    again = http.get(cache.address + path)
    assert again.status_code == 200
    assert again.json() == full.json()
    assert again.headers["ETag"] == full.headers["ETag"]
    assert origin.seen(path) == [("GET", 200), ("GET", 304)]


def test_a_client_is_answered_304_from_an_old_copy_too(cache, origin, http, old_copy):
    """
    With both of the headers that come with a copy. To If-None-Match alone Squid
    answers 200, with its whole copy, although the origin has just told it 304.
    """
    path, full = old_copy
    both = {
        "If-None-Match": full.headers["ETag"],
        "If-Modified-Since": full.headers["Last-Modified"],
    }
    assert http.get(cache.address + path, headers=both).status_code == 304
    assert origin.seen(path) == [("GET", 200), ("GET", 304)]


def test_a_tag_alone_is_enough_but_for_squid(cache, origin, http, old_copy):
    path, full = old_copy
    answer = http.get(cache.address + path, headers={"If-None-Match": full.headers["ETag"]})
    assert answer.status_code == (200 if cache.name == "Squid" else 304)
    assert origin.seen(path) == [("GET", 200), ("GET", 304)]


def test_nothing_is_served_longer_than_its_max_age(cache, origin, http, old_copy):
    """The write goes past the cache, which cannot know of it."""
    path, old = old_copy
    tag = {"If-Match": old.headers["ETag"]}
    written = http.patch(origin.address + path, json={"stock": 7}, headers=tag)
    assert written.status_code == 200
    known = {"If-None-Match": old.headers["ETag"]}
    read = http.get(cache.address + path, headers=known)
    assert read.status_code == 200
    assert read.json()["stock"] == 7
    assert read.headers["ETag"] == written.headers["ETag"] != old.headers["ETag"]


def test_private_answers_are_not_kept(cache, origin, http, number):
    for path in (f"/users/{number}/", f"/api/users/{number}/"):
        for _ in range(2):
            assert http.get(cache.address + path).status_code == 200
        assert origin.seen(path) == [("GET", 200), ("GET", 200)]


def test_a_412_to_one_is_no_answer_to_others(cache, http, number):
    """
    The refused request is a GET, whose answers caches might keep. nginx evaluates it by
    itself, and may hang up after that without saying so.
    """
    url = f"{cache.address}/api/products/{number}/"
    once = {"Connection": "close"}
    for _ in range(2):
        assert http.get(url, headers=once | {"If-Match": '"old"'}).status_code == 412
        assert http.get(url, headers=once).status_code == 200


def test_each_representation_has_its_own_copy(cache, origin, http, number):
    """``Vary: Accept``: JSON and HTML share an address, and neither a copy nor a tag."""
    path = f"/api/products/{number}/"
    kinds = ({"Accept": "application/json"}, {"Accept": "text/html"})
    json, html = (http.get(cache.address + path, headers=kind) for kind in kinds)
    assert json.headers["Content-Type"] == "application/json"
    assert html.headers["Content-Type"].startswith("text/html")
    assert json.headers["ETag"] != html.headers["ETag"]
    for kind, first in zip(kinds, (json, html), strict=True):
        again = http.get(cache.address + path, headers=kind)
        assert again.content == first.content
        tag = kind | {"If-None-Match": first.headers["ETag"]}
        assert http.get(cache.address + path, headers=tag).status_code == 304
    assert origin.seen(path) == [("GET", 200), ("GET", 200)]


def test_nginx_sends_whole_what_it_might_keep_and_may_not(proxies, origin, http, number):
    """Why ``proxy_cache`` is for public answers alone: it takes If-None-Match away."""
    path = f"/api/users/{number}/"
    url = proxies("nginx proxy_cache").address + path
    tag = {"If-None-Match": http.get(url).headers["ETag"]}
    assert http.get(url, headers=tag).status_code == 200
    assert origin.seen(path) == [("GET", 200), ("GET", 200)]


COMPRESSING = ["nginx gzip", "Apache mod_deflate"]


@pytest.fixture(scope="module")
def chains(proxies):
    """Each cache in front of each proxy that compresses, with a copy that has grown old."""
    pairs = {
        (name, gzip): (proxies(name, behind=proxies(gzip)), f"/brief/products/{next(KEYS)}/")
        for name in CACHES
        for gzip in COMPRESSING
    }
    found = {
        pair: (cache, path, httpx.get(cache.address + path, trust_env=False))
        for pair, (cache, path) in pairs.items()
    }
    time.sleep(MAX_AGE + GRAIN + 0.1)
    return found


@pytest.mark.parametrize("gzip", COMPRESSING)
@pytest.mark.parametrize("name", CACHES)
def test_a_copy_with_a_changed_tag_is_asked_about_too(chains, name, gzip, origin, http):
    """
    A cache in front of a proxy that compresses has the tag as that left it, and asks
    with it. The 304 has to name that tag, or mod_cache drops its copy. Squid does not
    ask by a weak tag alone: it fetches the page again.
    """
    cache, path, full = chains[name, gzip]
    assert full.headers["Content-Encoding"] == "gzip"
    again = http.get(cache.address + path)
    assert again.json() == full.json()
    assert again.headers["ETag"] == full.headers["ETag"]
    weak_at_squid = (name, gzip) == ("Squid", "nginx gzip")
    assert origin.seen(path) == [("GET", 200), ("GET", 200 if weak_at_squid else 304)]
