"""Decorated coroutine views, through Django's ASGI handler, several on one event loop."""

import asyncio
from contextvars import Context

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient

from etag_versioning.decorators import versioned_condition
from tests import views
from tests.testapp.models import Person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.views"),
    pytest.mark.usefixtures("close_connections"),
]


@pytest.fixture
def before_write():
    yield views.before_write
    views.before_write.clear()


async def put(url, tag, how="save"):
    client = AsyncClient(raise_request_exception=False)
    return await client.put(url, headers={"If-Match": tag, "X-Write": how})


async def test_reads_and_revalidates():
    person = await Person.objects.acreate(name="a")
    url = f"/async/{person.pk}/"
    full = await AsyncClient().get(url)
    assert full.status_code == 200
    assert full["Cache-Control"] == "private, no-cache"
    again = await AsyncClient().get(url, headers={"If-None-Match": full["ETag"]})
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize("how", ["save", "update"])
async def test_a_write_answers_with_the_tag_of_the_next_read(how):
    person = await Person.objects.acreate(name="a")
    url = f"/async/{person.pk}/"
    tag = (await AsyncClient().get(url))["ETag"]
    written = await put(url, tag, how)
    assert written.status_code == 200
    assert written["ETag"] == (await AsyncClient().get(url))["ETag"] != tag
    stale = await put(url, tag, how)
    assert stale.status_code == 412
    assert stale["ETag"] == stale.json()["current_etag"] == written["ETag"]
    assert (await AsyncClient().put(url)).status_code == 428
    deleted = await put(url, written["ETag"], "delete")
    assert deleted.status_code == 204
    assert (await AsyncClient().get(url)).status_code == 404


@pytest.mark.parametrize("how", ["save", "update"])
async def test_gathered_writers_of_one_row_one_of_whom_wins(how):
    person = await Person.objects.acreate(name="a")
    url = f"/async/{person.pk}/"
    tag = (await AsyncClient().get(url))["ETag"]
    answers = await asyncio.gather(*[put(url, tag, how) for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    current = (await AsyncClient().get(url))["ETag"]
    assert {answer["ETag"] for answer in answers} == {current}
    await person.arefresh_from_db()
    assert (person.days, person.version) == (1, 2)


async def test_gathered_writers_of_other_rows_do_not_share_a_transaction():
    """One is refused after its write began; the other's answer of 200 has to stay true."""
    people = [await Person.objects.acreate(name=name) for name in "ab"]
    urls = [f"/async/{person.pk}/" for person in people]
    tags = [(await AsyncClient().get(url))["ETag"] for url in urls]
    stale, fresh = await asyncio.gather(put(urls[0], '"stale"'), put(urls[1], tags[1]))
    assert (stale.status_code, fresh.status_code) == (412, 200)
    refused, fresh = await asyncio.gather(
        put(urls[0], tags[0], "fail"), put(urls[1], fresh["ETag"])
    )
    assert (refused.status_code, fresh.status_code) == (500, 200)
    assert not connection.in_atomic_block
    assert (await Person.objects.aget(name="a")).days == 0
    assert (await Person.objects.aget(name="b")).days == 2


async def test_a_deletion_may_write_other_rows_too():
    person, other = [await Person.objects.acreate(name=name) for name in "ab"]
    url = f"/async/{person.pk}/"
    tag = (await AsyncClient().get(url))["ETag"]
    assert (await put(url, tag, "delete and write another")).status_code == 204
    await other.arefresh_from_db()
    assert other.days == 5


async def test_a_write_that_was_rolled_back_shows_no_tag():
    person = await Person.objects.acreate(name="a")
    url = f"/async/{person.pk}/"
    tag = (await AsyncClient().get(url))["ETag"]
    answer = await put(url, tag, "roll back")
    assert answer.status_code == 200
    assert answer.get("ETag") in (None, tag)
    assert (await AsyncClient().get(url))["ETag"] == tag


@pytest.mark.parametrize("overtaken", [False, True])
async def test_a_write_after_one_that_was_rolled_back_compares(async_rf, overtaken):
    """Its row is in the state that was evaluated, unless somebody else has written it."""

    @versioned_condition(Person)
    async def view(request, pk):
        if request.method == "GET":
            return HttpResponse()
        await sync_to_async(views.save_and_roll_back)(pk)
        if overtaken:
            # By a request of its own: this one's guard does not see it.
            await asyncio.create_task(Person.objects.aupdate(days=50), context=Context())
        await Person.objects.filter(pk=pk).aupdate(days=5)
        return HttpResponse()

    person = await Person.objects.acreate(name="a")
    tag = (await view(async_rf.get("/"), pk=person.pk))["ETag"]
    answer = await view(async_rf.put("/", headers={"If-Match": tag}), pk=person.pk)
    await person.arefresh_from_db()
    assert (answer.status_code, person.days) == ((412, 50) if overtaken else (200, 5))
    assert answer["ETag"] == (await view(async_rf.get("/"), pk=person.pk))["ETag"]


async def test_a_task_that_outlives_its_request_is_not_held_to_its_state():
    person = await Person.objects.acreate(name="a")
    url = f"/async/{person.pk}/"
    tag = (await AsyncClient().get(url))["ETag"]
    views.proceed.clear()
    assert (await put(url, tag, "leave to a task")).status_code == 200
    await Person.objects.aupdate(days=5)
    views.proceed.set()
    await asyncio.gather(*views.tasks)
    views.tasks.clear()
    await person.arefresh_from_db()
    assert (person.days, person.version) == (5, 3)


async def test_coroutine_functions_make_the_tag():
    person = await Person.objects.acreate(name="a")
    url = f"/async-own/{person.pk}/"
    assert (await AsyncClient().get(url))["ETag"] == '"name-a"'
    answer = await AsyncClient().get(url, headers={"If-None-Match": '"name-a"'})
    assert answer.status_code == 304
    assert (await put(url, '"name-b"')).status_code == 412
    assert (await put(url, '"name-a"')).status_code == 200


async def test_coroutine_functions_of_gathered_requests_read_the_database():
    person = await Person.objects.acreate(name="a")
    url = f"/async-own/{person.pk}/"
    answers = await asyncio.gather(*[AsyncClient().get(url) for _ in range(8)])
    assert {answer["ETag"] for answer in answers} == {'"name-a"'}


def plain_terms(request, pk):
    return [request.headers["X-User"]]


async def coroutine_terms(request, pk):
    return plain_terms(request, pk)


async def no_date(request, pk):
    return None


@pytest.mark.parametrize("terms", [plain_terms, coroutine_terms])
@pytest.mark.parametrize("function", [no_date, None])
async def test_terms_stand_in_the_tag_beside_coroutine_functions(
    async_rf, settings, terms, function
):
    """Another user, another page and another deployment each have a tag of their own."""
    decorate = versioned_condition(Person, last_modified_func=function, etag_extra=terms)
    view = decorate(views.async_view)
    person = await Person.objects.acreate(name="a")

    async def get(user="ada", query="", revision="r1", tag=""):
        settings.ETAG_VERSIONING = {"REVISION": revision}
        headers = {"X-User": user, "If-None-Match": tag}
        return await view(async_rf.get(f"/?{query}", headers=headers), pk=person.pk)

    tag = (await get())["ETag"]
    assert (await get(tag=tag)).status_code == 304
    for other in ({"user": "bob"}, {"query": "page=2"}, {"revision": "r2"}):
        assert (await get(tag=tag, **other)).status_code == 200
    headers = {"X-User": "ada", "If-Match": '"stale"'}
    settings.ETAG_VERSIONING = {"REVISION": "r1"}
    stale = await view(async_rf.put("/", headers=headers), pk=person.pk)
    assert (stale.status_code, stale["ETag"]) == (412, tag)


async def test_what_comes_before_preconditions():
    person = await Person.objects.acreate(name="a")
    url = f"/async-methods/{person.pk}/"
    assert (await AsyncClient().delete(url)).status_code == 405
    assert (await AsyncClient().options(url)).status_code == 200
    assert (await AsyncClient().get("/async/0/")).status_code == 404


async def test_any_state_may_be_written_where_that_is_asked_for(before_write):
    person = await Person.objects.acreate(name="a")
    url = f"/async/{person.pk}/"
    before_write.append(lambda: Person.objects.update(days=50))
    answer = await put(url, "*")
    assert answer.status_code == 200
    assert answer.json()["days"] == 51
    assert answer["ETag"] == (await AsyncClient().get(url))["ETag"]
