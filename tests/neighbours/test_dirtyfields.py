"""django-dirtyfields: an instance knows which of its fields are not saved."""

import pytest
from dirtyfields import DirtyFieldsMixin
from django.db import models
from django.db.models import F

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel

pytestmark = pytest.mark.django_db


class Content(models.Model):
    title = models.CharField(max_length=50)
    views = models.IntegerField(default=0)

    class Meta:
        abstract = True


class Page(VersionedModel, DirtyFieldsMixin, Content):
    pass


class Report(DirtyFieldsMixin, VersionedModel, Content):
    pass


class Checked(DirtyFieldsMixin, VersionedModel, Content):
    FIELDS_TO_CHECK = ["title", "views"]


class Quiet(DirtyFieldsMixin, VersionedModel, Content):
    skip_unchanged = True


both_orders = pytest.mark.parametrize("model", [Page, Report])


@both_orders
def test_nothing_is_dirty_after_a_save_not_even_version_and_timestamp(model):
    row = model.objects.create(title="one")
    row.title = "two"
    assert row.get_dirty_fields() == {"title": "one"}
    row.save()
    assert row.get_dirty_fields() == {}
    assert model.objects.get().version == 2


@both_orders
def test_save_dirty_fields_writes_them_alone_and_bumps_once(model):
    row = model.objects.create(title="one")
    row.title = "two"
    row.save_dirty_fields()
    found = model.objects.get()
    assert (found.title, found.version, found.updated_at) == ("two", 2, row.updated_at)
    assert "title" not in row.get_dirty_fields()


@both_orders
def test_version_and_timestamp_are_dirty_after_a_save_of_other_fields_alone(model):
    row = model.objects.create(title="one")
    row.title = "two"
    row.save(update_fields=["title"])
    assert set(row.get_dirty_fields()) == {"version", "updated_at"}


def test_version_and_timestamp_are_never_dirty_where_they_are_not_checked():
    row = Checked.objects.create(title="one")
    row.title = "two"
    row.save_dirty_fields()
    assert not row.is_dirty()
    assert Checked.objects.get().version == 2


@both_orders
def test_a_stale_save_keeps_the_fields_dirty(model):
    row = model.objects.create(title="one")
    model.objects.update(title="two")
    row.title = "three"
    with pytest.raises(StaleWriteError):
        row.save_dirty_fields()
    assert row.get_dirty_fields() == {"title": "one"}
    assert model.objects.get().title == "two"


@both_orders
def test_an_expression_is_saved_and_bumps_once(model):
    row = model.objects.create(title="one")
    row.views = F("views") + 1
    row.save()
    found = model.objects.get()
    assert (found.views, found.version) == (1, 2)


@both_orders
def test_a_refreshed_instance_is_clean_and_can_be_saved(model):
    row = model.objects.create(title="one")
    model.objects.update(title="two")
    row.refresh_from_db()
    assert not row.is_dirty()
    row.save()
    assert model.objects.get().version == 3


def test_a_save_that_changes_nothing_leaves_row_and_instance_clean():
    row = Quiet.objects.create(title="one")
    row = Quiet.objects.get()
    row.save()
    assert not row.is_dirty()
    assert Quiet.objects.get().version == 1
