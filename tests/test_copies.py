"""Instances and querysets that are copied, pickled and cached while they are being written."""

import copy
import pickle

import pytest
from django.core.cache import cache
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from etag_versioning.models import VersionedModel
from tests.testapp.models import Book, Leaf, Shelf

pytestmark = pytest.mark.django_db

COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda row: pickle.loads(pickle.dumps(row)),
    "cache": lambda row: cache.set("row", row) or cache.get("row"),
}


class CopyingField(models.IntegerField):
    """Copies the instance before Django stores it."""

    made: list = []

    def pre_save(self, model_instance, add):
        self.made.extend(make(model_instance) for make in COPIES.values())
        return super().pre_save(model_instance, add)


class Parent(VersionedModel):
    number = CopyingField(default=0)

    class Meta:
        app_label = "testapp"


class Child(Parent):
    """Of two tables, of which the first is written before the field of the second copies."""

    size = CopyingField(default=0)

    class Meta:
        app_label = "testapp"


class Skipping(VersionedModel):
    skip_unchanged = True
    number = CopyingField(default=0)

    class Meta:
        app_label = "testapp"


@pytest.mark.parametrize("model", [Parent, Child, Skipping])
class TestInstances:
    def test_a_field_can_copy_the_instance_before_it_is_stored(self, model):
        row = model.objects.create()
        CopyingField.made.clear()
        row.number = 1
        row.save()
        assert {each.number for each in CopyingField.made} == {1}
        assert model.objects.get().version == row.version == 2

    @pytest.mark.parametrize("signal", [pre_save, post_save])
    @pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
    def test_a_copy_that_a_signal_made_has_what_the_instance_had(self, model, signal, make):
        row = model.objects.create()
        made = []

        def receive(instance, **kwargs):
            made.append((make(instance), instance.version))
            transaction.on_commit(lambda: made.append((make(instance), instance.version)))

        signal.connect(receive, sender=model)
        try:
            row.save()
        finally:
            signal.disconnect(receive, sender=model)
        for each, version in made:
            assert (each.pk, each.version) == (row.pk, version)

    @pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
    def test_a_copy_that_was_made_after_the_save_can_be_saved(self, model, make):
        row = model.objects.create()
        made = make(row)
        made.number = 2
        made.save()
        assert model.objects.get().number == 2


@pytest.mark.parametrize("signal", [pre_delete, post_delete])
@pytest.mark.parametrize(
    "delete",
    [
        lambda rows: rows.delete(),
        lambda rows: rows.expect(version=2).delete(),
        lambda rows: rows.get().delete(),
    ],
)
def test_an_instance_can_be_pickled_in_signals_of_its_deletion(signal, delete):
    shelf = Shelf.objects.create(name="s")
    book = Book.objects.create(name="a", shelf=shelf)
    Leaf.objects.create(name="l", book=book)
    made = []

    def receive(instance, origin, **kwargs):
        made.append((pickle.loads(pickle.dumps(origin)), copy.deepcopy(instance)))

    signal.connect(receive, sender=Book)
    try:
        delete(Book.objects.filter(name="a"))
    finally:
        signal.disconnect(receive, sender=Book)
    ((origin, instance),) = made
    assert instance.name == "a"
    assert type(origin) in (Book, type(Book.objects.all()))
