"""The Python blocks of each page run, in the order of the page, in a project of their own."""

import ast
import sys
from collections import Counter

import pytest

from .blocks import ROOT, blocks, pages, parts
from .project import run_page

# The README's and the tutorial's projects have tests of their own here. Those of clients run
# against servers, in tests/client; two in tests/neighbours, whose packages they need.
RUN_ELSEWHERE = {
    "README.md",
    "docs/tutorial.md",
    "docs/mobile.md",
    "docs/python-client.md",
    "docs/ninja.md",
    "docs/neighbours.md",
}
# How many blocks of a page cannot run. The page says why, at each.
EXCERPTS = {"docs/migrating.md": 3, "docs/typing.md": 1}


def name(page):
    return str(page.relative_to(ROOT))


GUIDES = [
    page
    for page in pages()
    if name(page) not in RUN_ELSEWHERE
    and any(block.language == "python" and not block.excerpt for block in blocks(page))
]


def packages(page):
    """What a page's code imports, apart from Python, Django, the project and this package."""
    given = {"django", "etag_versioning", "shop", *sys.stdlib_module_names}
    for block in parts(page):
        if block.language == "python" and not block.excerpt:
            for node in ast.walk(ast.parse(block.text)):
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = node.module.split(".")
                    yield from {names[0]} - given
                    yield from {"rest_framework", "adrf"} & {*names}
                elif isinstance(node, ast.Import):
                    yield from {alias.name.partition(".")[0] for alias in node.names} - given


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_the_code_of_a_page_runs(page, tmp_path):
    for package in packages(page):
        pytest.importorskip(package)
    run_page(page, tmp_path)


def test_few_blocks_cannot_run_and_each_says_why():
    excerpts = (block for page in pages() for block in blocks(page) if block.excerpt)
    assert Counter(name(block.page) for block in excerpts) == EXCERPTS
