"""Files: those of a column, those on the disk, and what a page shows of them."""

import os

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse, JsonResponse
from rest_framework import serializers

from etag_versioning.decorators import file_etag_func, versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book

pytestmark = pytest.mark.usefixtures("media_root")

BY_FILE = "`file_etag_func()` as a second source"


@pytest.fixture
def covered(book, overwriting):
    """The book with a cover; a file of the same name takes its place."""
    book.cover.save("sea.txt", ContentFile(b"waves"))
    return book


def overwrite(book, content=b"a storm"):
    default_storage.save(book.cover.name, ContentFile(content))


def path_of_cover(request, pk):
    return Book.objects.get(pk=pk).cover


@pytest.mark.scenario("The URL of a file's column: another file is saved", "impossible")
def test_the_url_of_a_file(serve, covered, url, follows):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("cover",)

    class Books(VersionedModelViewSet):
        queryset = Book.objects.order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    with follows(url):
        covered.cover.save("harbour.txt", ContentFile(b"ships"))


@pytest.mark.scenario("A file that `file_etag_func()` names: it is written again", "impossible")
def test_a_file_source(serve, covered, url, follows):
    @versioned_condition(file_etag_func(path_of_cover))
    def cover_page(request, pk):
        with default_storage.open(Book.objects.get(pk=pk).cover.name) as file:
            return HttpResponse(file.read())

    os.utime(covered.cover.path, (1_700_000_000, 1_700_000_000))
    serve(cover_page)
    with follows(url):
        overwrite(covered)
        os.utime(covered.cover.path, (1_700_000_100, 1_700_000_100))


@pytest.mark.scenario("A file of the same size, written again in another moment", "impossible")
def test_a_file_of_the_same_size(serve, covered, url, follows):
    @versioned_condition(file_etag_func(path_of_cover))
    def cover_page(request, pk):
        with default_storage.open(Book.objects.get(pk=pk).cover.name) as file:
            return HttpResponse(file.read())

    os.utime(covered.cover.path, (1_700_000_000, 1_700_000_000))
    serve(cover_page)
    with follows(url):
        overwrite(covered, b"swash")
        os.utime(covered.cover.path, ns=(1_700_000_000_000_000_001,) * 2)


@pytest.mark.scenario(
    "The content of a column's file, overwritten on the disk", "audit", mend=BY_FILE
)
def test_the_content_of_a_file(serve, covered, url, lies, mended):
    def cover_page(request, pk):
        with Book.objects.get(pk=pk).cover.open() as file:
            return HttpResponse(file.read())

    serve(versioned_condition(Book)(cover_page))
    with lies(url):
        overwrite(covered)
    os.utime(covered.cover.path, (1_700_000_000, 1_700_000_000))
    serve(versioned_condition(Book, file_etag_func(path_of_cover))(cover_page))
    with mended(url):
        overwrite(covered, b"a calm")
        os.utime(covered.cover.path, (1_700_000_100, 1_700_000_100))


@pytest.mark.scenario(
    "The size of a column's file, in a viewset", "audit", mend="the size in `get_etag_extra()`"
)
def test_the_size_of_a_file(serve, covered, url, lies):
    class BookSerializer(serializers.ModelSerializer):
        size = serializers.IntegerField(source="cover.size")

        class Meta:
            model = Book
            fields = ("size",)

    class Books(VersionedModelViewSet):
        queryset = Book.objects.filter(pk=covered.pk)
        serializer_class = BookSerializer

    serve(Books)
    with lies(url):
        overwrite(covered)


@pytest.mark.scenario("A text on the disk, in a plain view", "audit", mend=BY_FILE)
def test_a_file_without_a_column(serve, media_root, url, lies):
    text = media_root / "terms.txt"
    text.write_text("Buy")

    @versioned_condition(Book)
    def book_page(request, pk):
        return JsonResponse({"terms": text.read_text()})

    serve(book_page)
    with lies(url):
        text.write_text("Sell")
