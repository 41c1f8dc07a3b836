"""The answers as Python's servers put them on the wire, and the connection after them."""

import http.client
import json

import pytest

PATHS = ["/users/{}/", "/async/users/{}/", "/api/users/{}/"]


@pytest.fixture(params=["origin", "asgi_origin"])
def connection(request):
    """One connection, kept alive, to gunicorn and to uvicorn."""
    server = request.getfixturevalue(request.param)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    yield connection
    connection.close()


def ask(connection, method, path, body=None, **headers):
    """Status, headers and content of an answer that comes over the same connection."""
    before = connection.sock
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    content = answer.read()
    assert before is None or connection.sock is before
    return answer.status, answer.headers, content


@pytest.mark.parametrize("path", PATHS)
def test_a_304_is_headers_alone(connection, number, path):
    """Neither a length nor chunks (RFC 9110 §8.6, RFC 9112 §6.1); the next answer is whole."""
    path = path.format(number)
    _, full, content = ask(connection, "GET", path)
    status, same, nothing = ask(connection, "GET", path, If_None_Match=full["ETag"])
    assert (status, nothing) == (304, b"")
    assert same["Content-Length"] is same["Transfer-Encoding"] is None
    for name in ("ETag", "Last-Modified", "Cache-Control", "Vary"):
        assert same[name] == full[name]
    assert ask(connection, "GET", path)[2] == content


@pytest.mark.parametrize("path", PATHS)
def test_a_204_of_a_guarded_delete_is_headers_alone(connection, number, path):
    """Neither a length nor chunks (RFC 9110 §8.6, RFC 9112 §6.1); the next answer is whole."""
    path = path.format(number)
    tag = ask(connection, "GET", path)[1]["ETag"]
    status, deleted, nothing = ask(connection, "DELETE", path, If_Match=tag)
    assert (status, nothing) == (204, b"")
    assert deleted["Content-Length"] is deleted["Transfer-Encoding"] is None
    assert ask(connection, "GET", path)[0] == 404


@pytest.mark.parametrize("path", PATHS)
def test_a_refused_write_leaves_the_connection_usable(connection, number, path):
    """
    The decision is made before the content is read, all of which is on its way.
    The servers throw that away; gunicorn does so for 64 KiB, and then hangs up.
    """
    path = path.format(number)
    tag = ask(connection, "GET", path)[1]["ETag"]
    body = json.dumps({"biography": "x" * 20_000})
    kind = {"Content_Type": "application/json"}
    assert ask(connection, "PATCH", path, body, **kind)[0] == 428
    status, _, content = ask(connection, "PATCH", path, body, If_Match='"old"', **kind)
    assert (status, json.loads(content)["current_etag"]) == (412, tag)
    assert ask(connection, "PATCH", path, body, If_Match=tag, **kind)[0] == 200
