"""The commands of docs/adopting.md, which the adoption of each project runs."""

import re
from collections.abc import Iterator
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs/adopting.md"


def commands(step: int, text: str | None = None) -> Iterator[str]:
    """The lines of the ``sh`` blocks below the heading ``## <step>. …``."""
    text = GUIDE.read_text() if text is None else text
    section = re.search(rf"^## {step}\. .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if section is None:
        raise LookupError(f"{GUIDE.name} has no step {step}: name it '## {step}. …'.")
    for block in re.findall(r"^```sh\n(.*?)^```$", section[0], re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
