"""The database takes no statement, as a node that is not part of its Galera cluster."""

import pytest
from django.db import OperationalError, connection
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


class PersonSerializer(ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class OwnSavingViewSet(PersonViewSet):
    def perform_update(self, serializer):
        serializer.save()


router = SimpleRouter()
router.register("people", PersonViewSet, "person")
router.register("own-saving", OwnSavingViewSet, "own-saving")
urlpatterns = [path("", include(router.urls))]


def failing_at(word):
    """An execute wrapper that refuses statements that begin with ``word``."""

    def wrapper(execute, sql, params, many, context):
        if sql.startswith(word):
            raise OperationalError(1047, "WSREP has not yet prepared node for application use")
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wrapper)


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def assert_is_503(answer):
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer.json()["reason"] == "unreachable"


def test_a_read_is_503(client, person):
    with failing_at("SELECT"):
        assert_is_503(client.get(f"/people/{person.pk}/"))


@pytest.mark.parametrize("folder", ["people", "own-saving"])
@pytest.mark.parametrize("word", ["SELECT", "UPDATE"])
def test_a_write_is_503_and_writes_nothing(client, person, folder, word):
    url = f"/{folder}/{person.pk}/"
    headers = {"If-Match": client.get(url)["ETag"]}
    with failing_at(word):
        answer = client.patch(url, {"name": "b"}, "application/json", headers=headers)
    assert_is_503(answer)
    assert Person.objects.get().name == "a"
