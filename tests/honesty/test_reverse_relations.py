"""Books that show rows which refer to them: a child is changed, added or deleted."""

import pytest
from django.db.models import Avg, Count, Prefetch
from django.http import HttpResponse, JsonResponse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Chapter, Favourite, Review, Summary, Translation

TOUCHES = 'touches = ("book",)'


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


@pytest.mark.scenario(
    "Chapters, in a plain view: one is renamed",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_changed_child(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        book = Book.objects.get(pk=pk)
        return JsonResponse({"chapters": [str(each) for each in book.chapters.order_by("pk")]})

    serve(book_page)
    warned("W208", "honesty.Chapter")
    with lies(url):
        Chapter.objects.update(title="Storm")
    helper_finds(url, {Chapter: TOUCHES})


@pytest.mark.scenario(
    "Chapters, in a plain view: one is added",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_new_child(serve, book, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        chapters = Chapter.objects.filter(book=pk).order_by("pk")
        return HttpResponse("\n".join(chapter.title for chapter in chapters))

    serve(book_page)
    warned("W208", "honesty.Chapter")
    with lies(url):
        book.chapters.create(title="Storm")
    helper_finds(url, {Chapter: TOUCHES})


@pytest.mark.scenario(
    "Chapters, in an async view: one is deleted",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_deleted_child(serve, book, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    async def book_page(request, pk):
        titles = Chapter.objects.filter(book=pk).order_by("pk").values_list("title", flat=True)
        return JsonResponse({"chapters": [title async for title in titles]})

    serve(book_page)
    storm = book.chapters.create(title="Storm")
    warned("W208", "honesty.Chapter")
    with lies(url):
        storm.delete()
    helper_finds(url, {Chapter: TOUCHES})


@pytest.mark.scenario(
    "Chapters, in a plain view: one moves to another book",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_child_that_moves(serve, book, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        return JsonResponse({"chapters": Chapter.objects.filter(book=pk).count()})

    serve(book_page)
    warned("W208", "honesty.Chapter")
    with lies(url):
        Chapter.objects.update(book=book.prequel)
    helper_finds(url, {Chapter: TOUCHES})


@pytest.mark.scenario(
    "Chapters, by a nested serializer",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_nested_serializer(serve, url, lies, helper_finds, warned):
    class ChapterSerializer(serializers.ModelSerializer):
        class Meta:
            model = Chapter
            fields = ("title",)

    class BookSerializer(serializers.ModelSerializer):
        chapters = ChapterSerializer(many=True)

        class Meta:
            model = Book
            fields = ("chapters",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Chapter")
    with lies(url):
        Chapter.objects.update(title="Storm")
    helper_finds(url, {Chapter: TOUCHES})


@pytest.mark.scenario(
    "Chapters, by a nested serializer in a list with `prefetch_related()`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_nested_serializer_in_a_list(serve, book, lies, helper_finds, warned):
    class ChapterSerializer(serializers.ModelSerializer):
        class Meta:
            model = Chapter
            fields = ("title",)

    class BookSerializer(serializers.ModelSerializer):
        chapters = ChapterSerializer(many=True)

        class Meta:
            model = Book
            fields = ("chapters",)

    class Books(BookViewSet):
        queryset = Book.objects.prefetch_related("chapters").order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Chapter")
    with lies("/books/"):
        book.chapters.create(title="Storm")
    helper_finds("/books/", {Chapter: TOUCHES})


@pytest.mark.scenario(
    "Chapters, by `Prefetch(to_attr=…)`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_prefetched_attribute(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        long_chapters = serializers.StringRelatedField(many=True)

        class Meta:
            model = Book
            fields = ("long_chapters",)

    class Books(BookViewSet):
        queryset = Book.objects.prefetch_related(
            Prefetch("chapters", Chapter.objects.order_by("pk"), to_attr="long_chapters")
        ).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Chapter")
    with lies(url):
        Chapter.objects.update(title="Storm")
    helper_finds(url, {Chapter: TOUCHES})


@pytest.mark.scenario(
    "Chapters, by a `StringRelatedField(many=True)`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_string_related_field(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        chapters = serializers.StringRelatedField(many=True)

        class Meta:
            model = Book
            fields = ("chapters",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Chapter")
    with lies(url):
        Chapter.objects.update(title="Storm")
    helper_finds(url, {Chapter: TOUCHES})


@pytest.mark.scenario(
    "The keys of chapters, by a `PrimaryKeyRelatedField(many=True)`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_keys_of_children(serve, book, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        chapters = serializers.PrimaryKeyRelatedField(many=True, read_only=True)

        class Meta:
            model = Book
            fields = ("chapters",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Chapter")
    with lies(url):
        book.chapters.create(title="Storm")
    helper_finds(url, {Chapter: TOUCHES})


@pytest.mark.scenario(
    "The number of chapters, by a `SerializerMethodField`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_number_of_children(serve, book, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        length = serializers.SerializerMethodField()

        def get_length(self, book):
            return book.chapters.count()

        class Meta:
            model = Book
            fields = ("length",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Chapter")
    with lies(url):
        book.chapters.create(title="Storm")
    helper_finds(url, {Chapter: TOUCHES})


@pytest.mark.scenario(
    'The number of chapters, by `IntegerField(source="chapters.count")` in a list',
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Chapter`',
)
def test_a_number_by_source_in_a_list(serve, book, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        length = serializers.IntegerField(source="chapters.count")

        class Meta:
            model = Book
            fields = ("length",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Chapter")
    with lies("/books/"):
        book.chapters.create(title="Storm")
    helper_finds("/books/", {Chapter: TOUCHES})


@pytest.mark.scenario('The number of chapters, by `annotate(Count("chapters"))`', "impossible")
def test_an_annotated_number(serve, book, url, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        length = serializers.IntegerField()

        class Meta:
            model = Book
            fields = ("length",)

    class Books(BookViewSet):
        queryset = Book.objects.annotate(length=Count("chapters")).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent(url)
    with follows(url):
        book.chapters.create(title="Storm")


@pytest.mark.scenario(
    'The number of chapters, by `annotate(Count("chapters"))` in a list', "impossible"
)
def test_an_annotated_number_in_a_list(serve, book, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        length = serializers.IntegerField()

        class Meta:
            model = Book
            fields = ("length",)

    class Books(BookViewSet):
        queryset = Book.objects.annotate(length=Count("chapters")).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent("/books/")
    with follows("/books/"):
        book.chapters.create(title="Storm")


@pytest.mark.scenario(
    "The average of the reviews, by an aggregate in a plain view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Review`',
)
def test_an_aggregate(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        reviews = Review.objects.filter(book=pk)
        return JsonResponse(reviews.aggregate(average=Avg("stars")))

    serve(book_page)
    warned("W208", "honesty.Review")
    with lies(url):
        Review.objects.update(stars=1)
    helper_finds(url, {Review: TOUCHES})


@pytest.mark.scenario(
    "Whether there are reviews, by `exists()` in a `SerializerMethodField`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Review`',
)
def test_the_existence_of_children(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        reviewed = serializers.SerializerMethodField()

        def get_reviewed(self, book):
            return book.reviews.exists()

        class Meta:
            model = Book
            fields = ("reviewed",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Review")
    with lies(url):
        Review.objects.all().delete()
    helper_finds(url, {Review: TOUCHES})


@pytest.mark.scenario(
    "The latest review, by `last()` in a plain view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Review`',
)
def test_the_latest_child(serve, book, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        latest = Review.objects.filter(book=pk).order_by("pk").last()
        return JsonResponse({"stars": latest and latest.stars})

    serve(book_page)
    warned("W208", "honesty.Review")
    with lies(url):
        book.reviews.create(stars=2)
    helper_finds(url, {Review: TOUCHES})


@pytest.mark.scenario(
    "Reviews, by a method of the model",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Review`',
)
def test_a_method_of_the_model(serve, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("stars",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Review")
    with lies(url):
        Review.objects.update(stars=1)
    helper_finds(url, {Review: TOUCHES})


@pytest.mark.scenario(
    "The summary, at the other end of a one-to-one relation, in a plain view",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Summary`',
)
def test_a_one_to_one_relation(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        summary = Summary.objects.filter(book=pk).first()
        return JsonResponse({"summary": summary and summary.text})

    serve(book_page)
    warned("W208", "honesty.Summary")
    with lies(url):
        Summary.objects.update(text="Rescued")
    helper_finds(url, {Summary: TOUCHES})


@pytest.mark.scenario(
    "The summary, at the other end of a one-to-one relation, by a nested serializer",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Summary`',
)
def test_a_nested_one_to_one_relation(serve, url, lies, helper_finds, warned):
    class SummarySerializer(serializers.ModelSerializer):
        class Meta:
            model = Summary
            fields = ("text",)

    class BookSerializer(serializers.ModelSerializer):
        summary = SummarySerializer()

        class Meta:
            model = Book
            fields = ("summary",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Summary")
    with lies(url):
        Summary.objects.update(text="Rescued")
    helper_finds(url, {Summary: TOUCHES})


@pytest.mark.scenario(
    "The summary, which is written later than its book",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Summary`',
)
def test_a_one_to_one_relation_that_is_added(serve, book, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        summary = serializers.CharField(source="summary.text", default=None)

        class Meta:
            model = Book
            fields = ("summary",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    url = f"/books/{book.prequel_id}/"
    warned("W207", "honesty.Summary")
    with lies(url):
        Summary.objects.create(book=book.prequel, text="Rescued")
    helper_finds(url, {Summary: TOUCHES})


@pytest.mark.scenario(
    "The title in the visitor's language, from a table of translations",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Translation`',
)
def test_a_table_of_translations(serve, url, lies, helper_finds):
    class BookSerializer(serializers.ModelSerializer):
        german = serializers.SerializerMethodField()

        def get_german(self, book):
            return getattr(book.translations.filter(language="de").first(), "title", book.title)

        class Meta:
            model = Book
            fields = ("german",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with lies(url):
        Translation.objects.update(title="Eiland")
    helper_finds(url, {Translation: TOUCHES})


@pytest.mark.scenario(
    "The number of users who like the book",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Favourite`',
)
def test_the_number_of_likes(serve, book, url, rita, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        likes = serializers.IntegerField(source="favourites.count")

        class Meta:
            model = Book
            fields = ("likes",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Favourite")
    with lies(url):
        Favourite.objects.create(book=book, user=rita)
    helper_finds(url, {Favourite: TOUCHES})
