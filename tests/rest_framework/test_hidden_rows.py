"""With ``allow_create``, nobody learns of a row that a view hides that it is there."""

import pytest
from django.http import Http404
from django.urls import include, path
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.rest_framework.test_hidden_rows"),
]


class PersonSerializer(serializers.ModelSerializer):
    etag = ETagField()

    class Meta:
        model = Person
        fields = ("id", "name", "days", "etag")


class Raises404(BasePermission):
    def has_object_permission(self, request, view, obj):
        if obj.name == "secret":
            raise Http404
        return True


class RaisesNotFound(BasePermission):
    def has_object_permission(self, request, view, obj):
        if obj.name == "secret":
            raise NotFound("no such row")
        return True


class CreatingViewSet(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer
    allow_create = True


class ByPermissionViewSet(CreatingViewSet):
    permission_classes = [Raises404]


class ByNotFoundViewSet(CreatingViewSet):
    permission_classes = [RaisesNotFound]


class ByQuerySetViewSet(CreatingViewSet):
    queryset = Person.objects.exclude(name="secret")


class ByObjectViewSet(CreatingViewSet):
    def get_object(self):
        person = super().get_object()
        if person.name == "secret":
            raise Http404
        return person


router = SimpleRouter()
KINDS = {
    "permission": ByPermissionViewSet,
    "not-found": ByNotFoundViewSet,
    "queryset": ByQuerySetViewSet,
    "object": ByObjectViewSet,
}
for prefix, viewset in KINDS.items():
    router.register(prefix, viewset, prefix)
    for mode in ("optional", "report"):
        lenient = type(f"{mode}{viewset.__name__}", (viewset,), {"if_match": mode})
        router.register(f"{prefix}-{mode}", lenient, f"{prefix}-{mode}")
urlpatterns = [path("", include(router.urls))]

HEADERS = {
    "none": {},
    "stale": {"If-Match": '"stale"'},
    "any": {"If-Match": "*"},
    "malformed": {"If-Match": "undefined"},
    "date": {"If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"},
    "none match": {"If-None-Match": '"stale"'},
}


# Where If-Match is not required, what names no state creates the absent row.
CASES = [
    *[(name, "") for name in HEADERS],
    *[(name, mode) for name in ("stale", "any", "malformed") for mode in ("-optional", "-report")],
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("headers", "mode"), CASES)
@pytest.mark.parametrize("body", [{"name": "x", "days": 1}, {"etag": '"stale"', "days": "x"}])
def test_a_hidden_row_is_answered_like_an_absent_one(kind, headers, mode, body):
    secret = Person.objects.create(name="secret")
    client = APIClient(raise_request_exception=False)
    hidden, absent = (
        client.put(f"/{kind}{mode}/{pk}/", body, format="json", headers=HEADERS[headers])
        for pk in (secret.pk, secret.pk + 1)
    )
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    assert hidden.headers == absent.headers
    assert 400 <= hidden.status_code < 500
    secret.refresh_from_db()
    assert (secret.name, secret.version) == ("secret", 1)


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tag_is_no_more_than_a_stale_one(kind):
    secret = Person.objects.create(name="open")
    client = APIClient(raise_request_exception=False)
    tag = client.get(f"/{kind}/{secret.pk}/")["ETag"]
    Person.objects.filter(pk=secret.pk).unversioned().update(name="secret")
    hidden, absent = (
        client.put(f"/{kind}/{pk}/", {"name": "x", "days": 1}, headers={"If-Match": tag})
        for pk in (secret.pk, secret.pk + 1)
    )
    assert hidden.status_code == absent.status_code == 412
    assert hidden.headers == absent.headers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [{"name": "x", "days": 1}, {"etag": "*", "name": "x", "days": 1}])
def test_create_only_never_writes_it_and_each_way_to_hide_it_answers_alike(kind, body):
    secret = Person.objects.create(name="secret")
    client = APIClient(raise_request_exception=False)
    url, headers = f"/{kind}/{secret.pk}/", {"If-None-Match": "*"}
    answer = client.put(url, body, format="json", headers=headers)
    plain = client.put(f"/queryset/{secret.pk}/", body, format="json", headers=headers)
    assert 400 <= answer.status_code < 500
    assert (answer.status_code, answer.content) == (plain.status_code, plain.content)
    assert answer.headers == plain.headers
    secret.refresh_from_db()
    assert (secret.name, secret.version) == ("secret", 1)


@pytest.mark.parametrize("kind", KINDS)
def test_create_only_with_invalid_content_is_400_whether_it_is_there_or_not(kind):
    secret = Person.objects.create(name="secret")
    client = APIClient(raise_request_exception=False)
    hidden, absent = (
        client.put(f"/{kind}/{pk}/", {"days": "x"}, headers={"If-None-Match": "*"})
        for pk in (secret.pk, secret.pk + 1)
    )
    assert hidden.status_code == absent.status_code == 400
    assert hidden.content == absent.content
    assert hidden.headers == absent.headers
