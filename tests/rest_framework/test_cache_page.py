"""Views under Django's cache_page, which may answer without asking the view."""

import pytest
from django.core.cache import cache
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.cache import cache_page
from rest_framework import serializers
from rest_framework.test import APIClient

from etag_versioning.cache_control import public
from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


class PublicViewSet(PersonViewSet):
    cache_control = public(max_age=60)


class SilentViewSet(PersonViewSet):
    cache_control = {}


@versioned_condition(Person, cache_control=public(max_age=60))
def show(request, pk):
    return JsonResponse({"name": Person.objects.get(pk=pk).name})


def cached(viewset):
    return cache_page(60)(viewset.as_view({"get": "retrieve", "patch": "partial_update"}))


urlpatterns = [
    path("private/<pk>/", cached(PersonViewSet)),
    path("public/<pk>/", cached(PublicViewSet)),
    path("silent/<pk>/", cached(SilentViewSet)),
    path("plain/<pk>/", cache_page(60)(show)),
]

CACHED = ["public", "silent", "plain"]


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person():
    return Person.objects.create(name="Ada")


def get(kind, person, **headers):
    return APIClient().get(f"/{kind}/{person.pk}/", headers=headers)


def test_with_the_default_cache_control_each_request_reaches_the_view(person):
    get("private", person)
    Person.objects.filter(pk=person.pk).update(name="Grace")
    assert get("private", person).json()["name"] == "Grace"


@pytest.mark.parametrize("kind", CACHED)
def test_a_public_page_is_kept_with_its_tag_until_it_expires(person, kind):
    before = get(kind, person)
    Person.objects.filter(pk=person.pk).update(name="Grace")
    again = get(kind, person)
    assert (again.json()["name"], again["ETag"]) == ("Ada", before["ETag"])


@pytest.mark.parametrize("kind", CACHED)
def test_a_304_is_not_kept_for_clients_that_have_no_copy(person, kind):
    tag = get(kind, person)["ETag"]
    cache.clear()
    assert get(kind, person, **{"If-None-Match": tag}).status_code == 304
    assert get(kind, person).json()["name"] == "Ada"


@pytest.mark.parametrize("kind", ["private", "public"])
def test_a_write_of_a_state_that_the_kept_page_names_is_412(person, kind):
    tag = get(kind, person)["ETag"]
    Person.objects.filter(pk=person.pk).update(name="Grace")
    answer = APIClient().patch(
        f"/{kind}/{person.pk}/", {"name": "x"}, format="json", headers={"If-Match": tag}
    )
    assert answer.status_code == 412
