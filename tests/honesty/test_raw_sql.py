"""Raw SQL: views that read by it, and writes that pass the ORM by."""

import pytest
from django.db import connection
from django.http import HttpResponse, JsonResponse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Chapter, Notice, Publisher

BY_TRIGGER = "`AddVersionTrigger` in a migration, or `touch()` after the statement"


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


def execute(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@pytest.mark.scenario(
    "Chapters that a plain view reads by SQL",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_children_by_sql(serve, url, lies, helper_finds):
    @versioned_condition(Book)
    def book_page(request, pk):
        with connection.cursor() as cursor:
            cursor.execute("SELECT title FROM honesty_chapter WHERE book_id = %s", [pk])
            return JsonResponse({"chapters": [title for (title,) in cursor.fetchall()]})

    serve(book_page)
    with lies(url):
        Chapter.objects.update(title="Storm")
    helper_finds(url, {Chapter: 'touches = ("book",)'})


@pytest.mark.scenario(
    "The publisher, which a serializer's method reads by SQL",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_parent_by_sql(serve, url, lies, helper_finds):
    class BookSerializer(serializers.ModelSerializer):
        publisher = serializers.SerializerMethodField()

        def get_publisher(self, book):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT name FROM honesty_publisher WHERE id = %s", [book.publisher_id]
                )
                return cursor.fetchone()[0]

        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: 'touches = ("books",)'})


@pytest.mark.scenario(
    "Notices, by `Manager.raw()`",
    "W208",
    "helper",
    "audit",
    mend="the rows' values in `etag_extra`",
)
def test_raw(serve, url, lies, helper_finds, helper_is_silent, warned):
    def book_page(request, pk):
        rows = Notice.objects.raw("SELECT id, text FROM honesty_notice ORDER BY id")
        return HttpResponse("\n".join(row.text for row in rows))

    def notices(request, pk):
        return Notice.objects.order_by("pk").values_list("pk", "text")

    serve(versioned_condition(Book)(book_page))
    warned("W208", "honesty.Notice")
    with lies(url):
        Notice.objects.update(text="Sale")
    helper_finds(url, {"test_raw": "Notice.objects"})
    serve(versioned_condition(Book, etag_extra=notices)(book_page))
    helper_is_silent(url)


@pytest.mark.scenario("The name of the publisher, by `extra(select=…)` in a list", "impossible")
def test_extra(serve, book, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        name = serializers.CharField()

        class Meta:
            model = Book
            fields = ("name",)

    name = "SELECT name FROM honesty_publisher WHERE id = honesty_book.publisher_id"

    class Books(BookViewSet):
        queryset = Book.objects.extra(select={"name": name}).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent("/books/")
    with follows("/books/"):
        Publisher.objects.update(name="Seix")


@pytest.mark.scenario("A column of the row, written by SQL", "audit", mend=BY_TRIGGER)
def test_a_write_by_sql(serve, book, url, lies, mended):
    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse(Book.objects.get(pk=pk).title)

    serve(book_page)
    with lies(url):
        execute("UPDATE honesty_book SET title = 'Cliff' WHERE id = %s", book.pk)
    with mended(url):
        execute("UPDATE honesty_book SET title = 'Coast' WHERE id = %s", book.pk)
        Book.objects.filter(pk=book.pk).touch()


@pytest.mark.scenario("A column of the row, written by SQL, in a viewset", "audit", mend=BY_TRIGGER)
def test_a_write_by_sql_in_a_viewset(serve, book, url, lies):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with lies(url):
        execute("UPDATE honesty_book SET title = 'Cliff' WHERE id = %s", book.pk)


@pytest.mark.scenario("A column of the rows, written by SQL, in a list", "audit", mend=BY_TRIGGER)
def test_a_write_by_sql_in_a_list(serve, book, lies, mended):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("price",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with lies("/books/"):
        execute("UPDATE honesty_book SET price = 2")
    with mended("/books/"):
        execute("UPDATE honesty_book SET price = 3")
        Book.objects.touch()


@pytest.mark.scenario(
    "Links of a many-to-many field, written by SQL",
    "audit",
    mend="`AddVersionTrigger` for the table of links",
)
def test_links_by_sql(serve, book, url, lies):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("authors",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with lies(url):
        execute("DELETE FROM honesty_book_authors WHERE book_id = %s", book.pk)


@pytest.mark.scenario(
    "Links of a many-to-many field, written by `through.objects.bulk_create()`",
    "audit",
    mend="`AddVersionTrigger` for the table of links",
)
def test_links_by_the_through_model(serve, book, url, lies):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("genres",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with lies(url):
        Book.genres.through.objects.filter(book=book).delete()


@pytest.mark.scenario(
    "A column, written by `update()` of `objects.unversioned()`",
    "audit",
    mend="`update()` without `unversioned()`",
)
def test_an_unversioned_update(serve, url, lies):
    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse(Book.objects.get(pk=pk).title)

    serve(book_page)
    with lies(url):
        Book.objects.unversioned().update(title="Cliff")


@pytest.mark.scenario(
    "Chapters, written by SQL although they touch their book",
    "audit",
    mend='`AddVersionTrigger(…, touches=("book",))`',
)
def test_children_written_by_sql(serve, url, lies, add_line):
    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse(Chapter.objects.get(book=pk).title)

    add_line(Chapter, 'touches = ("book",)')
    serve(book_page)
    with lies(url):
        execute("UPDATE honesty_chapter SET title = 'Storm'")


@pytest.mark.scenario("A list that a row written by SQL joins", "impossible")
def test_a_row_that_sql_adds_to_a_list(serve, book, follows):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title",)

    class Books(BookViewSet):
        queryset = Book.objects.filter(price__gt=5).order_by("pk")
        serializer_class = BookSerializer

    Book.objects.filter(pk=book.pk).update(price=1)
    serve(Books)
    with follows("/books/"):
        execute("UPDATE honesty_book SET price = 9 WHERE id = %s", book.pk)
