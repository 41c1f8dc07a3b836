"""What a response shows, part by part: the values of JSON by their paths, or lines of text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.http.response import HttpResponseBase

__all__ = ["content_parts", "header_parts", "json_parts"]

# The headers that clients show, or follow.
_SHOWN_HEADERS = ("Content-Type", "Content-Disposition", "Link", "X-Total-Count")
# Each page has another mask for the same CSRF token.
_CSRF_TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b")


def content_parts(
    response: HttpResponseBase, content: bytes, *, sizes: bool = False
) -> Iterator[tuple[str, Any]]:
    """
    The parts of a response, each with its name.

    Args:
        response: the response, for its headers and its charset.
        content: its whole body.
        sizes: as for ``json_parts()``; for a text, also the number of its lines.
    """
    yield from header_parts(response)
    kind = response.get("Content-Type", "")
    if "json" in kind:
        try:
            yield from json_parts(json.loads(content), sizes=sizes)
            return
        except ValueError:
            pass
    try:
        text = content.decode(response.charset)
    except (LookupError, UnicodeDecodeError):
        yield "content", content
        return
    if "html" in kind:
        text = _CSRF_TOKEN.sub("", text)
    lines = text.splitlines()
    if sizes:
        yield "number of lines", len(lines)
    for number, line in enumerate(lines, 1):
        yield f"line {number}", line


def header_parts(response: HttpResponseBase) -> Iterator[tuple[str, Any]]:
    """The headers that clients show, or follow."""
    for name in _SHOWN_HEADERS:
        if response.has_header(name):
            yield name, response[name]


def json_parts(value: Any, path: str = "", *, sizes: bool = False) -> Iterator[tuple[str, Any]]:
    """
    The values of JSON by their paths, as ``phones[0].number``.

    Args:
        value: dictionaries, lists and tuples, with plain values in them.
        path: the path of ``value``.
        sizes: whether objects and arrays are parts too, each with its size: the path of the
            array then names an item that is gone.
    """
    if isinstance(value, Mapping) and value:
        if sizes:
            yield path, len(value)
        for name, each in value.items():
            yield from json_parts(each, f"{path}.{name}" if path else str(name), sizes=sizes)
    elif isinstance(value, list | tuple) and value:
        if sizes:
            yield path, len(value)
        for index, each in enumerate(value):
            yield from json_parts(each, f"{path}[{index}]", sizes=sizes)
    else:
        yield path, value
