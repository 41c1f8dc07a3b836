"""A project whose ``INSTALLED_APPS`` lack the app is told so when it starts."""

import subprocess
import sys
import textwrap

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from etag_versioning.apps import require_installed
from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Person

WITHOUT_APP = [name for name in settings.INSTALLED_APPS if name != "etag_versioning"]


def start(tmp_path, installed_apps):
    """Start a project in a process of its own: its models inherit from ours."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "models.py").write_text(
        textwrap.dedent(
            """
            from etag_versioning.models import VersionedModel

            class Product(VersionedModel):
                pass
            """
        )
    )
    code = (
        "import django; from django.conf import settings; "
        f"settings.configure(INSTALLED_APPS={installed_apps!r}); django.setup()"
    )
    path = [str(tmp_path), *filter(None, sys.path)]
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {code}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_project_with_versioned_models_does_not_start_without_the_app(tmp_path):
    done = start(tmp_path, ["shop"])
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last
    assert 'INSTALLED_APPS = ["etag_versioning", ...]' in last


@pytest.mark.parametrize(
    "installed_apps", [["etag_versioning", "shop"], ["shop", "etag_versioning"]]
)
def test_it_starts_with_the_app_in_either_order(tmp_path, installed_apps):
    done = start(tmp_path, installed_apps)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_decorated_view_does_not_start_without_the_app():
    with (
        override_settings(INSTALLED_APPS=WITHOUT_APP),
        pytest.raises(ImproperlyConfigured, match="is missing from INSTALLED_APPS"),
    ):
        versioned_condition(Person)


def test_a_viewset_does_not_start_without_the_app():
    viewsets = pytest.importorskip("etag_versioning.rest_framework.viewsets")
    with (
        override_settings(INSTALLED_APPS=WITHOUT_APP),
        pytest.raises(ImproperlyConfigured, match="is missing from INSTALLED_APPS"),
    ):
        viewsets.VersionedModelViewSet.as_view({"get": "list"})


def test_nothing_is_asked_of_a_project_that_has_the_app():
    require_installed()
