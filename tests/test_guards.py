"""A guard on a row: how long it holds the lock, and what it admits after that."""

import pytest

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.orm.guards import Guard
from etag_versioning.orm.locks import StoredRow
from etag_versioning.orm.state import State
from tests.testapp.models import Person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person():
    return Person.objects.create(name="a")


@pytest.fixture
def guard(person):
    row = StoredRow.of(Person, "default", person.pk)
    return Guard(row, State(person.version, person.updated_at))


def test_the_lock_ends_with_its_transaction(guard):
    with guard.locking():
        assert guard.locked
    assert not guard.locked


def test_the_next_transaction_compares_the_row_again(guard, person):
    with guard.locking():
        pass
    Person.objects.filter(pk=person.pk).update(name="of another request")
    with pytest.raises(StaleWriteError), guard.locking():
        pass


def test_the_next_transaction_goes_on_from_what_the_first_has_written(guard, person):
    with guard.locking(), guard.watch():
        person.save()
    with guard.locking():
        assert guard.locked
