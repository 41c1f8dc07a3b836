"""
The revision of the running code, for the project's settings.

A deployment can change what is rendered from rows that it does not write. With the revision
in the tags, clients fetch again::

    from etag_versioning.revision import revision_from_environment, revision_from_git

    ETAG_VERSIONING = {
        "REVISION": revision_from_environment("GIT_COMMIT") or revision_from_git(BASE_DIR),
    }
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

__all__ = ["revision_from_environment", "revision_from_git"]


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
