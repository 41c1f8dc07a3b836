"""What httpx does, it still does."""

import subprocess
import sys

import httpx
import pytest

from etag_versioning.contrib.client import AsyncVersionedClient, VersionedClient

from .answers import URL, Answers, answer

NEW_URL = "http://server.example/people/7/"


def test_it_is_imported_without_django():
    program = "import sys, etag_versioning.contrib.client; assert 'django' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", ["httpx", "anyio"])
def test_without_httpx_the_import_says_what_to_install(missing):
    program = f"import sys; sys.modules['{missing}'] = None; import etag_versioning.contrib.client"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.endswith("httpx: pip install 'django-etag-versioning[client]'\n")


def test_the_clients_are_those_of_httpx():
    assert issubclass(VersionedClient, httpx.Client)
    assert issubclass(AsyncVersionedClient, httpx.AsyncClient)


def test_addresses_are_completed_by_base_url_and_params():
    options = {"base_url": "http://server.example/api/", "params": {"language": "de"}}
    server = Answers(answer(tag='"v1"', data=1), answer(204))
    with VersionedClient(transport=server, **options) as client:
        client.get("users/7/")
        assert client.etag("users/7/") == '"v1"'
        assert client.etag("http://server.example/api/users/7/?language=de") == '"v1"'
        client.put("users/7/")
    assert server.asked[1].headers["If-Match"] == '"v1"'


def test_what_is_behind_a_redirect_is_remembered_by_its_own_address():
    moved = answer(302, location=NEW_URL)
    server = Answers(moved, answer(tag='"v1"', data=1), moved, answer(304, tag='"v1"'))
    with VersionedClient(transport=server, follow_redirects=True) as client:
        client.get(URL)
        again = client.get(URL)
        assert client.etag(URL) is None
        assert client.etag(NEW_URL) == '"v1"'
    assert "If-None-Match" not in server.asked[2].headers
    assert server.asked[3].headers["If-None-Match"] == '"v1"'
    assert again.json() == 1
    assert [response.status_code for response in again.history] == [302]


def test_a_redirect_does_not_take_a_tag_to_another_address():
    server = Answers(
        answer(tag='"v1"', data="old"),
        answer(301, location=NEW_URL),
        answer(tag='"v1"', data="new"),
    )
    with VersionedClient(transport=server, follow_redirects=True) as client:
        client.get(URL)
        assert client.get(URL).json() == "new"
    assert server.asked[1].headers["If-None-Match"] == '"v1"'
    assert "If-None-Match" not in server.asked[2].headers


def test_a_write_that_is_redirected_keeps_its_guard_where_none_is_known():
    server = Answers(answer(tag='"v1"', data=1), answer(308, location=NEW_URL), answer(412))
    with VersionedClient(transport=server, follow_redirects=True) as client:
        client.get(URL)
        client.put(URL)
    assert server.asked[2].headers["If-Match"] == '"v1"'


def test_a_write_that_is_redirected_names_the_tag_of_the_new_address():
    server = Answers(
        answer(tag='"v1"'), answer(tag='"v2"'), answer(307, location=NEW_URL), answer(204)
    )
    with VersionedClient(transport=server, follow_redirects=True) as client:
        client.get(URL)
        client.get(NEW_URL)
        client.put(URL)
    assert server.asked[3].headers["If-Match"] == '"v2"'


def test_the_read_that_follows_a_write_has_no_if_match():
    server = Answers(answer(tag='"v1"', data=1), answer(303, location=NEW_URL), answer(data=2))
    with VersionedClient(transport=server, follow_redirects=True) as client:
        client.get(URL)
        client.put(URL)
    assert server.asked[2].method == "GET"
    assert "If-Match" not in server.asked[2].headers


def test_a_redirect_that_is_not_followed_can_be_followed_by_the_caller():
    moved = answer(302, location=NEW_URL)
    server = Answers(answer(tag='"v1"', data=1), moved, answer(304))
    with VersionedClient(transport=server) as client:
        client.get(NEW_URL)
        redirect = client.get(URL)
        assert client.send(redirect.next_request).json() == 1


def test_a_request_that_is_sent_twice_names_the_tag_of_its_time():
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"v2"', data=2), answer(304))
    with VersionedClient(transport=server) as client:
        request = client.build_request("GET", URL)
        for expected in (1, 2, 2):
            assert client.send(request).json() == expected
    assert server.asked[2].headers["If-None-Match"] == '"v2"'


def test_a_refused_write_that_is_sent_again_is_not_unguarded():
    server = Answers(answer(tag='"v1"', data=1), answer(412), answer(412))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        request = client.build_request("PUT", URL)
        client.send(request)
        client.send(request)
    assert server.asked[2].headers["If-Match"] == '"v1"'


def test_preconditions_are_sent_with_digest_authentication():
    challenge = answer(401, www_authenticate='Digest realm="a", nonce="b", qop="auth"')
    server = Answers(challenge, answer(tag='"v1"', data=1), answer(304))
    with VersionedClient(transport=server, auth=httpx.DigestAuth("ada", "x")) as client:
        client.get(URL)
        again = client.get(URL)
    assert "Authorization" in server.asked[1].headers
    assert server.asked[2].headers["If-None-Match"] == '"v1"'
    assert again.json() == 1


class TokenAuth(httpx.Auth):
    """Fetches a token first, by a request of its own that is redirected."""

    requires_response_body = True

    def auth_flow(self, request):
        token = yield httpx.Request("POST", "http://server.example/old-token/")
        request.headers["Authorization"] = f"Bearer {token.json()}"
        yield request


def test_requests_of_an_authentication_are_left_alone():
    server = Answers(
        answer(307, location="http://server.example/token/"), answer(data="t"), answer(tag='"v1"')
    )
    with VersionedClient(transport=server, auth=TokenAuth(), follow_redirects=True) as client:
        client.get(URL)
        assert client.etag(URL) == '"v1"'
    assert server.asked[2].headers["Authorization"] == "Bearer t"


class RefusedAuth(httpx.Auth):
    """Gives up after a request of its own."""

    def auth_flow(self, request):
        yield httpx.Request("GET", "http://server.example/token/")


def test_the_answer_to_a_request_of_an_authentication_is_not_remembered():
    with VersionedClient(transport=Answers(answer(tag='"v1"')), auth=RefusedAuth()) as client:
        assert client.get(URL).request.url.path == "/token/"
        assert client.etag("http://server.example/token/") is None


def test_event_hooks_see_what_came_over_the_wire():
    seen = []
    hooks = {"response": [lambda response: seen.append(response.status_code)]}
    server = Answers(answer(tag='"v1"', data=1), answer(304))
    with VersionedClient(transport=server, event_hooks=hooks) as client:
        client.get(URL)
        client.get(URL)
    assert seen == [200, 304]


def test_an_answer_that_a_test_has_made_needs_no_time():
    server = Answers(httpx.Response(200, headers={"ETag": '"v1"'}, json=1), httpx.Response(304))
    with VersionedClient(transport=server) as client:
        client.get(URL)
        assert client.get(URL).json() == 1


def test_the_default_encoding_is_that_of_the_client():
    first = httpx.Response(200, headers={"ETag": '"v1"'}, content="é".encode("latin-1"))
    server = Answers(first, answer(304))
    with VersionedClient(transport=server, default_encoding="latin-1") as client:
        assert client.get(URL).text == "é"
        assert client.get(URL).text == "é"


def test_of_a_stream_the_tag_alone_is_remembered():
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"v1"', data=1), answer(204))
    with VersionedClient(transport=server) as client:
        with client.stream("GET", URL) as response:
            assert response.read() == b"1"
        client.get(URL)
        client.put(URL)
    assert "If-None-Match" not in server.asked[1].headers
    assert server.asked[2].headers["If-Match"] == '"v1"'


async def test_of_a_stream_the_tag_alone_is_remembered_in_the_async_client():
    server = Answers(answer(tag='"v1"', data=1), answer(tag='"v1"', data=1))
    async with AsyncVersionedClient(transport=server) as client:
        async with client.stream("GET", URL) as response:
            assert await response.aread() == b"1"
        await client.get(URL)
    assert "If-None-Match" not in server.asked[1].headers


def test_a_stream_is_sent_as_a_whole_though_its_content_is_remembered():
    server = Answers(
        answer(tag='"v1"', data=1), answer(302, location=URL), answer(tag='"v1"', data=1)
    )
    with VersionedClient(transport=server, follow_redirects=True) as client:
        client.get(URL)
        with client.stream("GET", NEW_URL) as response:
            assert list(response.iter_raw()) == [b"1"]
    assert "If-None-Match" not in server.asked[2].headers


def test_a_write_whose_answer_is_streamed_is_guarded():
    shown = answer(tag='"v2"', data=2, content_location=URL)
    server = Answers(answer(tag='"v1"', data=1), shown)
    with VersionedClient(transport=server) as client:
        client.get(URL)
        with client.stream("PUT", URL) as response:
            response.read()
        assert client.etag(URL) == '"v2"'
    assert server.asked[1].headers["If-Match"] == '"v1"'


def test_a_tag_on_a_connection_that_breaks_is_kept():
    def broken(request):
        if request.method == "GET":
            return answer(tag='"v1"', data=1)
        raise httpx.ReadTimeout("lost", request=request)

    with VersionedClient(transport=httpx.MockTransport(broken)) as client:
        client.get(URL)
        with pytest.raises(httpx.ReadTimeout):
            client.put(URL)
        assert client.etag(URL) == '"v1"'
