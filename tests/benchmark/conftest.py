"""A server that is not Django, and does what each test wants of it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BODY = b'{"name": "Ada", "biography": "' + b"counts " * 100 + b'"}'


class Resource(BaseHTTPRequestHandler):
    """One resource in memory, with a tag and guarded writes. Subclasses misbehave."""

    protocol_version = "HTTP/1.1"
    # One packet for headers and body: two would wait for each other (Nagle).
    wbufsize = -1

    def do_GET(self):
        if self.headers.get("If-None-Match") == self.tag:
            self.answer(304, ETag=self.tag)
        else:
            self.answer(200, self.server.body, ETag=self.tag)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            if "If-Match" not in self.headers:
                self.answer(428)
            elif self.headers["If-Match"] != self.tag:
                self.answer(412, ETag=self.tag)
            else:
                self.server.body = body
                self.server.version += 1
                self.answer(200, ETag=self.tag)

    do_PATCH = do_PUT

    @property
    def tag(self):
        return f'"v{self.server.version}"'

    def answer(self, status, body=b"", **headers):
        self.server.seen.append((self.command, status, dict(self.headers)))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 304:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve():
    """Start a server whose requests a handler class answers; returns it, with its ``url``."""
    servers = []

    def start(handler=Resource):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.body, server.version, server.seen = BODY, 1, []
        server.lock = threading.Lock()
        server.url = f"http://127.0.0.1:{server.server_address[1]}/ada"
        server.thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        server.thread.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.thread.join()
        server.server_close()


@pytest.fixture
def benchmark(capsys):
    """Run ``python -m etag_versioning.benchmark`` here; returns its status and output."""
    from etag_versioning.benchmark.__main__ import main

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run
