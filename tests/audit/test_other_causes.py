"""
What no ``touches`` can name: rows without a relation, models of other apps, visitors, languages,
headers. Each is found, and silent once the suggested code stands in the view or the model.
"""

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse, JsonResponse
from django.test import Client
from django.urls import include, path
from django.utils import timezone, translation
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning import etag_extra as terms
from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from etag_versioning.testing import assert_honest_etag
from tests.audit.models import Banner, Note, Place, Recipe, Restaurant, Step, Tariff, Tool

pytestmark = pytest.mark.django_db

NAMES = {
    "Banner": Banner,
    "Note": Note,
    "Step": Step,
    "Tariff": Tariff,
    "User": User,
    "terms": terms,
    "timezone": timezone,
}


class RecipeViewSet(VersionedModelViewSet):
    """A subclass says what it shows, or what its serializer does."""

    queryset = Recipe.objects.order_by("pk")


def route(viewset):
    router = SimpleRouter()
    router.register("recipes", viewset)
    return path("", include(router.urls))


def view_that_shows(shown, **options):
    @versioned_condition(Recipe, **options)
    def recipe_page(request, pk):
        return JsonResponse({"shown": shown(request, Recipe.objects.get(pk=pk))})

    return path("recipes/<int:pk>/", recipe_page)


def viewset_that_shows(shown):
    class RecipeSerializer(serializers.ModelSerializer):
        shown = serializers.SerializerMethodField()

        def get_shown(self, recipe):
            return shown(self.context["request"], recipe)

        class Meta:
            model = Recipe
            fields = ("id", "shown")

    class ShownViewSet(RecipeViewSet):
        serializer_class = RecipeSerializer

    return ShownViewSet


def with_line(line, viewset):
    """The viewset with a line in its class body, as an editor would add it."""
    body = "\n".join(f"    {each}" for each in line.splitlines())
    scope = {**NAMES, "Viewset": viewset}
    exec(f"class ShownViewSet(Viewset):\n{body}", scope)
    return scope["ShownViewSet"]


def as_arguments(line):
    """Arguments of ``versioned_condition`` that a line of code names."""
    return eval(f"dict({line})", NAMES)


def banner(request, recipe):
    return [banner.text for banner in Banner.objects.order_by("pk")]


def tariff(request, recipe):
    return Tariff.objects.order_by("pk").first().percent


def owner(request, recipe):
    return recipe.owner and recipe.owner.first_name


def notes(request, recipe):
    return [note.text for note in recipe.notes.order_by("pk")]


def language(request, recipe):
    return translation.get_language_from_request(request)


def currency(request, recipe):
    return request.headers.get("X-Currency", "EUR")


def host(request, recipe):
    return request.build_absolute_uri("/")


def time_zone(request, recipe):
    return timezone.get_current_timezone_name()


# What is shown, a piece of the message, and the term that mends a view.
BY_TERMS = {
    "a row without a relation": (
        banner,
        "audit.Banner changed (text, a new row",
        'Banner.objects.order_by("pk").values_list("pk", "text")',
    ),
    "a versioned row without a relation": (
        tariff,
        "audit.Tariff changed (percent",
        "Tariff.objects.all()",
    ),
    "a row of another app's model": (
        owner,
        "auth.User changed (first_name",
        'User.objects.filter(recipes={kwargs}["pk"])'
        '.order_by("pk").values_list("pk", "first_name")',
    ),
    "the language": (language, "Accept-Language: de sees", "terms.language"),
    "a header": (
        currency,
        "X-Currency: USD sees",
        'terms.header("X-Currency")',
    ),
    "the host": (host, "Host: other.example sees", "terms.host"),
    "the time zone": (
        time_zone,
        "time zone Asia/Tokyo sees",
        "terms.time_zone",
    ),
}
VARIED = {
    "headers": {"X-Currency": ["EUR", "USD"]},
    "hosts": ["other.example"],
    "time_zones": ["Asia/Tokyo"],
}


@pytest.fixture(autouse=True)
def languages(settings):
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    settings.MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware"]


@pytest.fixture(params=BY_TERMS)
def case(request):
    return BY_TERMS[request.param]


def test_a_plain_view(client, recipe, serve, failure_of, suggested, case):
    shown, piece, term = case
    serve(view_that_shows(shown))
    url = f"/recipes/{recipe.pk}/"
    message = failure_of(assert_honest_etag, client, url, **VARIED)
    assert piece in message
    line = suggested(message, "view_that_shows.<locals>.recipe_page")
    term = term.format(request="request", kwargs="kwargs")
    assert line in (f"etag_extra=[{term}]", f"etag_extra=lambda request, **kwargs: [{term}]")
    serve(view_that_shows(shown, **as_arguments(line)))
    assert_honest_etag(client, url, **VARIED)


def test_a_viewset(recipe, serve, failure_of, suggested, case):
    shown, piece, term = case
    viewset = viewset_that_shows(shown)
    serve(route(viewset))
    url = f"/recipes/{recipe.pk}/"
    message = failure_of(assert_honest_etag, APIClient(), url, **VARIED)
    assert piece in message
    line = suggested(message, "ShownViewSet")
    assert term.format(request="self.request", kwargs="self.kwargs") in line
    serve(route(with_line(line, viewset)))
    assert_honest_etag(APIClient(), url, **VARIED)


def test_a_list(recipe, serve, failure_of, suggested, case):
    shown, piece, _ = case
    viewset = viewset_that_shows(shown)
    serve(route(viewset))
    message = failure_of(assert_honest_etag, APIClient(), "/recipes/", **VARIED)
    assert piece in message
    serve(route(with_line(suggested(message, "ShownViewSet"), viewset)))
    assert_honest_etag(APIClient(), "/recipes/", **VARIED)


def test_two_causes_in_one_view_are_mended_by_one_line(
    client, recipe, serve, failure_of, suggested
):
    def shown(request, recipe):
        return [banner(request, recipe), language(request, recipe)]

    serve(view_that_shows(shown))
    url = f"/recipes/{recipe.pk}/"
    line = suggested(failure_of(assert_honest_etag, client, url), "view_that_shows")
    serve(view_that_shows(shown, **as_arguments(line)))
    assert_honest_etag(client, url)


def test_a_generic_relation(client, recipe, serve, failure_of, suggested, add_line):
    serve(view_that_shows(notes))
    url = f"/recipes/{recipe.pk}/"
    line = suggested(failure_of(assert_honest_etag, client, url), "audit.Note")
    assert line == 'touches = ("recipe",)'
    add_line(Note, line)
    assert_honest_etag(client, url)


def test_links_of_a_row_without_a_version(client, recipe, serve, failure_of, suggested, add_line):
    def shown(request, recipe):
        steps = recipe.steps.order_by("pk")
        return [[tool.name for tool in step.tools.order_by("pk")] for step in steps]

    serve(view_that_shows(shown))
    url = f"/recipes/{recipe.pk}/"
    message = failure_of(assert_honest_etag, client, url)
    line = suggested(message, "view_that_shows")
    assert "Step.tools.through.objects.filter(step__recipe=" in line
    for model in (Step, Tool):
        add_line(model, suggested(message, model._meta.label))
    serve(view_that_shows(shown, **as_arguments(line)))
    assert_honest_etag(client, url)


def test_an_unversioned_field_that_is_shown(client, recipe, serve, failure_of, suggested, add_line):
    serve(view_that_shows(lambda request, recipe: recipe.views))
    url = f"/recipes/{recipe.pk}/"
    message = failure_of(assert_honest_etag, client, url)
    assert "audit.Recipe changed (views)" in message
    add_line(Recipe, suggested(message, "audit.Recipe"))
    assert_honest_etag(client, url)


def test_a_parent_table_without_the_version(client, serve, failure_of, suggested, add_line):
    restaurant = Restaurant.objects.create(name="Mugaritz")

    @versioned_condition(Restaurant)
    def restaurant_page(request, pk):
        return HttpResponse(Restaurant.objects.get(pk=pk).name)

    serve(path("restaurants/<int:pk>/", restaurant_page))
    url = f"/restaurants/{restaurant.pk}/"
    message = failure_of(assert_honest_etag, client, url)
    assert "audit.Place changed (name)" in message
    add_line(Place, suggested(message, "audit.Place"))
    assert_honest_etag(client, url)


@pytest.fixture
def sessions(settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]


def greeting(request, recipe):
    return f"Hello {request.user}"


@pytest.fixture
def rita(db):
    return User.objects.create_user("rita")


def test_a_plain_view_that_depends_on_the_user(
    client, recipe, rita, sessions, serve, failure_of, suggested
):
    serve(view_that_shows(greeting))
    url = f"/recipes/{recipe.pk}/"
    assert_honest_etag(client, url)
    message = failure_of(assert_honest_etag, client, url, users=[recipe.owner, rita])
    assert "user olga sees something else than the client as it is" in message
    line = suggested(message, "view_that_shows")
    shown = 'terms.user, getattr(request.user, "username", None)'
    assert shown in line
    serve(view_that_shows(greeting, **as_arguments(line)))
    assert_honest_etag(client, url, users=[recipe.owner, rita])


def test_a_client_that_has_logged_in_by_itself(
    client, recipe, rita, sessions, serve, failure_of, suggested
):
    serve(view_that_shows(greeting))
    client.force_login(rita)
    message = failure_of(assert_honest_etag, client, f"/recipes/{recipe.pk}/")
    line = suggested(message, "view_that_shows")
    assert 'terms.user, getattr(request.user, "username", None)' in line
    assert "User.objects" not in line


def test_a_client_of_drf_that_has_logged_in_by_itself(
    recipe, rita, sessions, serve, failure_of, suggested
):
    def own_name(request, recipe):
        return User.objects.get(pk=request.user.pk).first_name

    serve(route(viewset_that_shows(own_name)))
    client = APIClient()
    client.force_authenticate(rita)
    message = failure_of(assert_honest_etag, client, f"/recipes/{recipe.pk}/")
    line = suggested(message, "ShownViewSet")
    assert 'terms.user, getattr(self.request.user, "first_name", None)' in line


def test_a_viewset_that_depends_on_the_user(recipe, rita, sessions, serve, failure_of, suggested):
    viewset = viewset_that_shows(greeting)
    viewset.permission_classes = [IsAuthenticated]
    serve(route(viewset))
    url = f"/recipes/{recipe.pk}/"
    message = failure_of(assert_honest_etag, APIClient(), url, users=[recipe.owner, rita])
    assert "user rita sees something else than user olga" in message
    line = suggested(message, "ShownViewSet")
    mended = with_line(line, viewset)
    serve(route(mended))
    assert_honest_etag(APIClient(), url, users=[recipe.owner, rita])


def test_two_users_of_three_who_share_a_tag(client, recipe, rita, sessions, serve, failure_of):
    extra = {"etag_extra": lambda request, **kwargs: [request.user.is_authenticated]}
    serve(view_that_shows(greeting, **extra))
    url = f"/recipes/{recipe.pk}/"
    message = failure_of(assert_honest_etag, client, url, users=[recipe.owner, rita])
    assert "user rita sees something else than user olga" in message
    assert "than the client as it is" not in message


def test_a_304_for_somebody_who_is_refused(client, recipe, rita, sessions, serve, failure_of):
    @versioned_condition(Recipe)
    def recipe_page(request, pk):
        return HttpResponse("secret", status=403 if request.user == rita else 200)

    serve(path("recipes/<int:pk>/", recipe_page))
    message = failure_of(assert_honest_etag, client, f"/recipes/{recipe.pk}/", users=[rita])
    assert "user rita sees something else than the client as it is" in message
    assert "status" in message


def test_rows_that_one_user_alone_sees(
    client, recipe, rita, sessions, serve, failure_of, suggested
):
    def shown(request, recipe):
        return banner(request, recipe) if request.user == rita else None

    by_user = {"etag_extra": lambda request, **kwargs: terms.user(request)}
    serve(view_that_shows(shown, **by_user))
    url = f"/recipes/{recipe.pk}/"
    assert_honest_etag(client, url)
    message = failure_of(assert_honest_etag, client, url, users=[rita])
    assert "audit.Banner changed" in message
    assert "(as user rita)" in message
    assert "with the terms that are there already" in message


def test_content_that_differs_at_each_request(client, recipe, serve, failure_of):
    serve(view_that_shows(lambda request, recipe: str(timezone.now())))
    message = failure_of(assert_honest_etag, client, f"/recipes/{recipe.pk}/")
    assert "a later one sees something else than an earlier request" in message


def test_a_header_that_vary_names_is_tried(client, recipe, serve, failure_of):
    @versioned_condition(Recipe)
    def recipe_page(request, pk):
        size = request.headers.get("X-Size", "large")
        return HttpResponse(size, headers={"Vary": "X-Size"})

    serve(path("recipes/<int:pk>/", recipe_page))
    message = failure_of(assert_honest_etag, client, f"/recipes/{recipe.pk}/")
    assert "X-Size: etag-audit sees something else" in message


def test_a_header_of_the_200_counts(client, recipe, serve, failure_of):
    @versioned_condition(Recipe)
    def recipe_page(request, pk):
        return HttpResponse("", headers={"Link": f"<{Banner.objects.get().text}>; rel=up"})

    serve(path("recipes/<int:pk>/", recipe_page))
    message = failure_of(assert_honest_etag, client, f"/recipes/{recipe.pk}/")
    assert "Link of the answer differs" in message


def test_the_clients_own_language_and_cookies_are_sent(recipe, serve):
    client = Client(headers={"accept-language": "de"})
    serve(view_that_shows(language, etag_extra=terms.language))
    report = assert_honest_etag(client, f"/recipes/{recipe.pk}/")
    assert report.tag == client.get(f"/recipes/{recipe.pk}/")["ETag"]


def test_what_anybody_may_see_is_compared_with_what_the_first_user_sees(
    recipe, sessions, serve, failure_of
):
    @versioned_condition(Recipe)
    def recipe_page(request, pk):
        if request.user.is_authenticated:
            return HttpResponse("Welcome")
        return HttpResponse("Log in", status=401)

    serve(path("recipes/<int:pk>/", recipe_page))
    url = f"/recipes/{recipe.pk}/"
    message = failure_of(assert_honest_etag, Client(), url, users=[recipe.owner])
    assert "the client as it is sees something else than user olga" in message
