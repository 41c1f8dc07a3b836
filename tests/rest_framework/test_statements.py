"""A write that compares by its one statement: no transaction around it, and tried again."""

from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection
from django.db.models.signals import post_save, pre_save
from rest_framework import serializers
from rest_framework.test import APIRequestFactory

from etag_versioning.orm import guards
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Book, Genre, Leaf, Login, Person, Restaurant

pytestmark = pytest.mark.django_db(transaction=True)


def view_set(rows, *names, **own):
    meta = type("Meta", (), {"model": rows, "fields": ("id", "name", *names)})
    serializer = type("Serializer", (serializers.ModelSerializer,), {"Meta": meta, **own})
    attributes = {"queryset": rows.objects.all(), "serializer_class": serializer}
    return type("ViewSet", (VersionedModelViewSet,), attributes)


PEOPLE = view_set(Person)


def call(viewset, method, row, data=None, **headers):
    request = getattr(APIRequestFactory(), method)("/", data, format="json", headers=headers)
    routes = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
    answer = viewset.as_view(routes)(request, pk=row.pk)
    return answer.render() if hasattr(answer, "render") else answer


def write(viewset, row, method="patch", data=None):
    """Whether each statement of a write ran in a transaction, and the answer."""
    tag = call(viewset, "get", row)["ETag"]
    within = []

    def look(execute, sql, *arguments):
        result = execute(sql, *arguments)
        within.append(connection.in_atomic_block)
        return result

    data = {"name": "b"} if data is None else data
    with connection.execute_wrapper(look):
        answer = call(viewset, method, row, data, **{"If-Match": tag})
    assert answer.status_code in (200, 204), answer.content
    return within, answer


def test_a_write_of_one_statement_takes_no_transaction():
    person = Person.objects.create(name="a")
    within, answer = write(PEOPLE, person)
    assert within == [False, False]
    assert answer["ETag"] == call(PEOPLE, "get", person)["ETag"]
    assert write(PEOPLE, person, "delete")[0] == [False, False]


@pytest.mark.parametrize("signal", [pre_save, post_save])
def test_with_a_signal_there_is_one(signal):
    def receive(**kwargs):
        """May write, and may refuse."""

    signal.connect(receive, sender=Person)
    try:
        assert True in write(PEOPLE, Person.objects.create(name="a"))[0]
    finally:
        signal.disconnect(receive, sender=Person)
    assert True not in write(PEOPLE, Person.objects.create(name="a"))[0]


def own_update(self, instance, data):
    return serializers.ModelSerializer.update(self, instance, data)


@pytest.mark.parametrize(
    "viewset",
    [
        view_set(Book, "genres"),
        view_set(Leaf),
        view_set(Restaurant),
        view_set(Person, update=own_update),
    ],
    ids=["relations", "touches", "two tables", "code of its own"],
)
def test_a_write_of_several_statements_is_in_one_transaction(viewset):
    book = {"book": Book.objects.create(name="b")} if viewset.queryset.model is Leaf else {}
    row = viewset.queryset.create(name="a", **book)
    data = {"name": "b", "genres": [Genre.objects.create(name="g").pk]}
    assert True in write(viewset, row, data=data)[0]


def test_own_code_finds_the_row_locked():
    """What it writes first is after the comparison, and is undone with it."""
    seen = []

    def update(self, instance, data):
        seen.extend(guard.locked for guard in guards.guards_of(Person, "default", instance.pk))
        return own_update(self, instance, data)

    write(view_set(Person, update=update), Person.objects.create(name="a"))
    assert seen == [True]


def test_a_write_that_changes_nothing_holds_its_state():
    login = Login.objects.create(name="a")
    viewset = view_set(Login)
    tag = call(viewset, "get", login)["ETag"]
    _, answer = write(viewset, login, data={"name": "a"})
    assert answer["ETag"] == tag
    assert call(viewset, "patch", login, {"name": "a"}, **{"If-Match": '"x"'}).status_code == 412


@contextmanager
def busy(times):
    """The first UPDATEs are given up for the sake of others."""
    left = [times]

    def refuse(execute, sql, *arguments):
        if sql.startswith("UPDATE") and left[0]:
            left[0] -= 1
            cause = Exception()
            cause.sqlite_errorcode, cause.sqlstate = 5, "40001"
            raise OperationalError(1213, "busy") from cause
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.parametrize(("times", "status"), [(1, 200), (3, 200), (4, 503)])
def test_is_tried_again_a_few_times(times, status):
    person = Person.objects.create(name="a")
    tag = call(PEOPLE, "get", person)["ETag"]
    with busy(times):
        answer = call(PEOPLE, "patch", person, {"name": "b"}, **{"If-Match": tag})
    assert answer.status_code == status
    person.refresh_from_db()
    assert (person.name, person.version) == (("b", 2) if status == 200 else ("a", 1))
