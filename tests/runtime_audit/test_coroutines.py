"""Would-be 304s of coroutines: decorated views, and adrf's viewsets."""

import pytest
from django.http import JsonResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import AsyncClient
from django.urls import path

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Person, Team

FAILS = []


@versioned_condition(Person)
async def card(request, pk):
    if FAILS:
        raise FAILS[0]
    person = await Person.objects.select_related("team").aget(pk=pk)
    return JsonResponse({"name": person.name, "team": {"name": person.team.name}})


@versioned_condition(Person)
async def page(request, pk):
    person = await Person.objects.select_related("team").aget(pk=pk)
    template = engines["django"].from_string("<p>{{ person.team.name }}</p>")
    return TemplateResponse(request, template, {"person": person})


urlpatterns = [path("cards/<int:pk>/", card), path("pages/<int:pk>/", page)]

try:
    from adrf.routers import SimpleRouter
    from adrf.viewsets import ModelViewSet
    from rest_framework import serializers

    from etag_versioning.rest_framework.adrf import AsyncVersionedViewSetMixin
except ImportError:
    ADRF = []
else:
    ADRF = [("/people/{pk}/", ["team"]), ("/people/", ["[0].team"])]

    class PersonSerializer(serializers.ModelSerializer):
        team = serializers.CharField(source="team.name")

        class Meta:
            model = Person
            fields = ("id", "name", "team")

    class PersonViewSet(AsyncVersionedViewSetMixin, ModelViewSet):
        queryset = Person.objects.select_related("team").order_by("id")
        serializer_class = PersonSerializer

    router = SimpleRouter()
    router.register("people", PersonViewSet)
    urlpatterns += router.urls

ADDRESSES = [("/cards/{pk}/", ["team.name"]), ("/pages/{pk}/", ["line 1"]), *ADRF]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(__name__),
    pytest.mark.usefixtures("close_connections"),
]


@pytest.fixture(autouse=True)
def fails():
    yield FAILS
    FAILS.clear()


async def make_person():
    team = await Team.objects.acreate(name="Secret")
    return await Person.objects.acreate(name="Ada", team=team)


async def get(url, tag=None):
    headers = {} if tag is None else {"If-None-Match": tag}
    return await AsyncClient().get(url, headers=headers)


@pytest.mark.parametrize(("address", "parts"), ADDRESSES)
async def test_a_changed_row_that_no_touch_covers_is_answered_with_the_fresh_200(
    signals, address, parts
):
    person = await make_person()
    url = address.format(pk=person.pk)
    tag = (await get(url))["ETag"]
    await Team.objects.aupdate(name="Renamed")
    fresh = await get(url, tag)
    assert (fresh.status_code, fresh["ETag"]) == (200, tag)
    assert "Renamed" in fresh.content.decode()
    assert [each["parts"] for each in signals] == [parts]


@pytest.mark.parametrize(("address", "parts"), ADDRESSES)
async def test_honest_requests_are_answered_304_and_raise_no_alarm(signals, caplog, address, parts):
    person = await make_person()
    url = address.format(pk=person.pk)
    for number in range(3):
        tag = (await get(url))["ETag"]
        again = await get(url, tag)
        assert (again.status_code, again.content) == (304, b"")
        person.name = f"Ada {number}"
        await person.asave()
    assert signals == []
    assert [record for record in caplog.records if record.name.startswith("etag")] == []


async def test_a_coroutine_that_fails_leaves_the_304(signals):
    person = await make_person()
    url = f"/cards/{person.pk}/"
    tag = (await get(url))["ETag"]
    FAILS.append(ValueError())
    assert (await get(url, tag)).status_code == 304
    assert signals == []
