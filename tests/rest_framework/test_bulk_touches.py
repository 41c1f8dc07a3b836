"""Bulk updates of rows that move others, and each other."""

import time

import pytest
from django.db import connection
from django.test import Client
from django.urls import include, path
from rest_framework import serializers
from rest_framework.routers import SimpleRouter

from etag_versioning.rest_framework.bulk import VersionedBulkUpdateMixin
from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Book, Knot, Leaf

pytestmark = pytest.mark.urls(__name__)


class KnotViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Knot.objects.order_by("id")

    class serializer_class(serializers.ModelSerializer):
        etag = ETagField()

        class Meta:
            model = Knot
            fields = ("id", "name", "parent", "etag")


class OptionalKnotViewSet(KnotViewSet):
    if_match = "optional"


class HookedKnotViewSet(KnotViewSet):
    def perform_update(self, serializer):
        serializer.save()
        Knot.objects.exclude(pk=serializer.instance.pk).update(name="by the hook")


class LeafViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Leaf.objects.order_by("id")

    class serializer_class(serializers.ModelSerializer):
        etag = ETagField()

        class Meta:
            model = Leaf
            fields = ("id", "number", "book", "etag")


router = SimpleRouter()
router.register("knots", KnotViewSet, basename="knot")
router.register("optional-knots", OptionalKnotViewSet, basename="optional-knot")
router.register("hooked-knots", HookedKnotViewSet, basename="hooked-knot")
router.register("leaves", LeafViewSet)
urlpatterns = [path("", include(router.urls))]


def send(url, content):
    return Client().patch(url, content, content_type="application/json")


def tags(url, **changes):
    return [
        {"id": each["id"], "etag": each["etag"], **changes} for each in Client().get(url).json()
    ]


@pytest.mark.django_db
class TestRowsThatTouchEachOther:
    @pytest.fixture(autouse=True)
    def knots(self):
        root = Knot.objects.create(name="root")
        leaf = Knot.objects.create(name="leaf", parent=root)
        return [root, leaf, Knot.objects.create(name="twig", parent=leaf)]

    @pytest.mark.parametrize("order", [1, -1])
    @pytest.mark.parametrize("url", ["/knots/", "/optional-knots/"])
    def test_are_all_written(self, url, order):
        content = tags(url, name="x")[::order]
        if url == "/optional-knots/":
            del content[0]["etag"]
        answer = send(url, content)
        assert answer.status_code == 200
        assert answer.json()[::order] == Client().get(url).json()
        assert send(url, answer.json()).status_code == 200
        assert send(url, content[1:]).status_code == 412

    def test_move_to_one_that_is_written_too(self, knots):
        content = tags("/knots/")
        content[2]["parent"] = knots[0].pk
        answer = send("/knots/", content)
        assert answer.status_code == 200
        assert answer.json() == Client().get("/knots/").json()

    def test_keep_what_a_hook_writes_of_the_others(self):
        content = [{**item, "parent": None} for item in tags("/hooked-knots/")]
        answer = send("/hooked-knots/", content)
        assert answer.status_code == 200
        assert answer.json() == Client().get("/hooked-knots/").json()
        assert {item["name"] for item in answer.json()} == {"by the hook"}


@pytest.mark.django_db(transaction=True)
def test_children_of_crossing_parents_do_not_wait_in_a_circle(race):
    books = [Book.objects.create(name="b") for _ in range(2)]
    leaves = [
        Leaf.objects.create(name=name, book=books[book])
        for name, book in zip("abcd", (0, 1, 1, 0), strict=True)
    ]
    end = time.monotonic() + (0.5 if connection.vendor == "sqlite" else 2)

    def writing(*chosen):
        def write():
            codes = set()
            keys = {leaf.pk for leaf in chosen}
            while time.monotonic() < end:
                content = [item for item in tags("/leaves/", number=1) if item["id"] in keys]
                codes.add(send("/leaves/", content).status_code)
            return codes

        return write

    # They write no row in common: each could succeed every time.
    assert race(writing(*leaves[:2]), writing(*leaves[2:])) == [{200}, {200}]
