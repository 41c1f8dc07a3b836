"""What a run of tests said, and what another one said that was not there before."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Results:
    """Names of tests by their outcome. A module that cannot be imported is a failed test."""

    passed: frozenset[str]
    failed: frozenset[str]

    @classmethod
    def read(cls, report: Path) -> "Results":
        """What pytest wrote by ``--junit-xml``."""
        cases = list(ElementTree.parse(report).iter("testcase"))
        failed = {name(case) for case in cases if is_failed(case)}
        passed = {name(case) for case in cases if case.find("skipped") is None} - failed
        return cls(frozenset(passed), frozenset(failed))

    def broken_by(self, after: "Results") -> frozenset[str]:
        """Tests that failed later, but not here, and those that passed here and are gone."""
        return (after.failed - self.failed) | (self.passed - after.passed)


def name(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"


def is_failed(case: ElementTree.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None
