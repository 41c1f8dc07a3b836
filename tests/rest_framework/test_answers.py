"""What a write answers under the tag of a GET is what the GET shows."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from rest_framework import serializers
from rest_framework.test import APIRequestFactory

from etag_versioning.rest_framework.fields import ETagField
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.rest_framework.views import PersonViewSet
from tests.testapp.models import Book, Chapter, Genre, Leaf, Login, Person, Team
from tests.triggerapp.models import Author
from tests.triggerapp.models import Book as Written

pytestmark = pytest.mark.django_db


def call(viewset, method, pk, data=None, **headers):
    request = getattr(APIRequestFactory(), method)("/", data, format="json", headers=headers)
    routes = {"get": "retrieve", "put": "update", "patch": "partial_update"}
    return viewset.as_view(routes)(request, pk=pk)


def patch(viewset, row, data):
    """The answer to a PATCH, which a client may keep under its tag; and that of a GET."""
    tag = call(viewset, "get", row.pk)["ETag"]
    answer = call(viewset, "patch", row.pk, data, **{"If-Match": tag})
    assert answer.status_code == 200, answer.data
    shown = call(viewset, "get", row.pk)
    again = call(viewset, "get", row.pk, **{"If-None-Match": answer["ETag"]})
    assert again.status_code == 200 or answer.data == shown.data
    # Whatever it shows, it guards the next write.
    assert call(viewset, "patch", row.pk, data, **{"If-Match": answer["ETag"]}).status_code == 200
    return answer, shown


def of(rows, *names, **attributes):
    """A viewset, with hooks and a serializer of its own."""
    fields = type("Meta", (), {"model": rows, "fields": ("id", *names)})
    own = {
        name: attributes.pop(name) for name in ("create", "update", "etag") if name in attributes
    }
    serializer = type("Serializer", (serializers.ModelSerializer,), {"Meta": fields, **own})
    attributes |= {"queryset": rows.objects.all(), "serializer_class": serializer}
    return type("ViewSet", (VersionedModelViewSet,), attributes)


def test_the_answer_shows_what_a_hook_wrote_by_a_queryset():
    def perform_update(self, serializer):
        Person.objects.filter(pk=serializer.save().pk).update(days=F("days") + 1)

    viewset = of(Person, "name", "days", perform_update=perform_update)
    answer, shown = patch(viewset, Person.objects.create(name="a"), {"name": "b"})
    assert answer.data == shown.data
    assert answer.data["days"] == 1
    assert answer["ETag"] == shown["ETag"]


def test_a_savepoint_that_a_hook_rolls_back():
    def perform_update(self, serializer):
        try:
            with transaction.atomic():
                serializer.save()
                raise IntegrityError
        except IntegrityError:
            Team.objects.create(name="logged")

    viewset = of(Person, "name", perform_update=perform_update)
    answer, shown = patch(viewset, Person.objects.create(name="a"), {"name": "b"})
    assert answer.data == shown.data
    assert answer.data["name"] == "a"


def test_a_savepoint_that_is_rolled_back_before_another_write():
    def update(self, instance, data):
        try:
            with transaction.atomic():
                serializers.ModelSerializer.update(self, instance, data)
                Login.objects.create(name="taken")
        except IntegrityError:
            Person.objects.filter(pk=instance.pk).update(name="instead")
        return instance

    Login.objects.create(name="taken")
    answer, shown = patch(
        of(Person, "name", update=update), Person.objects.create(name="a"), {"name": "b"}
    )
    assert answer.data == shown.data
    assert answer.data["name"] == "instead"


@pytest.mark.parametrize("nests", [False, True])
def test_a_row_that_is_touched_after_its_own_write(nests):
    """By its relations, and by rows that show it."""

    def update(self, instance, data):
        instance = serializers.ModelSerializer.update(self, instance, data)
        Leaf.objects.create(name=f"leaf {Leaf.objects.count()}", book=instance)
        return instance

    own = {"update": update} if nests else {}
    viewset = of(Book, "name", "genres", "version", "etag", etag=ETagField(), **own)
    genre = Genre.objects.create(name="g")
    answer, shown = patch(viewset, Book.objects.create(name="a"), {"genres": [genre.pk]})
    assert answer.data == shown.data
    assert answer["ETag"] == shown["ETag"]
    assert answer.data["etag"] in answer["ETag"].replace("~", '"~')


@pytest.mark.parametrize("nests", [False, True])
def test_a_row_that_is_touched_after_its_creation(nests):
    def create(self, data):
        instance = serializers.ModelSerializer.create(self, data)
        Leaf.objects.create(name="new", book=instance)
        return instance

    own = {"create": create} if nests else {}
    viewset = of(Book, "name", "genres", "version", "etag", etag=ETagField(), **own)
    data = {"name": "a", "genres": [Genre.objects.create(name="g").pk]}
    request = APIRequestFactory().post("/", data, format="json")
    answer = viewset.as_view({"post": "create"})(request)
    shown = call(viewset, "get", answer.data["id"])
    assert answer.data == shown.data
    assert answer["ETag"] == shown["ETag"]
    assert answer.data["etag"] in answer["ETag"].replace("~", '"~')


def test_a_column_that_the_database_computes():
    chapter = Chapter.objects.create(team=Team.objects.create(name="t"))
    answer, shown = patch(of(Chapter, "pages", "sheets"), chapter, {"pages": 5})
    assert answer.data == shown.data
    assert answer.data["sheets"] == 10


def test_a_field_that_a_patch_leaves_out():
    """One with a default, where its source leads nowhere; DRF's put() has it."""
    answer, shown = patch(PersonViewSet, Person.objects.create(name="a"), {"name": "b"})
    assert "team_name" in shown.data.keys() - answer.data.keys()
    assert answer["ETag"] != shown["ETag"]
    assert shown["ETag"].startswith(answer["ETag"].rstrip('"'))
    in_team = Person.objects.create(name="a", team=Team.objects.create(name="t"))
    answer, shown = patch(PersonViewSet, in_team, {"name": "b"})
    assert answer.data == shown.data
    assert answer["ETag"] == shown["ETag"]


def in_sql(self, instance, data):
    with connection.cursor() as cursor:
        cursor.execute(
            'UPDATE "the order" SET biography = %s WHERE id = %s'.replace(
                '"the order"', connection.ops.quote_name("the order")
            ),
            [data["biography"], instance.pk],
        )
    return instance


def by_a_child(self, instance, data):
    Written.objects.create(title="t", author=instance)
    return instance


@pytest.mark.parametrize("update", [in_sql, by_a_child])
def test_a_row_that_only_triggers_bump(update):
    viewset = of(Author, "biography", update=update)
    answer, shown = patch(viewset, Author.objects.create(name="a"), {"biography": "long"})
    assert answer.data == shown.data
    assert answer["ETag"] == shown["ETag"]
