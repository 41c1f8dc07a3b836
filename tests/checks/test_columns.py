"""A model's own attributes in the place of the columns of the mixins."""

import pytest
from django.core import checks
from django.db import models

from etag_versioning.fields import UpdatedAtField, VersionField
from etag_versioning.models import UpdatedAtMixin, VersionedModel, VersionMixin


def test_a_model_s_own_version_that_hides_ours_is_an_error(found):
    class Page(VersionedModel):
        version = models.CharField(max_length=10)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert (message.id, message.level, message.obj) == ("etag_versioning.E007", checks.ERROR, Page)
    assert 'the field "version" (CharField) hides the one of VersionMixin' in message.msg
    assert "row_version = VersionField()" in message.hint


def test_an_abstract_base_s_version_that_hides_ours_is_an_error(found):
    class Revisioned(models.Model):
        version = models.IntegerField(default=0)

        class Meta:
            abstract = True

    class Page(Revisioned, VersionedModel):
        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert (message.id, message.obj) == ("etag_versioning.E007", Page)


def test_a_property_in_the_place_of_the_version_is_an_error(found):
    class Page(VersionedModel):
        @property
        def version(self):
            return "1.0"

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert (message.id, message.obj) == ("etag_versioning.E007", Page)
    assert '"version" of Page hides' in message.msg


def test_a_parent_s_version_in_another_table_that_hides_ours_is_an_error(found):
    class Parent(models.Model):
        version = models.IntegerField(default=0)

        class Meta:
            app_label = "testapp"

    class Child(Parent, VersionedModel):
        class Meta:
            app_label = "testapp"

    message, manager = found()
    assert (message.id, message.obj) == ("etag_versioning.E007", Child)
    assert (manager.id, manager.obj) == ("etag_versioning.W001", Child)


def test_an_updated_at_of_another_kind_is_an_error(found):
    class Page(VersionedModel):
        updated_at = models.DateTimeField(auto_now=True)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert (message.id, message.obj) == ("etag_versioning.E007", Page)
    assert "UpdatedAtField" in message.msg
    assert "row_updated_at = UpdatedAtField()" in message.hint


@pytest.mark.parametrize("mixin", [VersionMixin, UpdatedAtMixin])
def test_a_column_that_is_removed_and_not_replaced_is_an_error(found, mixin):
    name = "version" if mixin is VersionMixin else "updated_at"
    meta = type("Meta", (), {"app_label": "testapp"})
    type("Page", (mixin,), {name: None, "Meta": meta, "__module__": __name__})
    (message,) = found()
    assert message.id == "etag_versioning.E007"


def test_a_model_that_follows_the_hint_has_no_message(found):
    class Page(VersionedModel):
        version = models.CharField(max_length=10)
        updated_at = models.DateTimeField(auto_now=True)
        row_version = VersionField()
        row_updated_at = UpdatedAtField()

        class Meta:
            app_label = "testapp"

    assert found() == []


def test_a_version_that_can_be_null_is_an_error(found):
    class Page(VersionedModel):
        version = VersionField(null=True)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert (message.id, message.level, message.obj) == ("etag_versioning.E008", checks.ERROR, Page)
    assert "testapp.Page.version has null=True" in message.msg
    assert "filter(version=None).update(version=1)" in message.hint


def test_a_timestamp_that_can_be_null_is_an_error(found):
    class Page(VersionedModel):
        updated_at = UpdatedAtField(null=True)

        class Meta:
            app_label = "testapp"

    (message,) = found()
    assert message.id == "etag_versioning.E008"
