"""``ETAG_VERSIONING``, the client flags of MariaDB, and database routers."""

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test import override_settings

from etag_versioning.checks import check_client_flags, check_routers, check_settings
from etag_versioning.conf import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IF_MATCH", "strogn"),
        ("IF_MATCH", True),
        ("ETAG_ON_PUT", "False"),
        ("OPAQUE_TAGS", "yes"),
        ("OPAQUE_TAGS", None),
        ("REVISION", ["2026"]),
    ],
)
def test_a_value_that_a_setting_cannot_have_is_an_error(name, value):
    with override_settings(ETAG_VERSIONING={name: value}):
        (message,) = check_settings()
    assert (message.id, message.level) == ("etag_versioning.E001", checks.ERROR)
    assert message.msg.startswith(f'ETAG_VERSIONING["{name}"] is {value!r}; it must be ')
    assert f'"{name}": ' in message.hint


@pytest.mark.parametrize(
    "audit",
    [
        {"sample_rate": 2},
        {"sample_rate": True},
        {"sample_rate": "1%"},
        {"cache": "nowhere"},
        {"timeout": 0},
        {"max_bytes": 0.5},
        {"rate": 1},
        0.01,
    ],
)
def test_an_audit_that_cannot_run_is_an_error(audit):
    with override_settings(ETAG_VERSIONING={"AUDIT": audit}):
        (message,) = check_settings()
        with pytest.raises(ImproperlyConfigured, match="AUDIT"):
            assert Settings().audit
    assert (message.id, message.level) == ("etag_versioning.E001", checks.ERROR)


@pytest.mark.parametrize("value", ["strong", ["IF_MATCH"], None])
def test_settings_that_are_no_dictionary_are_an_error(value):
    with override_settings(ETAG_VERSIONING=value):
        (message,) = check_settings()
        with pytest.raises(ImproperlyConfigured, match="must be a dictionary"):
            assert Settings().etag_on_put
    assert message.id == "etag_versioning.E001"


@pytest.mark.parametrize(("flag", "found"), [(65536, ["etag_versioning.E009"]), (65538, [])])
def test_a_client_flag_without_found_rows_is_an_error(monkeypatch, flag, found):
    pytest.importorskip("MySQLdb")
    database = {"ENGINE": "django.db.backends.mysql", "OPTIONS": {"client_flag": flag}}
    handler = type(connections)({"default": {"ENGINE": ""}, "legacy": database})
    monkeypatch.setattr("etag_versioning.checks.settings.connections", handler)
    messages = check_client_flags()
    assert [message.id for message in messages] == found
    for message in messages:
        assert 'DATABASES["legacy"]["OPTIONS"]["client_flag"]' in message.msg
        assert f"CLIENT.FOUND_ROWS | {flag}" in message.hint


def test_the_same_option_of_another_engine_is_no_error(monkeypatch):
    database = {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"client_flag": 65536}}
    handler = type(connections)({"default": database})
    monkeypatch.setattr("etag_versioning.checks.settings.connections", handler)
    assert check_client_flags() == []


class PrimaryReplicaRouter:
    def db_for_read(self, model, **hints):
        return "other"

    def db_for_write(self, model, **hints):
        return "default"


OURS = "etag_versioning.routers.ReadYourWritesRouter"
OWN = f"{__name__}.PrimaryReplicaRouter"


@pytest.mark.parametrize("given", [[OWN], [OWN, OURS]])
def test_replicas_without_our_router_in_the_first_place_are_a_warning(settings, given):
    settings.DATABASE_ROUTERS = given
    (message,) = check_routers()
    assert (message.id, message.level) == ("etag_versioning.W010", checks.WARNING)
    assert 'is read from "other" and written to "default"' in message.msg
    assert message.hint == f'DATABASE_ROUTERS = [\n    "{OURS}",\n    "{OWN}",\n]'


class OneDatabaseRouter:
    def db_for_read(self, model, **hints):
        return "other"

    db_for_write = db_for_read


@pytest.mark.parametrize("given", [[], [OneDatabaseRouter()], [OURS, OWN]])
def test_no_replicas_or_our_router_first_is_no_warning(settings, given):
    settings.DATABASE_ROUTERS = given
    assert check_routers() == []
