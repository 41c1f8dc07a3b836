"""W207, W212 to W215: a serializer whose output changes while the view's tags stay."""

import sys
import time
from datetime import date, datetime
from types import ModuleType

import pytest
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Count, F, Prefetch, Sum
from django.test import override_settings
from django.test.utils import isolate_apps
from django.urls import include, path
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_lazy
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from etag_versioning import etag_extra
from etag_versioning.checks import check_views
from etag_versioning.models import TouchingMixin, VersionedModel
from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet

with isolate_apps("tests.testapp"):

    class Country(models.Model):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class Publisher(models.Model):
        name = models.CharField(max_length=50)
        country = models.ForeignKey(Country, models.CASCADE, related_name="publishers")

        class Meta:
            app_label = "testapp"

        def __str__(self):
            return self.name

    class Author(VersionedModel):
        touches = ("books",)

        name = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class Subject(models.Model):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class Opinion(models.Model):
        text = models.CharField(max_length=50)
        content_type = models.ForeignKey(ContentType, models.CASCADE)
        object_id = models.IntegerField()
        content_object = GenericForeignKey()

        class Meta:
            app_label = "testapp"

    class Book(VersionedModel):
        unversioned_fields = ("reads",)

        title = models.CharField(max_length=50)
        reads = models.IntegerField(default=0)
        kind = models.CharField(max_length=5, choices=[("new", gettext_lazy("New"))])
        author = models.ForeignKey(Author, models.CASCADE, related_name="books")
        editor = models.ForeignKey(Author, models.CASCADE, related_name="edited_books")
        publisher = models.ForeignKey(Publisher, models.CASCADE, related_name="books")
        translated_from = models.ForeignKey(
            "self", models.CASCADE, null=True, related_name="others"
        )
        subjects = models.ManyToManyField(Subject, related_name="books")
        opinions = GenericRelation(Opinion, related_query_name="book")

        class Meta:
            app_label = "testapp"

        @property
        def house(self):
            return self.publisher.name

        @cached_property
        def number_of_reviews(self):
            return self.reviews.count()

        def best_review(self):
            return max(self.reviews.all(), key=lambda review: review.stars)

        @property
        def shout(self):
            return self.title.upper()

    class Review(models.Model):
        book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
        stars = models.IntegerField()

        class Meta:
            app_label = "testapp"

    class Chapter(TouchingMixin):
        touches = ("book",)

        book = models.ForeignKey(Book, models.CASCADE, related_name="chapters")
        title = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class Figure(TouchingMixin):
        touches = ("chapter__book",)

        chapter = models.ForeignKey(Chapter, models.CASCADE, related_name="figures")
        caption = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class Barcode(models.Model):
        book = models.OneToOneField(Book, models.CASCADE, related_name="barcode")
        digits = models.CharField(max_length=50)

        class Meta:
            app_label = "testapp"

    class Shelf(VersionedModel):
        books = models.ManyToManyField(Book, related_name="shelves")

        class Meta:
            app_label = "testapp"


class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = ("id", "title")


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.all()


def found(**options):
    """What the check says of a viewset of books with these options, under DRF's router."""
    viewset = type("Books", (BookViewSet,), {"__module__": __name__, **options})
    router = SimpleRouter()
    router.register("books", viewset, basename="books")
    module = ModuleType("urls_of_one_test")
    module.urlpatterns = [path("", include(router.urls))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with override_settings(ROOT_URLCONF=module.__name__):
            return check_views()


def showing(**fields):
    """A serializer of books with these fields."""
    meta = type("Meta", (), {"model": Book, "fields": ("title", *fields)})
    return type("Shown", (serializers.ModelSerializer,), {"Meta": meta, **fields})


def shown(**fields):
    return found(serializer_class=showing(**fields))


def only(messages, text):
    """The one message, which is W207 and says ``text``."""
    (message,) = messages
    assert message.id == "etag_versioning.W207"
    assert f"shows {text}, whose writes" in message.msg
    return message


NAME = {"read_only": True}


# Fields that show rows whose writes change nothing.


def test_a_nested_serializer_of_a_model_that_touches_nothing_is_a_warning():
    class PublisherSerializer(serializers.ModelSerializer):
        class Meta:
            model = Publisher
            fields = ("id", "name")

    message = only(shown(publisher=PublisherSerializer()), "testapp.Publisher (publisher.name)")
    assert message.hint == (
        'class Publisher(TouchingMixin): touches = ("books",). Or, if there are few rows: '
        "etag_extra = (Publisher.objects.all(),)  # on the view"
    )


def test_each_model_on_the_way_of_a_source_is_a_warning():
    field = serializers.CharField(source="publisher.country.name", **NAME)
    publisher, country = shown(land=field)
    only([publisher], "testapp.Publisher (land)")
    only([country], "testapp.Country (land)")
    assert 'touches = ("publishers__books",)' in country.hint


def test_a_string_related_field_is_a_warning_for_what_its_str_reads():
    only(shown(publisher=serializers.StringRelatedField()), "testapp.Publisher (publisher)")


def test_a_slug_related_field_is_a_warning():
    field = serializers.SlugRelatedField("name", **NAME)
    only(shown(publisher=field), "testapp.Publisher (publisher)")


def test_a_hyperlink_by_another_column_than_the_key_is_a_warning():
    field = serializers.HyperlinkedRelatedField("x", lookup_field="name", **NAME)
    only(shown(publisher=field), "testapp.Publisher (publisher)")


def test_the_keys_of_a_reverse_relation_are_a_warning():
    field = serializers.PrimaryKeyRelatedField(many=True, **NAME)
    message = only(shown(reviews=field), "testapp.Review (reviews)")
    assert 'class Review(TouchingMixin): touches = ("book",)' in message.hint


def test_the_keys_of_another_model_s_many_to_many_field_are_a_warning():
    field = serializers.PrimaryKeyRelatedField(many=True, **NAME)
    message = only(shown(shelves=field), "testapp.Shelf (shelves)")
    assert 'class Shelf: touches = ("books",)' in message.hint


def test_the_rows_of_a_many_to_many_field_are_a_warning():
    field = serializers.SlugRelatedField("name", many=True, **NAME)
    only(shown(subjects=field), "testapp.Subject (subjects)")


def test_a_reverse_one_to_one_relation_is_a_warning():
    only(shown(barcode=serializers.CharField(**NAME)), "testapp.Barcode (barcode)")


def test_rows_of_a_generic_relation_are_a_warning():
    field = serializers.SlugRelatedField("text", many=True, **NAME)
    message = only(shown(opinions=field), "testapp.Opinion (opinions)")
    assert 'touches = ("book",)' in message.hint


def test_the_number_of_related_rows_is_a_warning():
    field = serializers.IntegerField(source="reviews.count", **NAME)
    only(shown(reviewed=field), "testapp.Review (reviewed)")


def test_the_rows_of_depth_are_a_warning():
    class Deep(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title", "publisher")
            depth = 1

    only(found(serializer_class=Deep), "testapp.Publisher (publisher.name, publisher.country)")


def test_another_row_of_the_same_model_is_a_warning():
    field = serializers.CharField(source="translated_from.title", **NAME)
    message = only(shown(original=field), "testapp.Book (original)")
    assert 'class Book: touches = ("others",)' in message.hint


def test_a_foreign_key_that_touches_does_not_name_is_a_warning():
    message = only(
        shown(editor=serializers.CharField(source="editor.name", **NAME)),
        "testapp.Author (editor)",
    )
    assert 'class Author: touches = ("books", "edited_books")' in message.hint


# Code.


def test_a_property_that_follows_a_relation_is_a_warning():
    only(shown(house=serializers.ReadOnlyField()), "testapp.Publisher (house)")


def test_a_cached_property_that_counts_rows_is_a_warning():
    only(shown(number_of_reviews=serializers.ReadOnlyField()), "testapp.Review (number_of_reviews)")


def test_a_model_s_method_with_a_lambda_is_a_warning():
    only(shown(best_review=serializers.ReadOnlyField()), "testapp.Review (best_review)")


def test_a_serializer_s_method_is_a_warning():
    class Shown(BookSerializer):
        names = serializers.SerializerMethodField()

        class Meta(BookSerializer.Meta):
            fields = ("names",)

        def get_names(self, book):
            return [subject.name for subject in book.subjects.all() if subject.pk]

    only(found(serializer_class=Shown), "testapp.Subject (names)")


def test_what_helpers_of_a_method_read_is_a_warning():
    class Shown(BookSerializer):
        house = serializers.SerializerMethodField()

        class Meta(BookSerializer.Meta):
            fields = ("house",)

        def get_house(self, book):
            return self.shorten(name_of(book.publisher))

        def shorten(self, text):
            return text[:5]

    only(found(serializer_class=Shown), "testapp.Publisher (house)")


def name_of(publisher):
    return publisher.name


def test_lookups_of_a_filter_are_a_warning():
    class Shown(BookSerializer):
        sum = serializers.SerializerMethodField()

        class Meta(BookSerializer.Meta):
            fields = ("sum",)

        def get_sum(self, book):
            return book.subjects.filter(name="a").aggregate(sum=Sum("books__reviews__stars"))

    messages = found(serializer_class=Shown)
    labels = [label for label in ("Subject", "Review") for m in messages if f".{label} (" in m.msg]
    assert labels == ["Subject", "Review"]


def test_rows_without_a_relation_are_a_warning_whose_hint_is_etag_extra():
    class Shown(BookSerializer):
        countries = serializers.SerializerMethodField()

        class Meta(BookSerializer.Meta):
            fields = ("countries",)

        def get_countries(self, book):
            return Country.objects.count()

    message = only(found(serializer_class=Shown), "testapp.Country (countries)")
    assert message.hint == "etag_extra = (Country.objects.all(),)  # on the view"


def test_a_to_representation_that_adds_related_rows_is_a_warning():
    class Shown(BookSerializer):
        def to_representation(self, instance):
            data = super().to_representation(instance)
            data["house"] = instance.publisher.name
            return data

    only(found(serializer_class=Shown), "testapp.Publisher (to_representation())")


def test_a_serializer_that_a_method_makes_is_a_warning():
    class ReviewSerializer(serializers.ModelSerializer):
        class Meta:
            model = Review
            fields = ("stars",)

    class Shown(BookSerializer):
        reviews = serializers.SerializerMethodField()

        class Meta(BookSerializer.Meta):
            fields = ("reviews",)

        def get_reviews(self, book):
            return ReviewSerializer(book.reviews.all(), many=True).data

    only(found(serializer_class=Shown), "testapp.Review (reviews, reviews.stars)")


def test_a_serializer_that_get_serializer_class_returns_is_checked():
    def get_serializer_class(self):
        if self.request.method == "GET" and self.action in ("list", "retrieve"):
            return showing(house=serializers.ReadOnlyField())
        return BookSerializer

    messages = found(get_serializer_class=get_serializer_class)
    only(messages, "testapp.Publisher (house)")


def test_an_action_with_the_tag_of_its_row_is_checked():
    @action(detail=True)
    @versioned_read
    def house(self, request, pk):
        return Response(self.get_object().publisher.name)

    messages = found(serializer_class=BookSerializer, house=house)
    only(messages, "testapp.Publisher (house())")


# What changes the tag is no warning.


def test_own_columns_and_keys_are_no_warning():
    field = serializers.IntegerField
    assert (
        shown(
            shout=serializers.ReadOnlyField(),
            publisher=serializers.PrimaryKeyRelatedField(**NAME),
            publisher_key=field(source="publisher.id", **NAME),
            publisher_id=field(**NAME),
            author=serializers.HyperlinkedRelatedField("author-detail", **NAME),
            subjects=serializers.PrimaryKeyRelatedField(many=True, **NAME),
        )
        == []
    )


def test_rows_that_touch_the_view_s_are_no_warning():
    class FigureSerializer(serializers.ModelSerializer):
        class Meta:
            model = Figure
            fields = ("caption",)

    class ChapterSerializer(serializers.ModelSerializer):
        figures = FigureSerializer(many=True, **NAME)

        class Meta:
            model = Chapter
            fields = ("title", "figures")

    author = serializers.CharField(source="author.name", **NAME)
    assert shown(author=author, chapters=ChapterSerializer(many=True, **NAME)) == []


def test_a_field_that_is_only_written_is_no_warning():
    field = serializers.SlugRelatedField("name", queryset=Publisher.objects.all(), write_only=True)
    assert shown(publisher=field) == []


def test_models_in_etag_extra_are_no_warning():
    house = showing(house=serializers.ReadOnlyField())
    assert found(serializer_class=house, etag_extra=(Publisher.objects.all(),)) == []
    assert found(serializer_class=house, etag_extra=(Publisher,)) == []
    assert len(found(serializer_class=house, etag_extra=(Country.objects.all(),))) == 1


def test_models_that_get_etag_extra_names_are_no_warning():
    def get_etag_extra(self):
        return [Publisher.objects.filter(books=self.kwargs["pk"])]

    house = showing(house=serializers.ReadOnlyField())
    assert found(serializer_class=house, get_etag_extra=get_etag_extra) == []


def test_annotated_values_are_no_warning():
    number = showing(reviews=serializers.IntegerField(**NAME))
    rows = Book.objects.annotate(number=Count("reviews"))
    field = serializers.IntegerField(source="number", **NAME)
    assert found(serializer_class=showing(n=field), queryset=rows) == []
    assert len(found(serializer_class=number, queryset=rows)) == 1


def test_a_field_whose_column_is_annotated_is_no_warning():
    rows = Book.objects.annotate(house_name=F("publisher__name"))
    house = showing(house=serializers.ReadOnlyField())
    assert found(serializer_class=house, queryset=rows) == []
    other = Book.objects.annotate(land=F("publisher__country__name"))
    assert len(found(serializer_class=house, queryset=other)) == 1


def test_what_get_queryset_annotates_is_no_warning():
    def get_queryset(self):
        return Book.objects.filter(title=self.request.user).annotate(n=F("publisher__name"))

    house = showing(house=serializers.ReadOnlyField())
    assert found(serializer_class=house, get_queryset=get_queryset) == []


def test_the_model_of_a_view_whose_code_makes_queryset_and_serializer_is_known():
    def get_queryset(self):
        return Book.objects.filter(title=self.request.user)

    def get_serializer_class(self):
        return showing(house=serializers.ReadOnlyField())

    options = {"get_queryset": get_queryset, "get_serializer_class": get_serializer_class}
    only(found(queryset=None, **options), "testapp.Publisher (house)")


def test_rows_that_are_prefetched_under_another_name_are_a_warning():
    rows = Book.objects.prefetch_related(Prefetch("reviews", to_attr="all_reviews"))
    field = serializers.SlugRelatedField("stars", source="all_reviews", many=True, **NAME)
    only(found(serializer_class=showing(stars=field), queryset=rows), "testapp.Review (stars)")


def test_a_view_whose_own_code_answers_has_the_digest_of_its_answer():
    def retrieve(self, request, pk):
        return Response(self.get_serializer(self.get_object()).data)

    house = showing(house=serializers.ReadOnlyField())
    viewset = {"serializer_class": house, "retrieve": retrieve, "list": retrieve}
    assert [m for m in found(**viewset) if m.id == "etag_versioning.W207"] == []


def test_a_serializer_that_needs_a_request_is_no_error():
    class Asking(BookSerializer):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.user = self.context["request"].user

    assert found(serializer_class=Asking) == []


def test_the_declared_fields_of_a_serializer_whose_fields_need_a_request_are_checked():
    class Asking(BookSerializer):
        house = serializers.CharField(source="publisher.name")

        def get_fields(self):
            return self.context["request"].fields

    only(found(serializer_class=Asking), "testapp.Publisher (house)")


# What else an answer depends on.


def ids(messages):
    return [message.id.removeprefix("etag_versioning.") for message in messages]


def test_a_column_that_is_left_out_of_the_version_is_a_warning():
    (message,) = found(serializer_class=showing(reads=serializers.IntegerField(**NAME)))
    assert message.id == "etag_versioning.W212"
    assert "shows testapp.Book.reads (reads), which unversioned_fields leaves out" in message.msg
    assert message.hint.startswith('queryset = Book.objects.annotate(shown_reads=F("reads"))')


def test_a_column_that_is_left_out_of_the_version_and_annotated_is_no_warning():
    rows = Book.objects.annotate(shown_reads=F("reads"))
    shown_reads = showing(reads=serializers.IntegerField(**NAME))
    assert found(serializer_class=shown_reads, queryset=rows) == []


class FavouriteSerializer(BookSerializer):
    mine = serializers.SerializerMethodField()

    class Meta(BookSerializer.Meta):
        fields = ("mine",)

    def get_mine(self, book):
        return book.title == self.context["request"].user.favourite


def test_a_method_that_asks_for_the_user_is_a_warning():
    (message,) = found(serializer_class=FavouriteSerializer)
    assert message.id == "etag_versioning.W213"
    assert "Books (mine) depends on the user who asks" in message.msg
    assert message.hint.startswith("etag_extra = (etag_extra.user,)")


def test_a_user_in_etag_extra_is_no_warning():
    def get_etag_extra(self):
        return [self.request.user.pk]

    assert found(serializer_class=FavouriteSerializer, etag_extra=(etag_extra.user,)) == []
    assert found(serializer_class=FavouriteSerializer, get_etag_extra=get_etag_extra) == []


def test_a_method_that_asks_for_a_header_is_a_warning():
    class Shown(BookSerializer):
        price = serializers.SerializerMethodField()

        class Meta(BookSerializer.Meta):
            fields = ("price",)

        def get_price(self, book):
            request = self.context.get("request")
            return request.headers.get("X-Currency")

    (message,) = found(serializer_class=Shown)
    assert message.id == "etag_versioning.W213"
    assert "depends on request headers" in message.msg


def test_a_property_that_asks_the_clock_is_a_warning():
    class Shown(BookSerializer):
        age = serializers.SerializerMethodField()

        class Meta(BookSerializer.Meta):
            fields = ("age",)

        def get_age(self, book):
            return (timezone.now() - book.updated_at).days

    (message,) = found(serializer_class=Shown)
    assert message.id == "etag_versioning.W214"
    assert message.hint.startswith("etag_extra = (etag_extra.every(60),)")


@pytest.mark.parametrize(
    "name", ["now_of_datetime", "today_of_date", "seconds_of_time", "any_of_random"]
)
def test_each_clock_is_a_warning(name):
    class Shown(BookSerializer):
        value = serializers.SerializerMethodField(method_name=name)

        class Meta(BookSerializer.Meta):
            fields = ("value",)

        def now_of_datetime(self, book):
            return datetime.now()

        def today_of_date(self, book):
            return date.today()

        def seconds_of_time(self, book):
            return time.time()

        def any_of_random(self, book):
            from random import choice

            return choice(book.title)

    assert ids(found(serializer_class=Shown)) == ["W214"]


def test_a_time_of_the_row_s_own_is_no_warning():
    class Shown(BookSerializer):
        value = serializers.SerializerMethodField()

        class Meta(BookSerializer.Meta):
            fields = ("value",)

        def get_value(self, book):
            return timezone.localtime(book.updated_at).isoformat()

    assert found(serializer_class=Shown) == []


@pytest.fixture
def languages(settings):
    settings.MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware", *settings.MIDDLEWARE]


class TranslatedSerializer(BookSerializer):
    kind = serializers.CharField(source="get_kind_display")

    class Meta(BookSerializer.Meta):
        fields = ("kind",)


@pytest.mark.usefixtures("languages")
def test_a_translated_choice_is_a_warning():
    (message,) = found(serializer_class=TranslatedSerializer)
    assert message.id == "etag_versioning.W215"
    assert "depends on the active language" in message.msg
    assert found(serializer_class=TranslatedSerializer, etag_extra=(etag_extra.language,)) == []


@pytest.mark.usefixtures("languages")
def test_a_translated_text_in_a_method_is_a_warning():
    class Shown(BookSerializer):
        text = serializers.SerializerMethodField()

        class Meta(BookSerializer.Meta):
            fields = ("text",)

        def get_text(self, book):
            return gettext("good")

    assert ids(found(serializer_class=Shown)) == ["W215"]


def test_a_translated_choice_of_a_project_with_one_language_is_no_warning():
    assert found(serializer_class=TranslatedSerializer) == []
