"""A server that gives the answers of a test, one after another."""

import json

import httpx

URL = "http://server.example/users/7/"


class Answers(httpx.MockTransport):
    """
    Attributes:
        asked: the requests as they were sent.
    """

    def __init__(self, *answers):
        super().__init__(self.next_answer)
        self.answers = iter(answers)
        self.asked = []

    def next_answer(self, request):
        headers = dict(request.headers)
        content = request.read()
        self.asked.append(
            httpx.Request(request.method, request.url, headers=headers, content=content)
        )
        return next(self.answers)


def answer(status=200, tag=None, data=None, **headers):
    """An answer as from a network, not read yet; ``cache_control="no-store"`` is a header."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if tag:
        fields["ETag"] = tag
    if data is not None:
        fields["Content-Type"] = "application/json"
    content = b"" if data is None else json.dumps(data).encode()
    extensions = {"reason_phrase": httpx.codes.get_reason_phrase(status).encode()}
    stream = httpx.ByteStream(content)
    return httpx.Response(status, headers=fields, stream=stream, extensions=extensions)
