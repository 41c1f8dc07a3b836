"""
What an answer shows of other rows: found before the suggested line stands in the code, and
silent after it. A table names each relation; three kinds of view show it.
"""

import pytest
from django.db import connection
from django.db.models import Count, Sum
from django.http import JsonResponse
from django.urls import include, path
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from etag_versioning.testing import assert_honest_etag
from tests.audit.models import (
    Country,
    Food,
    Keyword,
    Kitchen,
    Menu,
    Nutrition,
    Photo,
    Portion,
    Rating,
    Recipe,
    Step,
)

pytestmark = pytest.mark.django_db


def names(rows):
    return [row.name for row in rows.order_by("pk")]


def texts_by_raw_sql(recipe):
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM audit_step WHERE recipe_id = %s ORDER BY id", [recipe.pk])
        return [text for (text,) in cursor]


# What a recipe shows, and the models that have to say so, each with its touches.
CASES = {
    "a foreign key": (lambda recipe: recipe.kitchen.name, {Kitchen: '("recipes",)'}),
    "a grandparent": (
        lambda recipe: recipe.kitchen.country.name,
        {Country: '("kitchens__recipes",)', Kitchen: '("recipes",)'},
    ),
    "a row of the same model": (
        lambda recipe: recipe.based_on and recipe.based_on.title,
        {Recipe: '("variants",)'},
    ),
    "children": (
        lambda recipe: [step.text for step in recipe.steps.order_by("pk")],
        {Step: '("recipe",)'},
    ),
    "children that are counted": (
        lambda recipe: recipe.steps.aggregate(n=Count("pk"))["n"],
        {Step: '("recipe",)'},
    ),
    "children that are summed up": (
        lambda recipe: recipe.ratings.aggregate(n=Sum("stars"))["n"],
        {Rating: '("recipe",)'},
    ),
    "children by values()": (
        lambda recipe: list(recipe.steps.order_by("pk").values_list("text", flat=True)),
        {Step: '("recipe",)'},
    ),
    "children by raw SQL": (texts_by_raw_sql, {Step: '("recipe",)'}),
    "the existence of children": (lambda recipe: recipe.steps.exists(), {Step: '("recipe",)'}),
    "grandchildren": (
        lambda recipe: [
            photo.caption for photo in Photo.objects.filter(step__recipe=recipe).order_by("pk")
        ],
        {Photo: '("step__recipe",)', Step: '("recipe",)'},
    ),
    "grandchildren that are counted": (
        lambda recipe: Photo.objects.filter(step__recipe=recipe).count(),
        {Photo: '("step__recipe",)', Step: '("recipe",)'},
    ),
    "a key of JSON": (
        lambda recipe: [
            photo.facts.get("width") for photo in Photo.objects.filter(step__recipe=recipe)
        ],
        {Photo: '("step__recipe",)', Step: '("recipe",)'},
    ),
    "the other end of a one-to-one": (
        lambda recipe: str(Nutrition.objects.filter(recipe=recipe).values_list("calories").first()),
        {Nutrition: '("recipe",)'},
    ),
    "a many-to-many field's rows": (
        lambda recipe: names(recipe.keywords),
        {Keyword: '("recipes",)'},
    ),
    "a many-to-many field from its other side": (
        lambda recipe: names(recipe.menus),
        {Menu: '("recipes",)'},
    ),
    "rows of a through model": (
        lambda recipe: [portion.grams for portion in recipe.portions.order_by("pk")],
        {Portion: '("recipe",)'},
    ),
}


def route(viewset):
    router = SimpleRouter()
    router.register("recipes", viewset)
    return path("", include(router.urls))


def serializer_of(show):
    class RecipeSerializer(serializers.ModelSerializer):
        shown = serializers.SerializerMethodField()

        def get_shown(self, recipe):
            return show(recipe)

        class Meta:
            model = Recipe
            fields = ("id", "title", "shown")

    return RecipeSerializer


def viewset_of(show):
    class RecipeViewSet(VersionedModelViewSet):
        queryset = Recipe.objects.order_by("pk")
        serializer_class = serializer_of(show)
        renderer_classes = [JSONRenderer]

    return route(RecipeViewSet)


def view_of(show):
    @versioned_condition(Recipe)
    def recipe_page(request, pk):
        recipe = Recipe.objects.get(pk=pk)
        return JsonResponse({"title": recipe.title, "shown": show(recipe)})

    return path("recipes/<int:pk>/", recipe_page)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_a_plain_view(client, recipe, serve, failure_of, suggested, add_line, case):
    show, mends = case
    serve(view_of(show))
    message = failure_of(assert_honest_etag, client, f"/recipes/{recipe.pk}/")
    for model, touches in mends.items():
        line = suggested(message, model._meta.label)
        assert line == f"touches = {touches}"
        add_line(model, line)
    assert_honest_etag(client, f"/recipes/{recipe.pk}/")


def test_a_viewset(recipe, serve, failure_of, suggested, add_line, case):
    show, mends = case
    serve(viewset_of(show))
    message = failure_of(assert_honest_etag, APIClient(), f"/recipes/{recipe.pk}/")
    for model, touches in mends.items():
        line = suggested(message, model._meta.label)
        assert line == f"touches = {touches}"
        add_line(model, line)
    assert_honest_etag(APIClient(), f"/recipes/{recipe.pk}/")


def test_a_list(recipe, serve, failure_of, suggested, add_line, case):
    show, mends = case
    serve(viewset_of(show))
    if Recipe in mends:  # The list shows, and covers, all recipes.
        assert_honest_etag(APIClient(), "/recipes/")
        return
    message = failure_of(assert_honest_etag, APIClient(), "/recipes/")
    for model in mends:
        add_line(model, suggested(message, model._meta.label))
    assert_honest_etag(APIClient(), "/recipes/")


def test_rows_behind_other_rows(client, recipe, serve, failure_of, suggested, add_line):
    serve(view_of(lambda recipe: names(Food.objects.filter(portions__recipe=recipe))))
    message = failure_of(assert_honest_etag, client, f"/recipes/{recipe.pk}/")
    for model in (Food, Portion):
        add_line(model, suggested(message, model._meta.label))
    assert_honest_etag(client, f"/recipes/{recipe.pk}/")


def test_a_row_that_is_counted_beside_the_one_that_is_loaded(client, recipe, serve, failure_of):
    serve(view_of(lambda recipe: Recipe.objects.filter(title="Rice").count()))
    message = failure_of(assert_honest_etag, client, f"/recipes/{recipe.pk}/")
    assert "audit.Recipe changed (title" in message


def test_a_many_to_many_fields_links_alone_are_no_lie(client, recipe, serve):
    serve(view_of(lambda recipe: list(recipe.keywords.values_list("pk", flat=True).order_by("pk"))))
    assert_honest_etag(client, f"/recipes/{recipe.pk}/")


class StepSerializer(serializers.ModelSerializer):
    class Meta:
        model = Step
        fields = ("id", "text")


class NestedSerializer(serializers.ModelSerializer):
    steps = StepSerializer(many=True)
    country = serializers.CharField(source="kitchen.country.name")

    class Meta:
        model = Recipe
        fields = ("id", "title", "steps", "country")


def test_nested_serializers(recipe, serve, failure_of, suggested, add_line):
    class NestedViewSet(VersionedModelViewSet):
        queryset = (
            Recipe.objects.select_related("kitchen__country")
            .prefetch_related("steps")
            .order_by("pk")
        )
        serializer_class = NestedSerializer

    serve(route(NestedViewSet))
    for url in (f"/recipes/{recipe.pk}/", "/recipes/"):
        message = failure_of(assert_honest_etag, APIClient(), url)
        assert "steps[0].text" in message
        assert "In audit.Step:" in message
        assert "In audit.Country:" in message
        assert "In audit.Kitchen:" in message
    for model in (Step, Country, Kitchen):
        add_line(model, suggested(message, model._meta.label))
    for url in (f"/recipes/{recipe.pk}/", "/recipes/"):
        assert_honest_etag(APIClient(), url)


def test_an_annotation_is_part_of_the_tag(recipe, serve):
    class CountSerializer(serializers.ModelSerializer):
        number_of_steps = serializers.IntegerField()

        class Meta:
            model = Recipe
            fields = ("id", "number_of_steps")

    class AnnotatedViewSet(VersionedModelViewSet):
        queryset = Recipe.objects.annotate(number_of_steps=Count("steps")).order_by("pk")
        serializer_class = CountSerializer

    serve(route(AnnotatedViewSet))
    for url in (f"/recipes/{recipe.pk}/", "/recipes/"):
        report = assert_honest_etag(APIClient(), url)
        (step,) = [model for model in report.models if model.label == "audit.Step"]
        assert step.verdict == "yes"


def test_a_list_that_is_filtered_by_another_table(recipe, serve):
    class TitleSerializer(serializers.ModelSerializer):
        class Meta:
            model = Recipe
            fields = ("id", "title")

    class SpanishViewSet(VersionedModelViewSet):
        queryset = Recipe.objects.filter(kitchen__country__name="Spain").order_by("pk")
        serializer_class = TitleSerializer

    serve(route(SpanishViewSet))
    report = assert_honest_etag(APIClient(), "/recipes/")
    followed = {model.label for model in report.models if model.verdict == "yes"}
    assert followed == {"audit.Recipe", "audit.Kitchen", "audit.Country"}
