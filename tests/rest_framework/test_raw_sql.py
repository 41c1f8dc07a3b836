"""Raw SQL in a guarded view bumps no version, and the log says so."""

import pytest
from django.db import connection
from django.urls import include, path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.views import APIView

from etag_versioning.rest_framework.mixins import VersionedAPIViewMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from etag_versioning.sources import raw_sql
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Login, Person, Team

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.rest_framework.test_raw_sql"),
]


def rename(pk, table="testapp_person"):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET name = %s WHERE id = %s", ["b", pk])


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


class RawHookViewSet(PersonViewSet):
    def perform_update(self, serializer):
        rename(serializer.instance.pk)


class RawUpdateViewSet(PersonViewSet):
    def update(self, request, *args, **kwargs):
        rename(self.get_object().pk)
        return Response({})


class RawActionViewSet(PersonViewSet):
    @action(detail=True, methods=["patch"])
    def work(self, request, pk=None):
        rename(pk)
        return Response({})


class RawSerializer(PersonSerializer):
    def update(self, instance, validated_data):
        rename(instance.pk)
        return instance


class RawSerializerViewSet(PersonViewSet):
    serializer_class = RawSerializer


class RawView(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Person.objects.filter(pk=self.kwargs["pk"])

    def patch(self, request, pk):
        rename(pk)
        return Response({})


class BumpedViewSet(PersonViewSet):
    def perform_update(self, serializer):
        rename(serializer.instance.pk)
        serializer.save()


class OtherTableViewSet(PersonViewSet):
    def perform_update(self, serializer):
        team = Team.objects.create(name="a")
        rename(team.pk, "testapp_team")


class RefusingViewSet(PersonViewSet):
    def update(self, request, *args, **kwargs):
        rename(kwargs["pk"])
        return Response({}, status=400)


class LoginSerializer(serializers.ModelSerializer):
    class Meta:
        model = Login
        fields = ("id", "name")


class LoginViewSet(VersionedModelViewSet):
    queryset = Login.objects.all()
    serializer_class = LoginSerializer

    def perform_update(self, serializer):
        Login.objects.filter(pk=serializer.instance.pk).update(last_seen=None)


router = SimpleRouter()
router.register("people", PersonViewSet, "person")
router.register("raw-hook", RawHookViewSet, "raw-hook")
router.register("raw-update", RawUpdateViewSet, "raw-update")
router.register("raw-action", RawActionViewSet, "raw-action")
router.register("raw-serializer", RawSerializerViewSet, "raw-serializer")
router.register("bumped", BumpedViewSet, "bumped")
router.register("other-table", OtherTableViewSet, "other-table")
router.register("refusing", RefusingViewSet, "refusing")
router.register("logins", LoginViewSet, "login")
urlpatterns = [path("", include(router.urls)), path("raw-view/<int:pk>/", RawView.as_view())]


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(raw_sql, "_warned", set())


def raw_sql_in(caplog):
    return [each.getMessage() for each in caplog.records if "raw SQL" in each.getMessage()]


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def patch(url, tag="*"):
    return APIClient().patch(url, {"name": "b"}, format="json", headers={"If-Match": tag})


@pytest.mark.parametrize(
    "address", ["raw-hook/{}/", "raw-update/{}/", "raw-action/{}/work/", "raw-serializer/{}/"]
)
@pytest.mark.parametrize("any_state", [True, False], ids=["any", "a tag"])
def test_raw_sql_that_bumps_nothing_is_logged(caplog, person, address, any_state):
    tag = "*" if any_state else APIClient().get(f"/people/{person.pk}/")["ETag"]
    assert patch("/" + address.format(person.pk), tag).status_code == 200
    (message,) = raw_sql_in(caplog)
    assert "Person.objects.filter(…).update(…)" in message
    assert "AddVersionTrigger" in message


def test_raw_sql_in_a_view_without_a_queryset_is_logged(caplog, person):
    assert patch(f"/raw-view/{person.pk}/").status_code == 200
    (message,) = raw_sql_in(caplog)
    assert message.startswith("tests.rest_framework.test_raw_sql.RawView wrote")


def test_it_is_logged_once_for_each_view(caplog, person):
    for _ in range(2):
        patch(f"/raw-hook/{person.pk}/")
        patch(f"/raw-update/{person.pk}/")
    assert len(raw_sql_in(caplog)) == 2


@pytest.mark.parametrize("kind", ["bumped", "other-table", "refusing"])
def test_raw_sql_is_not_logged_where_nothing_is_wrong(caplog, person, kind):
    patch(f"/{kind}/{person.pk}/")
    assert not raw_sql_in(caplog)


def test_a_field_that_bumps_nothing_on_purpose_is_not_logged(caplog):
    login = Login.objects.create(name="a")
    assert patch(f"/logins/{login.pk}/").status_code == 200
    assert not raw_sql_in(caplog)
