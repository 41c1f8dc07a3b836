"""A connection, a request or an instance goes with the thread that used it."""

import asyncio

import pytest
from asgiref.sync import ThreadSensitiveContext
from django.http import JsonResponse
from django.test import AsyncClient, Client
from django.urls import path

from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Hidden, Person, Team

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(__name__),
    # A connection that goes with its thread is closed by the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@versioned_condition(Person, lookup_url_kwarg="pk")
def person(request, pk):
    row = Person.objects.get(pk=pk)
    if request.method == "PUT":
        row.days += 1
        row.save()
    return JsonResponse({"days": row.days})


@versioned_condition(lambda request, pk: Person.objects.filter(days__gte=0), lookup_url_kwarg="pk")
def filtered_person(request, pk):
    return person.__wrapped__(request, pk)


@versioned_condition(Hidden, lookup_field="uuid")
def hidden(request, uuid):
    """MariaDB and SQLite convert a UUID and a date by functions of the connection."""
    return JsonResponse({"name": Hidden.objects.get(uuid=uuid).name})


@versioned_condition(
    Team, lambda request, pk: Person.objects.filter(team_id=pk), lookup_url_kwarg="pk"
)
def team(request, pk):
    return JsonResponse({"name": Team.objects.get(pk=pk).name})


@versioned_condition(Person, lookup_url_kwarg="pk")
async def async_person(request, pk):
    row = await Person.objects.aget(pk=pk)
    if request.method == "PUT":
        row.days += 1
        await row.asave()
    return JsonResponse({"days": row.days})


urlpatterns = [
    path("person/<int:pk>/", person),
    path("filtered/<int:pk>/", filtered_person),
    path("hidden/<uuid:uuid>/", hidden),
    path("team/<int:pk>/", team),
    path("async/<int:pk>/", async_person),
]


def read(url):
    client = Client()
    tag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304


def write(url):
    client = Client()
    tag = client.get(url)["ETag"]
    assert client.put(url, headers={"If-Match": tag}).status_code == 200
    assert client.put(url, headers={"If-Match": tag}).status_code == 412


@pytest.mark.parametrize("kind", ["person", "filtered", "team"])
def test_reads_in_new_threads_leave_nothing(leaves_nothing, kind):
    row = Team.objects.create(name="t") if kind == "team" else Person.objects.create(name="a")
    leaves_nothing(lambda: read(f"/{kind}/{row.pk}/"))


def test_reads_by_a_column_that_is_converted_leave_nothing(leaves_nothing):
    row = Hidden.objects.create(name="h")
    leaves_nothing(lambda: read(f"/hidden/{row.uuid}/"))


def test_writes_in_new_threads_leave_nothing(leaves_nothing):
    row = Person.objects.create(name="a")
    leaves_nothing(lambda: write(f"/person/{row.pk}/"))


def test_async_requests_in_new_threads_leave_nothing(leaves_nothing):
    row = Person.objects.create(name="a")
    url = f"/async/{row.pk}/"

    async def requests():
        client = AsyncClient()
        # As Django's ASGI handler: one thread for what is not async in a request.
        async with ThreadSensitiveContext():
            tag = (await client.get(url))["ETag"]
            assert (await client.get(url, headers={"If-None-Match": tag})).status_code == 304
            assert (await client.put(url, headers={"If-Match": tag})).status_code == 200
            assert (await client.put(url, headers={"If-Match": tag})).status_code == 412

    leaves_nothing(lambda: asyncio.run(requests()))
