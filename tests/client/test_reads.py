"""What GET and HEAD send, and what a 304 becomes."""

import gzip

import httpx
import pytest

from etag_versioning.contrib.client import AsyncVersionedClient, VersionedClient

from .answers import URL, Answers, answer


def test_a_304_becomes_the_200_that_is_remembered():
    server = Answers(answer(tag='"v1"', data={"name": "Ada"}), answer(304, tag='"v1"'))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        again = client.get(URL)
    assert "If-None-Match" not in server.asked[0].headers
    assert server.asked[1].headers["If-None-Match"] == '"v1"'
    assert again.status_code == 200
    assert again.is_success
    assert again.reason_phrase == "OK"
    assert again.json() == {"name": "Ada"}


async def test_a_304_becomes_the_200_that_is_remembered_in_the_async_client():
    server = Answers(answer(tag='"v1"', data={"name": "Ada"}), answer(304, tag='"v1"'))
    async with AsyncVersionedClient(transport=server) as client:
        await client.get(URL)
        again = await client.get(URL)
    assert server.asked[1].headers["If-None-Match"] == '"v1"'
    assert again.status_code == 200
    assert again.json() == {"name": "Ada"}


def test_the_answer_from_memory_has_the_request_the_time_and_the_304():
    server = Answers(answer(tag='"v1"', data=1), answer(304, tag='"v1"'))
    with VersionedClient(transport=server) as client:
        first = client.get(URL)
        again = client.get(URL)
    assert "not_modified" not in first.extensions
    assert again.extensions["not_modified"].status_code == 304
    assert again.request.url == URL
    assert again.elapsed == again.extensions["not_modified"].elapsed


def test_the_headers_of_the_304_take_the_place_of_the_remembered_ones():
    first = answer(tag='"v1"', data=1, date="Mon", vary="Accept", link="<a>")
    not_modified = httpx.Response(304, headers=[("Date", "Tue"), ("Link", "<b>"), ("Link", "<c>")])
    with VersionedClient(transport=Answers(first, not_modified)) as client:
        client.get(URL)
        again = client.get(URL)
    assert again.headers["Date"] == "Tue"
    assert again.headers.get_list("Link") == ["<b>", "<c>"]
    assert again.headers["Vary"] == "Accept"
    assert again.headers["ETag"] == '"v1"'
    assert again.headers["Content-Type"] == "application/json"


def test_a_304_says_nothing_of_the_content_and_the_connection():
    first = answer(tag='"v1"', data={"name": "Ada"})
    not_modified = answer(
        304,
        tag='"v1"',
        content_type="text/html",
        content_length="0",
        content_encoding="gzip",
        connection="close, X-Hop",
        x_hop="1",
    )
    with VersionedClient(transport=Answers(first, not_modified)) as client:
        client.get(URL)
        again = client.get(URL)
    assert again.json() == {"name": "Ada"}
    assert again.headers["Content-Type"] == "application/json"
    assert again.headers["Content-Length"] == str(len(again.content))
    for name in ("Content-Encoding", "Connection", "X-Hop"):
        assert name not in again.headers


def test_compressed_content_is_remembered_decoded():
    headers = {"ETag": '"v1"', "Content-Encoding": "gzip"}
    first = httpx.Response(200, headers=headers, content=gzip.compress(b"text"))
    with VersionedClient(transport=Answers(first, answer(304), answer(304))) as client:
        assert client.get(URL).text == "text"
        assert client.get(URL).text == "text"
        assert client.get(URL).text == "text"


def test_a_header_that_is_not_ascii_is_remembered():
    first = httpx.Response(200, headers=[(b"ETag", b'"v1"'), (b"X-Name", "Zoë".encode())])
    with VersionedClient(transport=Answers(first, answer(304))) as client:
        client.get(URL)
        assert client.get(URL).headers["X-Name"] == "Zoë"


def test_cookies_of_the_remembered_answer_are_not_set_again():
    first = answer(tag='"v1"', set_cookie="session=old")
    server = Answers(first, answer(304), answer(304, set_cookie="seen=1"))
    with VersionedClient(transport=server) as client:
        assert dict(client.get(URL).cookies) == {"session": "old"}
        assert dict(client.get(URL).cookies) == {}
        assert dict(client.get(URL).cookies) == {"seen": "1"}


@pytest.mark.parametrize("name", ["Accept", "Accept-Language"])
def test_a_request_for_another_representation_is_not_conditional(name):
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"v1-html"', data=2))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.get(URL, headers={name: "other"})
    assert "If-None-Match" not in server.asked[1].headers


def test_another_query_string_is_another_address():
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"v2"', data=2), answer(304))
    with VersionedClient(transport=server) as client:
        client.get(URL, params={"page": 1})
        client.get(URL, params={"page": 2})
        assert client.get(f"{URL}?page=1#row").json() == 1
    assert "If-None-Match" not in server.asked[1].headers
    assert server.asked[2].headers["If-None-Match"] == '"v1"'


def test_a_head_is_answered_without_content():
    server = Answers(answer(tag='"v1"', data=1), answer(304, tag='"v1"'), answer(304))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        head = client.head(URL)
        assert client.get(URL).json() == 1
    assert server.asked[1].headers["If-None-Match"] == '"v1"'
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("known", ['"v1"', None])
def test_a_head_leaves_the_tag_of_what_was_read_since_nobody_has_seen_the_new_state(known):
    server = Answers(answer(tag=known, data=1), answer(tag='"v2"'))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        assert client.head(URL).headers["ETag"] == '"v2"'
        assert client.etag(URL) == known


def test_a_304_to_a_head_leaves_the_content():
    server = Answers(answer(tag='"v1"', data=1), answer(304), answer(304))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.head(URL)
        assert client.get(URL).json() == 1


@pytest.mark.parametrize("other", ['"v2"', 'W/"v1"'])
def test_content_keeps_its_tag_whatever_tag_a_304_has(other):
    server = Answers(answer(tag='"v1"', data=1), answer(304, tag=other))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        assert client.get(URL).headers["ETag"] == '"v1"'
        assert client.etag(URL) == '"v1"'


@pytest.mark.parametrize("side", ["request", "answer"])
def test_of_an_answer_with_no_store_only_the_tag_is_remembered(side):
    told = {"cache_control": "private, No-Store"} if side == "answer" else {}
    sent = {"Cache-Control": "no-store"} if side == "request" else {}
    server = Answers(answer(tag='"v1"', data=1, **told), answer(tag='"v1"', data=1))
    with VersionedClient(transport=server) as client:
        client.get(URL, headers=sent)
        assert client.etag(URL) == '"v1"'
        client.get(URL)
    assert "If-None-Match" not in server.asked[1].headers


def test_a_200_without_a_tag_is_forgotten():
    server = Answers(answer(tag='"v1"', data=1), answer(data=2), answer(data=2))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.get(URL)
        assert client.etag(URL) is None
        client.get(URL)
    assert "If-None-Match" not in server.asked[2].headers


@pytest.mark.parametrize("status", [206, 401, 404, 500, 503])
def test_another_answer_than_200_changes_nothing(status):
    server = Answers(answer(tag='"v1"', data=1), answer(status, tag='"v2"'), answer(304))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        assert client.get(URL).status_code == status
        assert client.get(URL).json() == 1


@pytest.mark.parametrize("name", ["If-None-Match", "If-Modified-Since", "If-Range", "Range"])
def test_a_precondition_of_the_caller_is_sent_as_it_is_and_its_304_is_seen(name):
    server = Answers(answer(tag='"v1"', data=1), answer(304, tag='"v1"'))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        again = client.get(URL, headers={name: '"mine"'})
    assert server.asked[1].headers[name] == '"mine"'
    assert server.asked[1].headers.get("If-None-Match") in (None, '"mine"')
    assert again.status_code == 304


def test_the_address_that_was_answered_least_recently_is_forgotten_first():
    server = Answers(
        *(answer(tag='"v1"', data=1) for _ in range(2)), answer(304), answer(tag='"v1"')
    )
    with VersionedClient(transport=server, remembered=2) as client:
        client.get(f"{URL}?1")
        client.get(f"{URL}?2")
        client.get(f"{URL}?1")
        client.get(f"{URL}?3")
        assert client.etag(f"{URL}?1") == '"v1"'
        assert client.etag(f"{URL}?2") is None
        assert client.etag(f"{URL}?3") == '"v1"'
