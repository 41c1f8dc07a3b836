"""
A handler that is only decorated is still DRF's own: its 304 comes before the joins, the
prefetches and the serializer. What may do more is the project's code, and runs first.
"""

import functools

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control, cache_page, never_cache
from django.views.decorators.vary import vary_on_cookie, vary_on_headers
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins, permissions, serializers
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from etag_versioning.rest_framework.mixins import (
    VersionedListMixin,
    VersionedRetrieveMixin,
    VersionedViewSetMixin,
)
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Label, Recipe

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

documented = extend_schema_view(
    retrieve=extend_schema(summary="One recipe"), list=extend_schema(summary="All recipes")
)


class LabelSerializer(serializers.ModelSerializer):
    class Meta:
        model = Label
        fields = ("id", "name")


class RecipeSerializer(serializers.ModelSerializer):
    labels = LabelSerializer(many=True)

    class Meta:
        model = Recipe
        fields = ("id", "name", "labels", "similar", "follows")


class NotSecret(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        return obj.name != "secret"


class Recipes:
    queryset = Recipe.objects.prefetch_related("labels", "similar", "follows").order_by("pk")
    serializer_class = RecipeSerializer


@documented
class DocumentedViewSet(Recipes, VersionedModelViewSet):
    pass


@documented
class GuardedViewSet(Recipes, VersionedModelViewSet):
    permission_classes = [NotSecret]


@documented
class DocumentedBase(mixins.RetrieveModelMixin, mixins.ListModelMixin, GenericViewSet):
    """Its wrappers call DRF's methods, and not those of a class beside it."""


class BaseFirstViewSet(Recipes, DocumentedBase, VersionedModelViewSet):
    pass


class BaseLastViewSet(Recipes, VersionedViewSetMixin, DocumentedBase):
    pass


class PassingViewSet(Recipes, VersionedModelViewSet):
    @extend_schema(summary="One recipe")
    def retrieve(self, request, *args, **kwargs):
        """A method that is there for its documentation."""
        return super().retrieve(request, *args, **kwargs)

    def list(self, request):
        return super().list(request)


@method_decorator(vary_on_headers("X-Kitchen"), name="retrieve")
@method_decorator([never_cache, vary_on_cookie], name="list")
class DjangoViewSet(Recipes, VersionedModelViewSet):
    pass


@method_decorator(cache_control(public=True, max_age=60), name="retrieve")
@extend_schema_view(retrieve=extend_schema(summary="One recipe"))
class PublicViewSet(Recipes, VersionedModelViewSet):
    pass


@extend_schema_view(update=extend_schema(summary="Change"), destroy=extend_schema(summary="Burn"))
class WritingBase(ModelViewSet):
    """Its wrappers call DRF's methods as well."""


class WritingBaseFirstViewSet(Recipes, WritingBase, VersionedModelViewSet):
    pass


class TutorialView(
    Recipes, VersionedRetrieveMixin, mixins.RetrieveModelMixin, generics.GenericAPIView
):
    def get(self, request, *args, **kwargs):
        return self.retrieve(request, *args, **kwargs)


@extend_schema_view(get=extend_schema(summary="All recipes"))
class DocumentedListView(Recipes, VersionedListMixin, generics.ListAPIView):
    pass


EARLY = [
    "documented",
    "guarded",
    "base-first",
    "base-last",
    "passing",
    "django",
    "public",
]


def refusing_secrets(handler):
    @functools.wraps(handler)
    def wrapper(view, request, *args, **kwargs):
        response = handler(view, request, *args, **kwargs)
        if "secret" in str(response.data):
            raise PermissionDenied
        return response

    return wrapper


class WrappedViewSet(Recipes, VersionedModelViewSet):
    retrieve = refusing_secrets(ModelViewSet.retrieve)
    list = refusing_secrets(ModelViewSet.list)


@documented
class DocumentedWrappedViewSet(WrappedViewSet):
    pass


class AddingViewSet(Recipes, VersionedModelViewSet):
    def retrieve(self, request, *args, **kwargs):
        response = super().retrieve(request, *args, **kwargs)
        response.data["labels_in_all"] = Label.objects.count()
        return response


@method_decorator(cache_page(60), name="retrieve")
class CachedPageViewSet(Recipes, VersionedModelViewSet):
    pass


router = SimpleRouter()
for prefix, viewset in {
    "documented": DocumentedViewSet,
    "guarded": GuardedViewSet,
    "base-first": BaseFirstViewSet,
    "base-last": BaseLastViewSet,
    "passing": PassingViewSet,
    "django": DjangoViewSet,
    "public": PublicViewSet,
    "wrapped": WrappedViewSet,
    "documented-wrapped": DocumentedWrappedViewSet,
    "adding": AddingViewSet,
    "cached-page": CachedPageViewSet,
    "writing-base-first": WritingBaseFirstViewSet,
}.items():
    router.register(prefix, viewset, basename=prefix)
urlpatterns = [
    path("", include(router.urls)),
    path("tutorial/<int:pk>/", TutorialView.as_view()),
    path("documented-list/", DocumentedListView.as_view()),
]


@pytest.fixture
def recipe():
    recipe = Recipe.objects.create(name="soup")
    recipe.labels.add(Label.objects.create(name="hot"))
    recipe.follows.add(Recipe.objects.create(name="bread"))
    return Recipe.objects.get(pk=recipe.pk)


def get(url, tag=None, **headers):
    if tag is not None:
        headers["If-None-Match"] = tag
    return APIClient().get(url, headers=headers)


@pytest.mark.parametrize("kind", [*EARLY, "tutorial"])
def test_a_304_of_a_decorated_retrieve_is_one_query(recipe, kind, django_assert_num_queries):
    url = f"/{kind}/{recipe.pk}/"
    with django_assert_num_queries(4):
        full = get(url)
    assert full.status_code == 200
    with django_assert_num_queries(1):
        answer = get(url, full["ETag"])
    assert answer.status_code == 304
    assert answer["ETag"] == full["ETag"]
    recipe.save()
    assert get(url, full["ETag"]).status_code == 200


@pytest.mark.parametrize("url", [*(f"/{kind}/" for kind in EARLY), "/documented-list/"])
def test_a_304_of_a_decorated_list_is_one_query(recipe, url, django_assert_num_queries):
    with django_assert_num_queries(4):
        full = get(url)
    assert full.status_code == 200
    with django_assert_num_queries(1):
        answer = get(url, full["ETag"])
    assert answer.status_code == 304
    recipe.save()
    assert get(url, full["ETag"]).status_code == 200


def test_an_object_permission_is_asked_about_the_bare_row(recipe, django_assert_num_queries):
    url = f"/guarded/{recipe.pk}/"
    tag = get(url)["ETag"]
    with django_assert_num_queries(1):
        assert get(url, tag).status_code == 304
    # The bare row for the permission, then the recipe with its prefetches.
    with django_assert_num_queries(5):
        assert get(url, '"other"').status_code == 200
    Recipe.objects.update(name="secret")
    for value in (tag, "*"):
        assert get(url, value).status_code == 403


@pytest.mark.parametrize("url", ["/django/{}/", "/django/", "/public/{}/"])
def test_the_304_has_the_headers_that_djangos_decorators_put_on_the_200(recipe, url):
    url = url.format(recipe.pk)
    full = get(url)
    answer = get(url, full["ETag"])
    assert answer.status_code == 304
    assert answer["Vary"] == full["Vary"]
    assert answer["Cache-Control"] == full["Cache-Control"]
    assert answer.has_header("Expires") == full.has_header("Expires")


def test_djangos_decorators_name_what_an_answer_varies_by(recipe):
    assert "X-Kitchen" in get(f"/django/{recipe.pk}/")["Vary"]
    assert "Cookie" in get("/django/")["Vary"]
    assert get(f"/public/{recipe.pk}/")["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("kind", ["wrapped", "documented-wrapped"])
@pytest.mark.parametrize("detail", [True, False], ids=["detail", "list"])
def test_a_304_is_no_way_past_a_wrapper_that_refuses(recipe, kind, detail):
    url = f"/{kind}/{recipe.pk}/" if detail else f"/{kind}/"
    tag = get(url)["ETag"]
    assert get(url, tag).status_code == 304
    Recipe.objects.unversioned().update(name="secret")
    for value in (tag, "*"):
        answer = get(url, value)
        assert answer.status_code == 403
        assert "ETag" not in answer


def test_what_a_retrieve_adds_to_supers_data_changes_the_tag(recipe):
    url = f"/adding/{recipe.pk}/"
    tag = get(url)["ETag"]
    assert get(url, tag).status_code == 304
    Label.objects.create(name="cold")
    answer = get(url, tag)
    assert answer.status_code == 200
    assert answer.data["labels_in_all"] == 2


def test_a_decorator_that_may_answer_by_itself_runs_before_the_304(recipe):
    url = f"/cached-page/{recipe.pk}/"
    tag = get(url)["ETag"]
    assert get(url, tag).status_code == 304


@pytest.mark.parametrize(
    ("kind", "view"), [("documented", DocumentedViewSet), ("tutorial", TutorialView)]
)
def test_a_method_that_is_replaced_in_a_test_runs(recipe, monkeypatch, kind, view):
    url = f"/{kind}/{recipe.pk}/"
    tag = get(url)["ETag"]

    def retrieve(self, request, *args, **kwargs):
        raise PermissionDenied

    monkeypatch.setattr(view, "retrieve", retrieve)
    assert get(url, tag).status_code == 403


@pytest.mark.parametrize("kind", ["documented", "writing-base-first"])
def test_a_write_of_a_decorated_view_is_guarded(recipe, kind):
    url = f"/{kind}/{recipe.pk}/"
    assert APIClient().delete(url).status_code == 428
    headers = {"If-Match": get(url)["ETag"]}
    recipe.save()
    assert APIClient().delete(url, headers=headers).status_code == 412
    headers = {"If-Match": get(url)["ETag"]}
    assert APIClient().delete(url, headers=headers).status_code == 204
