"""Actions that hold no lock: those that take long, and those that write nothing."""

from threading import Thread

import pytest
from django.db import connection, transaction
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


def rename_in_another_thread(pk):
    def rename():
        Person.objects.filter(pk=pk).update(name="renamed")
        connection.close()

    thread = Thread(target=rename)
    thread.start()
    thread.join()


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    @action(detail=True, methods=["post"], lock_row=False)
    def work(self, request, pk=None):
        person = self.get_object()
        in_transaction = connection.in_atomic_block
        person.days += 1
        person.save()
        return Response({"days": person.days, "in_transaction": in_transaction})

    @action(detail=True, methods=["post"], lock_row=False)
    def work_slowly(self, request, pk=None):
        person = self.get_object()
        rename_in_another_thread(pk)
        person.save()
        return Response({})

    @action(detail=True, methods=["post"], lock_row=False)
    def work_twice(self, request, pk=None):
        person = self.get_object()
        person.days += 1
        person.save()
        rename_in_another_thread(pk)
        person.save()
        return Response({})

    @action(detail=True, methods=["post"], lock_row=False)
    def delete_and_think_better_of_it(self, request, pk=None):
        person = self.get_object()
        with transaction.atomic():
            person.delete()
            transaction.set_rollback(True)
        rename_in_another_thread(pk)
        Person.objects.filter(pk=pk).update(name="lost")
        return Response({})

    @action(detail=True, methods=["post"], lock_row=False)
    def delete_twice(self, request, pk=None):
        person = self.get_object()
        person.delete()
        return Response({"left": Person.objects.filter(pk=pk).update(name="b")})

    @action(detail=True, methods=["post"], lock_row=False, if_match="optional")
    def preview(self, request, pk=None):
        person = self.get_object()
        return Response({"days": person.days + 1, "in_transaction": connection.in_atomic_block})


router = SimpleRouter()
router.register("people", PersonViewSet)
urlpatterns = router.urls


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def post(person, name, tag=None):
    headers = {} if tag is None else {"If-Match": tag}
    return APIClient().post(f"/people/{person.pk}/{name}/", headers=headers)


def tag_of(person):
    return APIClient().get(f"/people/{person.pk}/")["ETag"]


def test_the_handler_runs_in_no_transaction(person):
    answer = post(person, "work", tag_of(person))
    assert answer.json() == {"days": 1, "in_transaction": False}


def test_its_answer_has_the_tag_for_the_next_write(person):
    answer = post(person, "work", tag_of(person))
    assert post(person, "work", answer["ETag"]).status_code == 200


def test_if_match_with_an_asterisk_locks_nothing_either(person):
    assert post(person, "work", "*").json() == {"days": 1, "in_transaction": False}


@pytest.mark.parametrize(("tag", "status"), [(None, 428), ('"person-1-v0.0"', 412), ("x", 412)])
def test_preconditions_are_evaluated_before_the_handler(person, tag, status):
    assert post(person, "work", tag).status_code == status
    assert Person.objects.get().days == 0


def test_a_row_that_another_request_writes_meanwhile_is_412_with_its_tag(person):
    answer = post(person, "work_slowly", tag_of(person))
    assert (answer.status_code, answer["ETag"]) == (412, tag_of(person))
    assert Person.objects.get().name == "renamed"


def test_a_write_that_is_lost_after_the_first_one_is_409(person):
    answer = post(person, "work_twice", tag_of(person))
    assert (answer.status_code, answer.json()["reason"]) == (409, "interrupted")
    assert Person.objects.values_list("days", "name").get() == (1, "renamed")


def test_an_action_that_writes_nothing_needs_no_tag_and_no_transaction(person):
    answer = post(person, "preview")
    assert answer.json() == {"days": 1, "in_transaction": False}


def test_an_action_that_writes_nothing_compares_the_tag_that_a_client_sends(person):
    assert post(person, "preview", tag_of(person)).status_code == 200
    assert post(person, "preview", '"stale"').status_code == 412


def test_a_deletion_that_was_rolled_back_does_not_end_the_guard(person):
    answer = post(person, "delete_and_think_better_of_it", tag_of(person))
    assert (answer.status_code, answer["ETag"]) == (412, tag_of(person))
    assert Person.objects.get().name == "renamed"


def test_a_row_that_the_handler_has_deleted_can_be_written_to_without_an_error(person):
    answer = post(person, "delete_twice", tag_of(person))
    assert answer.json() == {"left": 0}
