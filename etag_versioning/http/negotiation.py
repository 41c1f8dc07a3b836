"""
Proactive negotiation of an error's media type by Accept (RFC 9110 §12.5.1).

A pure function. Django's ``get_preferred_type()`` is not used, because it ignores ``q=0``
beside a wildcard, and can raise on the charset of a parameter.
"""

from __future__ import annotations

import re

__all__ = ["HTML", "JSON", "PROBLEM", "preferred_type"]

JSON = "application/json"
PROBLEM = "application/problem+json"
HTML = "text/html"

_QUALITY = re.compile(r";[ \t]*q=(?P<value>[01](?:\.[0-9]{0,3})?)[ \t]*(?:;|$)", re.IGNORECASE)


def preferred_type(accept: str | None) -> str:
    """
    Choose among JSON, problem details (RFC 9457) and HTML.

    Args:
        accept: the field value; ``None`` where it is absent.

    Returns:
        The type with the highest quality; among equals the most specific. JSON is the
        default, also where none of the three is acceptable: an error in the wrong
        media type is better than an error without a message.

    >>> preferred_type("text/html,application/xml;q=0.9,*/*;q=0.8")
    'text/html'
    >>> preferred_type("*/*"), preferred_type("application/json;q=0, */*;q=0.1")
    ('application/json', 'application/problem+json')
    """
    if accept in (None, "*/*", JSON):
        return JSON  # As most are.
    ranges = _ranges(accept or "*/*")
    best, choice = (0.0, 0), JSON
    for media_type in (JSON, PROBLEM, HTML):
        kind = media_type.partition("/")[0]
        named = ((media_type, 2), (f"{kind}/*", 1), ("*/*", 0))
        rank = next(((ranges[name], level) for name, level in named if name in ranges), (0.0, 0))
        # A client that names problem details explicitly can read them.
        knows = media_type == PROBLEM and rank[1] == 2
        if rank[0] > 0 and (rank > best or (rank == best and knows)):
            best, choice = rank, media_type
    return choice


def _ranges(accept: str) -> dict[str, float]:
    """The quality of each media range. Other parameters are ignored."""
    ranges: dict[str, float] = {}
    for element in accept.split(","):
        name, semicolon, parameters = element.partition(";")
        quality = _QUALITY.search(semicolon + parameters)
        name = name.strip(" \t").lower()
        ranges[name] = max(ranges.get(name, 0.0), float(quality["value"]) if quality else 1.0)
    return ranges
