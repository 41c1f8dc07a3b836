"""Pages of the site whose files are elsewhere in the repository."""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks/results"


def on_files(files: Files, config: Any) -> Files:
    """Add the changelog, and the results of `make bench` with their picture."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "changelog.md", content=changelog))
    results = (RESULTS / "README.md").read_text("utf-8")
    files.append(File.generated(config, "benchmarks.md", content=results))
    for picture in RESULTS.glob("*.svg"):
        files.append(File.generated(config, picture.name, abs_src_path=str(picture)))
    return files
