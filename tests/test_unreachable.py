"""The database takes no statement: it is shut down, or a node that is not part of its cluster."""

import asyncio
import logging

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import FieldError
from django.db import DatabaseError, OperationalError, connection, connections
from django.http import JsonResponse
from django.shortcuts import aget_object_or_404, get_object_or_404
from django.test import AsyncClient
from django.urls import path

from etag_versioning.decorators import versioned_condition
from etag_versioning.middleware import StaleWriteMiddleware
from etag_versioning.orm.database_errors import is_unreachable
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

NOT_PREPARED = OperationalError(1047, "WSREP has not yet prepared node for application use")


def failing_at(word):
    """An execute wrapper that refuses statements that begin with ``word``."""

    def wrapper(execute, sql, params, many, context):
        if sql.startswith(word):
            raise NOT_PREPARED
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wrapper)


@versioned_condition(Person)
def person_detail(request, pk):
    person = get_object_or_404(Person, pk=pk)
    if request.method == "POST":
        person.days += 1
        person.save()
    return JsonResponse({"days": person.days})


@versioned_condition(Person)
async def async_person_detail(request, pk):
    person = await aget_object_or_404(Person, pk=pk)
    person.days += 1
    await person.asave()
    return JsonResponse({"days": person.days})


def bare(request, pk):
    raise NOT_PREPARED


urlpatterns = [
    path("people/<int:pk>/", person_detail),
    path("async/<int:pk>/", async_person_detail),
    path("bare/<int:pk>/", bare),
]


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def assert_is_503(answer):
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer.json()["message"].startswith("The database cannot be reached")


def test_a_read_whose_row_cannot_be_read_is_503(client, person):
    with failing_at("SELECT"):
        assert_is_503(client.get(f"/people/{person.pk}/"))


def test_a_write_that_cannot_be_made_is_503(client, person):
    tag = client.get(f"/people/{person.pk}/")["ETag"]
    with failing_at("UPDATE"):
        assert_is_503(client.post(f"/people/{person.pk}/", headers={"If-Match": tag}))
    assert Person.objects.get().days == 0


def test_a_lost_write_whose_row_cannot_be_read_again_is_503(client, person):
    tag = client.get(f"/people/{person.pk}/")["ETag"]
    words = {"UPDATE": OperationalError(1213, "Deadlock found"), "SELECT": None}

    def wrapper(execute, sql, params, many, context):
        if sql.startswith("UPDATE"):
            words["SELECT"] = NOT_PREPARED  # The node leaves after the deadlock.
        error = next((words[word] for word in words if sql.startswith(word)), None)
        if error is not None:
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        assert_is_503(client.post(f"/people/{person.pk}/", headers={"If-Match": tag}))


def test_a_write_of_a_coroutine_that_cannot_be_made_is_503(client, person):
    tag = client.get(f"/people/{person.pk}/")["ETag"]

    async def run():
        # The view's statements run in the thread of sync_to_async(), on its connection.
        failing = await sync_to_async(failing_at)("UPDATE")
        await sync_to_async(failing.__enter__)()
        answer = await AsyncClient().post(f"/async/{person.pk}/", headers={"If-Match": tag})
        await sync_to_async(failing.__exit__)(None, None, None)
        await sync_to_async(connections.close_all)()
        return answer

    assert_is_503(asyncio.run(run()))
    assert Person.objects.get().days == 0


def test_the_middleware_answers_503_for_other_views(client, person, settings):
    settings.MIDDLEWARE = [f"{StaleWriteMiddleware.__module__}.{StaleWriteMiddleware.__name__}"]
    assert_is_503(client.get(f"/bare/{person.pk}/"))


def test_it_is_logged_as_an_error_with_its_traceback(client, person, caplog):
    with failing_at("SELECT"), caplog.at_level(logging.ERROR, "etag_versioning"):
        client.get(f"/people/{person.pk}/")
    (record,) = [each for each in caplog.records if each.name == "etag_versioning"]
    assert record.levelno == logging.ERROR
    assert record.exc_info[1] is NOT_PREPARED


class _FromServer(Exception):
    """An error of psycopg's that the server has sent."""

    __module__ = "psycopg.errors"

    def __init__(self, sqlstate):
        self.sqlstate = sqlstate


@pytest.mark.parametrize("sqlstate", ["57P01", "57P02", "57P03", "08006", None])
def test_what_postgresql_says_of_a_broken_connection(sqlstate):
    error = OperationalError("server closed the connection")
    error.__cause__ = _FromServer(sqlstate)
    assert is_unreachable(error)


@pytest.mark.parametrize("sqlstate", ["40001", "57014", "53300", "28P01"])
def test_what_postgresql_says_of_something_else(sqlstate):
    error = OperationalError("something else")
    error.__cause__ = _FromServer(sqlstate)
    assert not is_unreachable(error)


@pytest.mark.parametrize("number", [1047, 1053, 1927, 2002, 2003, 2006, 2013])
def test_what_mariadb_says_of_a_broken_connection(number):
    assert is_unreachable(OperationalError(number, "Lost connection to server during query"))


@pytest.mark.parametrize(
    "error",
    [OperationalError(1205, "Lock wait timeout"), DatabaseError(2006, "other"), FieldError()],
)
def test_what_mariadb_says_of_something_else(error):
    assert not is_unreachable(error)
