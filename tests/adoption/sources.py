"""The source of a project, as its index offers it, and the edits of its maintainer."""

import re
import shutil
import tarfile
from pathlib import Path


class Source:
    """
    A folder with a project's source.

    Each edit raises ``LookupError`` if the project doesn't have what is edited, so that a
    new version of it can't be adopted by half.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def unpack(cls, sdist: Path, folder: Path) -> "Source":
        shutil.rmtree(folder, ignore_errors=True)
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        (root,) = folder.iterdir()
        return cls(root)

    def add(self, path: str, text: str) -> None:
        """Write a file of ours."""
        (self.folder / path).write_text(text)

    def append(self, path: str, text: str) -> None:
        with (self.folder / path).open("a") as file:
            file.write(text)

    def insert_after(self, path: str, line: str, text: str) -> None:
        """Add lines below the first one that begins with ``line``."""
        self.edit(path, rf"^{re.escape(line)}.*\n", lambda found: found[0] + text, count=1)

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace each occurrence of ``old``."""
        self.edit(path, re.escape(old), lambda found: new)

    def edit(self, path, pattern, new, count=0) -> None:
        file = self.folder / path
        text, edits = re.subn(pattern, new, file.read_text(), count=count, flags=re.MULTILINE)
        if not edits:
            raise LookupError(f"{file} has nothing that matches {pattern!r}.")
        file.write_text(text)
