"""Pages in the language of the visitor."""

import pytest
from django.http import HttpResponse
from django.template import engines
from django.utils import formats, translation
from django.utils.translation import gettext, gettext_lazy
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning import etag_extra
from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Translation

BY_LANGUAGE = "terms.language"
IN_VIEW = "`etag_extra=etag_extra.language`"
IN_VIEWSET = "`etag_extra.language(self.request)` in `get_etag_extra()`"


@pytest.fixture(autouse=True)
def languages(settings):
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


class ByLanguage:
    def get_etag_extra(self):
        return [*super().get_etag_extra(), *etag_extra.language(self.request)]


def ask_in_german(visitor):
    visitor.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"


@pytest.mark.scenario("A translated text, in a plain view", "W215", "helper", "audit", mend=IN_VIEW)
def test_a_plain_view(serve, url, lies, helper_finds, helper_is_silent, visitor, warned):
    def book_page(request, pk):
        return HttpResponse(gettext("Yes"))

    visitor.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_a_plain_view": BY_LANGUAGE})
    warned("W215", "depends on the active language")
    with lies(url):
        ask_in_german(visitor)
    serve(versioned_condition(Book, etag_extra=etag_extra.language)(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "A translated text, in an async view", "W215", "helper", "audit", mend=IN_VIEW
)
def test_an_async_view(serve, url, lies, helper_finds, helper_is_silent, visitor, warned):
    async def book_page(request, pk):
        return HttpResponse(gettext("Yes"))

    visitor.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_an_async_view": BY_LANGUAGE})
    warned("W215", "depends on the active language")
    with lies(url):
        ask_in_german(visitor)
    serve(versioned_condition(Book, etag_extra=etag_extra.language)(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "A translated text, by `{% translate %}` in a template", "helper", "audit", mend=IN_VIEW
)
def test_a_template(serve, url, lies, helper_finds, helper_is_silent, visitor):
    def book_page(request, pk):
        page = engines["django"].from_string('{% load i18n %}<p>{% translate "Yes" %}</p>')
        return HttpResponse(page.render({}))

    visitor.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_a_template": BY_LANGUAGE})
    with lies(url):
        ask_in_german(visitor)
    serve(versioned_condition(Book, etag_extra=etag_extra.language)(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "The label of a choice, translated, in a viewset", "helper", "audit", mend=IN_VIEWSET
)
def test_a_label_of_a_choice(serve, url, lies, helper_finds, helper_is_silent, visitor):
    labels = {"soft": gettext_lazy("Yes"), "hard": gettext_lazy("No")}

    class BookSerializer(serializers.ModelSerializer):
        binding = serializers.SerializerMethodField()

        def get_binding(self, book):
            return labels[book.binding]

        class Meta:
            model = Book
            fields = ("binding",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(ByLanguage, Books):
        pass

    visitor.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    serve(Books)
    helper_finds(url, {"Books": "terms.language"})
    with lies(url):
        ask_in_german(visitor)
    serve(MendedBooks)
    helper_is_silent(url)


@pytest.mark.scenario("A translated text, in a list", "W215", "helper", "audit", mend=IN_VIEWSET)
def test_a_list(serve, book, lies, helper_finds, helper_is_silent, visitor, warned):
    class BookSerializer(serializers.ModelSerializer):
        soft = serializers.SerializerMethodField()

        def get_soft(self, book):
            return gettext("Yes")

        class Meta:
            model = Book
            fields = ("soft",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(ByLanguage, Books):
        pass

    visitor.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    serve(Books)
    helper_finds("/books/", {"Books": "terms.language"})
    warned("W215", "depends on the active language")
    with lies("/books/"):
        ask_in_german(visitor)
    serve(MendedBooks)
    helper_is_silent("/books/")


@pytest.mark.scenario(
    "A title in the visitor's language, from a table of translations",
    "W215",
    "helper",
    "audit",
    mend=IN_VIEW,
)
def test_a_row_for_each_language(
    serve, url, lies, helper_finds, helper_is_silent, visitor, add_line, warned
):
    def book_page(request, pk):
        book = Book.objects.get(pk=pk)
        titles = book.translations.filter(language=translation.get_language())
        return HttpResponse(next((row.title for row in titles), book.title))

    add_line(Translation, 'touches = ("book",)')
    visitor.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_a_row_for_each_language": BY_LANGUAGE})
    warned("W215", "depends on the active language")
    with lies(url):
        ask_in_german(visitor)
    serve(versioned_condition(Book, etag_extra=etag_extra.language)(book_page))
    helper_is_silent(url)


@pytest.mark.scenario("A date in the format of the language", "helper", "audit", mend=IN_VIEW)
def test_a_date(serve, url, lies, helper_finds, helper_is_silent, visitor):
    def book_page(request, pk):
        published = Book.objects.get(pk=pk).published_at
        return HttpResponse(formats.date_format(published, "DATE_FORMAT"))

    visitor.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_a_date": BY_LANGUAGE})
    with lies(url):
        ask_in_german(visitor)
    serve(versioned_condition(Book, etag_extra=etag_extra.language)(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "A price with the decimal separator of the language", "helper", "audit", mend=IN_VIEW
)
def test_a_number(serve, url, lies, helper_finds, helper_is_silent, visitor):
    def book_page(request, pk):
        return HttpResponse(formats.localize(Book.objects.get(pk=pk).price))

    visitor.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_a_number": BY_LANGUAGE})
    with lies(url):
        ask_in_german(visitor)
    serve(versioned_condition(Book, etag_extra=etag_extra.language)(book_page))
    helper_is_silent(url)


@pytest.mark.scenario("A language that the view takes from the query string", "impossible")
def test_a_query_string(serve, url, follows):
    @versioned_condition(Book)
    def book_page(request, pk):
        with translation.override(request.GET.get("language", "en")):
            return HttpResponse(gettext("Yes"))

    serve(book_page)
    with follows(f"{url}?language=en", then=f"{url}?language=de"):
        pass
