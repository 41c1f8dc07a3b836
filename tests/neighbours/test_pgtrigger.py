"""django-pgtrigger: triggers of PostgreSQL that are declared in a model's Meta."""

import pgtrigger
import pytest
from django.db import ProgrammingError, models, transaction
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Page(VersionedModel):
    title = models.CharField(max_length=50)
    is_active = models.BooleanField(default=True)

    class Meta:
        triggers = [pgtrigger.SoftDelete(name="soft_delete", field="is_active")]


class Link(models.Model):
    """Keeps the deletion of a page from being one statement."""

    page = models.ForeignKey(Page, models.CASCADE)


class Letter(VersionedModel):
    """Hides its rows by one statement, which is all that their deletion takes."""

    title = models.CharField(max_length=50)
    is_active = models.BooleanField(default=True)

    class Meta:
        triggers = [pgtrigger.SoftDelete(name="soft_delete", field="is_active")]


class Invoice(VersionedModel):
    number = models.IntegerField()
    paid = models.BooleanField(default=False)
    status = models.CharField(max_length=20, default="draft")

    class Meta:
        triggers = [
            pgtrigger.ReadOnly(name="number_stays", fields=["number"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.FSM(name="fsm", field="status", transitions=[("draft", "sent")]),
        ]


class Version(VersionedModel):
    """Counts its updates beside our version, which the trigger leaves alone."""

    title = models.CharField(max_length=50)
    updates = models.IntegerField(default=0)

    class Meta:
        triggers = [
            pgtrigger.Trigger(
                name="count",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="NEW.updates = NEW.updates + 1; RETURN NEW;",
            )
        ]


class LetterSerializer(ModelSerializer):
    class Meta:
        model = Letter
        fields = ("id", "title")


class LetterViewSet(VersionedModelViewSet):
    queryset = Letter.objects.filter(is_active=True)
    serializer_class = LetterSerializer


router = SimpleRouter()
router.register("letters", LetterViewSet)
urlpatterns = [path("", include(router.urls))]

both_ways = pytest.mark.parametrize("model", [Page, Letter])


@both_ways
def test_a_delete_that_a_trigger_makes_an_update_hides_the_row(model):
    row = model.objects.create(title="one")
    key = row.pk
    row.delete()
    found = model.objects.get(pk=key)
    assert (found.is_active, found.version) == (False, 1)


@both_ways
def test_a_stale_delete_hides_nothing(model):
    row = model.objects.create(title="one")
    model.objects.update(title="two")
    with pytest.raises(StaleWriteError):
        row.delete()
    assert model.objects.get().is_active is True


@both_ways
def test_a_delete_of_a_queryset_hides_its_rows(model):
    row = model.objects.create(title="one")
    model.objects.filter(pk=row.pk).delete()
    assert model.objects.get().is_active is False


def test_a_guarded_delete_hides_the_row_and_a_stale_tag_is_412():
    row = Letter.objects.create(title="one")
    client, address = APIClient(), f"/letters/{row.pk}/"
    old = client.get(address)["ETag"]
    row.save()
    assert client.delete(address, headers={"if-match": old}).status_code == 412
    tag = client.get(address)["ETag"]
    assert client.delete(address, headers={"if-match": tag}).status_code == 204
    assert client.get(address).status_code == 404
    assert Letter.objects.get().is_active is False


def test_a_read_only_field_stays_and_the_others_are_written_and_bumped():
    invoice = Invoice.objects.create(number=1)
    invoice.number = 2
    with pytest.raises(ProgrammingError), transaction.atomic():
        invoice.save()
    invoice.refresh_from_db()
    invoice.paid = True
    invoice.save()
    found = Invoice.objects.get()
    assert (found.number, found.paid, found.version) == (1, True, 2)


def test_a_save_that_a_trigger_refused_can_be_repeated_with_a_value_that_it_admits():
    invoice = Invoice.objects.create(number=1)
    invoice.status = "lost"
    with pytest.raises(ProgrammingError), transaction.atomic():
        invoice.save()
    invoice.status = "sent"
    invoice.save()
    found = Invoice.objects.get()
    assert (found.status, found.version) == ("sent", 2)


def test_a_protected_row_is_not_deleted_and_can_still_be_saved():
    invoice = Invoice.objects.create(number=1)
    with pytest.raises(ProgrammingError), transaction.atomic():
        invoice.delete()
    invoice.paid = True
    invoice.save()
    assert Invoice.objects.get().version == 2


def test_two_transitions_the_second_is_stale():
    Invoice.objects.create(number=1)
    first, second = Invoice.objects.get(), Invoice.objects.get()
    first.status = second.status = "sent"
    first.save()
    with pytest.raises(StaleWriteError):
        second.save()


def test_a_trigger_that_changes_other_columns_leaves_a_save_compared_and_bumped_once():
    row = Version.objects.create(title="one")
    row.title = "two"
    row.save()
    found = Version.objects.get()
    assert (found.updates, found.version, found.updated_at) == (1, 2, row.updated_at)
