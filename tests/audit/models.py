"""A cookbook as people write it: nothing says yet what else a recipe shows."""

from django.contrib.auth.models import User
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models

from etag_versioning.models import TouchingMixin, VersionedModel


class Country(TouchingMixin):
    name = models.CharField(max_length=50)


class Kitchen(TouchingMixin):
    name = models.CharField(max_length=50)
    country = models.ForeignKey(Country, models.CASCADE, related_name="kitchens")


class Keyword(TouchingMixin):
    name = models.CharField(max_length=50, unique=True)


class Food(TouchingMixin):
    name = models.CharField(max_length=50)


class Note(TouchingMixin):
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey()
    text = models.CharField(max_length=50)


class Recipe(VersionedModel):
    unversioned_fields = ("views",)

    title = models.CharField(max_length=50)
    views = models.PositiveIntegerField(default=0)
    kitchen = models.ForeignKey(Kitchen, models.CASCADE, related_name="recipes")
    based_on = models.ForeignKey("self", models.SET_NULL, null=True, related_name="variants")
    owner = models.ForeignKey(User, models.CASCADE, null=True, related_name="recipes")
    keywords = models.ManyToManyField(Keyword, related_name="recipes")
    notes = GenericRelation(Note, related_query_name="recipe")


class Portion(TouchingMixin):
    recipe = models.ForeignKey(Recipe, models.CASCADE, related_name="portions")
    food = models.ForeignKey(Food, models.CASCADE, related_name="portions")
    grams = models.PositiveIntegerField(default=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipe", "food"], name="one_portion")]


class Nutrition(TouchingMixin):
    recipe = models.OneToOneField(Recipe, models.CASCADE, related_name="nutrition")
    calories = models.DecimalField(max_digits=6, decimal_places=1)


class Tool(TouchingMixin):
    name = models.CharField(max_length=50)


class Step(TouchingMixin):
    recipe = models.ForeignKey(Recipe, models.CASCADE, related_name="steps")
    text = models.CharField(max_length=50)
    tools = models.ManyToManyField(Tool, related_name="steps")


class Photo(TouchingMixin):
    step = models.ForeignKey(Step, models.CASCADE, related_name="photos")
    caption = models.CharField(max_length=50)
    facts = models.JSONField(default=dict)


class Rating(TouchingMixin):
    recipe = models.ForeignKey(Recipe, models.CASCADE, related_name="ratings")
    stars = models.PositiveIntegerField(choices=[(1, "bad"), (5, "good")])


class Menu(VersionedModel):
    name = models.CharField(max_length=50)
    recipes = models.ManyToManyField(Recipe, related_name="menus")


class Banner(TouchingMixin):
    """Stands on every page, and has no relation to any."""

    text = models.CharField(max_length=50)


class Tariff(VersionedModel):
    """Likewise, with a version."""

    percent = models.PositiveIntegerField()


class Place(TouchingMixin):
    name = models.CharField(max_length=50)


class Restaurant(Place, VersionedModel):
    """Its version is in its own table, and its name in another."""

    stars = models.PositiveIntegerField(default=1)
