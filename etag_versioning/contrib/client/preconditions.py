"""Which preconditions a client sends, and what it keeps of the answers: RFC 9110, RFC 9111."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import httpx

from .memory import Content, Entry, Memory

READS = ("GET", "HEAD")
WRITES = ("PUT", "PATCH", "DELETE")

# A request that has one of these is the caller's own business, and so is its 304.
PRECONDITIONS = (
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "If-Range",
)

# RFC 9111, section 3.1: headers of one connection. The body is kept decoded, so its coding and
# its length on the wire go too.
OF_THE_CONNECTION = {
    *(b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    *(b"proxy-authenticate", b"proxy-authentication-info", b"proxy-authorization"),
    *(b"content-encoding", b"content-length"),
}
# RFC 9111, section 3.2: a 304 has no content, so it does not say what the kept content is. Under
# a newer tag than its own, a write would overwrite what nobody has seen.
OF_THE_CONTENT = {b"content-type", b"content-range", b"etag"}

# Where a request carries its Exchange, in its extensions: httpx hands these on to the request
# that follows a redirect.
EXCHANGE = "etag_versioning"
# Where a 200 from memory carries the 304, in its extensions.
NOT_MODIFIED = "not_modified"


@dataclass(frozen=True)
class Exchange:
    """
    What has to be known of a request when its answer arrives.

    Attributes:
        number: as `Memory` counts them.
        stream: whether the caller reads the content itself.
        added: the precondition that the client has added, if any.
        content: what a 304 stands for, if the client has asked for one.
    """

    number: int
    stream: bool
    added: str | None = None
    content: Content | None = None


def prepare(memory: Memory, request: httpx.Request, stream: bool) -> None:
    """Add the precondition that the memory has for the request."""
    # It has one already if it follows a redirect, or is sent for the second time.
    before: Exchange | None = request.extensions.pop(EXCHANGE, None)
    sent = request.headers.pop(before.added, None) if before and before.added else None
    number, added, content = memory.next_number(), None, None
    if not any(name in request.headers for name in PRECONDITIONS):
        entry = memory.get(address_of(request.url))
        # If nothing is known of the next address, a write keeps the If-Match of the one before:
        # better a 412 than a write that nothing guards.
        if request.method in WRITES and (tag := entry.tag or sent):
            added = "If-Match"
            request.headers[added] = tag
        # With Range, a 304 would stand for a part of the content.
        elif request.method in READS and not stream and "Range" not in request.headers:
            content = entry.content_for(accepted_by(request))
            if content and entry.tag:
                added = "If-None-Match"
                request.headers[added] = entry.tag
    request.extensions[EXCHANGE] = Exchange(number, stream, added, content)


def conclude(memory: Memory, response: httpx.Response) -> httpx.Response:
    """Remember what the answer says; return what the caller gets."""
    request = response.request
    exchange: Exchange | None = request.extensions.get(EXCHANGE)
    if exchange is None:
        return response  # To a request that an httpx.Auth has made by itself.
    if response.status_code == 304 and exchange.content:
        response = from_memory(exchange.content, response)
    address, tag = address_of(request.url), response.headers.get("ETag")
    # A HEAD is not remembered: a write would name a state that nobody has seen.
    if request.method == "GET" and response.status_code == 200:
        memory.put(address, Entry(exchange.number, tag, content_of(response)))
    elif request.method in WRITES and response.is_success:
        if request.method == "DELETE":
            tag = None
        content = content_of(response) if tag and shows_its_address(response) else None
        memory.put_written(address, exchange.number, request.headers.get("If-Match"), tag, content)
    # After a 412 the stale tag stays: without it, the next write might overwrite what nobody saw.
    return response


def from_memory(content: Content, not_modified: httpx.Response) -> httpx.Response:
    """RFC 9111, section 4.3.4: the 200 that the 304 stands for, with the headers of the 304."""
    extensions = {**not_modified.extensions, NOT_MODIFIED: not_modified}
    extensions.pop("reason_phrase", None)
    response = httpx.Response(
        200,
        headers=updated(content.headers, not_modified.headers),
        content=None if not_modified.request.method == "HEAD" else content.body,
        request=not_modified.request,
        extensions=extensions,
        history=not_modified.history,
        default_encoding=not_modified.default_encoding,
    )
    # httpx measures no time of an answer that is made in the process, as by a MockTransport.
    with suppress(RuntimeError):
        response.elapsed = not_modified.elapsed
    return response


def content_of(response: httpx.Response) -> Content | None:
    """The content, where there is some with a tag, and it may be kept (RFC 9111, section 3)."""
    request = response.request
    if request.extensions[EXCHANGE].stream:
        return None
    if "ETag" not in response.headers or any(
        "no-store" in tokens(headers, "Cache-Control")
        for headers in (request.headers, response.headers)
    ):
        return None
    kept = [pair for pair in lasting(response.headers) if pair[0].lower() != b"set-cookie"]
    return Content(accepted_by(request), httpx.Headers(kept), response.content)


def shows_its_address(response: httpx.Response) -> bool:
    """Whether the answer to a write is what a GET would show (RFC 9110, section 8.7)."""
    location = response.headers.get("Content-Location")
    if location is None or response.status_code not in (200, 201):
        return False
    try:
        shown = response.request.url.join(location)
    except httpx.InvalidURL:
        return False
    return address_of(shown) == address_of(response.request.url)


def updated(kept: httpx.Headers, fresh: httpx.Headers) -> httpx.Headers:
    """The kept headers, with those of a 304 in the place of their namesakes."""
    renewed = [pair for pair in lasting(fresh) if pair[0].lower() not in OF_THE_CONTENT]
    names = {name.lower() for name, _ in renewed}
    return httpx.Headers([*(pair for pair in kept.raw if pair[0].lower() not in names), *renewed])


def lasting(headers: httpx.Headers) -> list[tuple[bytes, bytes]]:
    """The headers that say something of the answer, and not of the connection."""
    named = {name.encode() for name in tokens(headers, "Connection")}
    return [pair for pair in headers.raw if pair[0].lower() not in OF_THE_CONNECTION | named]


def tokens(headers: httpx.Headers, name: str) -> set[str]:
    return {token.strip().lower() for token in headers.get(name, "").split(",")}


def accepted_by(request: httpx.Request) -> tuple[str | None, str | None]:
    return request.headers.get("Accept"), request.headers.get("Accept-Language")


def address_of(url: httpx.URL) -> str:
    return str(url.copy_with(fragment=None))
