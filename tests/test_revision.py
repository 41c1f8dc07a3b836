"""Which code is running, read when the settings are."""

import os
import shutil
import subprocess
from importlib.metadata import PathDistribution

import pytest
from django.core.exceptions import ImproperlyConfigured

from etag_versioning.revision import (
    revision_from_environment,
    revision_from_files,
    revision_from_git,
)

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder, *arguments):
    author = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@needs_git
def test_the_commit_that_is_checked_out(tmp_path):
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "a")
    first = revision_from_git(tmp_path)
    assert first == git(tmp_path, "log", "--format=%H")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "b")
    assert revision_from_git(str(tmp_path)) != first


@pytest.mark.parametrize(
    "prepare", ["nothing", pytest.param("no commit", marks=needs_git), "no folder", "no git"]
)
def test_no_revision_is_an_error_at_start_up(tmp_path, prepare, monkeypatch):
    folder = tmp_path
    if prepare == "no commit":
        git(tmp_path, "init", "-q")
    elif prepare == "no folder":
        folder = tmp_path / "nowhere"
    elif prepare == "no git":
        monkeypatch.setenv("PATH", "")
    with pytest.raises(ImproperlyConfigured, match="revision_from_environment"):
        revision_from_git(folder)


def test_the_first_variable_that_has_a_value(monkeypatch):
    monkeypatch.setenv("EMPTY_REVISION", "  ")
    monkeypatch.setenv("GIVEN_REVISION", " abc\n")
    assert revision_from_environment("NO_REVISION", "EMPTY_REVISION", "GIVEN_REVISION") == "abc"
    assert revision_from_environment("NO_REVISION", "EMPTY_REVISION") == ""
    assert revision_from_environment() == ""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "views.py").write_text("a = 1")
    (folder / "app" / "page.html").write_text("<p>")
    return folder


def test_the_revision_of_unchanged_files_stays(project):
    first = revision_from_files(project)
    os.utime(project / "app" / "views.py", (1, 1))
    assert revision_from_files(str(project)) == first
    assert len(first) == 24


def test_the_revision_of_a_copy_in_another_folder_is_the_same(project, tmp_path):
    shutil.copytree(project, tmp_path / "copy")
    assert revision_from_files(tmp_path / "copy") == revision_from_files(project)


@pytest.mark.parametrize("name", ["app/views.py", "app/page.html"])
def test_a_changed_file_changes_the_revision(project, name):
    first = revision_from_files(project)
    (project / name).write_text("changed")
    assert revision_from_files(project) != first


def test_a_new_renamed_or_removed_file_changes_the_revision(project):
    found = [revision_from_files(project)]
    (project / "app" / "new.po").write_text("")
    found.append(revision_from_files(project))
    (project / "app" / "new.po").rename(project / "app" / "renamed.po")
    found.append(revision_from_files(project))
    (project / "app" / "views.py").unlink()
    found.append(revision_from_files(project))
    assert len(set(found)) == 4


def test_text_that_goes_from_one_file_to_the_next_changes_the_revision(project):
    (project / "a.py").write_text("ab")
    (project / "b.py").write_text("c")
    first = revision_from_files(project)
    (project / "a.py").write_text("a")
    (project / "b.py").write_text("bc")
    assert revision_from_files(project) != first


@pytest.mark.parametrize(
    "name",
    [
        ".git/HEAD",
        "app/__pycache__/views.cpython-313.pyc",
        "db.sqlite3",
        "db.sqlite3-wal",
        "logs/error.log",
        "media/photo.jpg",
        "node_modules/package/index.js",
        "venv/lib/module.py",
    ],
)
def test_a_file_that_no_deployment_changes_leaves_the_revision(project, name):
    (project / "venv").mkdir()
    (project / "venv" / "pyvenv.cfg").write_text("")
    first = revision_from_files(project)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("new")
    assert revision_from_files(project) == first


def test_a_folder_of_uploads_with_another_name_can_be_ignored(project):
    first = revision_from_files(project, ignore=["uploads"])
    (project / "uploads").mkdir()
    (project / "uploads" / "photo.jpg").write_text("new")
    assert revision_from_files(project, ignore=["uploads"]) == first
    assert revision_from_files(project) != first


def test_another_version_of_a_distribution_changes_the_revision(project, monkeypatch):
    first = revision_from_files(project)
    monkeypatch.setattr(PathDistribution, "version", "0.0.0")
    assert revision_from_files(project) != first


def test_a_broken_link_is_ignored(project):
    first = revision_from_files(project)
    (project / "link.py").symlink_to(project / "nowhere.py")
    assert revision_from_files(project) == first


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ImproperlyConfigured, match=r"revision_from_files\(BASE_DIR\)"):
        revision_from_files(tmp_path / "nowhere")
