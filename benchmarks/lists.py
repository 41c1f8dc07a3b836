"""
Lists: a page of 25 from tables that grow, asked with the current tag, by the time of
the same page without tags; and how that hit grows by what one raw statement takes.
"""

from benchmarks import data
from benchmarks.reads import FLOOR, Reader
from benchmarks.turns import ratio, take_turns

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SIZES_OF_THE_SHORT_FORM = (1_000, 20_000)
PLAIN = {"by key": "/cursor/", "by number": "/numbered/"}
SUBJECTS = {
    "pages by key, exact tag": ("/versioned-cursor/", PLAIN["by key"]),
    "pages by number, exact tag": ("/versioned-numbered/", PLAIN["by number"]),
    "pages by number, max_version_and_count": ("/versioned-cheap/", PLAIN["by number"]),
}


def measure(sizes, turns):
    """For each size: each subject's hit by the whole page, and by one raw statement."""
    reader = Reader()
    try:
        return [measure_size(reader, size, turns) for size in sizes]
    finally:
        reader.close()


def measure_size(reader, size, turns):
    data.make_employees(size)
    subjects = {FLOOR: reader.timed(FLOOR, "hit", 304)}
    subjects |= {path: reader.timed(path) for path in PLAIN.values()}
    subjects |= {path: reader.timed(path, "hit") for path, _ in SUBJECTS.values()}
    took = take_turns(subjects, turns)
    hits = {
        name: {"ratio": ratio(took[path], took[plain]), "by floor": ratio(took[path], took[FLOOR])}
        for name, (path, plain) in SUBJECTS.items()
    }
    return {"rows": size, "hits": hits}
