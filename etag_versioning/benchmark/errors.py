"""Why an address cannot be measured."""

from __future__ import annotations

__all__ = ["BenchmarkError", "printable"]


class BenchmarkError(Exception):
    """The address cannot be measured; the message says why, and what to do."""


def printable(text: str, length: int = 200) -> str:
    r"""
    What a server sent, on one line that no terminal takes for commands.

    >>> printable("gone\n\x1b[31m")
    'gone\\n\\x1b[31m'
    """
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    return line if len(line) <= length else f"{line[:length]}…"
