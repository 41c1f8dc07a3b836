"""The example project behind gunicorn, on SQLite, for the tests that need a real server."""

import pytest

from tests.serving import example


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    with example(tmp_path_factory.mktemp("client")) as address:
        yield address
