"""What an answer must be so that it can be measured, and what to do where it is not."""

from __future__ import annotations

import re
from typing import Final

import httpx

from ..http.etags import parse_entity_tags
from .errors import BenchmarkError, printable

__all__ = ["another_tag", "check_status", "current_tag", "reached", "shown"]

# What to say to the statuses that have a remedy; others are named and quoted.
_REMEDIES: Final = {
    401: "It wants to know who asks: --header 'Authorization: Bearer …'",
    403: "It refuses this client: --header 'Authorization: …' or --header 'Cookie: …'",
    404: "There is nothing at this address.",
    407: "A proxy wants to know who asks: --header 'Proxy-Authorization: …'",
    429: "It throttles: lower --iterations, or lift the throttle for this client.",
}


def reached(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """
    Send a request.

    Raises:
        BenchmarkError: there is no answer.
    """
    url = shown(request.url)
    try:
        return client.send(request)
    except httpx.UnsupportedProtocol:
        raise BenchmarkError(f"{url} is no address of the form http://host/path") from None
    except httpx.TimeoutException:
        raise BenchmarkError(f"{url} did not answer in time.") from None
    except httpx.RequestError as error:
        raise BenchmarkError(
            f"{url} cannot be reached, or the server went away: {printable(str(error))}"
        ) from None


def check_status(response: httpx.Response, wanted: range) -> None:
    """
    Args:
        response: any answer.
        wanted: the statuses that can be measured.

    Raises:
        BenchmarkError: its status is another.
    """
    status = response.status_code
    if status in wanted:
        return
    asked = f"{response.request.method} {shown(response.request.url)}"
    got = f"{asked} was answered {status}."
    if response.next_request is not None:
        target = response.next_request.url
        raise BenchmarkError(f"{got} Measure where it redirects to: {shown(target)}")
    remedy = _REMEDIES.get(status) or f"It says: {printable(response.text) or 'nothing'}"
    raise BenchmarkError(f"{got} {remedy}")


def shown(url: httpx.URL) -> str:
    """An address without the password that may be in it."""
    return printable(str(url.copy_with(username=None, password=None)), length=500)


def current_tag(response: httpx.Response) -> str:
    """
    The tag of a 200, as it is sent back in conditional requests.

    Raises:
        BenchmarkError: no client would make a conditional request after this.
    """
    url = shown(response.request.url)
    directives = re.split(r"[\s,]+", response.headers.get("Cache-Control", "").lower())
    if "no-store" in directives:
        raise BenchmarkError(
            f"{url} sends Cache-Control: no-store. No client keeps the answer, so none asks "
            "with its tag. For private content, say Cache-Control: private, no-cache"
        )
    tag: str | None = response.headers.get("ETag")
    if tag is None:
        hint = (
            " (Last-Modified alone is not measured)" if "Last-Modified" in response.headers else ""
        )
        raise BenchmarkError(
            f"{url} sends no ETag{hint}. In Django: "
            "@versioned_condition(User, lookup_url_kwarg='user_id') above the view"
        )
    parsed = parse_entity_tags(tag) if tag.isascii() else None
    if not isinstance(parsed, tuple) or len(parsed) != 1:
        raise BenchmarkError(
            f'{url} sends ETag: {printable(tag)}, which is no entity tag. Quote it: ETag: "v3"'
        )
    return tag


def another_tag(tag: str) -> str:
    """
    A tag of the same form that is not the current one, as of another state.

    >>> another_tag('W/"user-7-v3"'), another_tag('"user-7-v0"'), another_tag('""')
    ('W/"user-7-v0"', '"user-7-v1"', '"0"')

    What follows a tilde is the representation in tags of this package, and does
    not count for writes:

    >>> another_tag('"user-7-v3~json"')
    '"user-7-v0~json"'
    """
    opening, opaque = tag[:-1].split('"', 1)
    state, tilde, representation = opaque.partition("~")
    other = "1" if state.endswith("0") else "0"
    return f'{opening}"{state[:-1]}{other}{tilde}{representation}"'
