"""
The revision of the running code, for the project's settings.

A deployment can change what is rendered from rows that it does not write. With the revision
in the tags, clients fetch again::

    from etag_versioning.revision import revision_from_environment, revision_from_files

    ETAG_VERSIONING = {
        "REVISION": revision_from_environment("GIT_COMMIT") or revision_from_files(BASE_DIR),
    }
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Collection, Iterator
from importlib.metadata import distributions
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from .http.etags import encode_terms

__all__ = ["revision_from_environment", "revision_from_files", "revision_from_git"]

# Files that change while the project runs.
_WRITTEN_AT_RUNTIME = (".log", ".pid", ".pyc", ".sock", ".sqlite3", "-journal", "-shm", "-wal")


def revision_from_environment(*names: str) -> str:
    """
    The value of the first of these environment variables that is set and not empty, or "".

    >>> revision_from_environment("NO_SUCH_VARIABLE")
    ''
    """
    return next((value for name in names if (value := os.environ.get(name, "").strip())), "")


def revision_from_git(folder: str | Path) -> str:
    """
    The hash of the commit that is checked out in ``folder``.

    Raises:
        ImproperlyConfigured: git is not installed, or there is no commit. An error at
            start-up is better than tags that stay the same over deployments.
    """
    command = ["git", "-C", os.fspath(folder), "rev-parse", "--verify", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or error
        raise ImproperlyConfigured(
            f"git found no revision of {folder}: {str(said).strip()}. Where the code is deployed "
            f"without its repository, write the revision into the environment: "
            f'"REVISION": revision_from_environment("GIT_COMMIT").'
        ) from error
    return done.stdout.strip()


def revision_from_files(
    folder: str | Path, ignore: Collection[str] = ("media", "node_modules")
) -> str:
    """
    A digest of a project's files, committed or not, and of the installed distributions.

    It changes with every file that a deployment can change: code, templates, translations,
    data. Reading the files takes a few milliseconds per megabyte, once per process.

    Args:
        folder: the project's root, as ``BASE_DIR``.
        ignore: names of folders, at any depth, whose content changes while the project runs,
            such as uploads: with them, processes that start at different times would have
            different revisions.

    Folders whose name begins with a dot, virtual environments, bytecode, logs and SQLite's
    files are ignored in any case. Distributions count by name and version, so the code of an
    editable one counts if it is in ``folder``.

    Raises:
        ImproperlyConfigured: there is no such folder, or one of its files cannot be read.
    """
    root = Path(folder)
    hasher = hashlib.blake2b(digest_size=12)
    try:
        for path in _deployed_files(root, frozenset(ignore)):
            for encoded in encode_terms([path.relative_to(root).as_posix(), path.read_bytes()]):
                hasher.update(encoded)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The files in {root} cannot be read for the revision: {error}. Name the project's "
            f'root: "REVISION": revision_from_files(BASE_DIR).'
        ) from error
    installed = {(str(each.metadata["Name"]), each.version) for each in distributions()}
    for encoded in encode_terms(sorted(installed)):
        hasher.update(encoded)
    return hasher.hexdigest()


def _deployed_files(root: Path, ignore: frozenset[str]) -> Iterator[Path]:
    """The files of a project, in an order that is the same on each machine."""

    def fail(error: OSError) -> None:
        raise error

    for place, folders, files in os.walk(root, onerror=fail):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in ignore
            and not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))
        )
        for name in sorted(files):
            path = Path(place, name)
            # A link may lead nowhere, and reading a pipe would not end.
            if not name.endswith(_WRITTEN_AT_RUNTIME) and path.is_file():
                yield path
