"""Deletions that begin elsewhere, and cascade to rows that touch others."""

import pytest
from django.db import connection, models, transaction
from django.db.models.signals import post_delete, pre_delete
from django.test.utils import CaptureQueriesContext

from etag_versioning.models import TouchingMixin, VersionedModel
from etag_versioning.touching.receivers import connect

pytestmark = pytest.mark.django_db


class Sheet(VersionedModel):
    """Shows its lines."""

    class Meta:
        app_label = "testapp"


class Customer(models.Model):
    """A plain model, whose deletion takes lines with it."""

    class Meta:
        app_label = "testapp"


class Line(TouchingMixin):
    touches = ("sheet",)

    sheet = models.ForeignKey(Sheet, models.CASCADE)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True)
    payer = models.ForeignKey(Customer, models.SET_NULL, null=True, related_name="paid")

    class Meta:
        app_label = "testapp"


connect([Sheet, Customer, Line])

DELETIONS = {
    "instance": lambda customer: customer.delete(),
    "queryset": lambda customer: Customer.objects.filter(pk=customer.pk).delete(),
    "base manager": lambda customer: Customer._base_manager.filter(pk=customer.pk).delete(),
}


@pytest.fixture
def customer():
    return Customer.objects.create()


@pytest.fixture
def sheets(customer):
    made = [Sheet.objects.create() for _ in range(2)]
    Line.objects.bulk_create(
        Line(sheet=sheet, customer=customer) for sheet in made for _ in range(3)
    )
    Sheet.objects.unversioned().update(version=1)
    return made


def versions():
    return list(Sheet.objects.order_by("pk").values_list("version", flat=True))


@pytest.mark.parametrize("delete", DELETIONS.values(), ids=DELETIONS)
class TestFromPlainModels:
    def test_each_row_that_showed_some_is_bumped_once(self, customer, sheets, delete):
        delete(customer)
        assert not Line.objects.exists()
        assert versions() == [2, 2]

    def test_what_loses_its_foreign_key_is_touched(self, customer, sheets, delete):
        Line.objects.unversioned().update(customer=None, payer=customer)
        delete(customer)
        assert versions() == [2, 2]

    def test_a_deletion_that_failed_is_touched_when_it_is_repeated(self, customer, sheets, delete):
        def refuse(**kwargs):
            raise RuntimeError

        post_delete.connect(refuse, sender=Line)
        try:
            with pytest.raises(RuntimeError), transaction.atomic():
                delete(customer)
        finally:
            post_delete.disconnect(refuse, sender=Line)
        assert versions() == [1, 1]
        delete(customer)
        assert versions() == [2, 2]

    def test_all_is_locked_before_anything_is_written(self, customer, sheets, delete):
        if not connection.features.has_select_for_update:
            pytest.skip("SQLite locks the whole database.")
        with CaptureQueriesContext(connection) as queries:
            delete(customer)
        kinds = [
            "lock" if "FOR " in each["sql"] else each["sql"].split()[0]
            for each in queries
            if "SAVEPOINT" not in each["sql"]
        ]
        assert "lock" not in kinds[kinds.index("UPDATE") :]


def test_the_same_instance_can_be_deleted_and_made_again_in_one_transaction(customer):
    sheet = Sheet.objects.create()
    for version in (3, 5):
        customer.save()
        Line.objects.create(sheet=sheet, customer=customer)
        key, customer.pk = customer.pk, customer.pk
        customer.delete()
        customer.pk = key
        assert versions() == [version]


def test_a_signal_that_another_app_sends_touches_its_row(sheets):
    line = Line.objects.first()
    pre_delete.send(sender=Line, instance=line, using="default")
    assert versions() == [2, 1]


@pytest.mark.django_db(transaction=True)
def test_a_signal_that_another_app_sends_needs_no_transaction():
    line = Line.objects.create(sheet=Sheet.objects.create(), customer=Customer.objects.create())
    before = versions()
    pre_delete.send(sender=Line, instance=line, using="default")
    assert versions() == [version + 1 for version in before]


@pytest.mark.parametrize("delete", [lambda rows: rows.delete(), lambda rows: rows.get().delete()])
def test_our_own_deletions_collect_their_rows_once(delete):
    sheet = Sheet.objects.create()
    Line.objects.create(sheet=sheet)
    rows = Line.objects.filter(sheet=sheet)
    with CaptureQueriesContext(connection) as queries:
        delete(rows)
    selects = [
        each["sql"]
        for each in queries
        if each["sql"].startswith("SELECT") and "FOR " not in each["sql"]
    ]
    assert len(selects) <= 3
    assert versions() == [3]
