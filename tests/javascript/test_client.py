"""Each file of npm/tests, by Node's own test runner, against the example project."""

import pytest

from .conftest import NPM

# Those of the documentation need its blocks as files.
FILES = {file.name for file in NPM.glob("tests/*.test.js")} - {"documentation.test.js"}


@pytest.mark.parametrize("file", sorted(FILES))
def test_the_tests_of_a_file_pass(run, server, file):
    done = run("node", "--test", f"tests/{file}", SERVER=server)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n# pass 0\n" not in done.stdout


def test_a_failing_test_is_found(run, server, tmp_path):
    file = tmp_path / "failing.test.mjs"
    file.write_text('import { test } from "node:test";\ntest("fails", () => { throw 1; });\n')
    assert run("node", "--test", str(file), SERVER=server).returncode != 0
