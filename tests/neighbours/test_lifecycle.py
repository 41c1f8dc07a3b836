"""django-lifecycle: hooks before and after writes, inside the transaction of the write."""

import pytest
from django.db import models, transaction
from django_lifecycle import (
    AFTER_DELETE,
    AFTER_UPDATE,
    BEFORE_SAVE,
    LifecycleModelMixin,
    hook,
)
from django_lifecycle.conditions import WhenFieldHasChanged

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel


class Log(models.Model):
    text = models.CharField(max_length=100)


class Hooks(models.Model):
    title = models.CharField(max_length=50)
    slug = models.CharField(max_length=50, blank=True)

    class Meta:
        abstract = True

    @hook(BEFORE_SAVE)
    def make_slug(self):
        self.slug = self.title.lower()

    @hook(AFTER_UPDATE, condition=WhenFieldHasChanged("title"))
    def log_the_title(self):
        Log.objects.create(text=f"{self.initial_value('title')}, {self.title}, {self.version}")

    @hook(AFTER_UPDATE)
    def refuse(self):
        if self.title == "refused":
            raise ValueError("refused")

    @hook(AFTER_UPDATE, on_commit=True)
    def log_after_the_commit(self):
        Log.objects.create(text=f"committed {self.version}")

    @hook(AFTER_DELETE)
    def log_the_deletion(self):
        Log.objects.create(text="deleted")


class Page(VersionedModel, LifecycleModelMixin, Hooks):
    pass


class Report(LifecycleModelMixin, VersionedModel, Hooks):
    pass


both_orders = pytest.mark.parametrize("model", [Page, Report])


def logged():
    return list(Log.objects.order_by("pk").values_list("text", flat=True))


@both_orders
@pytest.mark.django_db(transaction=True, available_apps=["etag_versioning", __name__])
def test_hooks_run_and_the_row_is_bumped_once(model):
    row = model.objects.create(title="One")
    row.title = "Two"
    row.save()
    found = model.objects.get()
    assert (found.slug, found.version, found.updated_at) == ("two", 2, row.updated_at)
    assert logged() == ["One, Two, 2", "committed 2"]


@both_orders
@pytest.mark.django_db
def test_hooks_after_a_write_do_not_run_when_it_is_stale(model):
    row = model.objects.create(title="One")
    model.objects.update(title="Two")
    row.title = "Three"
    with pytest.raises(StaleWriteError):
        row.save()
    assert model.objects.get().title == "Two"
    assert logged() == []


@both_orders
@pytest.mark.django_db
def test_a_stale_save_leaves_an_enclosing_transaction_usable(model):
    row = model.objects.create(title="One")
    model.objects.update(title="Two")
    with transaction.atomic():
        with pytest.raises(StaleWriteError):
            row.save()
        Log.objects.create(text="after it")
    assert logged() == ["after it"]


@both_orders
@pytest.mark.django_db
def test_a_hook_that_fails_rolls_the_write_back(model):
    row = model.objects.create(title="One")
    row.title = "refused"
    with pytest.raises(ValueError, match="refused"):
        row.save()
    found = model.objects.get()
    assert (found.title, found.version) == ("One", 1)


@both_orders
@pytest.mark.django_db
def test_a_stale_delete_deletes_nothing_and_logs_nothing(model):
    row = model.objects.create(title="One")
    model.objects.update(title="Two")
    with pytest.raises(StaleWriteError):
        row.delete()
    assert model.objects.exists()
    assert logged() == []


@both_orders
@pytest.mark.django_db
def test_a_delete_runs_its_hook_in_the_same_transaction(model):
    model.objects.create(title="One").delete()
    assert not model.objects.exists()
    assert logged() == ["deleted"]


@both_orders
@pytest.mark.django_db
def test_a_save_without_hooks_bumps_once(model):
    row = model.objects.create(title="One")
    row.title = "Two"
    row.save(skip_hooks=True)
    found = model.objects.get()
    assert (found.slug, found.version) == ("one", 2)
    assert logged() == []
