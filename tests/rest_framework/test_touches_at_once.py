"""Guarded writes of rows whose parent is touched at the same time, under strict isolation."""

from collections import Counter

import pytest
from django.db import connection
from django.test import Client
from django.urls import include, path
from rest_framework import serializers
from rest_framework.routers import SimpleRouter

from etag_versioning.rest_framework.bulk import VersionedBulkUpdateMixin
from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Book, Leaf, Shelf

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(__name__),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="it has one writer at a time"),
    pytest.mark.usefixtures("isolation"),
    pytest.mark.parametrize("isolation", ["repeatable", "strictest"], indirect=True),
]

STEPS = 6


class LeafViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
    queryset = Leaf.objects.order_by("id")

    class serializer_class(serializers.ModelSerializer):
        etag = ETagField()

        class Meta:
            model = Leaf
            fields = ("id", "number", "etag")


class HookedLeafViewSet(LeafViewSet):
    def perform_update(self, serializer):
        serializer.save()


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.all()

    class serializer_class(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("id", "name")


router = SimpleRouter()
router.register("leaves", LeafViewSet)
router.register("hooked-leaves", HookedLeafViewSet, basename="hooked-leaf")
router.register("books", BookViewSet)
urlpatterns = [path("", include(router.urls))]


@pytest.fixture(autouse=True, params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def atomic_requests(request, settings):
    # PostgreSQL may refuse a transaction at its COMMIT, after the view.
    settings.MIDDLEWARE = ["etag_versioning.middleware.StaleWriteMiddleware"]
    connection.settings_dict["ATOMIC_REQUESTS"] = request.param
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


class Writer:
    """Edits what an address shows, again and again, and counts the answers."""

    def __init__(self, url, change, if_match=None):
        self.url, self.change, self.if_match = url, change, if_match
        self.codes = Counter()

    def __call__(self):
        client = Client(raise_request_exception=False)
        for step in range(STEPS):
            shown = client.get(self.url)
            headers = {"If-Match": self.if_match or shown["ETag"]}
            content = self.change(shown.json(), step)
            if isinstance(content, list):
                headers = {}
            answer = client.patch(
                self.url, content, content_type="application/json", headers=headers
            )
            self.codes[answer.status_code] += 1


def change_number(shown, step):
    return {"number": shown["number"] + 1}


def change_name(shown, step):
    return {"name": f"{step}-{shown['id']}"}


def change_all(shown, step):
    return [{"id": each["id"], "etag": each["etag"], "number": each["number"]} for each in shown]


@pytest.fixture
def book():
    return Book.objects.create(name="b", shelf=Shelf.objects.create(name="s"))


def check(race, book, *writers):
    """Each success has moved the book and its shelf once, and nothing else has."""
    before = Book.objects.get().version, Shelf.objects.get().version
    assert race(*writers) == [None] * len(writers)
    codes = sum((writer.codes for writer in writers), Counter())
    assert set(codes) <= {200, 409, 412, 503}
    assert codes[200]
    return codes, Book.objects.get().version - before[0], Shelf.objects.get().version - before[1]


@pytest.mark.parametrize("kind", ["leaves", "hooked-leaves"])
@pytest.mark.parametrize("if_match", [None, "*"])
def test_concurrent_writes_of_children_bump_the_parent_once_each(race, book, kind, if_match):
    leaves = [Leaf.objects.create(name=name, book=book) for name in "abc"]
    urls = [f"/{kind}/{leaf.pk}/" for leaf in leaves]
    writers = [Writer(url, change_number, if_match) for url in urls]
    codes, *moves = check(race, book, *writers)
    assert moves == [codes[200]] * 2
    for leaf, writer in zip(leaves, writers, strict=True):
        leaf.refresh_from_db()
        assert leaf.number == writer.codes[200]


def test_concurrent_writes_of_one_child_bump_the_parent_once_each(race, book):
    leaf = Leaf.objects.create(name="a", book=book)
    codes, *moves = check(
        race,
        book,
        Writer(f"/leaves/{leaf.pk}/", change_number),
        Writer(f"/hooked-leaves/{leaf.pk}/", change_number),
        Writer(f"/books/{book.pk}/", change_name),
    )
    assert moves == [codes[200]] * 2
    leaf.refresh_from_db()
    assert leaf.version == 1 + leaf.number


@pytest.mark.parametrize("kind", ["leaves", "hooked-leaves"])
def test_concurrent_bulk_writes_bump_the_parent_once_for_each_child(race, book, kind):
    leaves = [Leaf.objects.create(name=name, book=book) for name in "abc"]
    bulk, other = Writer(f"/{kind}/", change_all), Writer(f"/books/{book.pk}/", change_name)
    _, moved, _ = check(race, book, bulk, other)
    assert moved == len(leaves) * bulk.codes[200] + other.codes[200]
