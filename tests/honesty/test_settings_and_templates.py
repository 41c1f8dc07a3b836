"""Pages that show settings, options in a table, flags, or what a template reads by itself."""

import pytest
from django import template
from django.conf import settings as django_settings
from django.core.cache import caches
from django.http import HttpResponse
from django.template import engines
from django.template.context import make_context
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Notice, Option

OPTIONS = 'Option.objects.order_by("pk").values_list("pk", "key", "value")'
IN_EXTRA = "the rows as a queryset in `etag_extra`"


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


def welcome(request):
    """A context processor."""
    return {"notices": Notice.objects.order_by("pk")}


@pytest.mark.scenario(
    "A currency from a table of options, in a plain view", "W208", "helper", "audit", mend=IN_EXTRA
)
def test_an_option(serve, url, lies, helper_finds, helper_is_silent, warned):
    def book_page(request, pk):
        currency = Option.objects.filter(key="currency").first()
        return HttpResponse(f"10 {currency.value if currency else 'EUR'}")

    serve(versioned_condition(Book)(book_page))
    warned("W208", "honesty.Option")
    with lies(url):
        Option.objects.update(value="USD")
    helper_finds(url, {"test_an_option": "Option.objects"})
    serve(versioned_condition(Book, etag_extra=[Option.objects.all()])(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "A currency from a table of options, in a viewset", "W207", "helper", "audit", mend=IN_EXTRA
)
def test_an_option_in_a_viewset(serve, url, lies, helper_finds, helper_is_silent, warned):
    class BookSerializer(serializers.ModelSerializer):
        currency = serializers.SerializerMethodField()

        def get_currency(self, book):
            return dict(Option.objects.values_list("key", "value")).get("currency")

        class Meta:
            model = Book
            fields = ("currency",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (Option.objects.all(),)

    serve(Books)
    warned("W207", "honesty.Option")
    with lies(url):
        Option.objects.update(value="USD")
    helper_finds(url, {"Books": "Option.objects"})
    serve(MendedBooks)
    helper_is_silent(url)


@pytest.mark.scenario(
    "A feature behind a flag in a table, in a list", "W207", "helper", "audit", mend=IN_EXTRA
)
def test_a_flag(serve, book, lies, helper_finds, helper_is_silent, warned):
    class BookSerializer(serializers.ModelSerializer):
        def to_representation(self, book):
            shown = super().to_representation(book)
            if Option.objects.filter(key="stars", value="on").exists():
                shown["stars"] = 5
            return shown

        class Meta:
            model = Book
            fields = ("title",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (Option.objects.all(),)

    serve(Books)
    warned("W207", "honesty.Option")
    with lies("/books/"):
        Option.objects.create(key="stars", value="on")
    helper_finds("/books/", {"Books": "Option.objects"}, rows=2)
    serve(MendedBooks)
    helper_is_silent("/books/", rows=2)


@pytest.mark.scenario(
    "A notice on every page, by a context processor", "helper", "audit", mend=IN_EXTRA
)
def test_a_context_processor(serve, url, lies, helper_finds, helper_is_silent, settings):
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"context_processors": [f"{__name__}.welcome"]},
        }
    ]

    def book_page(request, pk):
        page = engines["django"].from_string(
            "{% for notice in notices %}{{ notice.text }}{% endfor %}"
        )
        return HttpResponse(page.render({}, request))

    serve(versioned_condition(Book)(book_page))
    with lies(url):
        Notice.objects.update(text="Sale")
    helper_finds(url, {"test_a_context_processor": "Notice.objects"})
    serve(versioned_condition(Book, etag_extra=[Notice.objects.all()])(book_page))
    helper_is_silent(url)


@pytest.mark.scenario("A notice on every page, by a template tag", "helper", "audit", mend=IN_EXTRA)
def test_a_template_tag(serve, url, lies, helper_finds, helper_is_silent):
    library = template.Library()

    @library.simple_tag
    def notice():
        return ", ".join(Notice.objects.order_by("pk").values_list("text", flat=True))

    engine = template.Engine(builtins=["django.template.defaulttags"])
    engine.template_builtins.append(library)
    page = engine.from_string("<p>{% notice %}</p>")

    def book_page(request, pk):
        return HttpResponse(page.render(make_context({}, autoescape=True)))

    serve(versioned_condition(Book)(book_page))
    with lies(url):
        Notice.objects.update(text="Sale")
    helper_finds(url, {"test_a_template_tag": "Notice.objects"})
    serve(versioned_condition(Book, etag_extra=[Notice.objects.all()])(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "A setting of the project that changes while it runs, in a plain view",
    "audit",
    mend="the setting in `etag_extra`, or `REVISION`",
)
def test_a_setting(serve, url, lies, settings):
    settings.CURRENCY = "EUR"

    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse(f"10 {django_settings.CURRENCY}")

    serve(book_page)
    with lies(url):
        settings.CURRENCY = "USD"


@pytest.mark.scenario(
    "A number in Django's cache, in a viewset",
    "audit",
    mend="the number in `get_etag_extra()`",
)
def test_a_cached_number(serve, url, lies):
    class BookSerializer(serializers.ModelSerializer):
        visitors = serializers.SerializerMethodField()

        def get_visitors(self, book):
            return caches["default"].get("visitors", 0)

        class Meta:
            model = Book
            fields = ("visitors",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    serve(Books)
    with lies(url):
        caches["default"].set("visitors", 3)


@pytest.mark.scenario(
    "A template in the database of options", "W208", "helper", "audit", mend=IN_EXTRA
)
def test_a_template_in_a_table(serve, url, lies, helper_finds, helper_is_silent, warned):
    def book_page(request, pk):
        row = Option.objects.filter(key="currency").first()
        page = engines["django"].from_string(row.value if row else "")
        return HttpResponse(page.render({"title": "Island"}))

    serve(versioned_condition(Book)(book_page))
    warned("W208", "honesty.Option")
    with lies(url):
        Option.objects.update(value="<b>{{ title }}</b>")
    helper_finds(url, {"test_a_template_in_a_table": "Option.objects"})
    serve(versioned_condition(Book, etag_extra=[Option.objects.all()])(book_page))
    helper_is_silent(url)
