"""Links of many-to-many fields, and the rows at their other end."""

import pytest
from django.db.models import Count
from django.http import JsonResponse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Author, Book, Genre, Shelf, Shop, Stock


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


@pytest.mark.scenario("The keys of authors: one is added", "impossible")
def test_a_new_link(serve, book, url, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("authors",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent(url)
    with follows(url):
        book.authors.add(Author.objects.create(name="Cleo"))


@pytest.mark.scenario("The keys of authors: one is removed from the author's side", "impossible")
def test_a_link_that_is_removed_from_the_other_side(serve, book, url, follows):
    @versioned_condition(Book)
    def book_page(request, pk):
        authors = Author.objects.filter(books=pk)
        return JsonResponse({"authors": list(authors.values_list("pk", flat=True))})

    serve(book_page)
    with follows(url):
        Author.objects.first().books.remove(book)


@pytest.mark.scenario("The keys of authors: an author is deleted", "impossible")
def test_a_deleted_row_at_the_other_end(serve, book, follows):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("authors",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with follows("/books/"):
        Author.objects.first().delete()


@pytest.mark.scenario(
    "The names of authors, in a plain view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Author`',
)
def test_a_plain_view(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        book = Book.objects.get(pk=pk)
        return JsonResponse({"authors": [str(each) for each in book.authors.order_by("pk")]})

    serve(book_page)
    warned("W208", "honesty.Author")
    with lies(url):
        Author.objects.update(name="Anna")
    helper_finds(url, {Author: 'touches = ("books",)'})


@pytest.mark.scenario(
    "The names of authors, in an async view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Author`',
)
def test_an_async_view(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    async def book_page(request, pk):
        book = await Book.objects.aget(pk=pk)
        return JsonResponse({"authors": [each.name async for each in book.authors.order_by("pk")]})

    serve(book_page)
    warned("W208", "honesty.Author")
    with lies(url):
        Author.objects.update(name="Anna")
    helper_finds(url, {Author: 'touches = ("books",)'})


@pytest.mark.scenario(
    "Authors, by a nested serializer",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Author`',
)
def test_a_nested_serializer(serve, url, lies, helper_finds, warned):
    class AuthorSerializer(serializers.ModelSerializer):
        class Meta:
            model = Author
            fields = ("name",)

    class BookSerializer(serializers.ModelSerializer):
        authors = AuthorSerializer(many=True)

        class Meta:
            model = Book
            fields = ("authors",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Author")
    with lies(url):
        Author.objects.update(name="Anna")
    helper_finds(url, {Author: 'touches = ("books",)'})


@pytest.mark.scenario(
    "Authors, by a nested serializer in a list",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Author`',
)
def test_a_nested_serializer_in_a_list(serve, book, lies, helper_finds, warned):
    class AuthorSerializer(serializers.ModelSerializer):
        class Meta:
            model = Author
            fields = ("name",)

    class BookSerializer(serializers.ModelSerializer):
        authors = AuthorSerializer(many=True)

        class Meta:
            model = Book
            fields = ("authors",)

    class Books(BookViewSet):
        queryset = Book.objects.prefetch_related("authors").order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Author")
    with lies("/books/"):
        Author.objects.update(name="Anna")
    helper_finds("/books/", {Author: 'touches = ("books",)'})


@pytest.mark.scenario(
    "The names of genres, by a `SlugRelatedField(many=True)`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Genre`',
)
def test_a_slug_related_field(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        genres = serializers.SlugRelatedField("name", many=True, read_only=True)

        class Meta:
            model = Book
            fields = ("genres",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Genre")
    with lies(url):
        Genre.objects.update(name="saga")
    helper_finds(url, {Genre: 'touches = ("books",)'})


@pytest.mark.scenario(
    "The names of genres, joined by a `SerializerMethodField` in a list",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Genre`',
)
def test_a_method_in_a_list(serve, book, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        genres = serializers.SerializerMethodField()

        def get_genres(self, book):
            return ", ".join(genre.name for genre in book.genres.order_by("pk"))

        class Meta:
            model = Book
            fields = ("genres",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Genre")
    with lies("/books/"):
        Genre.objects.update(name="saga")
    helper_finds("/books/", {Genre: 'touches = ("books",)'})


@pytest.mark.scenario(
    "The shelves of a book, whose field is in `Shelf`, in a plain view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Shelf`',
)
def test_the_other_side(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        shelves = Shelf.objects.filter(books=pk).order_by("pk")
        return JsonResponse({"shelves": [shelf.name for shelf in shelves]})

    serve(book_page)
    warned("W208", "honesty.Book")
    with lies(url):
        Shelf.objects.update(name="Sale")
    helper_finds(url, {Shelf: 'touches = ("books",)'})


@pytest.mark.scenario(
    "The keys of shelves, whose field is in `Shelf`: the book is put on another one",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Shelf`',
)
def test_a_link_of_the_other_side(serve, book, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        shelves = serializers.PrimaryKeyRelatedField(many=True, read_only=True)

        class Meta:
            model = Book
            fields = ("shelves",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Shelf")
    with lies(url):
        Shelf.objects.create(name="Sale").books.add(book)
    helper_finds(url, {Shelf: 'touches = ("books",)'})


@pytest.mark.scenario(
    "The number of books on a shelf and their titles, in a plain view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("shelves",)` in `Book`',
)
def test_versioned_rows_at_the_other_end(serve, book, lies, helper_finds, warned):
    @versioned_condition(Shelf)
    def shelf_page(request, pk):
        books = Shelf.objects.get(pk=pk).books.order_by("pk")
        return JsonResponse({"books": [book.title for book in books]})

    serve(shelf_page, "shelves/<int:pk>/")
    url = f"/shelves/{book.shelves.get().pk}/"
    warned("W208", "honesty.Book")
    with lies(url):
        Book.objects.update(title="Cliff")
    helper_finds(url, {Book: 'touches = ("shelves",)'})


@pytest.mark.scenario("The titles of a shelf's books, given as a second source", "impossible")
def test_a_second_source(serve, book, follows, helper_is_silent):
    @versioned_condition(Shelf, lambda request, pk: Book.objects.filter(shelves=pk))
    def shelf_page(request, pk):
        books = Shelf.objects.get(pk=pk).books.order_by("pk")
        return JsonResponse({"books": [book.title for book in books]})

    serve(shelf_page, "shelves/<int:pk>/")
    url = f"/shelves/{book.shelves.get().pk}/"
    helper_is_silent(url)
    with follows(url):
        Book.objects.update(title="Cliff")


@pytest.mark.scenario(
    "Copies in each shop, from a `through` model: a number changes",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Stock`',
)
def test_a_column_of_a_through_model(serve, url, lies, helper_finds, warned):
    class StockSerializer(serializers.ModelSerializer):
        class Meta:
            model = Stock
            fields = ("copies",)

    class BookSerializer(serializers.ModelSerializer):
        stocks = StockSerializer(many=True)

        class Meta:
            model = Book
            fields = ("stocks",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Stock")
    with lies(url):
        Stock.objects.update(copies=0)
    helper_finds(url, {Stock: 'touches = ("book",)'})


@pytest.mark.scenario(
    "The keys of shops, linked by a `through` model: one is added",
    "W006",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Stock`',
)
def test_a_link_of_a_through_model(serve, book, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("shops",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W006", "has its links in honesty.Stock")
    with lies(url):
        book.shops.add(Shop.objects.create(name="Market"))
    helper_finds(url, {Stock: 'touches = ("book",)'})


@pytest.mark.scenario(
    "The names of shops, behind a `through` model, in a plain view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("books",)` in `Shop`, `("book",)` in `Stock`',
)
def test_rows_behind_a_through_model(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        shops = Shop.objects.filter(stocks__book=pk).order_by("pk")
        return JsonResponse({"shops": [shop.name for shop in shops]})

    serve(book_page)
    warned("W208", "honesty.Stock")
    with lies(url):
        Shop.objects.update(name="Market")
    helper_finds(url, {Shop: 'touches = ("books",)', Stock: 'touches = ("book",)'})


@pytest.mark.scenario('The number of authors, by `annotate(Count("authors"))`', "impossible")
def test_an_annotated_number(serve, book, url, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        number = serializers.IntegerField()

        class Meta:
            model = Book
            fields = ("number",)

    class Books(BookViewSet):
        queryset = Book.objects.annotate(number=Count("authors")).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent(url)
    with follows(url):
        book.authors.clear()
