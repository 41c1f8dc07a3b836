"""A project's own `retrieve()`, `list()`, `get()` and read actions: the tag has their data."""

import pytest
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.mixins import VersionedRetrieveMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Chapter, Discount, Notice, Publisher


class TitleSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ("title",)


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]
    serializer_class = TitleSerializer


@pytest.mark.scenario("The publisher's name, by the view's own `retrieve()`", "impossible")
def test_retrieve(serve, url, follows, helper_is_silent):
    class Books(BookViewSet):
        def retrieve(self, request, pk):
            book = self.get_object()
            return Response({"title": book.title, "publisher": book.publisher.name})

    serve(Books)
    helper_is_silent(url)
    with follows(url):
        Publisher.objects.update(name="Seix")


@pytest.mark.scenario("A notice that `retrieve()` adds to the serializer's data", "impossible")
def test_data_that_is_added(serve, url, follows):
    class Books(BookViewSet):
        def retrieve(self, request, *args, **kwargs):
            response = super().retrieve(request, *args, **kwargs)
            response.data["notices"] = list(Notice.objects.values_list("text", flat=True))
            return response

    serve(Books)
    with follows(url):
        Notice.objects.update(text="Sale")


@pytest.mark.scenario("The numbers of chapters, by the view's own `list()`", "impossible")
def test_list(serve, book, follows, helper_is_silent):
    class Books(BookViewSet):
        def list(self, request):
            books = self.filter_queryset(self.get_queryset())
            return Response([{"title": b.title, "length": b.chapters.count()} for b in books])

    serve(Books)
    helper_is_silent("/books/")
    with follows("/books/"):
        book.chapters.create(title="Storm")


@pytest.mark.scenario("A discount that `list()` puts beside the serializer's data", "impossible")
def test_an_envelope(serve, book, follows):
    class Books(BookViewSet):
        def list(self, request, *args, **kwargs):
            data = super().list(request, *args, **kwargs).data
            return Response({"percent": Discount.objects.first().percent, "books": data})

    serve(Books)
    with follows("/books/"):
        Discount.objects.update(percent=20)


@pytest.mark.scenario("Chapters, by a read `@action` of one row", "impossible")
def test_an_action(serve, url, follows, helper_is_silent):
    class Books(BookViewSet):
        @action(detail=True)
        def chapters(self, request, pk):
            chapters = self.get_object().chapters.order_by("pk")
            return Response([chapter.title for chapter in chapters])

    serve(Books)
    helper_is_silent(f"{url}chapters/")
    with follows(f"{url}chapters/"):
        Chapter.objects.update(title="Storm")


@pytest.mark.scenario("The publisher's books, by a read `@action` with a serializer", "impossible")
def test_an_action_with_a_serializer(serve, book, url, follows):
    class Books(BookViewSet):
        @action(detail=True)
        def related(self, request, pk):
            books = Book.objects.filter(publisher=self.get_object().publisher_id).order_by("pk")
            return Response(self.get_serializer(books, many=True).data)

    serve(Books)
    with follows(f"{url}related/"):
        Book.objects.filter(pk=book.prequel_id).update(title="Port")


@pytest.mark.scenario("A notice in a header that `retrieve()` sets", "impossible")
def test_a_header(serve, url, follows):
    class Books(BookViewSet):
        def retrieve(self, request, *args, **kwargs):
            response = super().retrieve(request, *args, **kwargs)
            response["X-Notice"] = Notice.objects.first().text
            return response

    serve(Books)
    with follows(url):
        Notice.objects.update(text="Sale")


@pytest.mark.scenario("A cookie that `retrieve()` sets", "impossible")
def test_a_cookie(serve, url, follows):
    class Books(BookViewSet):
        def retrieve(self, request, *args, **kwargs):
            response = super().retrieve(request, *args, **kwargs)
            response.set_cookie("notice", Notice.objects.first().text)
            response.data = {**response.data, "notice": Notice.objects.first().text}
            return response

    serve(Books)
    with follows(url):
        Notice.objects.update(text="Sale")


@pytest.mark.scenario(
    "The publisher's name, by a read-only viewset's own `retrieve()`", "impossible"
)
def test_a_read_only_viewset(serve, url, follows):
    class Books(VersionedRetrieveMixin, ReadOnlyModelViewSet):
        queryset = Book.objects.order_by("pk")
        serializer_class = TitleSerializer

        def retrieve(self, request, pk):
            return Response({"publisher": self.get_object().publisher.name})

    serve(Books)
    with follows(url):
        Publisher.objects.update(name="Seix")


@pytest.mark.scenario(
    "The publisher's name, by an own `retrieve()` under `@versioned_read`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`, or no `@versioned_read`',
)
def test_a_versioned_read(serve, url, lies, helper_finds, warned):
    class Books(BookViewSet):
        @versioned_read
        def retrieve(self, request, pk):
            return Response({"publisher": self.get_object().publisher.name})

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: 'touches = ("books",)'})


@pytest.mark.scenario(
    "Chapters, by a read `@action` under `@versioned_read`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`, or no `@versioned_read`',
)
def test_a_versioned_action(serve, url, lies, helper_finds, warned):
    class Books(BookViewSet):
        @action(detail=True)
        @versioned_read
        def chapters(self, request, pk):
            chapters = self.get_object().chapters.order_by("pk")
            return Response([chapter.title for chapter in chapters])

    serve(Books)
    warned("W207", "honesty.Chapter")
    with lies(f"{url}chapters/"):
        Chapter.objects.update(title="Storm")
    helper_finds(f"{url}chapters/", {Chapter: 'touches = ("book",)'})


@pytest.mark.scenario(
    "A notice in data that `etag_ignores` names",
    "helper",
    mend="`etag_ignores` without it",
)
def test_ignored_data(serve, url, lies, helper_finds, helper_is_silent):
    class Books(BookViewSet):
        etag_ignores = ("notices",)

        def retrieve(self, request, *args, **kwargs):
            response = super().retrieve(request, *args, **kwargs)
            response.data["notices"] = list(Notice.objects.values_list("text", flat=True))
            return response

    class MendedBooks(Books):
        etag_ignores = ()

    serve(Books)
    with lies(url, audit=False):
        Notice.objects.update(text="Sale")
    helper_finds(url, {"Books": "Notice.objects"})
    serve(MendedBooks)
    helper_is_silent(url)
