"""Dates are shown by viewsets that say so, and answered 304 where nothing else decides."""

import time
from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import include, path
from django.utils import timezone
from django.utils.http import http_date
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.views import APIView

from etag_versioning.rest_framework.api_views import VersionedAPIViewMixin
from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

LATER = {"If-Modified-Since": "Sun, 06 Nov 2094 08:49:37 GMT"}


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name", "days")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer


class OwnRetrieveViewSet(PersonViewSet):
    def retrieve(self, request, *args, **kwargs):
        return super().retrieve(request, *args, **kwargs)


class PersonAPIView(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Person.objects.filter(pk=self.kwargs["pk"])

    @versioned_read
    def get(self, request, pk):
        return Response({"name": self.get_object().name})


class DatedViewSet(PersonViewSet):
    last_modified = True


class DatedAPIView(PersonAPIView):
    last_modified = True


class AnnotatedViewSet(DatedViewSet):
    queryset = Person.objects.annotate(doubled=F("days") * 2)


class LanguageViewSet(DatedViewSet):
    etag_extra = ("de",)


class UnmodifiedViewSet(PersonViewSet):
    allow_unmodified_since = True


router = SimpleRouter()
for prefix, viewset in {
    "people": PersonViewSet,
    "own-retrieve": OwnRetrieveViewSet,
    "dated": DatedViewSet,
    "annotated": AnnotatedViewSet,
    "language": LanguageViewSet,
    "unmodified": UnmodifiedViewSet,
}.items():
    router.register(prefix, viewset, basename=prefix)

urlpatterns = [
    path("", include(router.urls)),
    path("view/<int:pk>/", PersonAPIView.as_view()),
    path("dated-view/<int:pk>/", DatedAPIView.as_view()),
]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    person = Person.objects.create(name="a")
    Person.objects.unversioned().update(updated_at=timezone.now() - timedelta(minutes=5))
    return Person.objects.get(pk=person.pk)


@pytest.mark.parametrize("kind", ["people", "own-retrieve", "view", "annotated", "language"])
def test_no_date_is_shown_and_if_modified_since_is_ignored(client, person, kind):
    answer = client.get(f"/{kind}/{person.pk}/", headers=LATER)
    assert answer.status_code == 200
    assert "Last-Modified" not in answer
    not_modified = client.get(f"/{kind}/{person.pk}/", headers={"If-None-Match": answer["ETag"]})
    assert not_modified.status_code == 304
    assert "Last-Modified" not in not_modified


@pytest.mark.parametrize("kind", ["dated", "dated-view"])
def test_with_last_modified_the_date_is_shown_and_answered_304(client, person, kind):
    answer = client.get(f"/{kind}/{person.pk}/")
    assert answer["Last-Modified"] == http_date(int(person.updated_at.timestamp()) + 1)
    not_modified = client.get(f"/{kind}/{person.pk}/", headers=LATER)
    assert not_modified.status_code == 304
    assert not_modified["Last-Modified"] == answer["Last-Modified"]


@pytest.mark.parametrize("query", ["?lang=de", "?format=json"])
def test_a_query_string_can_change_the_answer_without_a_date(client, person, query):
    answer = client.get(f"/dated/{person.pk}/{query}", headers=LATER)
    assert answer.status_code == 200
    assert "Last-Modified" not in answer


def test_a_304_has_no_date_where_the_200_of_that_second_had_none(client, person, monkeypatch):
    moment = timezone.now()
    monkeypatch.setattr(time, "time", lambda: moment.timestamp())
    Person.objects.unversioned().update(updated_at=moment)
    url = f"/dated/{person.pk}/"
    answer = client.get(url)
    assert "Last-Modified" not in answer
    not_modified = client.get(url, headers={"If-None-Match": answer["ETag"]})
    assert not_modified.status_code == 304
    assert "Last-Modified" not in not_modified


def test_a_date_that_is_not_shown_guards_a_write_where_the_view_allows_it(client, person):
    url = f"/unmodified/{person.pk}/"
    assert "Last-Modified" not in client.get(url)
    old = {"If-Unmodified-Since": http_date(person.updated_at.timestamp() - 60)}
    assert client.patch(url, {"days": 1}, format="json", headers=old).status_code == 412
    current = {"If-Unmodified-Since": http_date(person.updated_at.timestamp() + 1)}
    assert client.patch(url, {"days": 1}, format="json", headers=current).status_code == 200
    assert client.patch(url, {"days": 2}, format="json", headers=current).status_code == 412
