"""The JavaScript of the documentation, in Node.js and among the static files of a project."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command
from django.template import engines

from tests.documentation.blocks import blocks, pages

BLOCKS = [block for page in pages() for block in blocks(page)]
MODULES = [block for block in BLOCKS if block.language == "js"]


class ModuleStorage(ManifestStaticFilesStorage):
    support_js_module_import_aggregation = True


@pytest.fixture
def folder(tmp_path, package):
    """The modules, which find npm's packages."""
    for block in MODULES:
        (tmp_path / block.title).write_text(block.text)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    packages = tmp_path / "node_modules"
    packages.mkdir()
    for installed in (package / "node_modules").iterdir():
        (packages / installed.name).symlink_to(installed)
    (packages / "django-etag-versioning").symlink_to(package)
    return tmp_path


def test_each_block_is_a_module_that_is_tested(package):
    tests = (package / "tests/documentation.test.js").read_text()
    assert {block.title for block in MODULES} == set(re.findall(r'block\("([^"]+)"\)', tests))
    assert len(MODULES) == 6


def test_the_modules_do_what_the_page_says(run, server, folder):
    done = run("node", "--test", "tests/documentation.test.js", SERVER=server, BLOCKS=str(folder))
    assert done.returncode == 0, done.stdout + done.stderr


def test_with_hashed_names_the_page_imports_files_that_are_there(tmp_path, settings):
    written = tmp_path / "written"
    written.mkdir()
    for block in MODULES:
        (written / block.title).write_text(block.text)
    storage = {"BACKEND": f"{__name__}.{ModuleStorage.__name__}"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    settings.STATICFILES_DIRS = [written]
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_URL = "/static/"
    call_command("collectstatic", verbosity=0)

    html = (block.text for block in BLOCKS if block.language == "html")
    [page] = (text for text in html if "importmap" in text)
    html = engines["django"].from_string(page).render()

    addresses = re.findall(r'"/static/([^"]+)"', html)
    hashed = r"(etag_versioning/versioned-fetch|client)\.[0-9a-f]{12}\.js"
    assert len(addresses) == 2
    for address in addresses:
        assert re.fullmatch(hashed, address)
        assert Path(settings.STATIC_ROOT, address).is_file()
    [client] = Path(settings.STATIC_ROOT).glob("client.*.js")
    [importing] = Path(settings.STATIC_ROOT).glob("page.*.js")
    assert f'from "./{client.name}"' in importing.read_text()
