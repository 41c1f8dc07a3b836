"""Books that show what is computed: of rows without a relation, of all rows, of their own."""

import pytest
from django.db.models import Avg, OuterRef, Subquery
from django.http import JsonResponse
from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import (
    AudioBook,
    Book,
    Calendar,
    Discount,
    ExchangeRate,
    Notice,
    Publisher,
    Review,
    Work,
)

PERCENT = 'Discount.objects.order_by("pk").values_list("pk", "percent")'
RATE = "ExchangeRate.objects.all()"
IN_EXTRA = "the rows as a queryset in `etag_extra`"


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


@pytest.mark.scenario(
    "A sale price, by a property that reads the discount, in a plain view",
    "W208",
    "helper",
    "audit",
    mend=IN_EXTRA,
)
def test_a_property_in_a_plain_view(serve, url, lies, helper_finds, helper_is_silent, warned):
    def book_page(request, pk):
        return JsonResponse({"price": Book.objects.get(pk=pk).sale_price})

    serve(versioned_condition(Book)(book_page))
    warned("W208", "honesty.Discount")
    with lies(url):
        Discount.objects.update(percent=20)
    helper_finds(url, {"test_a_property_in_a_plain_view": PERCENT})
    serve(versioned_condition(Book, etag_extra=[Discount.objects.all()])(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "A sale price, by a property that reads the discount, in a viewset",
    "W207",
    "helper",
    "audit",
    mend=IN_EXTRA,
)
def test_a_property_in_a_viewset(serve, url, lies, helper_finds, helper_is_silent, warned):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("sale_price",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (Discount.objects.all(),)

    serve(Books)
    warned("W207", "honesty.Discount")
    with lies(url):
        Discount.objects.update(percent=20)
    helper_finds(url, {"Books": PERCENT})
    serve(MendedBooks)
    helper_is_silent(url)


@pytest.mark.scenario(
    "A sale price, by a property that reads the discount, in a list",
    "W207",
    "helper",
    "audit",
    mend=IN_EXTRA,
)
def test_a_property_in_a_list(serve, book, lies, helper_finds, helper_is_silent, warned):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("sale_price",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (Discount.objects.all(),)

    serve(Books)
    warned("W207", "honesty.Discount")
    with lies("/books/"):
        Discount.objects.update(percent=20)
    helper_finds("/books/", {"Books": PERCENT})
    serve(MendedBooks)
    helper_is_silent("/books/")


@pytest.mark.scenario(
    "A price in dollars, by the latest row of a versioned table, in an async view",
    "W208",
    "helper",
    "audit",
    mend="the rows as a queryset in `etag_extra`",
)
def test_a_versioned_row_without_a_relation(
    serve, url, lies, helper_finds, helper_is_silent, warned
):
    async def book_page(request, pk):
        rate = await ExchangeRate.objects.order_by("pk").alast()
        return JsonResponse({"rate": rate and rate.dollars})

    serve(versioned_condition(Book)(book_page))
    warned("W208", "honesty.ExchangeRate")
    with lies(url):
        ExchangeRate.objects.update(dollars=2)
    helper_finds(url, {"test_a_versioned_row_without_a_relation": RATE})
    serve(versioned_condition(Book, etag_extra=[ExchangeRate.objects.all()])(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "A price in dollars, by a `SerializerMethodField` that reads a versioned table",
    "W207",
    "helper",
    "audit",
    mend="the rows as a queryset in `etag_extra`",
)
def test_a_versioned_row_in_a_viewset(serve, url, lies, helper_finds, helper_is_silent, warned):
    class BookSerializer(serializers.ModelSerializer):
        dollars = serializers.SerializerMethodField()

        def get_dollars(self, book):
            rate = ExchangeRate.objects.order_by("pk").first()
            return rate and float(book.price * rate.dollars)

        class Meta:
            model = Book
            fields = ("dollars",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (ExchangeRate.objects.all(),)

    serve(Books)
    warned("W207", "honesty.ExchangeRate")
    with lies(url):
        ExchangeRate.objects.update(dollars=2)
    helper_finds(url, {"Books": RATE})
    serve(MendedBooks)
    helper_is_silent(url)


@pytest.mark.scenario(
    "A sale price, by a function that the serializer's method calls",
    "W207",
    "helper",
    "audit",
    mend=IN_EXTRA,
)
def test_a_helper_function(serve, url, lies, helper_finds, helper_is_silent, warned):
    def reduced(price):
        percent = sum(Discount.objects.values_list("percent", flat=True))
        return float(price) * (100 - percent) / 100

    class BookSerializer(serializers.ModelSerializer):
        price = serializers.SerializerMethodField()

        def get_price(self, book):
            return reduced(book.price)

        class Meta:
            model = Book
            fields = ("price",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (Discount.objects.all(),)

    serve(Books)
    warned("W207", "honesty.Discount")
    with lies(url):
        Discount.objects.update(percent=20)
    helper_finds(url, {"Books": PERCENT})
    serve(MendedBooks)
    helper_is_silent(url)


@pytest.mark.scenario(
    "A notice for all pages, by `get_serializer_context()`", "helper", "audit", mend=IN_EXTRA
)
def test_a_serializers_context(serve, url, lies, helper_finds, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        notice = serializers.SerializerMethodField()

        def get_notice(self, book):
            return self.context["notice"]

        class Meta:
            model = Book
            fields = ("notice",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

        def get_serializer_context(self):
            notices = Notice.objects.order_by("pk")
            return {**super().get_serializer_context(), "notice": [n.text for n in notices]}

    class MendedBooks(Books):
        etag_extra = (Notice.objects.all(),)

    serve(Books)
    with lies(url):
        Notice.objects.update(text="Sale")
    helper_finds(url, {"Books": 'Notice.objects.order_by("pk").values_list("pk", "text")'})
    serve(MendedBooks)
    helper_is_silent(url)


@pytest.mark.scenario(
    "How many books are cheaper, by a `SerializerMethodField`",
    "W207",
    "helper",
    "audit",
    mend="the rows as a queryset in `etag_extra`",
)
def test_a_rank_among_all_rows(serve, book, url, lies, helper_finds, helper_is_silent, warned):
    class BookSerializer(serializers.ModelSerializer):
        cheaper = serializers.SerializerMethodField()

        def get_cheaper(self, book):
            return Book.objects.filter(price__lt=book.price).count()

        class Meta:
            model = Book
            fields = ("title", "cheaper")

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (Book.objects.all(),)

    other = book.prequel_id
    Book.objects.filter(pk=book.pk).update(prequel=None)
    serve(Books)
    warned("W207", "honesty.Book")
    with lies(url):
        Book.objects.filter(pk=other).update(price=5)
    states = "Book.objects.all()"
    helper_finds(url, {"Books": states}, rows=2)
    serve(MendedBooks)
    helper_is_silent(url, rows=2)


@pytest.mark.scenario(
    "How many books are cheaper, by a `SerializerMethodField` in a list of all books", "impossible"
)
def test_a_rank_in_a_list_of_all_rows(serve, book, follows):
    class BookSerializer(serializers.ModelSerializer):
        cheaper = serializers.SerializerMethodField()

        def get_cheaper(self, book):
            return Book.objects.filter(price__lt=book.price).count()

        class Meta:
            model = Book
            fields = ("cheaper",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with follows("/books/"):
        Book.objects.filter(pk=book.prequel_id).update(price=5)


@pytest.mark.scenario("The average of reviews, by a subquery in `annotate()`", "impossible")
def test_an_annotated_subquery(serve, url, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        average = serializers.FloatField()

        class Meta:
            model = Book
            fields = ("average",)

    reviews = Review.objects.filter(book=OuterRef("pk")).order_by().values("book")
    average = Subquery(reviews.annotate(average=Avg("stars")).values("average"))

    class Books(BookViewSet):
        queryset = Book.objects.annotate(average=average).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent(url)
    with follows(url):
        Review.objects.update(stars=1)


@pytest.mark.scenario(
    "A discount, by a subquery of an unrelated table in `annotate()`", "impossible"
)
def test_an_annotated_subquery_of_an_unrelated_table(serve, book, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        percent = serializers.IntegerField()

        class Meta:
            model = Book
            fields = ("percent",)

    percent = Subquery(Discount.objects.order_by("pk").values("percent")[:1])

    class Books(BookViewSet):
        queryset = Book.objects.annotate(percent=percent).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent("/books/")
    with follows("/books/"):
        Discount.objects.update(percent=20)


@pytest.mark.scenario("A title in capitals, by a property of the row's own columns", "impossible")
def test_a_property_of_own_columns(serve, url, follows, helper_is_silent):
    class Shouted(str):
        @cached_property
        def loud(self):
            return self.upper()

    @versioned_condition(Book)
    def book_page(request, pk):
        return JsonResponse({"title": Shouted(Book.objects.get(pk=pk).title).loud})

    serve(book_page)
    helper_is_silent(url)
    with follows(url):
        Book.objects.update(title="Cliff")


@pytest.mark.scenario(
    "A column that is in `unversioned_fields`",
    "W212",
    "helper",
    "audit",
    mend="`unversioned_fields = ()`",
)
def test_an_unversioned_field(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("views",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W212", "honesty.Book.views")
    with lies(url):
        Book.objects.update(views=7)
    helper_finds(url, {Book: "unversioned_fields = ()"})


@pytest.mark.scenario(
    "A column that is in `unversioned_fields`, in a plain view",
    "W212",
    "helper",
    "audit",
    mend="`unversioned_fields = ()`",
)
def test_an_unversioned_field_in_a_plain_view(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        return JsonResponse({"views": Book.objects.get(pk=pk).views})

    serve(book_page)
    warned("W212", "honesty.Book.views")
    with lies(url):
        Book.objects.update(views=7)
    helper_finds(url, {Book: "unversioned_fields = ()"})


@pytest.mark.scenario(
    "A column of a parent's table, where the version is in the child's",
    "W009",
    "helper",
    "audit",
    mend='`touches = ("audiobook",)` in `Work`',
)
def test_a_column_of_a_parent_table(serve, db, lies, helper_finds, warned):
    audio_book = AudioBook.objects.create(title="Island")

    @versioned_condition(AudioBook)
    def audio_page(request, pk):
        return JsonResponse({"title": AudioBook.objects.get(pk=pk).title})

    serve(audio_page)
    url = f"/books/{audio_book.pk}/"
    warned("W009", "honesty.AudioBook")
    with lies(url):
        Work.objects.update(title="Cliff")
    helper_finds(url, {Work: 'touches = ("audiobook",)'})


@pytest.mark.scenario(
    "A column of a child's table, where the version is in the parent's", "impossible"
)
def test_a_column_of_a_child_table(serve, db, follows, helper_is_silent):
    calendar = Calendar.objects.create(name="Ships")

    @versioned_condition(Calendar)
    def calendar_page(request, pk):
        return JsonResponse({"year": Calendar.objects.get(pk=pk).year})

    serve(calendar_page)
    url = f"/books/{calendar.pk}/"
    helper_is_silent(url)
    with follows(url):
        Calendar.objects.update(year=2027)


@pytest.mark.scenario(
    "The publisher's name, by a property of the model in a plain view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_property_over_a_relation(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        return JsonResponse({"publisher": Book.objects.get(pk=pk).publisher_name})

    serve(book_page)
    warned("W208", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: 'touches = ("books",)'})


@pytest.mark.scenario(
    "The publisher's name, by a property of the model in a list",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_property_over_a_relation_in_a_list(serve, book, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("publisher_name",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies("/books/"):
        Publisher.objects.update(name="Seix")
    helper_finds("/books/", {Publisher: 'touches = ("books",)'})
