"""Debian's Chromium, and a site for it to visit."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from pytest_django.live_server_helper import LiveServer

from tests import serving
from tests.testapp.models import Person

from . import site

# It imports selenium, which is imported only where a browser is driven.
collect_ignore = ["visitor.py"]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1100,1500",
]


def missing():
    """What a browser cannot be driven without, if it is not there."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium"
    return next((name for name in ("chromium", "chromedriver") if not shutil.which(name)), None)


def require(absent):
    """With ``make browser``, nothing that a test needs may be missing."""
    if absent and os.environ.get("BROWSER") == "required":
        pytest.fail(f"{absent} is not installed.")
    if absent:
        pytest.skip(f"{absent} is not installed; make browser installs it")


@pytest.fixture(scope="package")
def installed():
    require(missing())


@pytest.fixture(scope="package")
def address(installed, django_db_setup):
    """Where the site is."""
    with override_settings(**site.SETTINGS):
        server = LiveServer("127.0.0.1")
        yield server.url
        server.stop()


@pytest.fixture(scope="package")
def example(installed, tmp_path_factory):
    """Where the example project is, as ``make serve`` starts it."""
    with serving.example(tmp_path_factory.mktemp("example")) as address:
        yield address


@pytest.fixture(scope="package")
def driver(installed, tmp_path_factory):
    """Chromium, with a profile of its own that is empty."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    with webdriver.Chrome(options, service) as driver:
        yield driver


@contextmanager
def visit(driver, address, name):
    """A visitor; the last page is kept as ``name`` where ``SCREENSHOTS`` names a folder."""
    from .visitor import Visitor

    driver.delete_all_cookies()
    visitor = Visitor(driver, address)
    yield visitor
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder, f"{name}.png").write_bytes(visitor.picture())
    visitor.show_as()
    complaints = [entry["message"] for entry in driver.get_log("browser")]
    # The link to log out, which is DRF's own, has an event handler in it.
    policy = [text for text in complaints if "Content Security Policy" in text]
    assert not [text for text in policy if "inline event handler" not in text]
    assert not [text for text in complaints if "Uncaught" in text]


@pytest.fixture
def visitor(driver, address, transactional_db, request):
    """A browser on the site."""
    site.journal.clear()
    with visit(driver, address, request.node.name) as visitor:
        yield visitor


@pytest.fixture
def newcomer(driver, example, request):
    """A browser on the example project."""
    with visit(driver, example, request.node.name) as visitor:
        yield visitor


@pytest.fixture
def editor(visitor):
    """A browser in which somebody has logged in."""
    User.objects.create_user("ada", password="secret of ada")
    visitor.log_in("ada", "secret of ada")
    return visitor


@pytest.fixture
def person(transactional_db):
    return Person.objects.create(name="Grace", days=3)
