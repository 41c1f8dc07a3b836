"""
The code of the documentation's pages.

A page is the guide to one small project (``project.py``), of which its Python blocks are parts:

- A block with ``title="models.py"`` is that file; one with ``title="settings.py"`` is added to
  the settings. Other blocks run in order, as one module.
- ``<!-- python`` … ``-->`` is code that the reader does not see: what the next block needs, or
  what shows that the last one works. It can have a title too.
- ``<!-- excerpt: why -->`` before a block says why it cannot run.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_TITLE = r'(?: title="(?P<{}>[^"]*)")?\n'
_BLOCK = re.compile(
    rf"^(?:(?P<hiding> *)<!-- python{_TITLE.format('hidden_title')}"
    r"(?P<hidden>.*?)^(?P=hiding)-->$"
    r"|(?: *<!-- excerpt: (?P<excerpt>[^\n]+) -->\n\n?)?"
    rf"(?P<indent> *)```(?P<language>\w+){_TITLE.format('title')}"
    r"(?P<text>.*?)^(?P=indent)```$)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """
    Attributes:
        page: where it stands.
        line: the line on which its text begins, from 1.
        language: such as "python".
        title: the file that it is, or "".
        text: what stands between the fences, without their indentation.
        is_hidden: whether it is a comment, which the reader does not see.
        excerpt: why it cannot run, or "".
    """

    page: Path
    line: int
    language: str
    title: str
    text: str
    is_hidden: bool = False
    excerpt: str = ""

    def __str__(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def parts(page):
    """All blocks of a page in order, with those that the reader does not see."""
    text = page.read_text("utf-8")
    for found in _BLOCK.finditer(text):
        is_hidden = found["hidden"] is not None
        body = "hidden" if is_hidden else "text"
        indent = found["hiding" if is_hidden else "indent"]
        yield Block(
            page,
            text.count("\n", 0, found.start(body)) + 1,
            "python" if is_hidden else found["language"],
            found["hidden_title" if is_hidden else "title"] or "",
            re.sub(f"^{indent}", "", found[body], flags=re.MULTILINE),
            is_hidden,
            found["excerpt"] or "",
        )


def blocks(page):
    """The blocks that a reader of the page sees, in order."""
    return [block for block in parts(page) if not block.is_hidden]


def pages():
    """Each page of the documentation, and the README."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
