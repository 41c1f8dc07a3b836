"""Raw SQL in a guarded plain view or coroutine bumps no version, and the log says so."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.views import View

from etag_versioning.decorators import versioned_condition
from etag_versioning.sources import raw_sql
from tests.testapp.models import Person, Team
from tests.triggerapp.models import Author

pytestmark = pytest.mark.django_db(transaction=True)


def rename(pk, table="testapp_person"):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET name = %s WHERE id = %s", ["b", pk])


@versioned_condition(Person)
def raw_view(request, pk):
    rename(pk)
    return HttpResponse()


@method_decorator(versioned_condition(Person), name="dispatch")
class RawView(View):
    def put(self, request, pk):
        rename(pk)
        return HttpResponse()


@versioned_condition(Person)
def bumped_view(request, pk):
    rename(pk)
    Person.objects.get(pk=pk).save()
    return HttpResponse()


@versioned_condition(Person)
def refusing_view(request, pk):
    rename(pk)
    return HttpResponse(status=400)


@versioned_condition(Person)
def other_table_view(request, pk):
    rename(Team.objects.create(name="a").pk, "testapp_team")
    return HttpResponse()


@versioned_condition(Person)
def saving_and_bumping_view(request, pk):
    if request.method == "PUT":
        Person.objects.get(pk=pk).save()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE testapp_person SET version = version + 1 WHERE id = %s", [pk])
    return HttpResponse()


@versioned_condition(Author)
def triggered_view(request, pk):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {connection.ops.quote_name('the order')} SET weight = 7")
    return HttpResponse()


@versioned_condition(Person)
async def async_raw_view(request, pk):
    await asyncio.sleep(0.01)
    await sync_to_async(rename)(pk)
    return HttpResponse()


@versioned_condition(Person)
async def async_bumped_view(request, pk):
    await sync_to_async(rename)(pk)
    await (await Person.objects.aget(pk=pk)).asave()
    return HttpResponse()


@versioned_condition(Person)
async def async_view(request, pk):
    await asyncio.sleep(0.01)
    await (await Person.objects.aget(pk=pk)).asave()
    return HttpResponse()


@versioned_condition(Author)
async def async_triggered_view(request, pk):
    def write():
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {connection.ops.quote_name('the order')} SET weight = 7")

    await sync_to_async(write)()
    return HttpResponse()


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(raw_sql, "_warned", set())


def raw_sql_in(caplog):
    return [each.getMessage() for each in caplog.records if "raw SQL" in each.getMessage()]


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def put(view, pk, tag="*"):
    return view(RequestFactory().put("/", headers={"If-Match": tag}), pk=pk)


@pytest.mark.parametrize("any_state", [True, False], ids=["any", "a tag"])
def test_raw_sql_that_bumps_nothing_is_logged(caplog, person, any_state):
    tag = "*" if any_state else put(bumped_view, person.pk)["ETag"]
    assert put(raw_view, person.pk, tag).status_code == 200
    (message,) = raw_sql_in(caplog)
    assert message.startswith("tests.test_raw_sql.raw_view wrote to the table of Person")
    assert "Person.objects.filter(…).update(…)" in message


def test_it_is_logged_once_for_each_view(caplog, person):
    for _ in range(2):
        put(raw_view, person.pk)
        put(RawView.as_view(), person.pk)
    first, second = raw_sql_in(caplog)
    assert first.startswith("tests.test_raw_sql.raw_view wrote")
    assert second.startswith("tests.test_raw_sql.RawView wrote")


@pytest.mark.parametrize("view", [bumped_view, refusing_view, other_table_view])
def test_raw_sql_is_not_logged_where_nothing_is_wrong(caplog, person, view):
    put(view, person.pk)
    assert not raw_sql_in(caplog)


def test_raw_sql_that_a_trigger_bumps_is_not_logged(caplog):
    assert put(triggered_view, Author.objects.create(name="a").pk).status_code == 200
    assert not raw_sql_in(caplog)


def test_raw_sql_that_bumps_after_a_save_is_answered_with_the_tag_of_the_next_read(person):
    tag = put(saving_and_bumping_view, person.pk)["ETag"]
    person.refresh_from_db()
    assert person.version == 3
    assert saving_and_bumping_view(RequestFactory().get("/"), pk=person.pk)["ETag"] == tag


@pytest.mark.usefixtures("close_connections")
class TestCoroutines:
    async def aput(self, view, pk):
        return await view(RequestFactory().put("/", headers={"If-Match": "*"}), pk=pk)

    async def test_raw_sql_that_bumps_nothing_is_logged_once(self, caplog):
        person = await Person.objects.acreate(name="a")
        for _ in range(2):
            assert (await self.aput(async_raw_view, person.pk)).status_code == 200
        (message,) = raw_sql_in(caplog)
        assert message.startswith("tests.test_raw_sql.async_raw_view wrote")

    async def test_raw_sql_is_not_logged_where_the_row_is_bumped(self, caplog):
        person = await Person.objects.acreate(name="a")
        assert (await self.aput(async_bumped_view, person.pk)).status_code == 200
        assert not raw_sql_in(caplog)

    async def test_raw_sql_that_a_trigger_bumps_is_not_logged(self, caplog):
        author = await Author.objects.acreate(name="a")
        assert (await self.aput(async_triggered_view, author.pk)).status_code == 200
        assert not raw_sql_in(caplog)

    async def test_the_log_names_the_view_that_wrote_and_no_other(self, caplog):
        """Coroutines share a connection: each notes its own statements alone."""
        one, two = [await Person.objects.acreate(name=name) for name in "ab"]
        await asyncio.gather(
            self.aput(async_view, one.pk),
            self.aput(async_raw_view, two.pk),
            self.aput(async_view, one.pk),
        )
        (message,) = raw_sql_in(caplog)
        assert message.startswith("tests.test_raw_sql.async_raw_view wrote")
        assert await sync_to_async(lambda: connection.execute_wrappers)() == []
