"""Books that show rows at the end of two relations."""

import pytest
from django.db.models import Count
from django.http import JsonResponse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Chapter, Country, Footnote, Profile, Publisher, Series

COUNTRY = {Country: 'touches = ("publishers__books",)', Publisher: 'touches = ("books",)'}
FOOTNOTES = {Footnote: 'touches = ("chapter__book",)', Chapter: 'touches = ("book",)'}
IN_COUNTRY = '`touches = ("publishers__books",)` in `Country`, `("books",)` in `Publisher`'
IN_FOOTNOTE = '`touches = ("chapter__book",)` in `Footnote`, `("book",)` in `Chapter`'


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


@pytest.mark.scenario(
    "The country of the publisher, in a plain view", "W208", "helper", "audit", mend=IN_COUNTRY
)
def test_a_grandparent_in_a_plain_view(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        return JsonResponse({"country": Book.objects.get(pk=pk).publisher.country.name})

    serve(book_page)
    warned("W208", "honesty.Country")
    with lies(url):
        Country.objects.filter(name="Spain").update(name="Portugal")
    helper_finds(url, COUNTRY)


@pytest.mark.scenario(
    "The country, because the publisher moves to another one",
    "W208",
    "helper",
    "audit",
    mend=IN_COUNTRY,
)
def test_a_parent_with_another_grandparent(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        book = Book.objects.select_related("publisher__country").get(pk=pk)
        return JsonResponse({"country": book.publisher.country.name})

    serve(book_page)
    warned("W208", "honesty.Country")
    with lies(url):
        Publisher.objects.update(country=Country.objects.get(name="Italy"))
    helper_finds(url, COUNTRY)


@pytest.mark.scenario(
    'The country, by `source="publisher.country.name"`', "W207", "helper", "audit", mend=IN_COUNTRY
)
def test_a_source_over_two_relations(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        country = serializers.CharField(source="publisher.country.name")

        class Meta:
            model = Book
            fields = ("country",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Country")
    with lies(url):
        Country.objects.filter(name="Spain").update(name="Portugal")
    helper_finds(url, COUNTRY)


@pytest.mark.scenario(
    'The country, by `source="publisher.country.name"` in a list',
    "W207",
    "helper",
    "audit",
    mend=IN_COUNTRY,
)
def test_a_source_over_two_relations_in_a_list(serve, book, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        country = serializers.CharField(source="publisher.country.name")

        class Meta:
            model = Book
            fields = ("country",)

    class Books(BookViewSet):
        queryset = Book.objects.select_related("publisher__country").order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Country")
    with lies("/books/"):
        Country.objects.filter(name="Spain").update(name="Portugal")
    helper_finds("/books/", COUNTRY)


@pytest.mark.scenario(
    "The country, by a serializer nested in a nested one",
    "W207",
    "helper",
    "audit",
    mend=IN_COUNTRY,
)
def test_serializers_nested_twice(serve, url, lies, helper_finds, warned):
    class CountrySerializer(serializers.ModelSerializer):
        class Meta:
            model = Country
            fields = ("name",)

    class PublisherSerializer(serializers.ModelSerializer):
        country = CountrySerializer()

        class Meta:
            model = Publisher
            fields = ("country",)

    class BookSerializer(serializers.ModelSerializer):
        publisher = PublisherSerializer()

        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Country")
    with lies(url):
        Country.objects.filter(name="Spain").update(name="Portugal")
    helper_finds(url, COUNTRY)


@pytest.mark.scenario(
    "The country, by `depth = 2`",
    "W207",
    "helper",
    "audit",
    mend=f'{IN_COUNTRY}, `("books",)` in `Series`',
)
def test_depth_of_two(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("publisher", "series")
            depth = 2

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Series")
    with lies(url):
        Country.objects.filter(name="Spain").update(name="Portugal")
    helper_finds(url, {**COUNTRY, Series: 'touches = ("books",)'})


@pytest.mark.scenario(
    "The country, by a property of the model", "W207", "helper", "audit", mend=IN_COUNTRY
)
def test_a_property_over_two_relations(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("country_name",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Country")
    with lies(url):
        Country.objects.filter(name="Spain").update(name="Portugal")
    helper_finds(url, COUNTRY)


@pytest.mark.scenario(
    "Footnotes of chapters, in a plain view", "W208", "helper", "audit", mend=IN_FOOTNOTE
)
def test_grandchildren_in_a_plain_view(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        footnotes = Footnote.objects.filter(chapter__book=pk).order_by("pk")
        return JsonResponse({"footnotes": [footnote.text for footnote in footnotes]})

    serve(book_page)
    warned("W208", "honesty.Chapter")
    with lies(url):
        Footnote.objects.update(text="By raft")
    helper_finds(url, FOOTNOTES)


@pytest.mark.scenario(
    "The number of footnotes, in a plain view: one is added",
    "W208",
    "helper",
    "audit",
    mend=IN_FOOTNOTE,
)
def test_a_number_of_grandchildren(serve, book, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        return JsonResponse({"footnotes": Footnote.objects.filter(chapter__book=pk).count()})

    serve(book_page)
    warned("W208", "honesty.Chapter")
    with lies(url):
        book.chapters.get().footnotes.create(text="By raft")
    helper_finds(url, FOOTNOTES)


@pytest.mark.scenario(
    "Footnotes of chapters, by a serializer nested in a nested one",
    "W207",
    "helper",
    "audit",
    mend=IN_FOOTNOTE,
)
def test_nested_grandchildren(serve, book, url, lies, helper_finds, warned):
    class FootnoteSerializer(serializers.ModelSerializer):
        class Meta:
            model = Footnote
            fields = ("text",)

    class ChapterSerializer(serializers.ModelSerializer):
        footnotes = FootnoteSerializer(many=True)

        class Meta:
            model = Chapter
            fields = ("footnotes",)

    class BookSerializer(serializers.ModelSerializer):
        chapters = ChapterSerializer(many=True)

        class Meta:
            model = Book
            fields = ("chapters",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Footnote")
    with lies(url):
        book.chapters.get().footnotes.create(text="By raft")
    helper_finds(url, FOOTNOTES)


@pytest.mark.scenario(
    "Footnotes of chapters, by a serializer nested in a nested one in a list",
    "W207",
    "helper",
    "audit",
    mend=IN_FOOTNOTE,
)
def test_nested_grandchildren_in_a_list(serve, book, lies, helper_finds, warned):
    class ChapterSerializer(serializers.ModelSerializer):
        footnotes = serializers.SlugRelatedField("text", many=True, read_only=True)

        class Meta:
            model = Chapter
            fields = ("footnotes",)

    class BookSerializer(serializers.ModelSerializer):
        chapters = ChapterSerializer(many=True)

        class Meta:
            model = Book
            fields = ("chapters",)

    class Books(BookViewSet):
        queryset = Book.objects.prefetch_related("chapters__footnotes").order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Footnote")
    with lies("/books/"):
        Footnote.objects.all().delete()
    helper_finds("/books/", FOOTNOTES)


@pytest.mark.scenario("The number of footnotes, by `annotate()`", "impossible")
def test_an_annotated_number_of_grandchildren(serve, book, url, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        number = serializers.IntegerField()

        class Meta:
            model = Book
            fields = ("number",)

    class Books(BookViewSet):
        queryset = Book.objects.annotate(number=Count("chapters__footnotes")).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent(url)
    with follows(url):
        book.chapters.get().footnotes.create(text="By raft")


@pytest.mark.scenario(
    "Other books of the publisher: one is added",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("publisher__books",)` in `Book`',
)
def test_rows_of_the_same_parent(serve, book, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        publisher = Publisher.objects.get(books=pk)
        return JsonResponse({"others": publisher.books.count()})

    serve(book_page)
    warned("W208", "honesty.Book")
    with lies(url):
        Book.objects.create(title="Cliff", publisher=book.publisher, published_at=book.published_at)
    helper_finds(url, {Book: 'touches = ("publisher__books",)'})


@pytest.mark.scenario(
    "The currency in the profile of the seller",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("user__books",)` in `Profile`',
)
def test_a_row_behind_a_row_of_another_app(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        currency = serializers.CharField(source="seller.profile.currency")

        class Meta:
            model = Book
            fields = ("currency",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Profile")
    with lies(url):
        Profile.objects.update(currency="USD")
    helper_finds(url, {Profile: 'touches = ("user__books",)'})
