"""A project that uses the package keeps the types of its models, in mypy and in Pyright."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
MYPY = ["mypy", "--config-file", str(FOLDER / "mypy.ini")]
PYRIGHT = ["pyright", "--pythonpath", sys.executable, "--project"]

MISTAKES = """
from tests.typing.project.models import Page, User

User.objects.filter(pk=7).expectt(version=3)
User.objects.unversioned().get().nmae
Page.objects.publishedd()
User.objects.get().version.upper()
"""


def check(*command):
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def test_mypy_finds_nothing_with_the_plugin_of_django_stubs():
    done = check(*MYPY, str(FOLDER / "project"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_finds_nothing_in_strict_mode():
    done = check(*PYRIGHT, str(FOLDER))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def mistakes(tmp_path):
    file = tmp_path / "mistakes.py"
    file.write_text(MISTAKES)
    return file


def lines_of_errors(output):
    errors = [line for line in output.splitlines() if ": error" in line or " - error" in line]
    return {int(line.partition("mistakes.py:")[2].partition(":")[0]) for line in errors}


def test_mypy_finds_each_misspelt_name(mistakes):
    done = check(*MYPY, str(mistakes))
    assert lines_of_errors(done.stdout) == {4, 5, 6, 7}, done.stdout


def test_pyright_finds_each_misspelt_name(mistakes):
    config = mistakes.parent / "pyrightconfig.json"
    config.write_text(f'{{"extraPaths": ["{ROOT}"], "typeCheckingMode": "standard"}}')
    done = check(*PYRIGHT, str(mistakes.parent))
    assert lines_of_errors(done.stdout) == {4, 5, 6, 7}, done.stdout
