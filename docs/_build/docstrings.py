"""Docstrings as Markdown: their examples are reStructuredText's, as in Django."""

import re
from typing import Any

import griffe

_DOCTEST = re.compile(r"(?:^[ ]*(?:>>>|\.\.\.).*\n?(?:^[ ]*(?!>>>|\.\.\.)\S.*\n?)*)+", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Makes code blocks of examples that follow ``::``, and of doctests."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """A docstring with ``:`` for ``::``, and fences around doctests."""
    text = re.sub(r"::$", ":", text, flags=re.MULTILINE)
    return _DOCTEST.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)
