"""Books that show the row of a foreign key: its columns change, and the book does not."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db.models import F
from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.utils.decorators import method_decorator
from django.views.generic import DetailView
from rest_framework import serializers
from rest_framework.pagination import PageNumberPagination
from rest_framework.renderers import JSONRenderer

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Publisher, Series

IN_PUBLISHER = 'touches = ("books",)'


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


@pytest.mark.scenario(
    "The publisher's name, in a plain view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_plain_view(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        return JsonResponse({"publisher": Book.objects.get(pk=pk).publisher.name})

    serve(book_page)
    warned("W208", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher's name, in an async view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_an_async_view(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    async def book_page(request, pk):
        book = await Book.objects.select_related("publisher").aget(pk=pk)
        return JsonResponse({"publisher": book.publisher.name})

    serve(book_page)
    warned("W208", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher's name, in the template of a `DetailView`",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_detail_view(serve, url, lies, helper_finds):
    @method_decorator(versioned_condition(Book), name="dispatch")
    class BookDetail(DetailView):
        model = Book

        def render_to_response(self, context):
            page = engines["django"].from_string("<p>{{ book.publisher }}</p>")
            return HttpResponse(page.render(context))

    serve(BookDetail)
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher, by a nested serializer",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_nested_serializer(serve, url, lies, helper_finds, warned):
    class PublisherSerializer(serializers.ModelSerializer):
        class Meta:
            model = Publisher
            fields = ("name",)

    class BookSerializer(serializers.ModelSerializer):
        publisher = PublisherSerializer()

        class Meta:
            model = Book
            fields = ("title", "publisher")

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher, by a nested serializer in a list",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_nested_serializer_in_a_list(serve, book, lies, helper_finds, warned):
    class PublisherSerializer(serializers.ModelSerializer):
        class Meta:
            model = Publisher
            fields = ("name",)

    class BookSerializer(serializers.ModelSerializer):
        publisher = PublisherSerializer()

        class Meta:
            model = Book
            fields = ("title", "publisher")

    class Books(BookViewSet):
        queryset = Book.objects.select_related("publisher").order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies("/books/"):
        Publisher.objects.update(name="Seix")
    helper_finds("/books/", {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    'The publisher\'s name, by `source="publisher.name"`',
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_source(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        publisher = serializers.CharField(source="publisher.name")

        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    'The publisher\'s name, by `source="publisher.name"` in a list',
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_source_in_a_list(serve, book, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        publisher = serializers.CharField(source="publisher.name")

        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies("/books/"):
        Publisher.objects.update(name="Seix")
    helper_finds("/books/", {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher, by a `StringRelatedField`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_string_related_field(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        publisher = serializers.StringRelatedField()

        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher, by a `SlugRelatedField`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_slug_related_field(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        publisher = serializers.SlugRelatedField("name", read_only=True)

        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher's URL with its name, by a `HyperlinkedRelatedField`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_hyperlinked_related_field(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        publisher = serializers.HyperlinkedRelatedField(
            "book-detail", read_only=True, lookup_field="name", lookup_url_kwarg="pk"
        )

        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher, by `depth = 1`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_depth(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("publisher",)
            depth = 1

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher's name, by a `SerializerMethodField`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_serializer_method_field(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        publisher = serializers.SerializerMethodField()

        def get_publisher(self, book):
            return book.publisher.name

        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher's name, by a serializer's `to_representation()`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_to_representation_of_its_own(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        def to_representation(self, book):
            return {**super().to_representation(book), "publisher": str(book.publisher)}

        class Meta:
            model = Book
            fields = ("title",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The publisher's name, by a field class with its own `to_representation()`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_a_field_of_its_own(serve, url, lies, helper_finds, warned):
    class PublisherField(serializers.Field):
        def to_representation(self, publisher):
            return publisher.name.upper()

    class BookSerializer(serializers.ModelSerializer):
        publisher = PublisherField()

        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Publisher")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})


@pytest.mark.scenario(
    "The title of another book, to which a foreign key to `self` leads",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("sequels",)` in `Book`',
)
def test_a_row_of_the_same_model(serve, book, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        prequel = serializers.CharField(source="prequel.title", default=None)

        class Meta:
            model = Book
            fields = ("title", "prequel")

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Book")
    with lies(url):
        Book.objects.filter(pk=book.prequel_id).update(title="Port")
    helper_finds(url, {Book: 'touches = ("sequels",)'}, rows=2)


@pytest.mark.scenario(
    "The title of another book, which is on another page of the list",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("sequels",)` in `Book`',
)
def test_a_row_of_the_same_model_on_another_page(serve, book, lies, helper_finds, warned):
    class Pages(PageNumberPagination):
        page_size = 1

    class BookSerializer(serializers.ModelSerializer):
        prequel = serializers.CharField(source="prequel.title", default=None)

        class Meta:
            model = Book
            fields = ("title", "prequel")

    class Books(BookViewSet):
        serializer_class = BookSerializer
        pagination_class = Pages

    serve(Books)
    warned("W207", "honesty.Book")
    with lies("/books/?page=2"):
        Book.objects.filter(pk=book.prequel_id).update(title="Port")
    helper_finds("/books/?page=2", {Book: 'touches = ("sequels",)'}, rows=2)


@pytest.mark.scenario(
    "The title of another book, which is on the same page of the list", "impossible"
)
def test_a_row_of_the_same_model_on_the_same_page(serve, book, follows):
    class BookSerializer(serializers.ModelSerializer):
        prequel = serializers.CharField(source="prequel.title", default=None)

        class Meta:
            model = Book
            fields = ("title", "prequel")

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with follows("/books/"):
        Book.objects.filter(pk=book.prequel_id).update(title="Port")


@pytest.mark.scenario(
    "The seller, a row of `django.contrib.auth`, in a plain view",
    "W208",
    "helper",
    "audit",
    mend="the values in `etag_extra`",
)
def test_a_row_of_another_app(serve, book, url, lies, helper_finds, helper_is_silent, warned):
    def book_page(request, pk):
        return JsonResponse({"seller": Book.objects.get(pk=pk).seller.first_name})

    def seller(request, pk):
        return User.objects.filter(books=pk).values_list("pk", "first_name")

    serve(versioned_condition(Book)(book_page))
    warned("W208", "auth.User")
    with lies(url):
        User.objects.update(first_name="Olivia")
    rows = 'User.objects.filter(books=kwargs["pk"]).order_by("pk").values_list("pk", "first_name")'
    helper_finds(url, {"test_a_row_of_another_app": rows})
    serve(versioned_condition(Book, etag_extra=seller)(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "The seller, a row of `django.contrib.auth`, by a nested serializer",
    "W207",
    "helper",
    "audit",
    mend="the values in `get_etag_extra()`",
)
def test_a_row_of_another_app_in_a_viewset(
    serve, url, lies, helper_finds, helper_is_silent, warned
):
    class SellerSerializer(serializers.ModelSerializer):
        class Meta:
            model = User
            fields = ("first_name",)

    class BookSerializer(serializers.ModelSerializer):
        seller = SellerSerializer()

        class Meta:
            model = Book
            fields = ("seller",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        def get_etag_extra(self):
            sellers = User.objects.filter(books=self.kwargs["pk"])
            return [*super().get_etag_extra(), *sellers.values_list("pk", "first_name")]

    serve(Books)
    warned("W207", "auth.User")
    with lies(url):
        User.objects.update(first_name="Olivia")
    rows = 'User.objects.filter(books=self.kwargs["pk"])'
    helper_finds(url, {"Books": rows})
    serve(MendedBooks)
    helper_is_silent(url)


@pytest.mark.scenario(
    "The series, to which a foreign key with `to_field` leads",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Series`',
)
def test_a_foreign_key_with_to_field(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        series = serializers.CharField(source="series.name", default=None)

        class Meta:
            model = Book
            fields = ("series",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Series")
    with lies(url):
        Series.objects.update(name="Ocean")
    helper_finds(url, {Series: 'touches = ("books",)'})


@pytest.mark.scenario("The publisher's key, by a `PrimaryKeyRelatedField`", "impossible")
def test_the_key_alone(serve, url, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("publisher",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent(url)
    with follows(url):
        Book.objects.update(publisher=Publisher.objects.last())


@pytest.mark.scenario("The series' key, which deleting the series sets to NULL", "impossible")
def test_set_null(serve, url, follows):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("series",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with follows(url):
        Series.objects.all().delete()


@pytest.mark.scenario(
    'The publisher\'s name, by `annotate(name=F("publisher__name"))`', "impossible"
)
def test_an_annotation(serve, url, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        name = serializers.CharField()

        class Meta:
            model = Book
            fields = ("name",)

    class Books(BookViewSet):
        queryset = Book.objects.annotate(name=F("publisher__name")).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent(url)
    with follows(url):
        Publisher.objects.update(name="Seix")


@pytest.mark.scenario(
    'The publisher\'s name, by `annotate(name=F("publisher__name"))` in a list', "impossible"
)
def test_an_annotation_in_a_list(serve, book, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        name = serializers.CharField()

        class Meta:
            model = Book
            fields = ("name",)

    class Books(BookViewSet):
        queryset = Book.objects.annotate(name=F("publisher__name")).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent("/books/")
    with follows("/books/"):
        Publisher.objects.update(name="Seix")


@pytest.mark.scenario("The publisher's name, annotated in a plain view's source", "impossible")
def test_an_annotated_source(serve, url, follows, helper_is_silent):
    annotated = Book.objects.annotate(name=F("publisher__name"))

    @versioned_condition(annotated)
    def book_page(request, pk):
        return JsonResponse({"publisher": annotated.get(pk=pk).name})

    serve(book_page)
    helper_is_silent(url)
    with follows(url):
        Publisher.objects.update(name="Seix")


@pytest.mark.scenario(
    "The publisher's name, by another query in an async view",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Publisher`',
)
def test_an_async_view_that_calls_synchronous_code(serve, url, lies, helper_finds):
    def publisher_of(pk):
        return Publisher.objects.get(books=pk).name

    @versioned_condition(Book)
    async def book_page(request, pk):
        return JsonResponse({"publisher": await sync_to_async(publisher_of)(pk)})

    serve(book_page)
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {Publisher: IN_PUBLISHER})
