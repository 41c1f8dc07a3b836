"""Deadlocks: an answer for each of two requests that wait for each other, and no 500."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from etag_versioning.decorators import versioned_condition
from etag_versioning.orm.database_errors import is_contention
from tests.testapp.models import Person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people():
    if not connection.features.has_select_for_update:
        pytest.skip("locks no rows, and so has no deadlocks")
    return [Person.objects.create(name=name) for name in "ab"]


def crossing(barrier):
    """A view of one person that writes the other too, when both are locked."""

    @versioned_condition(Person)
    def view(request, pk):
        barrier.wait(timeout=30)
        Person.objects.exclude(pk=pk).update(days=pk)
        return HttpResponse(status=204)

    return view


def test_two_requests_that_deadlock_one_gets_200(race, people):
    reading = versioned_condition(Person)(lambda request, pk: HttpResponse())
    tags = [reading(RequestFactory().get("/"), pk=person.pk)["ETag"] for person in people]
    view = crossing(threading.Barrier(2))
    answers = race(
        *(
            lambda pk=person.pk, tag=tag: view(
                RequestFactory().patch("/", headers={"If-Match": tag}), pk=pk
            )
            for person, tag in zip(people, tags, strict=True)
        )
    )
    statuses = sorted(answer.status_code for answer in answers)
    # The loser's row was written by the winner; whether it can see that yet is chance.
    assert statuses in ([204, 412], [204, 503])
    loser = next(n for n, answer in enumerate(answers) if answer.status_code != 204)
    current = reading(RequestFactory().get("/"), pk=people[loser].pk)["ETag"]
    if answers[loser].status_code == 412:
        assert answers[loser]["ETag"] == current != tags[loser]
    else:
        assert "ETag" not in answers[loser]
    written = [Person.objects.get(pk=person.pk).days for person in people]
    assert written[loser] == people[1 - loser].pk
    assert written[1 - loser] == 0


def test_a_deadlock_without_a_view_is_known_as_contention(race, people):
    barrier = threading.Barrier(2)

    def cross(first, second):
        with transaction.atomic():
            Person.objects.filter(pk=first.pk).update(days=1)
            barrier.wait(timeout=30)
            Person.objects.filter(pk=second.pk).update(days=1)

    results = race(lambda: cross(*people), lambda: cross(*reversed(people)))
    (error,) = [result for result in results if result is not None]
    assert isinstance(error, DatabaseError)
    assert is_contention(error)
