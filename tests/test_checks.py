"""The system checks, on models that are made for one test."""

import pytest
from django.apps import apps
from django.core import checks
from django.db import models
from django.test import override_settings
from django.test.utils import isolate_apps

from etag_versioning.checks import check_models, check_settings
from etag_versioning.fields import UpdatedAtField, VersionField
from etag_versioning.models import (
    UpdatedAtMixin,
    VersionedManager,
    VersionedModel,
    VersionedQuerySet,
    VersionMixin,
)
from tests.audit.models import Restaurant
from tests.testapp.models import Extended, Foreign


@pytest.fixture
def isolated():
    """An app registry of the test's own, with no model in it."""
    with isolate_apps("tests.testapp") as registry:
        yield registry


def found(registry):
    return check_models(registry.get_app_configs())


def ids(messages):
    return [message.id for message in messages]


def test_the_models_of_the_suite_are_in_order():
    # Foreign stands for a table that another program writes, with a version that can be NULL;
    # Extended and Restaurant for a version in the child's table.
    wrong = (Extended, Foreign, Restaurant)
    for found in (check_models([apps.get_app_config("testapp")]), check_models()):
        # Those of tests.honesty are written without regard to checks.
        found = [each for each in found if not each.obj.__module__.startswith("tests.honesty")]
        assert [message for message in found if message.obj not in wrong] == []
    assert check_settings() == []


@pytest.mark.parametrize(
    ("given", "unknown"),
    [
        ({}, []),
        ({"IF_MATCH": "strong", "ETAG_ON_PUT": False}, []),
        ({"IF_MACTH": "strong"}, ["IF_MACTH"]),
        ({"REVISION": lambda: "2026-11-24"}, []),
        ({"if_match": "strong", "ETAG_ON_PUT": False, "X": 1}, ["if_match", "X"]),
    ],
)
def test_e001_unknown_settings(given, unknown):
    with override_settings(ETAG_VERSIONING=given):
        messages = check_settings()
    assert ids(messages) == ["etag_versioning.E001"] * len(unknown)
    for name, message in zip(unknown, messages, strict=True):
        assert message.level == checks.ERROR
        assert f'"{name}"' in message.msg
        assert "IF_MATCH, ETAG_ON_PUT" in message.hint


@override_settings(ETAG_VERSIONING={"TYPO": 1})
def test_the_settings_check_is_registered():
    assert "etag_versioning.E001" in ids(checks.run_checks(tags=["etag_versioning"]))


def test_e002_a_second_version_column_is_an_error(isolated):
    class Twice(VersionedModel):
        revision = VersionField()

        class Meta:
            app_label = "testapp"

    (message,) = found(isolated)
    assert (message.id, message.level, message.obj) == ("etag_versioning.E002", checks.ERROR, Twice)
    assert "testapp.Twice has more than one VersionField: version, revision" in message.msg
    assert "None" in message.hint


def test_e002_a_second_timestamp_column_is_an_error(isolated):
    class Twice(VersionedModel):
        changed = UpdatedAtField()

        class Meta:
            app_label = "testapp"

    (message,) = found(isolated)
    assert (message.id, message.obj) == ("etag_versioning.E002", Twice)
    assert "UpdatedAtField: updated_at, changed" in message.msg


def test_e002_two_versions_and_two_timestamps(isolated):
    class Twice(VersionedModel):
        revision = VersionField()
        changed = UpdatedAtField()

        class Meta:
            app_label = "testapp"

    assert ids(found(isolated)) == ["etag_versioning.E002"] * 2


def test_e002_state_columns_in_two_tables_are_an_error(isolated):
    class Parent(UpdatedAtMixin):
        class Meta:
            app_label = "testapp"

    class Child(VersionMixin, Parent):
        class Meta:
            app_label = "testapp"

    (message,) = found(isolated)
    assert (message.id, message.level, message.obj) == ("etag_versioning.E002", checks.ERROR, Child)
    assert "two tables: testapp.Child, testapp.Parent" in message.msg


def test_e002_a_version_in_each_of_two_tables(isolated):
    class Parent(VersionedModel):
        class Meta:
            app_label = "testapp"

    class Child(Parent):
        revision = VersionField()

        class Meta:
            app_label = "testapp"

    (message,) = found(isolated)
    assert (message.id, message.obj) == ("etag_versioning.E002", Child)


def test_w001_a_manager_that_bumps_no_version_is_a_warning(isolated):
    class Plain(VersionedModel):
        objects = models.Manager()

        class Meta:
            app_label = "testapp"

    (message,) = found(isolated)
    assert message.id == "etag_versioning.W001"
    assert message.level == checks.WARNING
    assert message.obj is Plain
    assert "testapp.Plain.objects" in message.msg
    assert message.hint.startswith('Delete the line "objects = models.Manager()"')


def test_w001_names_the_default_manager(isolated):
    class ActiveManager(models.Manager):
        pass

    class Named(VersionedModel):
        active = ActiveManager()

        class Meta:
            app_label = "testapp"
            default_manager_name = "active"

    (message,) = found(isolated)
    assert "testapp.Named.active" in message.msg
    assert message.hint == "class ActiveManager(VersionedManager): …"


def test_a_correct_model_has_no_message(isolated):
    class ActiveQuerySet(VersionedQuerySet):
        pass

    class ActiveManager(VersionedManager):
        def get_queryset(self):
            return super().get_queryset().filter(name="a")

    class Inherited(VersionedModel):
        class Meta:
            app_label = "testapp"

    class Child(Inherited):
        class Meta:
            app_label = "testapp"

    class Proxy(Child):
        class Meta:
            app_label = "testapp"
            proxy = True

    class OwnQuerySet(VersionedModel):
        objects = ActiveQuerySet.as_manager()

        class Meta:
            app_label = "testapp"

    class OwnManager(VersionedModel):
        name = models.CharField(max_length=10)
        objects = ActiveManager()

        class Meta:
            app_label = "testapp"

    class AsTheHintSays(VersionedModel):
        objects = models.Manager.from_queryset(VersionedQuerySet)()

        class Meta:
            app_label = "testapp"

    class Renamed(VersionedModel):
        version = None
        revision = VersionField()

        class Meta:
            app_label = "testapp"

    class Unversioned(models.Model):
        class Meta:
            app_label = "testapp"

    assert len(isolated.get_models()) == 8
    assert found(isolated) == []


def test_the_models_check_is_registered(isolated):
    class Plain(VersionedModel):
        objects = models.Manager()

        class Meta:
            app_label = "testapp"

    configs = isolated.get_app_configs()
    assert "etag_versioning.W001" in ids(checks.run_checks(configs, tags=[checks.Tags.models]))


def test_only_the_given_apps_are_looked_at(isolated):
    class Plain(VersionedModel):
        objects = models.Manager()

        class Meta:
            app_label = "testapp"

    assert check_models([]) == []


def test_w002_a_base_manager_that_bumps_no_version_is_a_warning(isolated):
    class Plain(VersionedModel):
        objects = VersionedManager()
        everything = models.Manager()

        class Meta:
            app_label = "testapp"
            base_manager_name = "everything"

    manager, message = found(isolated)
    assert (manager.id, manager.obj) == ("etag_versioning.W001", Plain)
    assert (message.id, message.obj) == ("etag_versioning.W002", Plain)
    assert "base_manager_name" in message.hint


def test_the_base_manager_bumps_in_either_order_of_bases(isolated):
    class Named(models.Model):
        class Meta:
            abstract = True
            app_label = "testapp"

    class First(VersionedModel, Named):
        class Meta:
            app_label = "testapp"

    class Second(Named, VersionedModel):
        class Meta:
            app_label = "testapp"

    assert found(isolated) == []


@pytest.mark.skipif(not hasattr(models, "DB_CASCADE"), reason="Django 6.1 has it.")
@pytest.mark.parametrize("name", ["DB_CASCADE", "DB_SET_NULL", "DB_SET_DEFAULT"])
def test_w003_foreign_keys_by_which_the_database_changes_rows(isolated, name):
    class Parent(models.Model):
        class Meta:
            app_label = "testapp"

    class Shown(VersionedModel):
        parent = models.ForeignKey(Parent, getattr(models, name), null=True, db_default=None)
        other = models.ForeignKey(Parent, models.CASCADE, related_name="+")
        nobody = models.ForeignKey(Parent, models.DO_NOTHING, related_name="+")

        class Meta:
            app_label = "testapp"

    (message,) = found(isolated)
    assert (message.id, message.obj) == ("etag_versioning.W003", Shown)
    assert f"testapp.Shown.parent has on_delete={name}" in message.msg
    assert f"on_delete=models.{name.removeprefix('DB_')}." in message.hint
