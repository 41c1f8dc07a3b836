"""The settings in ``ETAG_VERSIONING``."""

from functools import cached_property

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from etag_versioning.conf import DEFAULTS, AuditSettings, Settings, settings

# Setting, its value, the property that shows it, and what that makes of it.
TABLE = [
    ("IF_MATCH", "state", "strong_if_match", False),
    ("IF_MATCH", "strong", "strong_if_match", True),
    ("ETAG_ON_PUT", True, "etag_on_put", True),
    ("ETAG_ON_PUT", False, "etag_on_put", False),
    ("ETAG_ON_PUT", 0, "etag_on_put", False),
    ("REVISION", "2026-11-24", "revision", "2026-11-24"),
    ("REVISION", None, "revision", ""),
    ("REVISION", lambda: "a", "revision", "a"),
    ("REVISION", lambda: None, "revision", ""),
    ("OPAQUE_TAGS", True, "opaque_tags", True),
    ("OPAQUE_TAGS", 0, "opaque_tags", False),
    ("STALE_WRITES", "report", "stale_writes", "report"),
    ("STALE_WRITES", "merge", "stale_writes", "merge"),
    ("AUDIT", None, "audit", None),
    ("AUDIT", {}, "audit", None),
    ("AUDIT", {"sample_rate": 0}, "audit", None),
]


def test_every_setting_has_one_property_and_is_in_the_table():
    properties = {
        name
        for name, value in vars(Settings).items()
        if isinstance(value, property | cached_property) and not name.startswith("_")
    }
    assert {name for name, *_ in TABLE} == set(DEFAULTS)
    assert {prop for *_, prop, _ in TABLE} | {"has_revision"} == properties


@pytest.mark.parametrize(("name", "value", "prop", "answer"), TABLE)
def test_a_setting_is_read_at_each_access(name, value, prop, answer):
    before = getattr(settings, prop)
    with override_settings(ETAG_VERSIONING={name: value}):
        assert getattr(settings, prop) is answer
    assert getattr(settings, prop) is before


@pytest.mark.parametrize(("prop", "answer"), [("strong_if_match", False), ("etag_on_put", True)])
def test_defaults(prop, answer):
    assert getattr(settings, prop) is answer
    for given in ({}, {"SOMETHING_ELSE": 1}):
        with override_settings(ETAG_VERSIONING=given):
            assert getattr(settings, prop) is answer


def test_without_the_dictionary_the_defaults_hold(settings):
    """``settings`` is pytest-django's here: the project's own."""
    settings.ETAG_VERSIONING = {"IF_MATCH": "strong", "ETAG_ON_PUT": False}
    del settings.ETAG_VERSIONING
    assert Settings().strong_if_match is False
    assert Settings().etag_on_put is True


@pytest.mark.parametrize("value", ["weak", "", "STRONG", None, True, ["strong"]])
def test_an_unknown_comparison_is_a_mistake(value):
    with (
        override_settings(ETAG_VERSIONING={"IF_MATCH": value}),
        pytest.raises(ImproperlyConfigured, match='"state" or "strong"') as caught,
    ):
        assert settings.strong_if_match
    assert repr(value) in str(caught.value)


def test_a_mistake_in_one_setting_leaves_the_others_readable():
    with override_settings(ETAG_VERSIONING={"IF_MATCH": "weak", "ETAG_ON_PUT": False}):
        assert settings.etag_on_put is False


def test_keys_of_audit_that_are_not_given_have_their_defaults():
    with override_settings(ETAG_VERSIONING={"AUDIT": {"sample_rate": 1, "timeout": 60}}):
        assert settings.audit == AuditSettings(1, "default", 60, 1_000_000)
