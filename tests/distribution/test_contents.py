"""What `make dist` has built holds what it should, and nothing else."""

import email
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

import etag_versioning

ROOT = Path(__file__).parents[2]
VERSION = etag_versioning.__version__
SDIST = ROOT / f"dist/django_etag_versioning-{VERSION}.tar.gz"
WHEEL = ROOT / f"dist/django_etag_versioning-{VERSION}-py3-none-any.whl"


@pytest.fixture(scope="module")
def tracked():
    """The files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {name for name in listed.stdout.split("\0") if name}


@pytest.fixture(scope="module")
def in_wheel():
    with zipfile.ZipFile(WHEEL) as wheel:
        return set(wheel.namelist())


@pytest.fixture(scope="module")
def metadata():
    with zipfile.ZipFile(WHEEL) as wheel:
        name = f"django_etag_versioning-{VERSION}.dist-info/METADATA"
        return email.message_from_bytes(wheel.read(name))


def test_the_folder_has_one_sdist_and_one_wheel():
    assert set((ROOT / "dist").iterdir()) == {SDIST, WHEEL}


def test_the_sdist_has_every_file_of_the_repository_and_what_setuptools_adds(tracked):
    with tarfile.open(SDIST) as sdist:
        files = {member.name.partition("/")[2] for member in sdist if member.isfile()}
    added = {name for name in files - tracked if "django_etag_versioning.egg-info/" not in name}
    assert added == {"PKG-INFO"}
    assert tracked - files == set()


def test_the_wheel_has_the_files_of_the_package_and_its_own_metadata(tracked, in_wheel):
    package = {
        name
        for name in tracked
        if name.startswith("etag_versioning/") and not name.endswith("/README.md")
    }
    info = f"django_etag_versioning-{VERSION}.dist-info/"
    assert {name for name in in_wheel if not name.startswith(info)} == package


@pytest.mark.parametrize(
    "name",
    [
        "etag_versioning/py.typed",
        "etag_versioning/locale/de/LC_MESSAGES/django.mo",
        "etag_versioning/locale/en/LC_MESSAGES/django.mo",
    ],
)
def test_the_wheel_has_types_and_translations(in_wheel, name):
    assert name in in_wheel


@pytest.mark.parametrize("folder", ["static", "templates"])
def test_the_wheel_has_static_files_and_templates(in_wheel, folder):
    assert any(name.startswith(f"etag_versioning/{folder}/etag_versioning/") for name in in_wheel)


def test_the_wheel_has_the_licence(in_wheel):
    assert f"django_etag_versioning-{VERSION}.dist-info/licenses/LICENSE" in in_wheel


def test_django_is_the_only_requirement_without_an_extra(metadata):
    required = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert required == ["Django>=5.2"]


def test_the_client_for_programs_requires_httpx(metadata):
    assert "client" in metadata.get_all("Provides-Extra")
    required = [line for line in metadata.get_all("Requires-Dist") if 'extra == "client"' in line]
    assert required == ['httpx>=0.28; extra == "client"']


def test_each_supported_python_and_django_is_classified(metadata):
    classifiers = metadata.get_all("Classifier")
    for version in ("3.11", "3.12", "3.13"):
        assert f"Programming Language :: Python :: {version}" in classifiers
    for version in ("5.2", "6.0", "6.1"):
        assert f"Framework :: Django :: {version}" in classifiers
    assert "Typing :: Typed" in classifiers


def test_the_project_page_links_to_the_documentation_and_the_changelog(metadata):
    labels = {line.partition(",")[0] for line in metadata.get_all("Project-URL")}
    assert {"Documentation", "Changelog"} <= labels


def test_each_link_of_the_description_works_on_another_host(metadata):
    links = re.findall(r"\]\(([^)]*)\)", metadata.get_payload())
    assert [link for link in links if not re.match("https://|#", link)] == []
