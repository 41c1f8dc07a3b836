"""Lists whose rows another table chooses or orders, and what their paginators add."""

import pytest
from django.db.models import Exists, Max, OuterRef, Q
from rest_framework import serializers
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.pagination import CursorPagination, LimitOffsetPagination, PageNumberPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from etag_versioning.rest_framework.list_validators import (
    count_and_max_updated_at,
    max_version_and_count,
)
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Author, Book, Country, Favourite, Notice, Publisher, Review, Stock


class TitleSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ("title",)


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]
    serializer_class = TitleSerializer


@pytest.mark.scenario("A list filtered by a column of the publisher", "impossible")
def test_a_filter_by_a_parent(serve, book, follows):
    class Books(BookViewSet):
        queryset = Book.objects.filter(publisher__name="Planeta").order_by("pk")

    serve(Books)
    with follows("/books/"):
        Publisher.objects.update(name="Seix")


@pytest.mark.scenario("A list filtered by the country of the publisher", "impossible")
def test_a_filter_by_a_grandparent(serve, book, follows):
    class Books(BookViewSet):
        queryset = Book.objects.filter(publisher__country__name="Spain").order_by("pk")

    serve(Books)
    with follows("/books/"):
        Country.objects.update(name="Portugal")


@pytest.mark.scenario("A list filtered by the names of authors", "impossible")
def test_a_filter_by_many_to_many(serve, book, follows):
    class Books(BookViewSet):
        queryset = Book.objects.filter(authors__name="Ana").distinct().order_by("pk")

    serve(Books)
    with follows("/books/"):
        Author.objects.update(name="Anna")


@pytest.mark.scenario("A list filtered by a `through` model: books in stock", "impossible")
def test_a_filter_by_a_through_model(serve, book, follows):
    class Books(BookViewSet):
        queryset = Book.objects.filter(stocks__copies__gt=0).distinct().order_by("pk")

    serve(Books)
    with follows("/books/"):
        Stock.objects.update(copies=0)


@pytest.mark.scenario("A list filtered by the existence of reviews", "impossible")
def test_a_filter_by_a_subquery(serve, book, follows):
    class Books(BookViewSet):
        queryset = Book.objects.filter(
            Exists(Review.objects.filter(book=OuterRef("pk"), stars__gte=4))
        ).order_by("pk")

    serve(Books)
    with follows("/books/"):
        Review.objects.update(stars=1)


@pytest.mark.scenario("A detail page that another table hides: 404 instead of 304", "impossible")
def test_a_row_that_another_table_hides(serve, url, follows):
    class Books(BookViewSet):
        queryset = Book.objects.filter(publisher__name="Planeta").order_by("pk")

    serve(Books)
    with follows(url):
        Publisher.objects.update(name="Seix")


@pytest.mark.scenario("A list of the visitor's favourites", "impossible")
@pytest.mark.usefixtures("sessions")
def test_a_filter_by_the_visitor(serve, book, rita, visitor, follows):
    class Books(BookViewSet):
        def get_queryset(self):
            return super().get_queryset().filter(favourites__user=self.request.user.pk)

    serve(Books)
    visitor.force_login(rita)
    with follows("/books/"):
        Favourite.objects.create(book=book, user=rita)


@pytest.mark.scenario("A list ordered by the publisher's name", "impossible")
def test_an_order_by_a_parent(serve, book, follows):
    other = Publisher.objects.get(name="Adelphi")
    Book.objects.filter(pk=book.prequel_id).update(publisher=other)

    class Books(BookViewSet):
        queryset = Book.objects.order_by("publisher__name")

    serve(Books)
    with follows("/books/"):
        Publisher.objects.filter(pk=other.pk).update(name="Zorro")


@pytest.mark.scenario("A list ordered by the latest review", "impossible")
def test_an_order_by_an_aggregate(serve, book, follows):
    book.prequel.reviews.create(stars=2)

    class Books(BookViewSet):
        queryset = Book.objects.annotate(best=Max("reviews__stars")).order_by("best")

    serve(Books)
    with follows("/books/"):
        Review.objects.filter(book=book).update(stars=1)


@pytest.mark.scenario(
    "A list that DRF's `SearchFilter` searches in the publisher's name", "impossible"
)
def test_a_search_filter(serve, book, follows):
    class Books(BookViewSet):
        filter_backends = [SearchFilter]
        search_fields = ("publisher__name",)

    serve(Books)
    with follows("/books/?search=plan"):
        Publisher.objects.update(name="Seix")


@pytest.mark.scenario(
    "A list that DRF's `OrderingFilter` orders by the publisher's name", "impossible"
)
def test_an_ordering_filter(serve, book, follows):
    other = Publisher.objects.get(name="Adelphi")
    Book.objects.filter(pk=book.prequel_id).update(publisher=other)

    class Books(BookViewSet):
        filter_backends = [OrderingFilter]
        ordering_fields = ("publisher__name",)

    serve(Books)
    with follows("/books/?ordering=publisher__name"):
        Publisher.objects.filter(pk=other.pk).update(name="Zorro")


@pytest.mark.scenario("A list filtered by two tables with `Q`", "impossible")
def test_a_filter_by_two_tables(serve, book, follows):
    class Books(BookViewSet):
        queryset = (
            Book.objects.filter(Q(authors__name="Ana") | Q(stocks__copies__gt=5))
            .distinct()
            .order_by("pk")
        )

    serve(Books)
    with follows("/books/"):
        Author.objects.all().delete()


@pytest.mark.scenario("The number of all rows, by `PageNumberPagination`", "impossible")
def test_the_number_of_all_rows(serve, book, follows):
    class Pages(PageNumberPagination):
        page_size = 1

    class Books(BookViewSet):
        pagination_class = Pages

    serve(Books)
    with follows("/books/"):
        Book.objects.create(title="Cliff", publisher=book.publisher, published_at=book.published_at)


@pytest.mark.scenario("The link to the next page, by `LimitOffsetPagination`", "impossible")
def test_the_link_to_the_next_page(serve, book, follows):
    class Pages(LimitOffsetPagination):
        default_limit = 1

    class Books(BookViewSet):
        pagination_class = Pages

    serve(Books)
    with follows("/books/?offset=0"):
        book.delete()


@pytest.mark.scenario("The cursor of the next page, by `CursorPagination`", "impossible")
def test_a_cursor(serve, book, follows):
    class Pages(CursorPagination):
        page_size = 1
        ordering = "price"

    class Books(BookViewSet):
        pagination_class = Pages

    Book.objects.filter(pk=book.pk).update(price=20)
    serve(Books)
    with follows("/books/"):
        Book.objects.filter(pk=book.pk).delete()


@pytest.mark.scenario("A notice that the project's own paginator adds", "impossible")
def test_a_paginator_of_its_own(serve, book, follows):
    class Pages(PageNumberPagination):
        page_size = 5

        def get_paginated_response(self, data):
            notices = list(Notice.objects.values_list("text", flat=True))
            return Response({"notices": notices, "results": data})

    class Books(BookViewSet):
        pagination_class = Pages

    serve(Books)
    with follows("/books/"):
        Notice.objects.update(text="Sale")


@pytest.mark.scenario(
    "A list with `max_version_and_count`: one row takes another's place",
    "audit",
    mend="no `list_validator`",
)
def test_max_version_and_count(serve, book, lies):
    newest = Book.objects.create(
        title="Zenith", publisher=book.publisher, published_at=book.published_at
    )
    Stock.objects.create(book=newest, shop=book.shops.get())
    for _ in range(5):
        newest.save()

    class Books(BookViewSet):
        queryset = Book.objects.filter(stocks__copies__gt=0).order_by("pk")
        list_validator = max_version_and_count

    serve(Books)
    with lies("/books/"):
        Stock.objects.filter(book=book).update(book=book.prequel)


@pytest.mark.scenario(
    "A list with `count_and_max_updated_at`: an older row takes another's place",
    "audit",
    mend="no `list_validator`",
)
def test_count_and_max_updated_at(serve, book, lies):
    newest = Book.objects.create(
        title="Zenith", publisher=book.publisher, published_at=book.published_at
    )
    Stock.objects.create(book=newest, shop=book.shops.get())

    class Books(BookViewSet):
        queryset = Book.objects.filter(stocks__copies__gt=0).order_by("pk")
        list_validator = count_and_max_updated_at

    serve(Books)
    with lies("/books/"):
        Stock.objects.filter(book=book).update(book=book.prequel)
