"""django-polymorphic: querysets, foreign keys and prefetches give each row its own class."""

import pytest
from django.db import models
from django.test.utils import isolate_apps
from django.urls import include, path
from polymorphic.managers import PolymorphicManager
from polymorphic.models import PolymorphicModel
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from etag_versioning.checks.managers import check_managers
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel, versioned_manager
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Owner(models.Model):
    name = models.CharField(max_length=50)


class Animal(VersionedModel, PolymorphicModel):
    name = models.CharField(max_length=50)
    owner = models.ForeignKey(Owner, models.SET_NULL, null=True)


class Dog(Animal):
    tricks = models.IntegerField(default=0)


class Cat(Animal):
    lives = models.IntegerField(default=9)


class Vehicle(PolymorphicModel, VersionedModel):
    name = models.CharField(max_length=50)
    owner = models.ForeignKey(Owner, models.SET_NULL, null=True)

    objects = versioned_manager(PolymorphicManager())


class Truck(Vehicle):
    axles = models.IntegerField(default=2)


class Visit(models.Model):
    animal = models.ForeignKey(Animal, models.CASCADE)
    vehicle = models.ForeignKey(Vehicle, models.CASCADE, null=True)


class AnimalSerializer(ModelSerializer):
    class Meta:
        model = Animal
        fields = ("id", "name")


class AnimalViewSet(VersionedModelViewSet):
    queryset = Animal.objects.all()
    serializer_class = AnimalSerializer


router = SimpleRouter()
router.register("animals", AnimalViewSet)
urlpatterns = [path("", include(router.urls))]

both_orders = pytest.mark.parametrize(("base", "child"), [(Animal, Dog), (Vehicle, Truck)])


@both_orders
def test_a_queryset_of_the_base_gives_children(base, child):
    child.objects.create(name="one")
    assert type(base.objects.get()) is child


@both_orders
def test_a_save_of_a_child_bumps_once(base, child):
    child.objects.create(name="one")
    row = base.objects.get()
    row.name = "two"
    row.save()
    found = child.objects.get()
    assert (found.name, found.version, found.updated_at) == ("two", 2, row.updated_at)


@both_orders
def test_a_stale_save_of_a_child_raises_and_changes_nothing(base, child):
    row = child.objects.create(name="one")
    base.objects.update(name="two")
    row.name = "three"
    with pytest.raises(StaleWriteError):
        row.save()
    found = child.objects.get()
    assert (found.name, found.version) == ("two", 2)


@both_orders
def test_a_stale_delete_of_a_child_raises_and_deletes_nothing(base, child):
    row = child.objects.create(name="one")
    base.objects.update(name="two")
    with pytest.raises(StaleWriteError):
        row.delete()
    assert child.objects.get().pk == row.pk


@both_orders
def test_delete_of_a_child_removes_both_rows(base, child):
    child.objects.create(name="one").delete()
    assert not base.objects.exists()


@both_orders
def test_delete_of_a_queryset_removes_children_too(base, child):
    child.objects.create(name="one")
    base.objects.all().delete()
    assert not child.objects.exists()


@both_orders
def test_a_base_without_its_child_is_bumped_when_it_keeps_its_row(base, child):
    row = child.objects.create(name="one")
    before = row.updated_at
    row.delete(keep_parents=True)
    found = base.objects.get()
    assert type(found) is base
    assert found.version > 1
    assert found.updated_at > before


@both_orders
def test_bulk_update_of_different_children_bumps_each_once(base, child):
    rows = [child.objects.create(name="one"), base.objects.create(name="two")]
    for row in rows:
        row.name = "new"
    base.objects.bulk_update(rows, ["name"])
    assert sorted(base.objects.values_list("name", "version")) == [("new", 2), ("new", 2)]


@both_orders
def test_set_null_of_a_deleted_owner_bumps_children(base, child):
    owner = Owner.objects.create(name="Ada")
    child.objects.create(name="one", owner=owner)
    owner.delete()
    found = base.objects.get()
    assert (found.owner_id, found.version) == (None, 2)


def test_a_foreign_key_to_the_base_gives_the_child():
    visit = Visit.objects.create(
        animal=Dog.objects.create(name="one"), vehicle=Truck.objects.create(name="two")
    )
    visit.refresh_from_db()
    assert type(visit.animal) is Dog
    assert type(visit.vehicle) is Truck


def test_a_prefetch_of_the_base_gives_children():
    Visit.objects.create(
        animal=Dog.objects.create(name="one"), vehicle=Truck.objects.create(name="two")
    )
    (visit,) = Visit.objects.prefetch_related("animal", "vehicle")
    assert type(visit.animal) is Dog
    assert type(visit.vehicle) is Truck


def test_a_reverse_relation_to_the_base_gives_children():
    owner = Owner.objects.create(name="Ada")
    Dog.objects.create(name="one", owner=owner)
    Truck.objects.create(name="two", owner=owner)
    assert type(owner.animal_set.get()) is Dog
    assert type(owner.vehicle_set.get()) is Truck


def test_non_polymorphic_querysets_give_the_base_and_bump():
    Dog.objects.create(name="one")
    assert type(Animal.objects.non_polymorphic().get()) is Animal
    Animal.objects.non_polymorphic().update(name="two")
    assert Dog.objects.get().version == 2


def test_a_patch_with_the_current_tag_writes_a_child_and_a_stale_one_is_412():
    row = Dog.objects.create(name="one")
    client = APIClient()
    tag = client.get(f"/animals/{row.pk}/")["ETag"]
    first = client.patch(f"/animals/{row.pk}/", {"name": "two"}, headers={"if-match": tag})
    second = client.patch(f"/animals/{row.pk}/", {"name": "three"}, headers={"if-match": tag})
    assert (first.status_code, second.status_code) == (200, 412)
    assert Dog.objects.get().name == "two"


def test_a_list_with_the_current_tag_is_304_until_a_child_changes():
    row = Dog.objects.create(name="one")
    client = APIClient()
    tag = client.get("/animals/")["ETag"]
    assert client.get("/animals/", headers={"if-none-match": tag}).status_code == 304
    row.save()
    assert client.get("/animals/", headers={"if-none-match": tag}).status_code == 200


@isolate_apps(__name__, "django.contrib.contenttypes")
def test_a_check_has_the_mended_code_where_their_base_comes_first():
    class Plant(PolymorphicModel, VersionedModel):
        class Meta:
            app_label = "test_polymorphic"

    (warning,) = check_managers([Plant])
    assert warning.hint == (
        "class VersionedPolymorphicQuerySet(VersionedQuerySet, PolymorphicQuerySet): pass; "
        "objects = PolymorphicManager.from_queryset(VersionedPolymorphicQuerySet)()"
    )
