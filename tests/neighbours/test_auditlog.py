"""django-auditlog: each write leaves a log entry, which a stale write does not."""

import pytest
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.db import models, transaction

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel

pytestmark = pytest.mark.django_db


class Label(models.Model):
    name = models.CharField(max_length=50)


class Page(VersionedModel):
    title = models.CharField(max_length=50)
    labels = models.ManyToManyField(Label)


class Quiet(VersionedModel):
    title = models.CharField(max_length=50)


auditlog.register(Page, m2m_fields={"labels"})
auditlog.register(Quiet, exclude_fields=["version", "updated_at"])


def entries(row):
    return [entry.changes for entry in LogEntry.objects.get_for_object(row).order_by("pk")]


def test_a_save_leaves_one_entry_with_what_the_caller_changed():
    page = Page.objects.create(title="one")
    page.title = "two"
    page.save()
    assert entries(page)[1:] == [{"title": ["one", "two"]}]
    assert Page.objects.get().version == 2


def test_a_new_row_is_logged_with_its_state_unless_the_columns_are_excluded():
    assert entries(Page.objects.create(title="one"))[0]["version"] == ["None", "1"]
    assert "version" not in entries(Quiet.objects.create(title="one"))[0]


def test_a_save_that_changes_no_field_leaves_no_entry():
    page = Page.objects.create(title="one")
    page.save()
    assert len(entries(page)) == 1


def test_a_stale_save_in_a_transaction_leaves_no_entry():
    page = Page.objects.create(title="one")
    Page.objects.update(title="two")
    page.title = "three"
    with pytest.raises(StaleWriteError), transaction.atomic():
        page.save()
    assert len(entries(page)) == 1


def test_a_stale_delete_leaves_no_entry():
    page = Page.objects.create(title="one")
    Page.objects.update(title="two")
    with pytest.raises(StaleWriteError):
        page.delete()
    assert len(entries(page)) == 1


def test_a_deletion_is_logged():
    page = Page.objects.create(title="one")
    page.delete()
    assert LogEntry.objects.filter(action=LogEntry.Action.DELETE).count() == 1


def test_a_link_is_logged_and_bumps_its_row_once():
    page = Page.objects.create(title="one")
    page.labels.add(Label.objects.create(name="new"))
    assert "labels" in entries(page)[-1]
    assert Page.objects.get().version == 2
    page.save()
    assert Page.objects.get().version == 3
