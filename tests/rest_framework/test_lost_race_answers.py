"""What a lost race is answered with where the database refuses more than the write."""

import threading
from contextlib import contextmanager

import pytest
from django.db import connection, connections
from django.urls import include, path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.versioning import Versioning
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Badge, Login, Person, Team

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.rest_framework.test_lost_race_answers"),
]

# What others do between the validation of a request's content and its write.
meanwhile = []


class MeanwhileMixin:
    def validate(self, data):
        if meanwhile:
            meanwhile.pop()()
        return data


class LoginSerializer(MeanwhileMixin, serializers.ModelSerializer):
    class Meta:
        model = Login
        fields = ("id", "name", "data")


class LoginViewSet(VersionedModelViewSet):
    queryset = Login.objects.order_by("pk")
    serializer_class = LoginSerializer


class HookedLoginViewSet(LoginViewSet):
    def perform_update(self, serializer):
        serializer.save()

    @action(detail=True, methods=["post"])
    def rename(self, request, pk=None):
        login = self.get_object()
        login.name = request.data["name"]
        login.save()
        return Response({})


class PersonSerializer(MeanwhileMixin, serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "team")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("pk")
    serializer_class = PersonSerializer
    allow_create = True


class HookedPersonViewSet(PersonViewSet):
    def perform_update(self, serializer):
        serializer.save()

    perform_create = perform_update


class TeamViewSet(VersionedModelViewSet):
    """The database refuses to delete a row that a Badge names; Django does not look."""

    queryset = Team.objects.all()

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Team
            fields = ("id", "name")

    def perform_destroy(self, instance):
        Person.objects.filter(team=instance).delete()
        Team.objects.filter(pk=instance.pk)._raw_delete(instance._state.db)


router = SimpleRouter()
router.register("logins", LoginViewSet, "logins")
router.register("hooked-logins", HookedLoginViewSet, "hooked-logins")
router.register("people", PersonViewSet, "people")
router.register("hooked-people", HookedPersonViewSet, "hooked-people")
router.register("teams", TeamViewSet, "teams")
urlpatterns = [path("", include(router.urls))]


@pytest.fixture(autouse=True)
def nothing_left_over():
    yield
    meanwhile.clear()


def client():
    api_client = APIClient(raise_request_exception=False)
    api_client.default_format = "json"
    return api_client


def tag(url):
    return client().get(url)["ETag"]


@pytest.mark.parametrize("kind", ["logins", "hooked-logins"])
@pytest.mark.parametrize("method", ["put", "patch"])
def test_two_writes_of_one_unique_value_are_200_and_409(race, kind, method):
    rows = [Login.objects.create(name=name) for name in "ab"]
    urls = [f"/{kind}/{row.pk}/" for row in rows]
    tags = [tag(url) for url in urls]
    both_valid = threading.Barrier(2)

    def write(url, etag):
        content = {"name": "taken", "data": "x"}
        return getattr(client(), method)(url, content, headers={"If-Match": etag})

    # Each request takes one of these when its content has been found valid.
    meanwhile.extend([lambda: both_valid.wait(timeout=30)] * 2)
    answers = race(*(lambda u=u, t=t: write(u, t) for u, t in zip(urls, tags, strict=True)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    names = sorted(Login.objects.values_list("name", flat=True))
    assert names in (["a", "taken"], ["b", "taken"])


def test_an_action_that_writes_a_value_that_is_taken_is_409():
    row = Login.objects.create(name="a")
    Login.objects.create(name="taken")
    url = f"/hooked-logins/{row.pk}/"
    answer = client().post(f"{url}rename/", {"name": "taken"}, headers={"If-Match": tag(url)})
    assert answer.status_code == 409


@pytest.mark.parametrize("kind", ["people", "hooked-people"])
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_write_that_refers_to_a_row_deleted_meanwhile_is_409(race, kind, method):
    person, team = Person.objects.create(name="a"), Team.objects.create(name="t")
    url = f"/{kind}/{person.pk}/"
    etag = tag(url)
    meanwhile.append(lambda: race(team.delete))
    content = {"name": "b", "team": team.pk}
    answer = getattr(client(), method)(url, content, headers={"If-Match": etag})
    assert answer.status_code == 409
    person.refresh_from_db()
    assert (person.name, person.team_id) == ("a", None)
    assert client().patch(url, {"name": "b"}, headers={"If-Match": etag}).status_code == 200


@pytest.mark.parametrize("kind", ["people", "hooked-people"])
def test_a_create_that_refers_to_a_row_deleted_meanwhile_is_409(race, kind):
    team = Team.objects.create(name="t")
    for method, url, headers in (
        ("post", f"/{kind}/", {}),
        ("post", f"/{kind}/", {"If-None-Match": "*"}),
        ("put", f"/{kind}/77/", {"If-None-Match": "*"}),
    ):
        team.save(force_insert=not Team.objects.filter(pk=team.pk).exists())
        gone = Team.objects.get(pk=team.pk)
        meanwhile.append(lambda gone=gone: race(gone.delete))
        content = {"name": "b", "team": team.pk}
        answer = getattr(client(), method)(url, content, headers=headers)
        assert answer.status_code == 409
        assert not Person.objects.exists()
        team = Team.objects.create(name="t")


def test_a_delete_of_a_row_that_others_refer_to_is_409():
    team = Team.objects.create(name="t")
    Badge.objects.create(team=team)
    url = f"/teams/{team.pk}/"
    answer = client().delete(url, headers={"If-Match": tag(url)})
    assert answer.status_code == 409
    assert Team.objects.filter(pk=team.pk).exists()


@contextmanager
def short_waits():
    """Wait for a lock no longer than a moment, in connections that are opened in the block."""
    settings = connection.settings_dict
    before = settings["OPTIONS"]
    options = {
        "postgresql": {"options": "-c lock_timeout=300"},
        "mysql": {"init_command": "SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 1"},
        "sqlite": {"timeout": 0.3},
    }[connection.vendor]
    connections.close_all()
    settings["OPTIONS"] = {**before, **options}
    try:
        yield
    finally:
        connections.close_all()
        settings["OPTIONS"] = before


class Holder:
    """Holds a table locked, in a thread with a connection of its own, until it is let go."""

    def __init__(self):
        self.locked, self.free = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.hold)

    def lock(self):
        self.thread.start()
        assert self.locked.wait(timeout=30)

    def let_go(self):
        self.free.set()
        self.thread.join(timeout=30)

    def hold(self):
        begin, end = {
            "postgresql": (["BEGIN", "LOCK TABLE testapp_login"], "ROLLBACK"),
            "mysql": (["LOCK TABLES testapp_login WRITE"], "UNLOCK TABLES"),
        }[connection.vendor]
        try:
            with connection.cursor() as cursor:
                for statement in begin:
                    cursor.execute(statement)
                self.locked.set()
                self.free.wait(timeout=30)
                cursor.execute(end)
        finally:
            connections.close_all()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="its locks are the whole file's")
@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_lock_that_the_read_after_a_lost_race_meets_is_503(race, method, monkeypatch):
    row = Login.objects.create(name="a")
    url = f"/logins/{row.pk}/"
    holder = Holder()
    answer_after_lost_race = Versioning.answer_after_lost_race

    def locked(self, lost):
        holder.lock()
        return answer_after_lost_race(self, lost)

    monkeypatch.setattr(Versioning, "answer_after_lost_race", locked)
    with short_waits():
        etag = tag(url)
        meanwhile.append(lambda: race(lambda: Login.objects.filter(pk=row.pk).update(data="w")))
        try:
            content = {"name": "a", "data": "lost"}
            answer = getattr(client(), method)(url, content, headers={"If-Match": etag})
        finally:
            holder.let_go()
    assert holder.locked.is_set()
    assert answer.status_code == 503
    assert "Retry-After" in answer
    assert "ETag" not in answer
    row.refresh_from_db()
    assert row.data == "w"
