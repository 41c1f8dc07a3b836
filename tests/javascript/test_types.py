"""TypeScript, in its strict mode, knows what the module exports."""

import re

TSC = ("node_modules/.bin/tsc", "--project", "tests/types")


def errors(run):
    """The places in which TypeScript finds an error."""
    output = run(*TSC).stdout
    return set(re.findall(r"^tests/types/(\w+\.ts)\((\d+),\d+\): error", output, re.MULTILINE))


def test_what_uses_everything_has_no_error_and_each_mistake_is_found(run, package):
    lines = (package / "tests/types/mistakes.ts").read_text().splitlines()
    mistakes = {
        ("mistakes.ts", str(number)) for number, line in enumerate(lines, 1) if "; // " in line
    }
    assert len(mistakes) == 9
    assert errors(run) == mistakes
