import pytest
from django.core.cache import caches

from etag_versioning.conf import settings as package_settings
from etag_versioning.runtime_audit import answers
from etag_versioning.runtime_audit.findings import Findings
from etag_versioning.signals import lying_tag_found


@pytest.fixture(autouse=True)
def audit(settings, monkeypatch):
    """An audit of each would-be 304, with a cache that no other test has written to."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {
        "default": {"BACKEND": backend, "LOCATION": "runtime_audit_default"},
        "audit": {"BACKEND": backend, "LOCATION": "runtime_audit"},
    }
    settings.ETAG_VERSIONING = {"AUDIT": {"sample_rate": 1, "cache": "audit"}}
    monkeypatch.setattr(answers, "_last_failure", float("-inf"))
    caches["audit"].clear()
    yield
    caches["audit"].clear()


@pytest.fixture
def signals():
    """What each signal carried."""
    received = []

    def note(sender, request, view, route, etag, parts, **kwargs):
        received.append({"view": view, "route": route, "etag": etag, "parts": parts})

    lying_tag_found.connect(note)
    yield received
    lying_tag_found.disconnect(note)


@pytest.fixture
def summary():
    """A function that returns what was counted."""
    return lambda: Findings(package_settings.audit).summary()
