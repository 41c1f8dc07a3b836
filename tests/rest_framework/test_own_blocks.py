"""
Handlers that load their object inside a block of their own, where no tag is required and none is
sent: the block ends as the handler wrote it.
"""

import pytest
from django.db import connection, transaction
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person, Team

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


class Refused(Exception):
    pass


def passing_on(execute, *args):
    return execute(*args)


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer
    if_match = "optional"

    def save(self):
        person = self.get_object()
        person.days += 1
        person.save()
        return person

    @action(detail=True, methods=["post"])
    def refuse(self, request, pk=None):
        try:
            with transaction.atomic():
                Team.objects.create(name="written before")
                self.save()
                raise Refused
        except Refused:
            return Response({})

    @action(detail=True, methods=["post"])
    def count_queries(self, request, pk=None):
        with connection.execute_wrapper(passing_on):
            self.save()
        return Response({})

    @action(detail=True, methods=["post"])
    def commit(self, request, pk=None):
        committed = []
        with transaction.atomic(durable=True):
            transaction.on_commit(lambda: committed.append(True))
            self.save()
        return Response({"committed": committed, "in_transaction": connection.in_atomic_block})

    @action(detail=True, methods=["post"])
    def save_and_fail(self, request, pk=None):
        with transaction.atomic():
            Team.objects.create(name="written before")
            self.save()
        raise serializers.ValidationError("later")

    @action(detail=True, methods=["post"])
    def save_without_block(self, request, pk=None):
        self.save()
        raise serializers.ValidationError("later")


router = SimpleRouter()
router.register("people", PersonViewSet)
urlpatterns = router.urls


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def post(person, name):
    return APIClient().post(f"/people/{person.pk}/{name}/")


def days(person):
    return Person.objects.get(pk=person.pk).days


def test_a_block_that_fails_rolls_back_what_it_wrote_before_the_object_was_loaded(person):
    assert post(person, "refuse").status_code == 200
    assert (Team.objects.count(), days(person)) == (0, 0)


def test_an_answer_after_a_block_that_was_rolled_back_has_no_tag_of_what_it_wrote(person):
    version = Person.objects.get(pk=person.pk).version
    assert f"v{version + 1}" not in post(person, "refuse").get("ETag", "")


def test_a_wrapper_of_the_handlers_queries_is_removed_after_its_block(person):
    assert post(person, "count_queries").status_code == 200
    assert days(person) == 1
    assert connection.execute_wrappers == []


def test_a_durable_block_is_committed_at_its_end(person):
    answer = post(person, "commit")
    assert answer.json() == {"committed": [True], "in_transaction": False}


def test_an_answer_after_a_block_has_the_tag_of_what_it_wrote(person):
    tag = post(person, "commit")["ETag"]
    headers = {"If-Match": tag}
    answer = APIClient().patch(f"/people/{person.pk}/", {"days": 5}, headers=headers)
    assert answer.status_code == 200


def test_an_error_after_a_block_leaves_written_what_the_block_wrote(person):
    assert post(person, "save_and_fail").status_code == 400
    assert (Team.objects.count(), days(person)) == (1, 1)


def test_an_error_after_an_object_that_was_loaded_in_no_block_rolls_back(person):
    assert post(person, "save_without_block").status_code == 400
    assert days(person) == 0
