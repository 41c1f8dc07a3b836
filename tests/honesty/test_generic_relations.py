"""Books that show what refers to them by a generic foreign key, and labels that refer by one."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count
from django.http import JsonResponse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Comment, Label, Publisher

TOUCHES = 'touches = ("book",)'


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


@pytest.mark.scenario(
    "Comments, in a plain view: one is changed",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Comment`',
)
def test_a_changed_comment(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        book = Book.objects.get(pk=pk)
        return JsonResponse({"comments": [str(each) for each in book.comments.order_by("pk")]})

    serve(book_page)
    warned("W208", "honesty.Comment")
    with lies(url):
        Comment.objects.update(text="Bad")
    helper_finds(url, {Comment: TOUCHES})


@pytest.mark.scenario(
    "Comments, in a plain view: one is added",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Comment`',
)
def test_a_new_comment(serve, book, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        book = Book.objects.get(pk=pk)
        return JsonResponse({"comments": [str(each) for each in book.comments.order_by("pk")]})

    serve(book_page)
    warned("W208", "honesty.Comment")
    with lies(url):
        Comment.objects.create(about=book, text="Bad")
    helper_finds(url, {Comment: TOUCHES})


@pytest.mark.scenario(
    "Comments, by a nested serializer: one is deleted",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Comment`',
)
def test_a_deleted_comment(serve, book, url, lies, helper_finds, warned):
    class CommentSerializer(serializers.ModelSerializer):
        class Meta:
            model = Comment
            fields = ("text",)

    class BookSerializer(serializers.ModelSerializer):
        comments = CommentSerializer(many=True)

        class Meta:
            model = Book
            fields = ("comments",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    spam = Comment.objects.create(about=book, text="Spam")
    warned("W207", "honesty.Comment")
    with lies(url):
        spam.delete()
    helper_finds(url, {Comment: TOUCHES})


@pytest.mark.scenario(
    "Comments, by a nested serializer in a list",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Comment`',
)
def test_a_list(serve, book, lies, helper_finds, warned):
    class CommentSerializer(serializers.ModelSerializer):
        class Meta:
            model = Comment
            fields = ("text",)

    class BookSerializer(serializers.ModelSerializer):
        comments = CommentSerializer(many=True)

        class Meta:
            model = Book
            fields = ("comments",)

    class Books(BookViewSet):
        queryset = Book.objects.prefetch_related("comments").order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Comment")
    with lies("/books/"):
        Comment.objects.update(text="Bad")
    helper_finds("/books/", {Comment: TOUCHES})


@pytest.mark.scenario(
    "The number of comments, by a `SerializerMethodField`",
    "W207",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Comment`',
)
def test_a_number(serve, book, url, lies, helper_finds, warned):
    class BookSerializer(serializers.ModelSerializer):
        discussed = serializers.SerializerMethodField()

        def get_discussed(self, book):
            return book.comments.count()

        class Meta:
            model = Book
            fields = ("discussed",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    warned("W207", "honesty.Comment")
    with lies(url):
        Comment.objects.create(about=book, text="Bad")
    helper_finds(url, {Comment: TOUCHES})


@pytest.mark.scenario(
    "Comments found by content type and key, without the `GenericRelation`",
    "W208",
    "helper",
    "audit",
    mend='`touches = ("book",)` in `Comment`',
)
def test_a_query_by_content_type(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        kind = ContentType.objects.get_for_model(Book)
        comments = Comment.objects.filter(content_type=kind, object_id=pk).order_by("pk")
        return JsonResponse({"comments": [comment.text for comment in comments]})

    serve(book_page)
    warned("W208", "honesty.Comment")
    with lies(url):
        Comment.objects.update(text="Bad")
    helper_finds(url, {Comment: TOUCHES})


@pytest.mark.scenario('The number of comments, by `annotate(Count("comments"))`', "impossible")
def test_an_annotated_number(serve, book, url, follows, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        number = serializers.IntegerField()

        class Meta:
            model = Book
            fields = ("number",)

    class Books(BookViewSet):
        queryset = Book.objects.annotate(number=Count("comments")).order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    helper_is_silent(url)
    with follows(url):
        Comment.objects.create(about=book, text="Bad")


@pytest.mark.scenario(
    "The row to which a label's generic foreign key leads, in a plain view",
    "W208",
    "helper",
    "audit",
    mend="the values in `etag_extra`",
)
def test_a_row_behind_a_generic_foreign_key(
    serve, book, lies, helper_finds, helper_is_silent, warned
):
    def label_page(request, pk):
        return JsonResponse({"about": str(Label.objects.get(pk=pk).about)})

    def about(request, pk):
        return [str(Label.objects.get(pk=pk).about)]

    url = f"/labels/{Label.objects.get().pk}/"
    serve(versioned_condition(Label)(label_page), "labels/<int:pk>/")
    warned("W208", "rows of any model")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {"test_a_row_behind": "Publisher.objects"})
    serve(versioned_condition(Label, etag_extra=about)(label_page), "labels/<int:pk>/")
    helper_is_silent(url)


@pytest.mark.scenario(
    "The row to which a label's generic foreign key leads, by a `StringRelatedField`",
    "W207",
    "helper",
    "audit",
    mend="the values in `get_etag_extra()`",
)
def test_a_row_behind_a_generic_foreign_key_in_a_viewset(
    serve, book, lies, helper_finds, helper_is_silent, warned
):
    class LabelSerializer(serializers.ModelSerializer):
        about = serializers.StringRelatedField()

        class Meta:
            model = Label
            fields = ("about",)

    class Labels(VersionedModelViewSet):
        queryset = Label.objects.order_by("pk")
        serializer_class = LabelSerializer

    class MendedLabels(Labels):
        def get_etag_extra(self):
            return [*super().get_etag_extra(), str(Label.objects.get(pk=self.kwargs["pk"]).about)]

    url = f"/books/{Label.objects.get().pk}/"
    serve(Labels)
    warned("W207", "rows of any model")
    with lies(url):
        Publisher.objects.update(name="Seix")
    helper_finds(url, {"Labels": "Publisher.objects"})
    serve(MendedLabels)
    helper_is_silent(url)
