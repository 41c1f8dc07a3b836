"""The package for npm."""

import json
import re

import etag_versioning

from .conftest import ROOT

STATIC = ROOT / "etag_versioning/static/etag_versioning"


def packed(run):
    done = run("npm", "pack", "--dry-run", "--json", "--ignore-scripts")
    assert done.returncode == 0, done.stderr
    [package] = json.loads(done.stdout)
    return package


def test_its_version_is_that_of_the_distribution(run):
    assert packed(run)["version"] == etag_versioning.__version__


def test_it_has_the_module_its_types_and_the_licence_and_nothing_else(run):
    assert {file["path"] for file in packed(run)["files"]} == {
        "LICENSE",
        "README.md",
        "package.json",
        "versioned-fetch.d.ts",
        "versioned-fetch.js",
    }


def test_its_module_and_types_are_those_of_the_static_files(package):
    for name in ("versioned-fetch.js", "versioned-fetch.d.ts"):
        assert (package / name).read_bytes() == (STATIC / name).read_bytes()
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_it_needs_no_other_package(package):
    described = json.loads((package / "package.json").read_text())
    assert "dependencies" not in described
    exact = re.compile(r"\d+\.\d+\.\d+")
    assert all(exact.fullmatch(version) for version in described["devDependencies"].values())


def test_the_module_imports_nothing(package):
    text = (package / "versioned-fetch.js").read_text()
    assert not re.search(r"^\s*import\b|\bimport\(|\brequire\(|\bfrom ['\"]", text, re.MULTILINE)
