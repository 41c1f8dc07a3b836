"""A key that no row can have is 404, whether Python or the database refuses it."""

import pytest
from django.db import transaction
from django.db.models import DecimalField
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path
from rest_framework import serializers
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

# PostgreSQL refuses the first as a number, Python elsewhere; the second is a date that no
# time zone east of here can show.
KEYS = [("price", "1e200000"), ("written", "9999-12-31T23:59:59.999999-14:00")]


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


def priced():
    return Person.objects.annotate(
        price=Cast("days", DecimalField(max_digits=10, decimal_places=2))
    )


class PriceViewSet(VersionedModelViewSet):
    queryset = priced()
    serializer_class = PersonSerializer
    lookup_field = "price"
    lookup_value_regex = "[^/]+"


class WrittenViewSet(PriceViewSet):
    queryset = Person.objects.all()
    lookup_field = "updated_at"


@versioned_condition(lambda request, key: priced().filter(price=key))
def price(request, key):
    return HttpResponse("shown")


@versioned_condition(Person, lookup_field="updated_at", lookup_url_kwarg="key")
def written(request, key):
    return HttpResponse("shown")


router = SimpleRouter()
router.register("price", PriceViewSet, basename="price")
router.register("written", WrittenViewSet, basename="written")
urlpatterns = [
    path("drf/", include(router.urls)),
    path("plain/price/<key>/", price),
    path("plain/written/<key>/", written),
]


@pytest.mark.parametrize(("kind", "key"), KEYS)
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": '"x"'}, {"If-Match": '"x"'}])
def test_a_key_that_no_row_can_have_is_404_in_a_viewset(kind, key, method, headers):
    Person.objects.create(name="a")
    with transaction.atomic():
        answer = getattr(APIClient(), method)(f"/drf/{kind}/{key}/", headers=headers)
        transaction.set_rollback(True)
    assert answer.status_code == 404
    assert "ETag" not in answer


@pytest.mark.parametrize("key", ["9999-12-31T23:59:59.999999-14:00"])
@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_write_in_a_plain_view(key, method):
    with transaction.atomic():
        answer = getattr(Client(), method)(f"/plain/written/{key}/", headers={"If-Match": '"x"'})
        transaction.set_rollback(True)
    assert answer.status_code == 404


@pytest.mark.parametrize("kind", ["price"])
def test_a_read_in_a_plain_view_is_no_error(kind):
    with transaction.atomic():
        answer = Client().get(f"/plain/{kind}/1e200000/", headers={"If-None-Match": '"x"'})
        transaction.set_rollback(True)
    assert answer.status_code in (200, 404)  # The view itself decides where Python refused.
    assert "ETag" not in answer
