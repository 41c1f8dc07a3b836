"""``python -m etag_versioning.benchmark`` against a server that is not Django."""

import gzip
import json
import socket
import subprocess
import sys
import threading

import pytest

from .conftest import BODY, Resource

for name in ("httpx", "rich"):
    pytest.importorskip(name, reason="the extra bench is not installed")

FEW = ("--iterations", 5)


def statuses(server, method):
    return [status for asked, status, _ in server.seen if asked == method]


def test_the_figures_of_a_server_are_reported(serve, benchmark):
    server = serve()
    status, out, err = benchmark(server.url, "--iterations", 30, "--hit-share", 0.5, "--json")
    assert (status, err) == (0, "")
    report = json.loads(out)
    (target,) = report["targets"]
    requests = target["requests"]
    assert list(requests) == ["full", "hit", "miss"]
    assert [each["statuses"] for each in requests.values()] == [
        {"200": 30}, {"304": 30}, {"200": 30},
    ]  # fmt: skip
    for each in requests.values():
        assert 0 < each["p50_ms"] <= each["p95_ms"] <= each["p99_ms"] < 30_000
        assert each["per_second"] > 0
        assert each["statements"] is None
    assert requests["full"]["bytes"] > len(BODY) > requests["hit"]["bytes"] > 0
    expected = 1 - requests["hit"]["bytes"] / requests["full"]["bytes"]
    assert target["saved_per_hit"]["bandwidth"] == pytest.approx(expected)
    assert target["saved_at_hit_share"]["bandwidth"] == pytest.approx(expected / 2)
    assert set(statuses(server, "GET")) == {200, 304}
    assert statuses(server, "PUT") == []


def test_the_report_keeps_its_shape(serve, benchmark):
    server = serve()
    _, out, _ = benchmark(server.url, *FEW, "--json", "--write", "--compare", server.url)

    def shape(value):
        if isinstance(value, dict):
            return {name: shape(inner) for name, inner in value.items()}
        return [shape(inner) for inner in value] if isinstance(value, list) else None

    figures = dict.fromkeys(
        ["share", "p50_ms", "p95_ms", "p99_ms", "per_second", "bytes", "statements", "sql_ms"]
    )
    good = {"full": "200", "hit": "304", "miss": "200", "write": "200", "stale": "412"}
    savings = {"bandwidth": None, "latency": None}
    target = {
        "url": None,
        "etag": None,
        "requests": {kind: {"statuses": {status: None}} | figures for kind, status in good.items()},
        "saved_per_hit": savings,
        "saved_at_hit_share": savings,
        "miss_latency_added": None,
        "break_even_hit_share": None,
        "relative_to_first": {
            kind: {"p50": None, "bytes": None, "per_second": None} for kind in good
        },
    }
    assert shape(json.loads(out)) == {
        "schema": None,
        "measured_at": None,
        "versions": {"etag_versioning": None, "python": None, "httpx": None},
        "concurrency": None,
        "hit_share": None,
        "targets": [target, target],
    }
    assert json.loads(out)["schema"] == 1


def test_bytes_are_those_on_the_wire(serve, benchmark):
    class Compressed(Resource):
        def answer(self, status, body=b"", **headers):
            if status == 200 and "gzip" in self.headers["Accept-Encoding"]:
                body, headers = gzip.compress(body), headers | {"Content_Encoding": "gzip"}
            super().answer(status, body, **headers)

    server = serve(Compressed)
    _, out, _ = benchmark(server.url, *FEW, "--json")
    measured = json.loads(out)["targets"][0]["requests"]
    for kind, tag in (("full", ""), ("hit", 'If-None-Match: "v1"\r\n')):
        with socket.create_connection(server.server_address) as raw:
            raw.sendall(
                f"GET /ada HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n{tag}"
                "Connection: close\r\n\r\n".encode()
            )
            received = b"".join(iter(lambda raw=raw: raw.recv(65536), b""))
        assert measured[kind]["bytes"] == len(received)
    assert measured["full"]["bytes"] < len(BODY)


def test_requests_of_two_addresses_take_turns(serve, benchmark):
    first, second = serve(), serve()
    benchmark(first.url, "--iterations", 20, "--compare", second.url)
    hits = [status for _, status, _ in first.seen[5:]]
    assert hits.count(304) == 40
    assert "304, 304, 304, 304" not in ", ".join(map(str, hits))
    assert len(first.seen) == len(second.seen)


def test_several_clients_at_once(serve, benchmark):
    class Crowded(Resource):
        inside, most = 0, 0

        def do_GET(self):
            with self.server.lock:
                Crowded.inside += 1
                Crowded.most = max(Crowded.most, Crowded.inside)
            try:
                threading_pause()
                super().do_GET()
            finally:
                with self.server.lock:
                    Crowded.inside -= 1

    def threading_pause():
        threading.Event().wait(0.02)

    server = serve(Crowded)
    _, out, _ = benchmark(server.url, "--iterations", 20, "--concurrency", 4, "--json")
    full = json.loads(out)["targets"][0]["requests"]["full"]
    assert Crowded.most == 4
    assert full["statuses"] == {"200": 20}
    # Each answer takes 20 ms: one client gets 50 in a second at most, and four get 200.
    assert 50 < full["per_second"] <= 200


def test_credentials_are_sent_and_not_shown(serve, benchmark):
    server = serve()
    url = server.url.replace("//", "//ada:secret@")
    status, out, err = benchmark(url, *FEW, "--header", "X-Key: hidden", "--header", "Cookie: a=b")
    assert status == 0
    for _, _, headers in server.seen:
        assert headers["Authorization"].startswith("Basic ")
        assert (headers["X-Key"], headers["Cookie"]) == ("hidden", "a=b")
    assert "secret" not in out + err
    assert "hidden" not in out + err


class TestWrites:
    def test_what_get_returned_is_written_back(self, serve, benchmark):
        server = serve()
        _, out, _ = benchmark(server.url, *FEW, "--write", "--json")
        requests = json.loads(out)["targets"][0]["requests"]
        assert requests["write"]["statuses"] == {"200": 5}
        assert requests["stale"]["statuses"] == {"412": 5}
        assert requests["hit"]["statuses"] == {"304": 5}
        assert server.body == BODY
        for method, _, headers in server.seen:
            if method == "PUT":
                assert "If-Match" in headers
                assert headers["Content-Type"] == "application/json"

    def test_own_data_and_method(self, serve, benchmark, tmp_path):
        server = serve()
        status, _, _ = benchmark(server.url, *FEW, "--write", "--method", "PATCH", "--data", "{}")
        assert (status, server.body) == (0, b"{}")
        assert set(statuses(server, "PATCH")) == {200, 412}
        file = tmp_path / "body.json"
        file.write_bytes(b'{"a": 1}')
        benchmark(server.url, *FEW, "--write", "--data", f"@{file}")
        assert server.body == b'{"a": 1}'

    def test_writers_that_meet_are_counted(self, serve, benchmark):
        _, out, _ = benchmark(
            serve().url, "--write", "--concurrency", 4, "--iterations", 40, "--json"
        )
        write = json.loads(out)["targets"][0]["requests"]["write"]
        assert sum(write["statuses"].values()) == 40
        assert set(write["statuses"]) == {"200", "412"}
        assert write["share"] == write["statuses"]["200"] / 40

    def test_a_write_that_returns_no_tag_is_followed_by_a_read(self, serve, benchmark):
        class Silent(Resource):
            def do_PUT(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                with self.server.lock:
                    matches = self.headers["If-Match"] == self.tag
                    self.server.version += matches
                self.answer(204 if matches else 412)

        _, out, _ = benchmark(
            serve(Silent).url, "--write", "--concurrency", 2, "--iterations", 20, "--json"
        )
        # Who loses has lost to somebody who won.
        assert json.loads(out)["targets"][0]["requests"]["write"]["statuses"]["204"] >= 5

    def test_another_s_change_is_not_overwritten(self, serve, benchmark):
        """Whoever writes meanwhile keeps what they wrote: the guard and the body go together."""

        class Shared(Resource):
            def do_PUT(self):
                if self.server.version == 4:
                    self.server.body, self.server.version = b'{"name": "Grace"}', 5
                super().do_PUT()

        server = serve(Shared)
        status, _, err = benchmark(server.url, *FEW, "--write")
        assert (status, err) == (0, "")
        assert server.version > 6
        assert server.body == b'{"name": "Grace"}'

    def test_nothing_is_written_unless_asked_for(self, serve, benchmark):
        server = serve()
        status, _, err = benchmark(server.url, "--data", "{}")
        assert (status, server.seen) == (1, [])
        assert "--write" in err

    def test_a_server_that_guards_nothing(self, serve, benchmark):
        class Unguarded(Resource):
            def do_PUT(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(204)

        status, _, err = benchmark(serve(Unguarded).url, "--write")
        assert status == 1
        assert "in spite of an If-Match that does not hold (204, not 412)" in err

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (428, "takes the header off"),
            (412, "the ETag it had just sent. It is weak"),
            (400, "It says: {name: required}"),
        ],
    )
    def test_writes_that_cannot_be_made(self, serve, benchmark, answer, message):
        class Refusing(Resource):
            tag = 'W/"v1"'

            def do_PUT(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(answer, b"{name: required}")

        status, _, err = benchmark(serve(Refusing).url, "--write")
        assert status == 1
        assert message in err


class NoTag(Resource):
    def do_GET(self):
        self.answer(200, BODY, Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT")


class Unquoted(Resource):
    tag = "v1"


class Moved(Resource):
    def do_GET(self):
        self.answer(301, Location="/elsewhere")


class EverChanging(Resource):
    @property
    def tag(self):
        self.server.version += 1
        return f'"{self.server.version}"'


class NotCompared(Resource):
    def do_GET(self):
        self.answer(200, BODY, ETag=self.tag)


class AlwaysNotModified(Resource):
    def do_GET(self):
        if "If-None-Match" in self.headers:
            self.answer(304, ETag=self.tag)
        else:
            super().do_GET()


class NoStore(Resource):
    def do_GET(self):
        self.answer(200, BODY, ETag=self.tag, Cache_Control="private, No-Store")


class Breaking(Resource):
    """It works at first."""

    def do_GET(self):
        if len(self.server.seen) > 12:
            self.answer(500, b"out of \x1b[31m order")
        else:
            super().do_GET()


class Leaving(Resource):
    def do_GET(self):
        if len(self.server.seen) > 12:
            self.close_connection = True
        else:
            super().do_GET()


def refusing(status):
    class Refusing(Resource):
        def do_GET(self):
            self.answer(status)

    return Refusing


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (NoTag, "sends no ETag (Last-Modified alone is not measured)"),
        (Unquoted, 'sends ETag: v1, which is no entity tag. Quote it: ETag: "v3"'),
        (Moved, "was answered 301. Measure where it redirects to: http://127.0.0.1:"),
        (refusing(401), "was answered 401. It wants to know who asks: --header 'Authorization: "),
        (refusing(403), "was answered 403. It refuses this client: --header"),
        (refusing(404), "was answered 404. There is nothing at this address"),
        (refusing(429), "was answered 429. It throttles"),
        (refusing(503), "was answered 503. It says: nothing"),
        (refusing(304), "was answered 304."),
        (EverChanging, "sends another ETag at every request"),
        (NotCompared, 'answers 200 to If-None-Match: "v1", its own ETag'),
        (AlwaysNotModified, "answers 304 to a tag that is not its own"),
        (NoStore, "sends Cache-Control: no-store"),
        (Breaking, r"was answered 500. It says: out of \x1b[31m order"),
        (Leaving, "cannot be reached, or the server went away"),
    ],
)
def test_servers_that_cannot_be_measured(serve, benchmark, handler, message):
    server = serve(handler)
    status, out, err = benchmark(server.url)
    assert (status, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_server_that_is_gone(serve, benchmark):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        status, _, err = benchmark(url)
    assert status == 1
    assert f"{url} cannot be reached, or the server went away" in err


def test_a_server_that_does_not_answer_in_time(serve, benchmark, monkeypatch):
    class Slow(Resource):
        def do_GET(self):
            waiting.wait(5)

    waiting = threading.Event()
    monkeypatch.setattr("etag_versioning.benchmark.run._TIMEOUT", 0.1)
    status, _, err = benchmark(serve(Slow).url)
    waiting.set()
    assert status == 1
    assert "did not answer in time" in err


def test_another_s_write_makes_a_miss_of_a_hit(serve, benchmark):
    class Busy(Resource):
        def do_GET(self):
            if len(self.server.seen) in (90, 100, 110):
                self.server.version += 1
            super().do_GET()

    _, out, _ = benchmark(serve(Busy).url, "--iterations", 50, "--json")
    hit = json.loads(out)["targets"][0]["requests"]["hit"]
    assert hit["statuses"] == {"200": 3, "304": 47}
    assert hit["share"] == 0.94
    # The figures are those of the hits alone.
    assert hit["bytes"] < 200


def test_a_row_that_never_rests(serve, benchmark):
    class Restless(Resource):
        def do_GET(self):
            if len(self.server.seen) > 5:
                self.server.version += 1
            super().do_GET()

    status, _, err = benchmark(serve(Restless).url, *FEW)
    assert status == 1
    assert "no request of the kind 'hit' got its answer, but [200]" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["localhost:8000/users/7/"], "no address of the form http://host/path"),
        (["http://[::1/"], "is no address"),
        (["/users/7/"], "python manage.py etag_benchmark /users/7/"),
        (["http://x/", "--header", "Bearer secret"], "the 1. one: not of the form"),
        (["http://x/", "--header", "A: b\r\nC: secret"], "the 1. one: not of the form"),
        (["http://x/", "--header", "A: secret é"], "the 1. one: not of the form"),
        (["http://x/", "--header", "If-None-Match: *"], "sends this one itself"),
        (["http://x/", "--write", "--data", "@/no/such/file"], "No such file"),
        (["http://x/", "--plot", "figures.pdf"], "name it FILE.svg or FILE.png"),
    ],
)
def test_an_argument_that_cannot_be_used_is_an_error(benchmark, arguments, message):
    if "--plot" in arguments:
        pytest.importorskip("matplotlib", reason="the extra bench is not installed")
    status, out, err = benchmark(*arguments)
    assert (status, out) == (1, "")
    assert message in err
    assert "secret" not in err


@pytest.mark.parametrize(
    "arguments",
    [["--iterations", "0"], ["--concurrency", "x"], ["--hit-share", "80"], ["--method", "DELETE"]],
)
def test_a_value_out_of_range_is_an_error(benchmark, capsys, arguments):
    with pytest.raises(SystemExit):
        benchmark("http://x/", *arguments)
    assert arguments[0] in capsys.readouterr().err


def test_the_benchmark_runs_as_a_program(serve):
    done = subprocess.run(
        [sys.executable, "-m", "etag_versioning.benchmark", serve().url, "--iterations", "5"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "saved by each hit" in done.stdout
    assert done.stderr == ""
