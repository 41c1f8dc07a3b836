"""A viewset of books, whose writes change what the book shows, and so the book."""

import pytest
from rest_framework import serializers
from rest_framework.test import APIRequestFactory

from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Book, Leaf

pytestmark = pytest.mark.django_db


class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ("id", "name")


class BookViewSet(VersionedModelViewSet):
    """Writes a leaf besides the book, or in its place."""

    queryset = Book.objects.all()
    serializer_class = BookSerializer
    before = after = False
    saves = True

    def perform_update(self, serializer):
        if self.before:
            Leaf.objects.update(number=5)
        if self.saves:
            serializer.instance.refresh_from_db()
            serializer.save()
        if self.after:
            Leaf.objects.create(name="new", book=serializer.instance)


def call(method, pk, options, **kwargs):
    view = BookViewSet.as_view({"get": "retrieve", "patch": "partial_update"}, **options)
    request = getattr(APIRequestFactory(), method)("/", format="json", **kwargs)
    return view(request, pk=pk)


@pytest.mark.parametrize("header", ["tag", "*"])
@pytest.mark.parametrize(
    "options",
    [
        {"before": True},
        {"after": True},
        {"before": True, "saves": False},
        {"before": True, "after": True},
    ],
)
def test_the_answer_s_tag_is_that_of_the_next_get(options, header):
    book = Book.objects.create(name="a")
    Leaf.objects.create(name="leaf", book=book)
    tag = call("get", book.pk, options)["ETag"]
    headers = {"If-Match": tag if header == "tag" else "*"}
    answer = call("patch", book.pk, options, data={"name": "b"}, headers=headers)
    assert answer.status_code == 200
    assert answer["ETag"] == call("get", book.pk, options)["ETag"] != tag
    stale = call("patch", book.pk, options, data={"name": "c"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert Leaf.objects.filter(name="new").count() == options.get("after", False)
