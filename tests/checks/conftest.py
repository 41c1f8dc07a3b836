import pytest
from django.test.utils import isolate_apps

from etag_versioning.checks import check_models


@pytest.fixture
def isolated():
    """An app registry of the test's own, with no model in it."""
    with isolate_apps("tests.testapp") as registry:
        yield registry


@pytest.fixture
def found(isolated):
    """A function that returns what the check of models says of those that the test has made."""
    return lambda: check_models(isolated.get_app_configs())
