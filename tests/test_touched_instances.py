"""
A touch keeps the instances at hand current: one that was in its row's state before the touch
is in its state after it, and can be saved.
"""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.db import IntegrityError, models, transaction
from django.db.models.signals import post_delete
from django.forms import inlineformset_factory

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import TouchingMixin, VersionedModel
from etag_versioning.touching.receivers import connect

pytestmark = pytest.mark.django_db


class Cook(VersionedModel):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "testapp"


class Keyword(TouchingMixin):
    touches = ("meales",)

    name = models.CharField(max_length=50)

    class Meta:
        app_label = "testapp"


class Taster(models.Model):
    class Meta:
        app_label = "testapp"


class Meal(VersionedModel):
    unversioned_fields = ("keywords",)

    name = models.CharField(max_length=50)
    cook = models.ForeignKey(Cook, models.CASCADE, null=True, related_name="meales")
    # Their links touch the meal by Keyword.touches alone.
    keywords = models.ManyToManyField(Keyword, related_name="meales")
    tasters = models.ManyToManyField(Taster, through="testapp.Tasting")
    remarks = GenericRelation("testapp.Remark", related_query_name="meal")

    class Meta:
        app_label = "testapp"


class Banquet(VersionedModel):
    """Its links are part of its own state."""

    meales = models.ManyToManyField(Meal, related_name="banquets")

    class Meta:
        app_label = "testapp"


class Ingredient(TouchingMixin):
    touches = ("meal", "meal__cook")

    name = models.CharField(max_length=50)
    meal = models.ForeignKey(Meal, models.CASCADE, null=True, related_name="ingredients")

    class Meta:
        app_label = "testapp"


class Tasting(TouchingMixin):
    touches = ("meal",)

    meal = models.ForeignKey(Meal, models.CASCADE)
    taster = models.ForeignKey(Taster, models.CASCADE)

    class Meta:
        app_label = "testapp"


class Remark(TouchingMixin):
    touches = ("meal",)

    text = models.CharField(max_length=50)
    # Its table is made before that of the content types.
    content_type = models.ForeignKey(ContentType, models.CASCADE, null=True, db_constraint=False)
    object_id = models.IntegerField(null=True)
    content_object = GenericForeignKey()

    class Meta:
        app_label = "testapp"


# As AppConfig.ready() does for the models of apps.
connect([Banquet, Cook, Meal, Ingredient, Keyword, Remark, Taster, Tasting])


@pytest.fixture
def meal():
    return Meal.objects.create(name="soup")


@pytest.fixture
def keyword():
    return Keyword.objects.create(name="hot")


def assert_touched(row):
    """The row was bumped, and its instance says so and can be saved."""
    stored = type(row).objects.get(pk=row.pk)
    assert stored.version > 1
    assert (row.version, row.updated_at) == (stored.version, stored.updated_at)
    row.save()


def assert_stale(row):
    with pytest.raises(StaleWriteError):
        row.save()


# Links of a many-to-many field.


def test_add_keeps_the_instance_of_the_manager_current(meal, keyword):
    meal.keywords.add(keyword)
    assert_touched(meal)


def test_add_from_the_other_side_keeps_the_instances_current_that_it_is_given(meal, keyword):
    keyword.meales.add(meal)
    assert_touched(meal)


def test_aadd_keeps_the_instances_current_that_it_is_given(meal, keyword):
    async_to_sync(keyword.meales.aadd)(meal)
    assert_touched(meal)


def test_add_keeps_the_row_that_declares_the_field_current_from_both_sides(meal):
    banquet = Banquet.objects.create()
    banquet.meales.add(meal)
    assert_touched(banquet)
    other = Banquet.objects.create()
    meal.banquets.add(other)
    assert_touched(other)


def test_remove_from_the_other_side_keeps_the_instances_current_that_it_is_given(meal, keyword):
    keyword.meales.add(meal)
    keyword.meales.remove(meal)
    assert Meal.objects.get().version == 3
    assert_touched(meal)


def test_set_from_the_other_side_keeps_the_instances_current_that_it_is_given(meal, keyword):
    other = Meal.objects.create(name="salad")
    keyword.meales.add(meal)
    keyword.meales.set([meal, other], clear=True)
    assert_touched(meal)
    assert_touched(other)


def test_clear_keeps_the_instance_of_the_manager_current(meal, keyword):
    meal.keywords.add(keyword)
    meal.keywords.clear()
    assert Meal.objects.get().version == 3
    assert_touched(meal)


def test_create_keeps_the_instance_of_the_manager_and_the_new_one_current(meal, keyword):
    meal.keywords.create(name="sweet")
    assert_touched(meal)
    salad = keyword.meales.create(name="salad")
    assert_touched(salad)


def test_get_or_create_from_the_other_side_returns_a_current_instance(keyword):
    salad, _ = keyword.meales.get_or_create(name="salad")
    assert_touched(salad)


def test_an_update_by_the_manager_keeps_its_instance_current(meal, keyword):
    meal.keywords.add(keyword)
    meal.keywords.update(name="cold")
    assert Meal.objects.get().version == 3
    assert_touched(meal)


def test_a_through_model_that_touches_keeps_the_instance_of_the_manager_current(meal):
    taster = Taster.objects.create()
    meal.tasters.add(taster)
    assert_touched(meal)
    meal.tasters.clear()
    assert_touched(meal)


# Foreign keys.


def test_a_save_keeps_the_cached_parent_current(meal):
    ingredient = Ingredient(meal=meal)
    ingredient.save()
    assert_touched(meal)


def test_a_save_keeps_the_whole_path_current():
    cook = Cook.objects.create()
    meal = Meal.objects.create(cook=cook)
    Ingredient.objects.create(meal=meal)
    assert_touched(meal)
    assert_touched(cook)


def test_a_save_keeps_the_old_parent_stale_and_the_new_one_current(meal):
    ingredient = Ingredient.objects.create(meal=meal)
    other = Meal.objects.create(name="salad")
    ingredient.meal = other
    ingredient.save()
    assert_touched(other)
    assert_stale(meal)


def test_create_by_a_related_manager_keeps_its_instance_current(meal):
    meal.ingredients.create()
    assert_touched(meal)


def test_bulk_create_keeps_cached_parents_current(meal):
    other = Meal.objects.create(name="salad")
    Ingredient.objects.bulk_create([Ingredient(meal=meal), Ingredient(meal=other)])
    assert_touched(meal)
    assert_touched(other)


def test_bulk_create_by_a_related_manager_keeps_its_instance_current(meal):
    meal.ingredients.bulk_create([Ingredient(meal_id=meal.pk)])
    assert_touched(meal)


def test_bulk_update_keeps_cached_parents_current(meal):
    ingredient = Ingredient.objects.create(meal=meal)
    Ingredient.objects.bulk_update([ingredient], ["name"])
    assert Meal.objects.get().version == 3
    assert_touched(meal)


def test_an_update_by_a_related_manager_keeps_its_instance_current(meal):
    meal.ingredients.create()
    meal.ingredients.filter(name="").update(name="salt")
    assert Meal.objects.get().version == 3
    assert_touched(meal)


def test_an_update_keeps_the_parent_current_that_it_is_given(meal):
    Ingredient.objects.create()
    Ingredient.objects.update(meal=meal)
    assert_touched(meal)


@pytest.mark.parametrize("bulk", [True, False])
def test_add_and_remove_keep_the_instance_of_the_manager_current(meal, bulk):
    ingredient = Ingredient.objects.create()
    meal.ingredients.add(ingredient, bulk=bulk)
    assert_touched(meal)
    before = meal.version
    meal.ingredients.remove(ingredient, bulk=bulk)
    assert meal.version == before + 1
    assert_touched(meal)


@pytest.mark.parametrize("clear", [True, False])
def test_set_keeps_the_instance_of_the_manager_current(meal, clear):
    old, new = Ingredient.objects.create(meal=meal), Ingredient.objects.create()
    meal.ingredients.set([new], clear=clear)
    assert meal.ingredients.get() == new
    assert old.pk != new.pk
    assert_touched(meal)


def test_clear_of_children_keeps_the_instance_of_the_manager_current(meal):
    meal.ingredients.create()
    meal.ingredients.clear()
    assert Meal.objects.get().version == 3
    assert_touched(meal)


def test_an_instance_that_is_stale_already_stays_stale(meal):
    Meal.objects.update(name="other")
    Ingredient.objects.create(meal=meal)
    assert_stale(meal)
    assert Meal.objects.get().name == "other"


def test_two_instances_of_a_row_are_both_kept_current(meal):
    again = Meal.objects.get()
    Ingredient.objects.bulk_create([Ingredient(meal=meal), Ingredient(meal=again)])
    assert meal.version == again.version == 2
    assert_touched(meal)


# Generic foreign keys.


def test_a_new_row_of_a_generic_relation_touches_its_object(meal):
    Remark.objects.create(content_object=meal)
    assert Meal.objects.get().version == 2
    assert_touched(meal)


def test_create_by_a_generic_relation_keeps_its_instance_current(meal):
    meal.remarks.create(text="good")
    assert_touched(meal)


def test_a_row_that_moves_to_another_object_touches_both(meal):
    other = Meal.objects.create(name="salad")
    remark = Remark.objects.create(content_object=meal)
    remark.content_object = other
    remark.save()
    assert_touched(other)
    assert Meal.objects.get(pk=meal.pk).version == 3


def test_a_row_that_an_update_moves_to_another_object_touches_both(meal):
    other = Meal.objects.create(name="salad")
    Remark.objects.create(content_object=meal)
    Remark.objects.update(object_id=other.pk)
    assert [Meal.objects.get(pk=row.pk).version for row in (meal, other)] == [3, 2]


def test_an_update_of_rows_of_another_model_s_objects_touches_none_of_these(meal):
    cook = Cook.objects.create(pk=meal.pk + 1)
    Remark.objects.create(content_object=cook)
    Remark.objects.update(object_id=meal.pk)
    assert Meal.objects.get().version == 1


def test_an_update_that_names_model_and_object_touches_the_object(meal):
    Remark.objects.create(content_object=Cook.objects.create())
    kind = ContentType.objects.get_for_model(Meal)
    Remark.objects.update(content_type=kind, object_id=meal.pk)
    assert Meal.objects.get().version == 2
    Remark.objects.update(content_type=ContentType.objects.get_for_model(Cook))
    assert Meal.objects.get().version == 3


def test_a_row_of_a_generic_relation_touches_no_object_of_another_model(meal):
    cook = Cook.objects.create(pk=meal.pk)
    Remark.objects.create(content_object=cook)
    assert Meal.objects.get().version == 1


def test_bulk_create_of_rows_of_a_generic_relation_touches_their_objects(meal):
    Remark.objects.bulk_create([Remark(content_object=meal)])
    assert_touched(meal)


def test_add_to_a_generic_relation_touches_its_object(meal):
    remark = Remark.objects.create()
    meal.remarks.add(remark)
    assert_touched(meal)


def test_a_fixture_of_a_generic_relation_touches_its_object(meal):
    remark = Remark(pk=1, content_object=meal, text="good")
    for loaded in serializers.deserialize("json", serializers.serialize("json", [remark])):
        loaded.save()
    assert Remark.objects.get().text == "good"
    assert Meal.objects.get().version == 2


# Deletions.


def test_a_deletion_keeps_the_cached_parent_current(meal):
    ingredient = Ingredient.objects.create(meal=meal)
    ingredient.delete()
    assert Meal.objects.get().version == 3
    assert_touched(meal)


def test_a_deletion_by_a_related_manager_keeps_its_instance_current(meal):
    meal.ingredients.create()
    meal.ingredients.all().delete()
    assert Meal.objects.get().version == 3
    assert_touched(meal)


def test_a_deletion_that_cascades_keeps_what_the_deleted_row_has_cached_current():
    cook = Cook.objects.create()
    meal = Meal.objects.create(cook=cook)
    Ingredient.objects.create(meal=meal)
    meal.delete()
    assert Cook.objects.get().version == 3
    assert_touched(cook)


# Formsets.


def test_an_inline_formset_keeps_its_instance_current(meal):
    meal.ingredients.create(name="salt")
    Formset = inlineformset_factory(Meal, Ingredient, fields=["name"], extra=1)
    formset = Formset(instance=meal)
    data = {f"{formset.prefix}-{name}": value for name, value in FORMSET.items()}
    data[f"{formset.prefix}-0-id"] = meal.ingredients.get().pk
    formset = Formset(data, instance=meal)
    formset.save()
    assert set(meal.ingredients.values_list("name", flat=True)) == {"pepper", "oil"}
    assert_touched(meal)


FORMSET = {"TOTAL_FORMS": 2, "INITIAL_FORMS": 1, "0-name": "pepper", "1-name": "oil"}


# Rollbacks.


@pytest.mark.django_db(transaction=True)
def test_a_save_that_fails_at_its_commit_gives_instances_their_states_back(meal):
    """SQLite and PostgreSQL check foreign keys when the transaction is committed."""
    with pytest.raises(IntegrityError):
        Tasting.objects.create(meal=meal, taster_id=99)
    assert meal.version == Meal.objects.get().version == 1
    meal.save()


@pytest.mark.django_db(transaction=True)
def test_a_bulk_create_that_fails_at_its_commit_gives_instances_their_states_back(meal):
    with pytest.raises(IntegrityError):
        Tasting.objects.bulk_create([Tasting(meal=meal, taster_id=99)])
    assert meal.version == Meal.objects.get().version == 1
    meal.save()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_fails_leaves_instances_as_they_were(meal):
    ingredient = Ingredient.objects.create(meal=meal)

    def fail(**kwargs):
        raise RuntimeError

    post_delete.connect(fail, sender=Ingredient)
    try:
        with pytest.raises(RuntimeError):
            ingredient.delete()
    finally:
        post_delete.disconnect(fail, sender=Ingredient)
    assert meal.version == Meal.objects.get().version == 2
    meal.save()


def test_a_rollback_of_the_project_s_own_leaves_instances_stale(meal):
    with transaction.atomic():
        Ingredient.objects.create(meal=meal)
        transaction.set_rollback(True)
    assert_stale(meal)
