"""What PUT, PATCH and DELETE send, and what is remembered of their answers."""

import pytest

from etag_versioning.contrib.client import AsyncVersionedClient, VersionedClient

from .answers import URL, Answers, answer


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_names_the_tag_of_the_last_read(method):
    server = Answers(answer(tag='"v1"', data=1), answer(204))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.request(method, URL)
    assert server.asked[1].headers["If-Match"] == '"v1"'


async def test_a_write_names_the_tag_of_the_last_read_in_the_async_client():
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"v2"'))
    async with AsyncVersionedClient(transport=server) as client:
        await client.get(URL)
        await client.put(URL)
        assert client.etag(URL) == '"v2"'
    assert server.asked[1].headers["If-Match"] == '"v1"'


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_other_methods_name_no_tag_and_change_nothing(method):
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"other"'))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.request(method, URL)
        assert client.etag(URL) == '"v1"'
    assert "If-Match" not in server.asked[1].headers


def test_a_write_of_an_unknown_address_names_no_tag():
    server = Answers(answer(428))
    with VersionedClient(transport=server) as client:
        client.put(URL)
    assert "If-Match" not in server.asked[0].headers


def test_the_next_write_names_the_tag_of_the_answer():
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"v2"'), answer(tag='"v3"'))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.patch(URL)
        client.patch(URL)
        assert client.etag(URL) == '"v3"'
    assert server.asked[2].headers["If-Match"] == '"v2"'


def test_a_weak_tag_is_named_as_it_came():
    server = Answers(answer(tag='W/"v1-gzip"', data=1), answer(204))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.put(URL)
    assert server.asked[1].headers["If-Match"] == 'W/"v1-gzip"'


@pytest.mark.parametrize("location", ["/users/7/", URL])
def test_the_content_of_a_write_is_remembered_if_it_is_that_of_the_address(location):
    written = answer(tag='"v2"', data="new", content_location=location)
    server = Answers(written, answer(304))
    with VersionedClient(transport=server) as client:
        client.put(URL)
        assert client.get(URL).json() == "new"
    assert server.asked[1].headers["If-None-Match"] == '"v2"'


@pytest.mark.parametrize(
    "headers", [{}, {"content_location": "/log/1/"}, {"content_location": "http://a:b/"}]
)
def test_other_content_of_a_write_is_not_remembered(headers):
    server = Answers(
        answer(tag='"v1"', data=1), answer(tag='"v2"', data="done", **headers), answer(data=2)
    )
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.put(URL)
        assert client.etag(URL) == '"v2"'
        client.get(URL)
    assert "If-None-Match" not in server.asked[2].headers


def test_of_an_answer_without_content_none_is_remembered():
    server = Answers(answer(204, tag='"v2"', content_location=URL), answer(tag='"v2"', data=2))
    with VersionedClient(transport=server) as client:
        client.put(URL)
        client.get(URL)
    assert "If-None-Match" not in server.asked[1].headers


def test_the_content_stays_after_a_write_that_changed_nothing():
    server = Answers(answer(tag='"v1"', data=1), answer(204, tag='"v1"'), answer(304))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.patch(URL)
        assert client.get(URL).json() == 1


def test_after_a_write_whose_answer_has_no_tag_the_address_is_forgotten():
    with VersionedClient(transport=Answers(answer(tag='"v1"', data=1), answer(204))) as client:
        client.get(URL)
        client.put(URL)
        assert client.etag(URL) is None


def test_after_a_delete_the_address_is_forgotten():
    server = Answers(answer(tag='"v1"', data=1), answer(204, tag='"v2"'))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.delete(URL)
        assert client.etag(URL) is None


def test_after_a_412_a_write_is_refused_again_until_somebody_reads_what_is_there_now():
    server = Answers(
        answer(tag='"v1"', data=1),
        *(answer(412, tag='"v2"') for _ in range(2)),
        answer(tag='"v2"', data=2),
        answer(tag='"v3"'),
    )
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.put(URL)
        client.put(URL)
        client.get(URL)
        client.put(URL)
    named = [request.headers.get("If-Match") for request in server.asked if request.method == "PUT"]
    assert named == ['"v1"', '"v1"', '"v2"']


@pytest.mark.parametrize("status", [400, 403, 409, 428, 503])
def test_another_refusal_changes_nothing(status):
    with VersionedClient(transport=Answers(answer(tag='"v1"'), answer(status))) as client:
        client.get(URL)
        client.put(URL)
        assert client.etag(URL) == '"v1"'


@pytest.mark.parametrize(
    ("name", "value"),
    [("If-Match", '"mine"'), ("If-None-Match", "*"), ("If-Unmodified-Since", "Mon")],
)
def test_a_precondition_of_the_caller_is_sent_as_it_is(name, value):
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"v2"'))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.put(URL, headers={name: value})
        assert client.etag(URL) == '"v2"'
    assert server.asked[1].headers[name] == value
    assert server.asked[1].headers.get("If-Match") in (None, '"mine"')


def test_a_write_with_a_range_is_guarded_as_any_other():
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"v2"'))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.put(URL, headers={"Range": "bytes=0-4"})
    assert server.asked[1].headers["If-Match"] == '"v1"'


def test_a_412_to_a_tag_of_the_caller_leaves_what_is_remembered():
    with VersionedClient(transport=Answers(answer(tag='"v1"'), answer(412))) as client:
        client.get(URL)
        client.put(URL, headers={"If-Match": '"mine"'})
        assert client.etag(URL) == '"v1"'


def test_a_tag_that_came_in_another_way_guards_a_write():
    server = Answers(answer(204))
    with VersionedClient(transport=server) as client:
        client.remember(URL, '"v1"')
        client.put(URL)
    assert server.asked[0].headers["If-Match"] == '"v1"'


def test_one_address_is_forgotten():
    with VersionedClient(transport=Answers(answer(tag='"v1"'), answer(tag='"v1"'))) as client:
        client.get(URL)
        client.get(f"{URL}?other")
        client.forget(URL)
        assert client.etag(URL) is None
        assert client.etag(f"{URL}?other") == '"v1"'


def test_all_addresses_are_forgotten():
    server = Answers(answer(tag='"v1"', data=1), answer(data=1))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        client.forget()
        assert client.etag(URL) is None
        client.get(URL)
    assert "If-None-Match" not in server.asked[1].headers
