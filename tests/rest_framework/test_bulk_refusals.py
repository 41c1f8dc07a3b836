"""A bulk update goes past nothing that a write of one row would meet, and tells the truth."""

import json
from contextlib import suppress

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.urls import include, path
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.viewsets import GenericViewSet

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.rest_framework.bulk import VersionedBulkUpdateMixin
from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Login, Person, Team

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.rest_framework.test_bulk_refusals"),
]


class PersonSerializer(serializers.ModelSerializer):
    etag = ETagField()

    class Meta:
        model = Person
        fields = ("id", "name", "days", "etag")


class PersonViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Person.objects.order_by("pk")
    serializer_class = PersonSerializer


class NotShownViewSet(PersonViewSet):
    """Its GET answers 404 for some rows."""

    def retrieve(self, request, *args, **kwargs):
        if self.get_object().name == "secret":
            raise Http404
        return super().retrieve(request, *args, **kwargs)


class ForbiddenViewSet(PersonViewSet):
    def retrieve(self, request, *args, **kwargs):
        if self.get_object().name == "secret":
            raise PermissionDenied
        return super().retrieve(request, *args, **kwargs)


class NotLoadedViewSet(PersonViewSet):
    def get_object(self):
        person = super().get_object()
        if person.name == "secret":
            raise Http404
        return person


class FirstRowViewSet(PersonViewSet):
    """Its rows have one address: who asks gets the first."""

    def get_object(self):
        return self.get_queryset().first()


class SwallowingViewSet(PersonViewSet):
    def perform_update(self, serializer):
        serializer.save()
        with suppress(IntegrityError):
            Login.objects.create(name="taken")


class SavepointViewSet(PersonViewSet):
    def perform_update(self, serializer):
        serializer.save()
        with suppress(IntegrityError), transaction.atomic():
            Login.objects.create(name="taken")


class CallbackViewSet(PersonViewSet):
    error = StaleWriteError

    def perform_update(self, serializer):
        serializer.save()

        def fail():
            if self.error is StaleWriteError:
                raise StaleWriteError(Person, serializer.instance.pk, "default")
            Login.objects.create(name="taken")

        transaction.on_commit(fail)


class TeamKeySerializer(PersonSerializer):
    """Takes a key without looking whether its row is there."""

    team_id = serializers.IntegerField()

    class Meta:
        model = Person
        fields = ("id", "name", "team_id", "etag")


class TeamKeyViewSet(PersonViewSet):
    serializer_class = TeamKeySerializer


class HookedTeamKeyViewSet(TeamKeyViewSet):
    def perform_update(self, serializer):
        serializer.save()


class FailingSerializer(PersonSerializer):
    def to_representation(self, instance):
        if instance.days == 7:
            raise LookupError("cannot be shown")
        return super().to_representation(instance)


class FailingAnswerViewSet(PersonViewSet):
    serializer_class = FailingSerializer


class RawSwallowingViewSet(PersonViewSet):
    """Goes on after an error that Django takes no note of."""

    def perform_update(self, serializer):
        serializer.save()
        with suppress(IntegrityError), connection.cursor() as cursor:
            cursor.execute("INSERT INTO testapp_team (id, name) VALUES (%s, NULL)", [1])


class FailingHookViewSet(PersonViewSet):
    def perform_update(self, serializer):
        serializer.save()
        Login.objects.create(name="taken")


router = SimpleRouter()
for prefix, viewset in {
    "people": PersonViewSet,
    "not-shown": NotShownViewSet,
    "forbidden": ForbiddenViewSet,
    "not-loaded": NotLoadedViewSet,
    "first-row": FirstRowViewSet,
    "swallowing": SwallowingViewSet,
    "savepoint": SavepointViewSet,
    "callback": CallbackViewSet,
    "callback-duplicate": type("Duplicate", (CallbackViewSet,), {"error": IntegrityError}),
    "team-keys": TeamKeyViewSet,
    "hooked-team-keys": HookedTeamKeyViewSet,
    "failing-answer": FailingAnswerViewSet,
    "raw-swallowing": RawSwallowingViewSet,
    "failing-hook": FailingHookViewSet,
}.items():
    router.register(prefix, viewset, prefix)
urlpatterns = [path("", include(router.urls))]


@pytest.fixture
def client():
    return APIClient(raise_request_exception=False)


@pytest.fixture
def people():
    return [Person.objects.create(name=name) for name in "ab"]


def tagged(client, **changes):
    rows = client.get("/people/").json()
    return [{"id": row["id"], "etag": row["etag"], **changes} for row in rows]


def days():
    return list(Person.objects.order_by("pk").values_list("days", flat=True))


class TestRowsThatTheViewRefuses:
    @pytest.mark.parametrize("kind", ["not-shown", "forbidden", "not-loaded"])
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_a_row_that_get_refuses_is_answered_like_an_absent_one(self, client, kind, method):
        secret = Person.objects.create(name="secret")
        for etag in ("*", '"stale"', None):
            content = [{"id": secret.pk, "etag": etag, "name": "x", "days": 7}]
            hidden = getattr(client, method)(f"/{kind}/", content, format="json")
            content[0]["id"] += 1
            absent = getattr(client, method)(f"/{kind}/", content, format="json")
            assert hidden.status_code == absent.status_code == 404
            assert hidden.json() == absent.json()
            assert hidden.headers == absent.headers
        assert days() == [0]

    @pytest.mark.parametrize("kind", ["not-shown", "forbidden", "not-loaded"])
    def test_one_refused_row_keeps_all_from_being_written(self, client, people, kind):
        Person.objects.create(name="secret")
        answer = client.patch(f"/{kind}/", tagged(client, days=7), format="json")
        assert answer.status_code == 404
        assert days() == [0, 0, 0]

    @pytest.mark.parametrize("kind", ["not-shown", "forbidden", "not-loaded"])
    def test_rows_that_get_shows_are_written(self, client, people, kind):
        answer = client.patch(f"/{kind}/", tagged(client, days=7), format="json")
        assert answer.status_code == 200
        assert days() == [7, 7]

    def test_a_get_object_that_returns_another_row_writes_neither(self, client, people):
        content = tagged(client, days=7)[1:]
        assert client.patch("/first-row/", content, format="json").status_code == 404
        assert days() == [0, 0]


class OwnUpdateViewSet(PersonViewSet):
    def update(self, request, *args, **kwargs):
        return super().update(request, *args, **kwargs)


class OwnPartialUpdateViewSet(PersonViewSet):
    def partial_update(self, request, *args, **kwargs):
        return super().partial_update(request, *args, **kwargs)


class OwnBulkUpdateViewSet(OwnUpdateViewSet):
    def bulk_update(self, request, *args, **kwargs):
        return Response("own")

    partial_bulk_update = bulk_update


class WithoutUpdateViewSet(VersionedBulkUpdateMixin, ListModelMixin, GenericViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


class TestViewsThatCannotBeRouted:
    @pytest.mark.parametrize(
        ("viewset", "message"),
        [
            (OwnUpdateViewSet, r"OwnUpdateViewSet has its own update\(\)"),
            (OwnPartialUpdateViewSet, r"own partial_update\(\).* write partial_bulk_update\(self"),
            (WithoutUpdateViewSet, r"no perform_update\(\).* class WithoutUpdateViewSet\("),
        ],
    )
    def test_a_bulk_update_past_an_own_update_is_refused_at_start(self, viewset, message):
        with pytest.raises(ImproperlyConfigured, match=message):
            viewset.as_view({"get": "list"})

    def test_the_route_of_one_row_is_as_before(self):
        assert OwnUpdateViewSet.as_view({"get": "retrieve", "put": "update"})

    def test_a_handler_named_in_the_route_is_refused_too(self):
        with pytest.raises(ImproperlyConfigured, match="has its own update"):
            OwnUpdateViewSet.as_view({"put": "bulk_update"})

    def test_an_own_bulk_update_says_what_it_does(self):
        assert OwnBulkUpdateViewSet.as_view({"get": "list"})

    def test_put_does_not_go_past_an_own_partial_update(self):
        own = {"get": "list", "patch": "partial_update"}
        assert OwnPartialUpdateViewSet.as_view(own)


class TestWhatIsTold:
    def test_a_swallowed_integrity_error_is_no_success(self, client, people):
        Login.objects.create(name="taken")
        answer = client.patch("/swallowing/", tagged(client, days=7), format="json")
        assert answer.status_code == 500
        assert days() == [0, 0]

    def test_an_error_that_a_savepoint_takes_back_is_the_hooks_own_matter(self, client, people):
        Login.objects.create(name="taken")
        answer = client.patch("/savepoint/", tagged(client, days=7), format="json")
        assert answer.status_code == 200
        assert days() == [7, 7]

    @pytest.mark.parametrize("kind", ["callback", "callback-duplicate"])
    def test_an_error_after_the_commit_is_not_told_as_nothing_was_written(
        self, client, people, kind
    ):
        Login.objects.create(name="taken")
        answer = client.patch(f"/{kind}/", tagged(client, days=7), format="json")
        assert answer.status_code == 500
        assert days() == [7, 7]

    def test_an_error_that_went_past_django_is_no_success_where_all_is_rolled_back(
        self, client, people
    ):
        # The last item: a statement after it would meet the error.
        content = tagged(client, days=7)[1:]
        answer = client.patch("/raw-swallowing/", content, format="json")
        # Elsewhere the database has taken back the one statement alone.
        aborts = connection.vendor == "postgresql"
        assert answer.status_code == (500 if aborts else 200)
        assert days() == [0, 0 if aborts else 7]

    def test_an_answer_that_cannot_be_made_leaves_nothing_written(self, client, people):
        answer = client.patch("/failing-answer/", tagged(client, days=7), format="json")
        assert answer.status_code == 500
        assert days() == [0, 0]

    @pytest.mark.parametrize("kind", ["team-keys", "hooked-team-keys"])
    def test_a_row_that_was_deleted_before_it_was_referred_to_is_409(self, client, people, kind):
        gone = Team.objects.create(name="t")
        content = tagged(client, team_id=gone.pk)
        gone.delete()
        answer = client.patch(f"/{kind}/", content, format="json")
        assert answer.status_code == 409
        assert not Person.objects.exclude(team=None).exists()

    def test_a_duplicate_that_only_the_database_found_is_409(self, client, people):
        Login.objects.create(name="taken")
        answer = client.patch("/failing-hook/", tagged(client, days=7), format="json")
        assert answer.status_code == 409
        assert days() == [0, 0]


NESTED = "[" * 200 + "]" * 200


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(
    "content",
    [
        "",
        "[",
        "null",
        "{}",
        "[]",
        "[[]]",
        "[[[{}]]]",
        "[null]",
        NESTED,
        f'[{{"id": {NESTED}, "etag": "*"}}]',
        f'[{{"id": ID, "etag": {NESTED}}}]',
        f'[{{"id": ID, "etag": TAG, "name": {NESTED}}}]',
        '[{"id": ID}, "x"]',
        '[{"id": null, "etag": "*"}]',
        '[{"id": true, "etag": "*"}]',
        '[{"id": 1.0, "etag": "*"}]',
        '[{"id": 1e400, "etag": "*"}]',
        '[{"id": NaN, "etag": "*"}]',
        '[{"id": {"id": ID}, "etag": "*"}]',
        f'[{{"id": {10**4000}, "etag": "*"}}]',
        f'[{{"id": {"1" * 5000}, "etag": "*"}}]',
        '[{"id": -9223372036854775809, "etag": "*"}]',
        f'[{{"id": "{"9" * 5000}", "etag": "*"}}]',
        r'[{"id": "\u0000", "etag": "*"}]',
        r'[{"id": "\ud800", "etag": "*"}]',
        '[{"id": "ID", "etag": TAG, "days": 7}, {"id": ID, "etag": TAG, "days": 7}]',
        '[{"id": ID, "etag": TAG, "days": 7}, {"id": " ID ", "etag": TAG, "days": 7}]',
        '[{"id": ID, "id": 999999, "etag": TAG, "days": 7}]',
        r'[{"id": ID, "etag": "\u0000", "days": 7}]',
        r'[{"id": ID, "etag": "\"\ud800\"", "days": 7}]',
        f'[{{"id": ID, "etag": "{"9" * 200000}", "days": 7}}]',
        '[{"id": ID, "etag": {}, "days": 7}]',
        f'[{{"id": ID, "etag": TAG, "days": {10**400}, "name": "x"}}]',
        '[{"id": ID, "etag": TAG, "days": 1e400, "name": "x"}]',
        r'[{"id": ID, "etag": TAG, "name": "\u0000", "days": 7}]',
        r'[{"id": ID, "etag": TAG, "name": "\ud800", "days": 7}]',
        json.dumps([{"id": number, "etag": "*", "days": 7} for number in range(10000)]),
    ],
    ids=lambda value: value[:40] if value else "empty",
)
def test_garbage_is_refused_and_changes_nothing(client, method, content):
    person = Person.objects.create(name="a")
    (item,) = tagged(client)
    content = content.replace("ID", str(person.pk)).replace("TAG", json.dumps(item["etag"]))
    answer = getattr(client, method)("/people/", content, content_type="application/json")
    assert 400 <= answer.status_code < 500
    person.refresh_from_db()
    assert (person.name, person.days, person.version) == ("a", 0, 1)
