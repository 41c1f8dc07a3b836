"""The code on the pages is code, and imports what is there."""

import ast
import importlib
import re
import subprocess
from configparser import ConfigParser

import pytest

from tests.proxies.configurations import NGINX_CACHE, NGINX_CACHED, NGINX_GZIP

from .blocks import DOCS, ROOT, blocks, pages

# The site builds these from files that are elsewhere.
BUILT = {"changelog": "CHANGELOG.md", "benchmarks": "benchmarks/results/README.md"}
SITE = "https://django-etag-versioning.readthedocs.io/"
BLOCKS = [block for page in pages() for block in blocks(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
SHELL = [block for block in BLOCKS if block.language == "sh"]
NGINX = [block for block in BLOCKS if block.language == "nginx"]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_each_fence_of_a_page_is_one_of_its_blocks(page):
    fences = re.findall(r"^ *```\w", page.read_text("utf-8"), re.MULTILINE)
    assert len(blocks(page)) == len(fences)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_a_python_block_is_python(block):
    ast.parse(block.text)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_what_a_python_block_imports_of_the_package_is_there(block):
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("etag_versioning"):
            for optional in ("rest_framework", "adrf"):
                if optional in node.module.split("."):
                    pytest.importorskip(optional)
            module = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")


def test_the_start_page_leads_to_each_page():
    linked = re.findall(r"\]\(([^)#]+)", (DOCS / "index.md").read_text("utf-8"))
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {"index.md"}
    assert there - set(linked) == set()


def test_what_the_pages_import_of_the_package_is_on_the_page_from_the_docstrings():
    imported = {
        f"{node.module}.{alias.name}"
        for block in PYTHON
        for node in ast.walk(ast.parse(block.text))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("etag_versioning")
        for alias in node.names
    }
    shown = set(re.findall(r"^::: (\S+)$", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE))
    missing = {name for name in imported if not {name, name.rpartition(".")[0]} & shown}
    assert missing == set()


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_a_shell_block_is_shell(block):
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", NGINX, ids=str)
def test_an_nginx_block_shows_what_is_tested_with_nginx(block):
    tested = " ".join([NGINX_GZIP, NGINX_CACHE, NGINX_CACHED]).replace("{{", "{").replace("}}", "}")
    shown = re.findall(r"^ *((?:gzip|map|proxy_cache(?!_path)).*)$", block.text, re.MULTILINE)
    assert shown
    assert [line for line in shown if line not in tested] == []


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_what_a_shell_block_installs_is_an_extra_of_the_distribution(block):
    setup = ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    for extras in re.findall(r"django-etag-versioning\[([\w,-]+)\]", block.text):
        for extra in extras.split(","):
            assert setup.has_option("options.extras_require", extra)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_each_link_to_the_documentation_is_to_a_page_and_a_heading_that_are_there(page):
    text = (ROOT / page).read_text("utf-8")
    links = re.findall(rf"{re.escape(SITE)}en/latest/([^)#\s]*)(?:#([\w-]+))?", text)
    assert links
    for address, anchor in links:
        name = address.strip("/") or "index"
        if name.endswith((".svg", ".png")):
            folder = DOCS if name.endswith(".png") else ROOT / "benchmarks/results"
            assert (folder / name).is_file(), name
            continue
        file = ROOT / BUILT[name] if name in BUILT else DOCS / f"{name}.md"
        assert file.is_file(), address
        if anchor:
            assert anchor in anchors(file), f"{address}#{anchor}"


def anchors(file):
    """The anchors of a page's headings, as the site makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}
