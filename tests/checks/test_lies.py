"""
Answers that change while their tag stays, as people write them: a check tells of each.

The models are those of ``tests.audit``, where nothing says what else a recipe shows.
"""

import random
import sys
import time
import uuid
from datetime import date, datetime
from types import ModuleType

import pytest
from django.db.models import Avg, Count, Prefetch, Sum
from django.forms import model_to_dict
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_list_or_404, get_object_or_404
from django.test import override_settings
from django.urls import include, path
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views import View
from django.views.generic import DetailView, ListView

from etag_versioning.checks import check_views
from etag_versioning.decorators import versioned_condition
from tests.audit.models import (
    Banner,
    Food,
    Keyword,
    Kitchen,
    Menu,
    Note,
    Nutrition,
    Photo,
    Portion,
    Rating,
    Recipe,
    Step,
    Tariff,
)

pytest.importorskip("rest_framework")

from rest_framework import generics, serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.mixins import (
    VersionedAPIViewMixin,
    VersionedListMixin,
    VersionedRetrieveMixin,
)
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

LIES = []


def lie(number, model=""):
    """Put a serializer of recipes or a view among the lies."""

    def register(made):
        LIES.append(pytest.param(made, number, model, id=made.__name__))
        return made

    return register


def routes_of(made):
    if isinstance(made, type) and issubclass(made, serializers.BaseSerializer):
        options = {"serializer_class": made, "queryset": Recipe.objects.all()}
        made = type("Recipes", (VersionedModelViewSet,), {"__module__": __name__, **options})
    if isinstance(made, type) and issubclass(made, VersionedModelViewSet):
        router = SimpleRouter()
        router.register("recipes", made, basename="recipes")
        return [path("", include(router.urls))]
    if isinstance(made, type) and issubclass(made, APIView):
        return [path("<int:pk>/", made.as_view())]
    if isinstance(made, type):
        return [path("<int:pk>/", versioned_condition(Recipe)(made.as_view()))]
    return [path("<int:pk>/", versioned_condition(Recipe)(made))]


class RecipeSerializer(serializers.ModelSerializer):
    class Meta:
        model = Recipe
        fields = ("id", "title")


def with_method(get):
    """A serializer of recipes with a field whose method this is."""
    meta = type("Meta", (RecipeSerializer.Meta,), {"fields": ("title", "value")})
    members = {"Meta": meta, "value": serializers.SerializerMethodField(), "get_value": get}
    return type(get.__name__, (RecipeSerializer,), members)


def method(number, model=""):
    def register(get):
        lie(number, model)(with_method(get))
        return get

    return register


def with_field(name, number, model, **fields):
    meta = type("Meta", (RecipeSerializer.Meta,), {"fields": ("title", *fields)})
    lie(number, model)(type(name, (RecipeSerializer,), {"Meta": meta, **fields}))


def nested(shown, *names, **members):
    meta = type("Meta", (), {"model": shown, "fields": names})
    return type(
        f"Nested{shown.__name__}", (serializers.ModelSerializer,), {"Meta": meta, **members}
    )


READ = {"read_only": True}
FIELD = serializers.CharField
SLUG = serializers.SlugRelatedField
KEYS = serializers.PrimaryKeyRelatedField

# Fields.

with_field("nested_foreign_key", "W207", "Kitchen", kitchen=nested(Kitchen, "name")())
with_field("source", "W207", "Kitchen", place=FIELD(source="kitchen.name"))
with_field("source_over_two", "W207", "Country", place=FIELD(source="kitchen.country.name"))
with_field("slug", "W207", "Kitchen", kitchen=SLUG("name", **READ))
with_field("self", "W207", "Recipe", based_on=SLUG("title", **READ))
with_field("self_reverse", "W207", "Recipe", variants=KEYS(many=True, **READ))
with_field("self_reverse_titles", "W207", "Recipe", variants=SLUG("title", many=True, **READ))
with_field("reverse_keys", "W207", "Rating", ratings=KEYS(many=True, **READ))
with_field("reverse_rows", "W207", "Rating", ratings=nested(Rating, "stars")(many=True))
with_field("reverse_count", "W207", "Rating", rated=FIELD(source="ratings.count"))
with_field("reverse_one_to_one", "W207", "Nutrition", nutrition=nested(Nutrition, "calories")())
with_field("one_to_one_source", "W207", "Nutrition", kcal=FIELD(source="nutrition.calories"))
with_field("many_to_many_rows", "W207", "Keyword", keywords=SLUG("name", many=True, **READ))
with_field("many_to_many_nested", "W207", "Keyword", keywords=nested(Keyword, "name")(many=True))
with_field("reverse_many_to_many", "W207", "Menu", menus=KEYS(many=True, **READ))
with_field("reverse_many_to_many_rows", "W207", "Menu", menus=SLUG("name", many=True, **READ))
with_field("generic_rows", "W207", "Note", notes=SLUG("text", many=True, **READ))
with_field("generic_keys", "W207", "Note", notes=KEYS(many=True, **READ))
with_field(
    "grandchildren", "W207", "Photo",
    steps=nested(Step, "text", "photos", photos=nested(Photo, "caption")(many=True))(many=True),
)  # fmt: skip
with_field(
    "child_s_links", "W207", "Tool",
    steps=nested(Step, "tools", tools=SLUG("name", many=True, **READ))(many=True),
)  # fmt: skip
with_field(
    "child_s_parent", "W207", "Food",
    portions=nested(Portion, "food", food=SLUG("name", **READ))(many=True),
)  # fmt: skip
with_field("user", "W207", "", owner=SLUG("username", **READ))
with_field("unversioned_column", "W212", "", views=serializers.IntegerField())
with_field(
    "date_field_of_relation", "W207", "Photo", facts=FIELD(source="steps.first.photos.count")
)


@lie("W207", "Kitchen")
class Depth(RecipeSerializer):
    class Meta(RecipeSerializer.Meta):
        fields = ("kitchen",)
        depth = 1


@lie("W207", "Country")
class DepthTwo(RecipeSerializer):
    class Meta(RecipeSerializer.Meta):
        fields = ("kitchen",)
        depth = 2


class KitchenName(serializers.Field):
    def to_representation(self, kitchen):
        return kitchen.name


with_field("custom_field", "W207", "Kitchen", kitchen=KitchenName(**READ))


class WholeRecipe(serializers.Field):
    def to_representation(self, recipe):
        return recipe.kitchen.name


with_field("custom_field_of_the_row", "W207", "Kitchen", all=WholeRecipe(source="*", **READ))


class KitchenRelated(serializers.RelatedField):
    def to_representation(self, value):
        return {"name": value.name}


with_field("custom_related_field", "W207", "Kitchen", kitchen=KitchenRelated(**READ))


@lie("W207", "Kitchen")
class Represented(RecipeSerializer):
    def to_representation(self, instance):
        return {**super().to_representation(instance), "kitchen": instance.kitchen.name}


@lie("W207", "Kitchen")
class OfABase(serializers.BaseSerializer):
    def to_representation(self, instance):
        return {"kitchen": instance.kitchen.name}


@lie("W207", "Kitchen")
class Plain(serializers.Serializer):
    kitchen = FIELD(source="kitchen.name")


@lie("W207", "Kitchen")
class ByExtraFields(RecipeSerializer):
    def get_fields(self):
        return {**super().get_fields(), "kitchen": SLUG("name", **READ)}


# Methods.


@method("W207", "Kitchen")
def foreign_key_in_a_method(self, recipe):
    return recipe.kitchen.name


@method("W207", "Country")
def local_variables(self, recipe):
    kitchen = recipe.kitchen
    country = kitchen.country if kitchen else None
    return country.name if country else ""


@method("W207", "Kitchen")
def f_string(self, recipe):
    return f"in {recipe.kitchen.name!r}"


@method("W207", "Rating")
def comprehension(self, recipe):
    return [rating.stars for rating in recipe.ratings.all() if rating.stars > 1]


@method("W207", "Rating")
def generator(self, recipe):
    return sum(rating.stars for rating in recipe.ratings.iterator())


@method("W207", "Rating")
def loop(self, recipe):
    total = 0
    for rating in recipe.ratings.all():
        total += rating.stars
    return total


@method("W207", "Rating")
def aggregate(self, recipe):
    return recipe.ratings.aggregate(mean=Avg("stars"))["mean"]


@method("W207", "Rating")
def exists(self, recipe):
    return recipe.ratings.filter(stars=5).exists()


@method("W207", "Rating")
def length(self, recipe):
    return len(recipe.ratings.all())


@method("W207", "Rating")
def truth(self, recipe):
    return "rated" if recipe.ratings.all() else "new"


@method("W207", "Rating")
def first(self, recipe):
    rating = recipe.ratings.order_by("-stars").first()
    return rating and rating.stars


@method("W207", "Rating")
def sliced(self, recipe):
    return [str(rating.stars) for rating in recipe.ratings.all()[:3]]


@method("W207", "Rating")
def sorted_with_a_lambda(self, recipe):
    return sorted(recipe.ratings.all(), key=lambda rating: rating.stars)[0].stars


@method("W207", "Rating")
def best_by_a_lambda(self, recipe):
    return max(recipe.ratings.all(), key=lambda rating: rating.stars).pk


@method("W207", "Keyword")
def values_list(self, recipe):
    return list(recipe.keywords.values_list("name", flat=True))


@method("W207", "Food")
def lookup_over_a_relation(self, recipe):
    return list(recipe.portions.values_list("food__name", "grams"))


@method("W207", "Food")
def filter_over_a_relation(self, recipe):
    return recipe.portions.filter(food__name="salt").count()


@method("W207", "Rating")
def manager_of_a_model(self, recipe):
    return Rating.objects.filter(recipe=recipe).count()


@method("W207", "Banner")
def unrelated(self, recipe):
    return Banner.objects.first().text


@method("W207", "Tariff")
def unrelated_with_a_version(self, recipe):
    return Tariff.objects.get(pk=1).percent


@method("W207", "Recipe")
def other_rows_of_the_model(self, recipe):
    return Recipe.objects.filter(kitchen=recipe.kitchen_id).count()


@method("W207", "Banner")
def get_object_or_404_of_another(self, recipe):
    return get_object_or_404(Banner, pk=1).text


@method("W207", "Banner")
def list_or_404(self, recipe):
    return [banner.text for banner in get_list_or_404(Banner)]


@method("W207", "Food")
def imported_in_the_method(self, recipe):
    from tests.audit.models import Food as Imported

    return Imported.objects.count()


def name_of(recipe):
    return recipe.kitchen.name


class Shower:
    @staticmethod
    def show(recipe):
        return recipe.kitchen.name

    @classmethod
    def shown(cls, recipe):
        return cls.show(recipe)


@method("W207", "Kitchen")
def helper(self, recipe):
    return name_of(recipe)


@method("W207", "Kitchen")
def static_method(self, recipe):
    return Shower.show(recipe)


@method("W207", "Kitchen")
def class_method(self, recipe):
    return Shower.shown(recipe)


@method("W207", "Kitchen")
def dynamic_attribute(self, recipe):
    return getattr(recipe.kitchen, "name", "")


@method("W207", "Kitchen")
def as_dictionary(self, recipe):
    return model_to_dict(recipe.kitchen)


@method("W207", "Kitchen")
def nested_function(self, recipe):
    def name():
        return recipe.kitchen.name

    return name()


@method("W207", "Kitchen")
def walrus(self, recipe):
    return kitchen.name if (kitchen := recipe.kitchen) else None


@method("W207", "Kitchen")
def caught(self, recipe):
    try:
        return recipe.kitchen.name
    except Kitchen.DoesNotExist:
        return None


@method("W207", "Photo")
def nested_loops(self, recipe):
    return [photo.caption for step in recipe.steps.all() for photo in step.photos.all()]


@method("W207", "Kitchen")
def serializer_in_a_method(self, recipe):
    return nested_kitchen(recipe.kitchen).data


nested_kitchen = nested(Kitchen, "name")


@method("W207", "Rating")
def dictionary_comprehension(self, recipe):
    return {rating.pk: rating.stars for rating in recipe.ratings.all()}


@method("W207", "Kitchen")
def format_method(self, recipe):
    return f"{recipe.title} in {recipe.kitchen.name}"


# Who asks, when, in which language.


@method("W213")
def user_in_the_context(self, recipe):
    return self.context["request"].user.username


@method("W213")
def user_by_get(self, recipe):
    request = self.context.get("request")
    return bool(request) and request.user.is_staff


@method("W213")
def user_of_the_view(self, recipe):
    return self.context["view"].request.user.pk


@method("W213")
def session(self, recipe):
    return self.context["request"].session.get("basket")


@method("W213")
def header(self, recipe):
    return self.context["request"].headers.get("X-Currency")


@method("W213")
def meta(self, recipe):
    return self.context["request"].META["REMOTE_ADDR"]


@method("W213")
def cookie(self, recipe):
    return self.context["request"].COOKIES.get("theme")


@method("W214")
def now(self, recipe):
    return timezone.now() - recipe.updated_at


@method("W214")
def plain_now(self, recipe):
    return datetime.now().isoformat()


@method("W214")
def today(self, recipe):
    return date.today() > recipe.updated_at.date()


@method("W214")
def seconds(self, recipe):
    return time.time()


@method("W214")
def chance(self, recipe):
    return random.choice([recipe.title, recipe.pk])


@method("W214")
def unique(self, recipe):
    return str(uuid.uuid4())


@method("W215")
def translated(self, recipe):
    return gettext("Recipe")


@method("W215")
def language(self, recipe):
    return get_language()


# Viewsets and views.


class RecipeViewSet(VersionedModelViewSet):
    queryset = Recipe.objects.all()
    serializer_class = RecipeSerializer


@lie("W207", "Rating")
class PrefetchedUnderAName(RecipeViewSet):
    queryset = Recipe.objects.prefetch_related(Prefetch("ratings", to_attr="all_ratings"))
    serializer_class = nested(Recipe, "all_ratings", all_ratings=nested(Rating, "stars")(many=True))


@lie("W207", "Rating")
class CountedBesides(RecipeViewSet):
    queryset = Recipe.objects.annotate(number=Count("portions"), grams=Sum("portions__grams"))
    serializer_class = nested(Recipe, "ratings", ratings=KEYS(many=True, **READ))


@lie("W207", "Kitchen")
class ByAction(RecipeViewSet):
    def get_serializer_class(self):
        if self.action == "list":
            return nested(Recipe, "kitchen", kitchen=SLUG("name", **READ))
        return RecipeSerializer


@lie("W207", "Rating")
class ByItsAction(RecipeViewSet):
    @action(detail=True)
    @versioned_read
    def stars(self, request, pk):
        return Response([rating.stars for rating in self.get_object().ratings.all()])


@lie("W207", "Kitchen")
class ByItsRetrieve(RecipeViewSet):
    @versioned_read
    def retrieve(self, request, pk):
        recipe = self.get_object()
        return Response({**self.get_serializer(recipe).data, "kitchen": recipe.kitchen.name})


@lie("W207", "Kitchen")
class OneRecipe(VersionedRetrieveMixin, generics.RetrieveAPIView):
    queryset = Recipe.objects.all()
    serializer_class = nested(Recipe, "kitchen", kitchen=SLUG("name", **READ))


@lie("W207", "Kitchen")
class ListedRecipes(VersionedListMixin, generics.ListAPIView):
    queryset = Recipe.objects.all()
    serializer_class = nested(Recipe, "kitchen", kitchen=SLUG("name", **READ))


@lie("W207", "Kitchen")
class OfOneRow(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Recipe.objects.filter(pk=self.kwargs["pk"])

    @versioned_read
    def get(self, request, pk):
        return Response(Recipe.objects.get(pk=pk).kitchen.name)


@lie("W207", "Kitchen")
class OfItsObject(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Recipe.objects.filter(pk=self.kwargs["pk"])

    @versioned_read
    def get(self, request, pk):
        return Response(nested_kitchen(self.get_object().kitchen).data)


@lie("W208", "Kitchen")
def plain_view(request, pk):
    return JsonResponse({"kitchen": get_object_or_404(Recipe, pk=pk).kitchen.name})


@lie("W208", "Menu")
def plain_view_with_another_model(request, pk):
    return HttpResponse(Menu.objects.count())


@lie("W208", "Rating")
def plain_view_with_children(request, pk):
    recipe = Recipe.objects.get(pk=pk)
    return JsonResponse({"stars": list(recipe.ratings.values_list("stars", flat=True))})


@lie("W208", "Note")
async def async_view(request, pk):
    recipe = await Recipe.objects.aget(pk=pk)
    return JsonResponse({"notes": [note.text async for note in recipe.notes.all()]})


@lie("W208", "Kitchen")
def view_that_gives_its_row_to_a_helper(request, pk):
    return HttpResponse(name_of(Recipe.objects.get(pk=pk)))


@lie("W208", "Note")
def view_of_notes(request, pk):
    return HttpResponse(Note.objects.filter(object_id=pk).count())


@lie("W208", "Food")
def view_of_a_list(request, pk):
    return JsonResponse({"foods": [food.name for food in Food.objects.all()]})


@lie("W213")
def view_for_a_user(request, pk):
    return HttpResponse(f"{Recipe.objects.get(pk=pk).title} for {request.user}")


@lie("W214")
def view_of_the_time(request, pk):
    return HttpResponse(timezone.now())


@lie("W215")
def view_in_a_language(request, pk):
    return HttpResponse(gettext("Recipe"))


@lie("W208", "Kitchen")
class ClassOfAView(View):
    def get(self, request, pk):
        return self.show(Recipe.objects.get(pk=pk))

    def show(self, recipe):
        return HttpResponse(recipe.kitchen.name)


@lie("W208", "Banner")
class DetailWithContext(DetailView):
    model = Recipe

    def get_context_data(self, **kwargs):
        return super().get_context_data(banner=Banner.objects.first().text, **kwargs)


@lie("W208", "Rating")
class ListWithContext(ListView):
    model = Recipe

    def get_context_data(self, **kwargs):
        stars = [rating.stars for recipe in self.object_list for rating in recipe.ratings.all()]
        return super().get_context_data(stars=stars, **kwargs)


@pytest.mark.parametrize(("made", "number", "model"), LIES)
def test_a_check_tells_of_an_answer_that_changes_while_its_tag_stays(
    made, number, model, settings, monkeypatch
):
    settings.MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware"]
    module = ModuleType("urls_of_one_test")
    module.urlpatterns = routes_of(made)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with override_settings(ROOT_URLCONF=module.__name__):
        messages = check_views()
    told = [m.msg for m in messages if m.id == f"etag_versioning.{number}"]
    assert any(f" audit.{model} (" in message for message in told) if model else told
