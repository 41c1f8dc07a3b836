"""A coroutine creates its row where there is none, and another request deletes the row it named."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import path

from etag_versioning.decorators import versioned_condition
from etag_versioning.sources.rows import row_of
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


def delete_as_another_request(pk):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM testapp_person WHERE id = %s", [pk])


@versioned_condition(Person, allow_create=True)
async def put_person(request, pk):
    name = json.loads(request.body)["name"]
    if name == "overtaken":
        await sync_to_async(delete_as_another_request)(pk)
    elif name == "replaced":
        await (await Person.objects.aget(pk=pk)).adelete()
    person = await Person.objects.filter(pk=pk).afirst() or Person(pk=pk)
    person.name = name
    await person.asave(force_insert=person._state.adding)
    return HttpResponse(status=200)


urlpatterns = [path("people/<int:pk>/", put_person)]


def put(pk, name, **headers):
    async def run():
        client = AsyncClient()
        body = json.dumps({"name": name})
        answer = await client.put(f"/people/{pk}/", body, "application/json", headers=headers)
        await sync_to_async(connections.close_all)()
        return answer

    return asyncio.run(run())


def tag_of(person):
    return str(row_of(person).validators().etag)


@pytest.fixture
def person():
    return Person.objects.create(name="a")


@pytest.mark.parametrize("any_state", [True, False])
def test_a_row_that_if_match_names_is_not_created_again(person, any_state):
    tag = "*" if any_state else tag_of(person)
    assert put(person.pk, "overtaken", if_match=tag).status_code == 412
    assert not Person.objects.exists()


def test_a_row_that_the_request_itself_has_deleted_may_be_created_again(person):
    answer = put(person.pk, "replaced", if_match=tag_of(person))
    assert answer.status_code == 200
    assert Person.objects.get().name == "replaced"
