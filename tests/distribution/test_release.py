"""`.ci/release` releases nothing that is unfinished, and nothing that nobody has signed off."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci/release"
CHANGELOG = "# Changelog\n\n## 1.2.3 (2026-01-31)\n\n- Tags are shorter.\n\n## 1.2.2\n\n- Old.\n"


class Repository:
    """A repository with a version, a changelog, and a `make` that only says that it ran."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "etag_versioning").mkdir()
        (folder / ".ci").mkdir()
        (folder / "bin").mkdir()
        shutil.copy(SCRIPT, folder / ".ci/release")
        (folder / "etag_versioning/__init__.py").write_text('__version__ = "1.2.3"\n')
        (folder / "CHANGELOG.md").write_text(CHANGELOG)
        make = folder / "bin/make"
        make.write_text('#!/bin/sh\necho "made $*"\n')
        make.chmod(0o755)
        self.git("init", "--quiet")
        self.commit()

    def git(self, *arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def commit(self):
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "A change")

    def release(self, answer=""):
        environment = os.environ | {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }
        return subprocess.run(
            [self.folder / ".ci/release"],
            input=answer,
            env=environment,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


def test_the_version_that_is_typed_tags_the_commit_with_its_changes(repository):
    done = repository.release("1.2.3\n")
    assert done.returncode == 0, done.stderr
    assert "made dist" in done.stdout
    message = repository.git("tag", "--list", "--format=%(contents)", "v1.2.3")
    assert message.strip() == "1.2.3\n\n- Tags are shorter."


def test_the_changes_are_shown_before_the_question(repository):
    shown = repository.release().stdout
    assert "- Tags are shorter.\n" in shown
    assert "- Old." not in shown


@pytest.mark.parametrize("answer", ["", "y\n", "1.2.2\n"])
def test_any_other_answer_tags_nothing(repository, answer):
    done = repository.release(answer)
    assert done.returncode == 1
    assert "Not signed off" in done.stderr
    assert repository.git("tag", "--list") == ""


def test_a_change_that_is_not_committed_is_refused(repository):
    (repository.folder / "CHANGELOG.md").write_text(CHANGELOG + "\n")
    done = repository.release("1.2.3\n")
    assert done.returncode == 1
    assert "not committed" in done.stderr


def test_a_changelog_without_the_day_of_the_release_is_refused(repository):
    unreleased = CHANGELOG.replace("(2026-01-31)", "(unreleased)")
    (repository.folder / "CHANGELOG.md").write_text(unreleased)
    repository.commit()
    done = repository.release("1.2.3\n")
    assert done.returncode == 1
    assert "'## 1.2.3 (unreleased)'" in done.stderr


def test_a_version_that_is_tagged_already_is_refused(repository):
    repository.git("tag", "v1.2.3")
    done = repository.release("1.2.3\n")
    assert done.returncode == 1
    assert "v1.2.3 has been released" in done.stderr
