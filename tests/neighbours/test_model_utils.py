"""django-model-utils: soft deletion, timestamps, statuses, field trackers, inheritance."""

import pytest
from django.db import models
from django.test.utils import isolate_apps
from model_utils import Choices, FieldTracker
from model_utils.managers import InheritanceManager, SoftDeletableManager
from model_utils.models import SoftDeletableModel, StatusModel, TimeStampedModel, UUIDModel

from etag_versioning.checks.managers import check_managers
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedManager, VersionedModel, versioned_manager

pytestmark = pytest.mark.django_db


class Managers(models.Model):
    available_objects = versioned_manager(SoftDeletableManager())
    all_objects = VersionedManager()

    class Meta:
        abstract = True


class Page(Managers, VersionedModel, SoftDeletableModel):
    title = models.CharField(max_length=50)


class Report(Managers, SoftDeletableModel, VersionedModel):
    title = models.CharField(max_length=50)


class Ticket(VersionedModel, TimeStampedModel, StatusModel, UUIDModel):
    STATUS = Choices("draft", "published")

    title = models.CharField(max_length=50)
    tracker = FieldTracker()
    title_tracker = FieldTracker(fields=["title"])


class Order(TimeStampedModel, StatusModel, UUIDModel, VersionedModel):
    unversioned_managers = ("draft", "published")

    STATUS = Choices("draft", "published")

    title = models.CharField(max_length=50)
    tracker = FieldTracker()
    title_tracker = FieldTracker(fields=["title"])


class Place(VersionedModel):
    name = models.CharField(max_length=50)

    objects = versioned_manager(InheritanceManager())


class Restaurant(Place):
    stars = models.IntegerField(default=0)


both_soft = pytest.mark.parametrize("model", [Page, Report])
both_dated = pytest.mark.parametrize("model", [Ticket, Order])


@both_soft
def test_delete_hides_the_row_and_bumps_it_once(model):
    row = model.all_objects.create(title="one")
    row.delete()
    assert not model.available_objects.exists()
    hidden = model.all_objects.get(pk=row.pk)
    assert (hidden.is_removed, hidden.version, hidden.updated_at) == (True, 2, row.updated_at)


@both_soft
def test_a_stale_delete_hides_nothing(model):
    row = model.all_objects.create(title="one")
    model.all_objects.update(title="two")
    with pytest.raises(StaleWriteError):
        row.delete()
    assert model.available_objects.get(pk=row.pk).version == 2


@both_soft
def test_a_hard_delete_removes_the_row_and_compares(model):
    row, stale = model.all_objects.create(title="one"), model.all_objects.get()
    row.save()
    with pytest.raises(StaleWriteError):
        stale.delete(soft=False)
    row.delete(soft=False)
    assert not model.all_objects.exists()


@both_soft
def test_delete_of_a_queryset_hides_its_rows_and_bumps_each_once(model):
    row = model.all_objects.create(title="one")
    model.available_objects.filter(title="one").delete()
    hidden = model.all_objects.get(pk=row.pk)
    assert (hidden.is_removed, hidden.version) == (True, 2)


@both_soft
def test_update_of_a_queryset_bumps_visible_rows(model):
    row = model.all_objects.create(title="one")
    model.available_objects.update(title="two")
    assert model.all_objects.get(pk=row.pk).version == 2


@both_dated
def test_a_save_of_one_field_bumps_and_renews_modified(model):
    row = model.objects.create(title="one")
    created, modified = row.created, row.modified
    row.title = "two"
    row.save(update_fields=["title"])
    now = model.objects.get(pk=row.pk)
    assert (now.version, now.created) == (2, created)
    assert now.modified > modified


@both_dated
def test_a_save_of_the_status_bumps_once_and_notes_the_moment(model):
    row = model.objects.create(title="one")
    before = row.status_changed
    row.status = "published"
    row.save(update_fields=["status"])
    now = model.objects.get(pk=row.pk)
    assert (now.version, now.status) == (2, "published")
    assert now.status_changed > before


@both_dated
def test_managers_of_a_status_read_its_rows(model):
    model.objects.create(title="one", status="published")
    assert model.published.get().title == "one"
    assert not model.draft.exists()


@both_dated
def test_a_stale_save_raises_and_changes_nothing(model):
    row = model.objects.create(title="one")
    model.objects.update(title="two")
    row.title = "three"
    with pytest.raises(StaleWriteError):
        row.save()
    assert model.objects.get(pk=row.pk).title == "two"


@both_dated
def test_the_tracker_knows_what_changed_before_and_after_a_save(model):
    row = model.objects.create(title="one")
    row.title = "two"
    assert row.tracker.changed() == {"title": "one"}
    row.save()
    assert row.tracker.changed() == {}


@both_dated
def test_version_and_timestamp_are_tracked_unless_the_tracker_names_its_fields(model):
    row = model.objects.create(title="one")
    row.title = "two"
    row.save(update_fields=["title"])
    assert {"version", "updated_at"} <= set(row.tracker.changed())
    assert row.title_tracker.changed() == {}


def test_managers_of_a_status_bump_nothing_and_a_check_says_so():
    Ticket.objects.create(title="one")
    Ticket.draft.update(title="two")
    assert Ticket.objects.get().version == 1
    assert [warning.msg.partition(" ")[0] for warning in check_managers([Ticket])] == [
        "test_model_utils.Ticket.draft",
        "test_model_utils.Ticket.published",
    ]
    assert list(check_managers([Order])) == []


def test_an_inheritance_manager_returns_children_and_bumps_parents():
    restaurant = Restaurant.objects.create(name="one")
    assert Place.objects.get_subclass(pk=restaurant.pk) == restaurant
    Place.objects.select_subclasses().update(name="two")
    assert Restaurant.objects.get().version == 2


def test_a_child_from_select_subclasses_is_compared_when_it_is_saved():
    Restaurant.objects.create(name="one")
    (child,) = Place.objects.select_subclasses()
    stale = Place.objects.get_subclass()
    child.stars = 3
    child.save()
    stale.stars = 1
    with pytest.raises(StaleWriteError):
        stale.save()
    found = Restaurant.objects.get()
    assert (found.stars, found.version) == (3, 2)


@isolate_apps(__name__)
def test_a_check_names_the_managers_that_bump_nothing():
    class Letter(VersionedModel, SoftDeletableModel):
        class Meta:
            app_label = "test_model_utils"

    assert [warning.msg.partition(" ")[0] for warning in check_managers([Letter])] == [
        "test_model_utils.Letter.available_objects",
        "test_model_utils.Letter.all_objects",
    ]
