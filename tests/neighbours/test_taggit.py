"""django-taggit: a through model of your own touches the row whose tags it holds."""

import pytest
from django.apps import apps
from django.db import models
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient
from taggit.managers import TaggableManager
from taggit.models import ItemBase, TagBase, TaggedItemBase
from taggit.serializers import TaggitSerializer, TagListSerializerField

from etag_versioning.checks.models import check_models
from etag_versioning.models import TouchingMixin, VersionedModel
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class TaggedRecipe(TouchingMixin, TaggedItemBase):
    touches = ("content_object",)

    content_object = models.ForeignKey("Recipe", models.CASCADE)


class Recipe(VersionedModel):
    name = models.CharField(max_length=50)
    tags = TaggableManager(through=TaggedRecipe)


class TaggedMeal(TaggedItemBase, TouchingMixin):
    touches = ("content_object",)

    content_object = models.ForeignKey("Meal", models.CASCADE)


class Meal(VersionedModel):
    name = models.CharField(max_length=50)
    tags = TaggableManager(through=TaggedMeal)


class Drink(VersionedModel):
    """Has its tags in taggit's own table, which knows no row by a foreign key."""

    name = models.CharField(max_length=50)
    tags = TaggableManager()


class Topic(VersionedModel, TagBase):
    """A tag with a version. Its ``touches`` is refused, and its through model mends that."""

    touches = ("lesson",)


class TaggedLesson(TouchingMixin, ItemBase):
    touches = ("content_object",)

    tag = models.ForeignKey(Topic, models.CASCADE, related_name="items")
    content_object = models.ForeignKey("Lesson", models.CASCADE)


class Lesson(VersionedModel):
    name = models.CharField(max_length=50)
    tags = TaggableManager(through=TaggedLesson)


class Colour(VersionedModel, TagBase):
    """As the check says for Topic."""

    touches = ("items__content_object",)


class TaggedWall(TouchingMixin, ItemBase):
    touches = ("content_object",)

    tag = models.ForeignKey(Colour, models.CASCADE, related_name="items")
    content_object = models.ForeignKey("Wall", models.CASCADE)


class Wall(VersionedModel):
    name = models.CharField(max_length=50)
    tags = TaggableManager(through=TaggedWall)


class RecipeSerializer(TaggitSerializer, ModelSerializer):
    tags = TagListSerializerField()

    class Meta:
        model = Recipe
        fields = ("id", "name", "tags")


class RecipeViewSet(VersionedModelViewSet):
    queryset = Recipe.objects.prefetch_related("tags")
    serializer_class = RecipeSerializer


router = SimpleRouter()
router.register("recipes", RecipeViewSet)
urlpatterns = [path("", include(router.urls))]

both_orders = pytest.mark.parametrize("model", [Recipe, Meal])


@both_orders
def test_add_bumps_the_row_and_keeps_the_instance_current(model):
    row = model.objects.create(name="one")
    row.tags.add("hot")
    assert model.objects.get().version == 2
    row.save()
    assert model.objects.get().version == 3


@both_orders
def test_add_of_a_tag_that_is_there_bumps_nothing(model):
    row = model.objects.create(name="one")
    row.tags.add("hot")
    row.tags.add("hot")
    assert model.objects.get().version == 2


@both_orders
def test_remove_and_clear_bump_the_row(model):
    row = model.objects.create(name="one")
    row.tags.add("hot", "sweet")
    before = model.objects.get().version
    row.tags.remove("hot")
    assert model.objects.get().version == before + 1
    row.tags.clear()
    assert model.objects.get().version == before + 2


@both_orders
def test_remove_and_clear_keep_the_instance_current(model):
    row = model.objects.create(name="one")
    row.tags.add("hot", "sweet")
    row.tags.remove("hot")
    row.save()
    row.tags.clear()
    row.save()
    assert not model.objects.get().tags.exists()


@both_orders
def test_a_deleted_tag_bumps_the_rows_that_had_it(model):
    row = model.objects.create(name="one")
    row.tags.add("hot")
    before = model.objects.get().version
    row.tags.get().delete()
    assert model.objects.get().version == before + 1


@both_orders
def test_a_row_is_deleted_with_its_tags(model):
    row = model.objects.create(name="one")
    row.tags.add("hot")
    row.delete()
    assert not model.objects.exists()
    assert not model.tags.through.objects.exists()


def test_a_get_with_the_current_tag_is_304_until_a_tag_is_added():
    recipe = Recipe.objects.create(name="one")
    client, address = APIClient(), f"/recipes/{recipe.pk}/"
    etag = client.get(address)["ETag"]
    assert client.get(address, headers={"if-none-match": etag}).status_code == 304
    recipe.tags.add("hot")
    response = client.get(address, headers={"if-none-match": etag})
    assert (response.status_code, response.json()["tags"]) == (200, ["hot"])


def test_a_guarded_patch_sets_tags_and_a_stale_one_is_412():
    recipe = Recipe.objects.create(name="one")
    recipe.tags.add("cold")
    client, address = APIClient(), f"/recipes/{recipe.pk}/"
    etag = client.get(address)["ETag"]
    change = {"tags": ["hot", "sweet"]}
    first = client.patch(address, change, format="json", headers={"if-match": etag})
    second = client.patch(address, {"tags": []}, format="json", headers={"if-match": etag})
    assert (first.status_code, second.status_code) == (200, 412)
    assert sorted(Recipe.objects.get().tags.names()) == ["hot", "sweet"]
    assert client.get(address, headers={"if-none-match": first["ETag"]}).status_code == 304


def test_tags_in_taggits_own_table_bump_nothing_and_a_check_says_so():
    drink = Drink.objects.create(name="one")
    drink.tags.add("hot")
    assert Drink.objects.get().version == 1
    warnings = check_models([apps.get_app_config("test_taggit")])
    (warning,) = [warning for warning in warnings if warning.obj is Drink]
    assert (warning.id, warning.hint.partition(";")[0]) == (
        "etag_versioning.W006",
        "class DrinkTaggedItem(TouchingMixin, …): content_object = ForeignKey(Drink, …) "
        'and touches = ("content_object",)',
    )


def test_touches_through_a_taggable_manager_are_an_error_with_the_mended_code():
    errors = check_models([apps.get_app_config("test_taggit")])
    (error,) = [error for error in errors if error.id == "etag_versioning.E003"]
    assert error.obj is Topic
    assert error.hint == 'touches = ("items__content_object",)'


def test_the_mended_touches_bump_the_rows_of_a_tag_that_is_renamed():
    wall = Wall.objects.create(name="one")
    wall.tags.add("red")
    assert Wall.objects.get().version == 2
    colour = Colour.objects.get()
    colour.name = "blue"
    colour.save()
    assert Wall.objects.get().version == 3


def test_rows_of_taggits_own_table_are_bumped_by_touch():
    drink = Drink.objects.create(name="one")
    drink.tags.add("hot")
    drink.touch()
    assert Drink.objects.get().version == drink.version == 2
    Drink.objects.filter(tags__name="hot").touch()
    assert Drink.objects.get().version == 3
