"""Which code is running, read when the settings are."""

import shutil
import subprocess

import pytest
from django.core.exceptions import ImproperlyConfigured

from etag_versioning.revision import revision_from_environment, revision_from_git

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
