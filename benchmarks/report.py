"""The tables of a comparison: for the terminal, and as Markdown."""

from rich.console import Console
from rich.table import Table


def show(found):
    console = Console(width=110)
    for title, headings, rows in tables(found):
        table = Table(title=title, title_justify="left")
        for number, heading in enumerate(headings):
            table.add_column(heading, justify="right" if number else "left")
        for row in rows:
            table.add_row(*row)
        console.print(table)


def markdown(found):
    """All tables of one database, as Markdown."""
    lines = []
    for title, headings, rows in tables(found):
        lines += ["", f"**{title}**", ""]
        lines += [_line(headings), _line(["---", *["--:"] * (len(headings) - 1)])]
        lines += [_line(row) for row in rows]
    return "\n".join(lines[1:])


def tables(found):
    """Title, headings and rows of each table."""
    name = found["database"]
    yield _reads(name, found["reads"])
    yield _writes(name, found["writes"], found["concurrent"])
    yield _lists(name, found["lists"])
    yield _promises(name, found["promises"]["ratios"])


def _reads(name, found):
    rows = [
        [
            row["name"],
            *(_percent(row[kind]) for kind in ("hit", "miss", "no header")),
            f"{row['hit by floor']:.2f}",
            " / ".join("?" if count is None else str(count) for count in row["statements"]),
        ]
        for row in found["subjects"]
    ]
    rows += [[row, _percent(ratio), "", "", "", ""] for row, ratio in found["floors"].items()]
    headings = ["of the same answer without tags", "hit", "miss", "no header"]
    return f"Reads, {name}", [*headings, "hit by floor", "statements"], rows


def _writes(name, single, concurrent):
    together = {row["name"]: row for row in concurrent}
    rows = []
    for row in single:
        race = together[row["name"]]
        counts = [f"{race[key]:,}" for key in ("lost", "refused", "errors")]
        counts[0] += f" of {race['writes']:,}"
        alone = [row["name"], f"{row['ratio']:.2f}", str(row["statements"])]
        rows.append([*alone, f"{race['ratio']:.1f}", *counts])
    headings = ["of a plain PUT", "alone", "statements", "8 at once", "lost", "refused", "5xx"]
    return f"Writes, {name}", headings, rows


def _lists(name, sizes):
    names = list(sizes[0]["hits"])
    rows = [
        [
            hit,
            *(
                f"{_percent(s['hits'][hit]['ratio'])}, {s['hits'][hit]['by floor']:.1f}"
                for s in sizes
            ),
        ]
        for hit in names
    ]
    headings = ["hit: of the whole page, by one statement", *(f"{s['rows']:,} rows" for s in sizes)]
    return f"Lists, pages of 25, {name}", headings, rows


def _promises(name, ratios):
    rows = [[row["name"], f"{row['limit']:.2f}", f"{row['ratio']:.2f}"] for row in ratios]
    return f"What each change is held to, {name}", ["first : second", "at most", "measured"], rows


def _percent(value):
    return f"{value:.0%}"


def _line(cells):
    return f"| {' | '.join(cells)} |"
