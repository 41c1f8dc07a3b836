"""The table in the docs lists each scenario of these tests, with what they prove, and no other."""

import re
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/honest-tags.md"
# What a test proves, in the words of the page.
WORDS = {
    "impossible": "",
    "no tag": "",
    "helper": "test helper",
    "audit": "audit",
    "reader": "nothing",
    "fingerprint": "fingerprint",
    "REVISION": "`REVISION`",
}


def marks():
    """Each section of the page, with the scenarios of the module of that name."""
    found = {}
    for path in sorted(HERE.glob("test_*.py")):
        module = import_module(f"tests.honesty.{path.stem}")
        scenarios = [
            mark
            for function in vars(module).values()
            for mark in getattr(function, "pytestmark", ())
            if mark.name == "scenario"
        ]
        if scenarios:
            section = path.stem.removeprefix("test_").replace("_", " ").capitalize()
            found[section] = scenarios
    return found


def row(mark):
    shown, *proved = mark.args
    follows = {"impossible", "fingerprint"}.intersection(proved)
    happens = "no tag" if "no tag" in proved else "new tag" if follows else "lies"
    found_by = ", ".join(filter(None, (WORDS.get(each, f"`{each}`") for each in proved)))
    cells = (shown, happens, found_by, mark.kwargs.get("mend", ""))
    return "| " + " | ".join(cells) + " |"


def documented():
    """Each section of the page, with the rows of its table."""
    sections = PAGE.read_text("utf-8").split("\n### ")[1:]
    found = {}
    for section in sections:
        heading, _, text = section.partition("\n")
        _, *rows = (line for line in text.splitlines() if re.match(r"\| (?!-)", line))
        found[heading] = [re.sub(" +", " ", line) for line in rows]
    return found


def test_the_page_lists_each_scenario_and_no_other():
    expected = {
        section: [re.sub(" +", " ", row(mark)) for mark in scenarios]
        for section, scenarios in marks().items()
    }
    assert documented() == expected


def test_no_two_scenarios_have_one_name():
    names = [mark.args[0] for scenarios in marks().values() for mark in scenarios]
    assert len(set(names)) == len(names)


def test_each_lie_has_a_mend():
    lies = [
        mark.args[0]
        for scenarios in marks().values()
        for mark in scenarios
        if not {"impossible", "no tag"}.intersection(mark.args) and not mark.kwargs.get("mend")
    ]
    assert lies == []


def test_the_numbers_on_the_page_are_those_of_the_tests():
    sections = marks()
    deployments = sections.pop("Deployments")
    proved = [set(mark.args[1:]) for scenarios in sections.values() for mark in scenarios]
    lies = [each for each in proved if not each & {"impossible", "no tag"}]
    seen = [mark for mark in deployments if "fingerprint" in mark.args]
    text = " ".join(PAGE.read_text("utf-8").split())
    assert (
        f"Of {len(proved)} scenarios without a deployment, {len(proved) - len(lies)} get a new "
        f"tag, or none, without any configuration, and {len(lies)} lie." in text
    )
    assert (
        f"Of these {len(lies)}, the system checks warn of "
        f"{sum(any(name[0] in 'EW' for name in each) for each in lies)}, the test helper finds "
        f"{sum('helper' in each for each in lies)}, the audit finds "
        f"{sum('audit' in each for each in lies)}, and "
        f"{sum('reader' in each for each in lies)} are left to the reader." in text
    )
    assert (
        f"Of {len(deployments)} deployments, the fingerprint sees {len(seen)}, and `REVISION` "
        f"sees all." in text
    )
