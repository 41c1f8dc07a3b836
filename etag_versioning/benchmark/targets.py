"""One address: the requests that are made of it, and what is known of its state."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, Literal

import httpx

from .answers import another_tag, check_status, current_tag, reached, shown
from .errors import BenchmarkError, printable
from .figures import KINDS, Exchange, Kind

__all__ = ["State", "Target", "Write"]

_OK: Final = range(200, 201)
# Besides success, what a guarded write may be answered while others write too:
# lost, without its header (something on the way took it), or to be tried again.
_LOST: Final = (409, 412, 428, 503)


@dataclass(frozen=True, slots=True)
class Write:
    """
    A guarded write.

    Args:
        method: PUT or PATCH.
        data: its body; None for what GET returned with the tag that it names.
    """

    method: Literal["PUT", "PATCH"]
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The tag of an address, and the body that came with it."""

    tag: str
    body: bytes
    content_type: str


class Target:
    """
    One address.

    Args:
        client: what requests are sent by; it follows no redirects.
        url: the address.
        write: the guarded writes to make, if any.

    Raises:
        BenchmarkError: it cannot be measured, and why.
    """

    def __init__(self, client: httpx.Client, url: httpx.URL, write: Write | None = None) -> None:
        self.client = client
        self.url = url
        self.name = shown(url)
        self.write = write
        self.state = self._read()
        self._check_tag_stays()
        self._check_tag_is_compared()
        if write:
            self._check_write_is_guarded()

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of requests that are made of this address."""
        return [kind for kind in KINDS if self.write or kind not in ("write", "stale")]

    def settle(self) -> None:
        """Read the state again, where writes have changed it."""
        if self.write:
            self.state = self._read()

    def ask(self, kind: Kind) -> Exchange:
        """
        Make one request, and measure it.

        Raises:
            BenchmarkError: the answer says that nothing can be measured any more.
        """
        state = self.state
        request = self._request(kind, state)
        started = time.perf_counter()
        response = reached(self.client, request)
        seconds = time.perf_counter() - started
        self._learn(kind, state, response)
        return Exchange(
            status=response.status_code,
            seconds=response.extensions.get("handler_seconds", seconds),
            size=_size(response),
            statements=response.extensions.get("statements"),
            sql_seconds=response.extensions.get("sql_seconds"),
        )

    def _request(self, kind: Kind, state: State) -> httpx.Request:
        match kind:
            case "full":
                return self.client.build_request("GET", self.url)
            case "hit" | "miss":
                tag = state.tag if kind == "hit" else another_tag(state.tag)
                return self.client.build_request("GET", self.url, headers={"If-None-Match": tag})
        assert self.write is not None
        headers = {"If-Match": state.tag if kind == "write" else another_tag(state.tag)}
        if "Content-Type" not in self.client.headers:
            headers["Content-Type"] = state.content_type
        body = state.body if self.write.data is None else self.write.data
        return self.client.build_request(self.write.method, self.url, headers=headers, content=body)

    def _read(self) -> State:
        """The state now: one GET, which is not measured."""
        response = reached(self.client, self._request("full", State("", b"", "")))
        check_status(response, _OK)
        return State(
            current_tag(response), response.content, response.headers.get("Content-Type", "")
        )

    def _learn(self, kind: Kind, state: State, response: httpx.Response) -> None:
        """Take the state from an answer, or fail where it is none that can be measured."""
        status = response.status_code
        if kind in ("write", "stale"):
            if kind == "stale" and status in KINDS["write"][1]:
                raise BenchmarkError(
                    f"{self.name} wrote in spite of an If-Match that does not hold "
                    f"({status}, not 412): nothing guards its writes."
                )
            if status not in _LOST:
                check_status(response, KINDS["write"][1])
            if kind == "write":
                self._learn_from_write(state, response)
        elif kind == "miss" and status == HTTPStatus.NOT_MODIFIED:
            raise BenchmarkError(
                f"{self.name} answers 304 to a tag that is not its own: "
                "its clients keep old copies for ever."
            )
        elif status != HTTPStatus.NOT_MODIFIED:
            check_status(response, _OK)
            if kind == "hit":  # Somebody else has written.
                self.state = State(current_tag(response), response.content, state.content_type)

    def _learn_from_write(self, state: State, response: httpx.Response) -> None:
        if response.is_success and "ETag" in response.headers:
            self.state = replace(state, tag=current_tag(response))
        else:
            self.state = self._read()

    def _check_tag_stays(self) -> None:
        tags = [self.state.tag]
        while len(tags) < 3:
            self.state = self._read()
            tags.append(self.state.tag)
        if len(set(tags)) == len(tags):
            raise BenchmarkError(
                f"{self.name} sends another ETag at every request, so that no client ever hits: "
                f"{', '.join(map(printable, tags))}. "
                "Where the body is hashed, it may hold a date or a random token."
            )

    def _check_tag_is_compared(self) -> None:
        hit = self.ask("hit")
        if hit.status == HTTPStatus.OK and self.ask("hit").status == HTTPStatus.OK:
            raise BenchmarkError(
                f"{self.name} answers 200 to If-None-Match: {printable(self.state.tag)}, its own "
                "ETag: it sends tags, and does not compare them."
            )
        self.ask("miss")

    def _check_write_is_guarded(self) -> None:
        status = self.ask("write").status
        if status == HTTPStatus.PRECONDITION_REQUIRED:
            raise BenchmarkError(
                f"{self.name} answered 428 to a write with If-Match: "
                "something on the way takes the header off."
            )
        if status in _LOST and self.ask("write").status in _LOST:
            weak = " It is weak, and this server compares strongly (RFC 9110 §13.1.1)."
            raise BenchmarkError(
                f"{self.name} answered {status} to a write with the ETag it had just sent."
                f"{weak if self.state.tag.startswith('W/') else ''}"
            )
        self.ask("stale")


def _size(response: httpx.Response) -> int:
    """
    Bytes of an answer as it came: status line, headers, and the body before it
    is decompressed. Without the lengths of chunks, where it came in these.
    """
    line = f"{response.http_version} {response.status_code} {response.reason_phrase}\r\n"
    headers = sum(len(name) + len(value) + len(": \r\n") for name, value in response.headers.raw)
    return len(line) + headers + len("\r\n") + response.num_bytes_downloaded
