"""What an audit has found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .mends import Lie, Mend

__all__ = ["ModelReport", "Report", "Variation"]


@dataclass
class ModelReport:
    """
    What became of the changes of one model's rows.

    Attributes:
        label: the model.
        alias: the database that the answer reads it from.
        in_validators: whether the 304 reads its table.
        rows: how many rows were changed.
        follows: changes that changed the answer, and its tag.
        lies: changes that changed the answer, and left its tag.
        needless: changes that left the answer, and changed its tag.
        skipped: changes that could not be made, and why.
    """

    label: str
    alias: str
    in_validators: bool
    rows: int
    follows: set[str] = field(default_factory=set)
    lies: list[Lie] = field(default_factory=list)
    needless: set[str] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Whether the tag follows the model: "yes", "NO", "not shown" or "unknown"."""
        if self.lies:
            return "NO"
        if self.follows:
            return "yes"
        return "not shown" if self.rows else "unknown"

    @property
    def lying(self) -> list[str]:
        """The changes that the tag did not follow, each once."""
        return list(dict.fromkeys(lie.what for lie in self.lies))


@dataclass(frozen=True)
class Variation:
    """
    Two visitors who are answered differently under one tag.

    Args:
        first, second: what tells them apart.
        parts: the parts of the answers that differ.
    """

    first: str
    second: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.second} sees something else than {self.first} under the same tag"


@dataclass
class Report:
    """
    An audited address.

    Attributes:
        url: the address.
        tag: its tag before all changes.
        models: the models whose tables the answer reads.
        variations: visitors who are shown different things under one tag.
        mends: the code after which the tag does not lie.
    """

    url: str
    tag: str
    models: list[ModelReport] = field(default_factory=list)
    variations: list[Variation] = field(default_factory=list)
    mends: list[Mend] = field(default_factory=list)

    @property
    def is_honest(self) -> bool:
        """Whether each change of the answer that was found changes the tag."""
        return not self.variations and not any(model.lies for model in self.models)

    def text(self) -> str:
        """The report for a terminal."""
        lines = [self.url, *self._table(), ""]
        for model in self.models:
            for lie in model.lies[:1]:
                lines.append(
                    f"304 although {model.label} changed ({', '.join(model.lying)}): "
                    f"{_listed(lie.parts)} of the answer differs{_seen_by(lie.visitor)}."
                )
        lines += [f"{each}: {_listed(each.parts)}." for each in self.variations]
        for mend in self.mends:
            lines += [f"In {mend.where}{f', with {mend.hint}' if mend.hint else ''}:"]
            lines += [f"    {line}" for line in mend.code.splitlines()]
        if self.is_honest:
            lines.append("The tag followed each change of the answer.")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "url": self.url,
            "honest": self.is_honest,
            "models": [
                {
                    "model": model.label,
                    "database": model.alias,
                    "tag_follows": model.verdict,
                    "read_by_304": model.in_validators,
                    "rows": model.rows,
                    "lies": model.lying,
                    "needless": sorted(model.needless),
                    "skipped": model.skipped,
                }
                for model in self.models
            ],
            "variations": [
                {"first": each.first, "second": each.second, "parts": list(each.parts)}
                for each in self.variations
            ],
            "mends": [mend._asdict() for mend in self.mends],
        }

    def _table(self) -> list[str]:
        cells = [("model", "tag follows", "304 reads it", "remarks")]
        for model in self.models:
            reads = "yes" if model.in_validators else "no"
            cells.append((model.label, model.verdict, reads, _remarks(model)))
        widths = [max(len(row[column]) for row in cells) for column in range(3)]
        return [
            "  "
            + "  ".join(
                [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]
            ).rstrip()
            for row in cells
        ]


def _remarks(model: ModelReport) -> str:
    remarks = []
    if model.lies:
        remarks.append(f"ignores {_listed(model.lying)}")
    if model.needless:
        remarks.append(f"follows what is not shown: {_listed(sorted(model.needless))}")
    by_reason: dict[str, list[str]] = {}
    for name, reason in model.skipped.items():
        by_reason.setdefault(reason, []).append(name)
    remarks += [f"not tried: {_listed(names)} ({why})" for why, names in by_reason.items()]
    return "; ".join(remarks)


def _listed(names: Any, most: int = 4) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _seen_by(visitor: str) -> str:
    return f" (as {visitor})" if visitor else ""
