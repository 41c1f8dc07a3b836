"""
An answer that arrives late puts no older tag over a newer one.

The server of these tests sends another request through the same client before it answers.
"""

import threading

import httpx
import pytest

from etag_versioning.contrib.client import VersionedClient

from .answers import URL, answer


def client_of(answer_to):
    """A client whose requests a function answers, which is given the client and the request."""
    client = VersionedClient(transport=httpx.MockTransport(lambda sent: answer_to(client, sent)))
    return client


def test_a_read_that_was_sent_before_another_read_does_not_replace_it():
    asked = []

    def answer_to(client, request):
        asked.append(request)
        if len(asked) == 1:
            client.get(URL)
            return answer(tag='"v1"', data=1)
        return answer(tag='"v2"', data=2)

    with client_of(answer_to) as client:
        assert client.get(URL).json() == 1
        assert client.etag(URL) == '"v2"'


def test_a_read_that_was_sent_before_a_write_was_answered_does_not_replace_its_tag():
    def answer_to(client, request):
        if request.method == "PUT":
            return answer(tag='"v2"')
        client.put(URL)
        return answer(tag='"v1"', data=1)

    with client_of(answer_to) as client:
        assert client.get(URL).json() == 1
        assert client.etag(URL) == '"v2"'


def test_a_read_that_is_answered_while_a_write_is_on_its_way_is_replaced_by_the_write():
    def answer_to(client, request):
        if request.method == "PUT":
            client.get(URL)
            return answer(tag='"v2"')
        return answer(tag='"v1"', data=1)

    with client_of(answer_to) as client:
        client.remember(URL, '"v1"')
        client.put(URL)
        assert client.etag(URL) == '"v2"'


def test_a_read_that_was_sent_before_a_delete_does_not_bring_the_tag_back():
    def answer_to(client, request):
        if request.method == "DELETE":
            return answer(204)
        client.delete(URL)
        return answer(tag='"v1"', data=1)

    with client_of(answer_to) as client:
        client.get(URL)
        assert client.etag(URL) is None


def test_a_412_leaves_the_tag_that_another_request_has_renewed():
    def answer_to(client, request):
        if request.method == "PUT":
            client.get(URL)
            return answer(412)
        return answer(tag='"v2"', data=2)

    with client_of(answer_to) as client:
        client.remember(URL, '"v1"')
        client.put(URL)
        assert client.etag(URL) == '"v2"'


def test_an_answer_to_a_request_from_before_everything_was_forgotten_is_not_remembered():
    def answer_to(client, request):
        client.forget()
        return answer(tag='"v1"', data=1)

    with client_of(answer_to) as client:
        client.get(URL)
        assert client.etag(URL) is None


@pytest.mark.parametrize("forget", [VersionedClient.forget, lambda client: client.forget(URL)])
@pytest.mark.parametrize("named", [{}, {"If-Match": '"v1"'}])
def test_a_write_that_is_on_its_way_when_somebody_logs_out_is_not_remembered(forget, named):
    def answer_to(client, request):
        forget(client)
        return answer(tag='"v2"', data="private", content_location=URL)

    with client_of(answer_to) as client:
        client.remember(URL, '"v1"')
        client.put(URL, headers=named)
        assert client.etag(URL) is None


def test_a_write_does_not_replace_what_a_read_has_brought_of_a_later_write_of_somebody_else():
    def answer_to(client, request):
        if request.method == "GET":
            return answer(tag='"v3"', data=3)
        client.get(URL)
        return answer(tag='"v2"')

    with client_of(answer_to) as client:
        client.remember(URL, '"v1"')
        client.put(URL)
        assert client.etag(URL) == '"v3"'


def test_a_304_stands_for_the_content_whose_tag_was_sent():
    def answer_to(client, request):
        if request.method == "PUT":
            return answer(tag='"v2"', data="new", content_location=str(URL))
        if "If-None-Match" in request.headers:
            client.put(URL)
            return answer(304, tag='"v1"')
        return answer(tag='"v1"', data="old")

    with client_of(answer_to) as client:
        client.get(URL)
        assert client.get(URL).json() == "old"
        assert client.etag(URL) == '"v2"'


def test_threads_may_share_a_client():
    def answer_to(client, request):
        tag = f'"{request.url.query.decode()}"'
        if request.headers.get("If-None-Match") == tag:
            return answer(304, tag=tag)
        return answer(tag=tag, data=tag)

    def read(client, wrong):
        for number in range(200):
            if client.get(f"{URL}?{number % 7}").json() != f'"{number % 7}"':
                wrong.append(number)

    wrong = []
    with client_of(answer_to) as client:
        threads = [threading.Thread(target=read, args=(client, wrong)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
