"""
Run the tests beside other apps::

    python -m tests.neighbours [what pytest takes]

Their settings are of their own, and the other tests' run leaves them out.
"""

import sys
from pathlib import Path

import pytest

FOLDER = str(Path(__file__).parent)
OPTIONS = ("--override-ini=addopts=", "--ds=tests.neighbours.settings", "--no-migrations")

if __name__ == "__main__":
    given = sys.argv[1:] or ["--numprocesses=auto", FOLDER]
    sys.exit(pytest.main([*OPTIONS, *given]))
