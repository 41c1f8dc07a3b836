"""Pages that depend on a header or cookie of the request, or differ in a header."""

import pytest
from django.http import HttpResponse, JsonResponse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.versioning import AcceptHeaderVersioning

from etag_versioning import etag_extra
from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Notice


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


@pytest.mark.scenario(
    "A price in the currency that a header names, in a plain view",
    "W213",
    "helper",
    "audit",
    mend='`etag_extra.header("…")` in `etag_extra`',
)
def test_a_header_in_a_plain_view(
    serve, url, lies, helper_finds, helper_is_silent, visitor, warned
):
    def book_page(request, pk):
        return HttpResponse(f"10 {request.headers.get('X-Currency', 'EUR')}")

    tried = {"headers": {"X-Currency": ["USD"]}}
    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_a_header_in_a_plain_view": "X-Currency"}, **tried)
    warned("W213", "depends on request headers")
    with lies(url):
        visitor.defaults["HTTP_X_CURRENCY"] = "USD"
    serve(versioned_condition(Book, etag_extra=etag_extra.header("X-Currency"))(book_page))
    helper_is_silent(url, **tried)


@pytest.mark.scenario(
    "A price in the currency that a header names, in an async view",
    "W213",
    "helper",
    "audit",
    mend='`etag_extra.header("…")` in `etag_extra`',
)
def test_a_header_in_an_async_view(
    serve, url, lies, helper_finds, helper_is_silent, visitor, warned
):
    async def book_page(request, pk):
        return HttpResponse(f"10 {request.headers.get('X-Currency', 'EUR')}")

    tried = {"headers": {"X-Currency": ["USD"]}}
    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_a_header_in_an_async_view": "X-Currency"}, **tried)
    warned("W213", "depends on request headers")
    with lies(url):
        visitor.defaults["HTTP_X_CURRENCY"] = "USD"
    serve(versioned_condition(Book, etag_extra=etag_extra.header("X-Currency"))(book_page))
    helper_is_silent(url, **tried)


@pytest.mark.scenario(
    "A price in the currency that a header names, in a viewset",
    "W213",
    "helper",
    "audit",
    mend='`etag_extra.header("…")` in `etag_extra`',
)
def test_a_header_in_a_viewset(serve, url, lies, helper_finds, helper_is_silent, visitor, warned):
    class BookSerializer(serializers.ModelSerializer):
        currency = serializers.SerializerMethodField()

        def get_currency(self, book):
            return self.context["request"].headers.get("X-Currency", "EUR")

        class Meta:
            model = Book
            fields = ("price", "currency")

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (etag_extra.header("X-Currency"),)

    tried = {"headers": {"X-Currency": ["USD"]}}
    serve(Books)
    helper_finds(url, {"Books": "X-Currency"}, **tried)
    warned("W213", "depends on request headers")
    with lies(url):
        visitor.defaults["HTTP_X_CURRENCY"] = "USD"
    serve(MendedBooks)
    helper_is_silent(url, **tried)


@pytest.mark.scenario(
    "A price in the currency that a header names, in a list",
    "W213",
    "helper",
    "audit",
    mend='`etag_extra.header("…")` in `etag_extra`',
)
def test_a_header_in_a_list(serve, book, lies, helper_finds, helper_is_silent, visitor, warned):
    class BookSerializer(serializers.ModelSerializer):
        currency = serializers.SerializerMethodField()

        def get_currency(self, book):
            return self.context["request"].headers.get("X-Currency", "EUR")

        class Meta:
            model = Book
            fields = ("price", "currency")

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (etag_extra.header("X-Currency"),)

    tried = {"headers": {"X-Currency": ["USD"]}}
    serve(Books)
    helper_finds("/books/", {"Books": "X-Currency"}, **tried)
    warned("W213", "depends on request headers")
    with lies("/books/"):
        visitor.defaults["HTTP_X_CURRENCY"] = "USD"
    serve(MendedBooks)
    helper_is_silent("/books/", **tried)


@pytest.mark.scenario(
    "A fragment of a page for scripts, by a header that the view's `Vary` names",
    "W213",
    "helper",
    "audit",
    mend='`etag_extra.header("…")` in `etag_extra`',
)
def test_a_header_that_vary_names(
    serve, url, lies, helper_finds, helper_is_silent, visitor, warned
):
    def book_page(request, pk):
        is_script = request.headers.get("X-Requested-With") == "XMLHttpRequest"
        content = "<p>Book</p>" if is_script else "<html><p>Book</p></html>"
        return HttpResponse(content, headers={"Vary": "X-Requested-With"})

    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_a_header_that_vary_names": "X-Requested-With"})
    warned("W213", "depends on request headers")
    with lies(url):
        visitor.defaults["HTTP_X_REQUESTED_WITH"] = "XMLHttpRequest"
    serve(versioned_condition(Book, etag_extra=etag_extra.header("X-Requested-With"))(book_page))
    helper_is_silent(url)


@pytest.mark.scenario(
    "JSON or HTML, chosen by a plain view from `Accept`",
    "helper",
    "audit",
    mend='`etag_extra.header("…")` in `etag_extra`',
)
def test_accept_in_a_plain_view(serve, url, lies, helper_finds, helper_is_silent, visitor):
    def book_page(request, pk):
        if request.get_preferred_type(["text/html", "application/json"]) == "text/html":
            return HttpResponse("<p>Book</p>", headers={"Vary": "Accept"})
        return JsonResponse({"book": pk}, headers={"Vary": "Accept"})

    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_accept_in_a_plain_view": "Accept"})
    with lies(url):
        visitor.defaults["HTTP_ACCEPT"] = "application/json"
    serve(versioned_condition(Book, etag_extra=etag_extra.header("Accept"))(book_page))
    helper_is_silent(url)


@pytest.mark.scenario("JSON in another media type, by a viewset's renderers", "impossible")
def test_renderers(serve, url, follows, visitor):
    class PlainTextRenderer(JSONRenderer):
        media_type = "text/plain"
        format = "txt"

    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title",)

    class Books(BookViewSet):
        serializer_class = BookSerializer
        renderer_classes = [JSONRenderer, PlainTextRenderer]

    serve(Books)
    with follows(url):
        visitor.defaults["HTTP_ACCEPT"] = "text/plain"


@pytest.mark.scenario("Another version of the API, named in `Accept`", "impossible")
def test_a_version_of_the_api(serve, url, follows, visitor):
    class BookSerializer(serializers.ModelSerializer):
        api = serializers.SerializerMethodField()

        def get_api(self, book):
            return self.context["request"].version

        class Meta:
            model = Book
            fields = ("api",)

    class Books(BookViewSet):
        serializer_class = BookSerializer
        versioning_class = AcceptHeaderVersioning

    serve(Books)
    visitor.defaults["HTTP_ACCEPT"] = "application/json; version=1"
    with follows(url):
        visitor.defaults["HTTP_ACCEPT"] = "application/json; version=2"


@pytest.mark.scenario(
    "An absolute URL with the host of the request, in a plain view",
    "helper",
    mend="`etag_extra.host` in `etag_extra`",
)
def test_the_host(serve, url, lies, helper_finds, helper_is_silent, visitor):
    def book_page(request, pk):
        return HttpResponse(request.build_absolute_uri())

    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_the_host": "terms.host"}, hosts=["shop.example"])
    with lies(url, audit=False):
        visitor.defaults["SERVER_NAME"] = "shop.example"
    serve(versioned_condition(Book, etag_extra=etag_extra.host)(book_page))
    helper_is_silent(url, hosts=["shop.example"])


@pytest.mark.scenario(
    "An absolute URL with the host of the request, by a `HyperlinkedIdentityField`",
    "helper",
    mend="`etag_extra.host` in `etag_extra`",
)
def test_the_host_in_a_viewset(serve, url, lies, helper_finds, helper_is_silent, visitor):
    class BookSerializer(serializers.ModelSerializer):
        url = serializers.HyperlinkedIdentityField("book-detail")

        class Meta:
            model = Book
            fields = ("url",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (etag_extra.host,)

    serve(Books)
    helper_finds(url, {"Books": "terms.host"}, hosts=["shop.example"])
    with lies(url, audit=False):
        visitor.defaults["SERVER_NAME"] = "shop.example"
    serve(MendedBooks)
    helper_is_silent(url, hosts=["shop.example"])


@pytest.mark.scenario(
    "A `Link` header with the text of an unrelated row",
    "W208",
    "helper",
    "audit",
    mend="`etag_extra=[Notice.objects.all()]`",
)
def test_a_header_of_the_answer(serve, url, lies, helper_finds, helper_is_silent, warned):
    def book_page(request, pk):
        notice = Notice.objects.order_by("pk").first()
        return HttpResponse("Book", headers={"Link": f"</{notice and notice.text}>; rel=help"})

    serve(versioned_condition(Book)(book_page))
    warned("W208", "honesty.Notice")
    with lies(url):
        Notice.objects.update(text="Sale")
    helper_finds(url, {"test_a_header_of_the_answer": "Notice.objects"})
    serve(versioned_condition(Book, etag_extra=[Notice.objects.all()])(book_page))
    helper_is_silent(url)
