"""Pages that the clock changes, while no row is written."""

from datetime import timedelta

import pytest
from django.core import signing
from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.utils import timezone
from django.utils.timesince import timesince
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from etag_versioning import etag_extra
from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book

TODAY = "`etag_extra.today` in `etag_extra`"


class BookViewSet(VersionedModelViewSet):
    queryset = Book.objects.order_by("pk")
    renderer_classes = [JSONRenderer]


class BookZone:
    """Activates the time zone that a cookie names, as a project's middleware does."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with timezone.override(request.COOKIES.get("zone", "UTC")):
            return self.get_response(request)


@pytest.fixture
def clock(monkeypatch):
    """A function that sets ``timezone.now()`` so many days later; it stands still meanwhile."""
    start = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: start)
    return lambda days: monkeypatch.setattr(timezone, "now", lambda: start + timedelta(days=days))


@pytest.mark.scenario('"3 days ago", by `timesince` in a plain view', "audit", mend=TODAY)
def test_an_age(serve, url, lies, clock, mended):
    def book_page(request, pk):
        return HttpResponse(timesince(Book.objects.get(pk=pk).published_at, timezone.now()))

    serve(versioned_condition(Book)(book_page))
    with lies(url):
        clock(days=40)
    serve(versioned_condition(Book, etag_extra=etag_extra.today)(book_page))
    with mended(url):
        clock(days=80)


@pytest.mark.scenario('"3 days ago", by a template\'s filter', "audit", mend=TODAY)
def test_an_age_in_a_template(serve, url, lies, clock, mended):
    def book_page(request, pk):
        page = engines["django"].from_string("{{ published|timesince:now }}")
        published = Book.objects.get(pk=pk).published_at
        return HttpResponse(page.render({"published": published, "now": timezone.now()}))

    serve(versioned_condition(Book)(book_page))
    with lies(url):
        clock(days=40)
    serve(versioned_condition(Book, etag_extra=etag_extra.today)(book_page))
    with mended(url):
        clock(days=80)


@pytest.mark.scenario("Whether the book is new, by a `SerializerMethodField`", "audit", mend=TODAY)
def test_what_is_new(serve, book, url, lies, clock, mended):
    class BookSerializer(serializers.ModelSerializer):
        is_new = serializers.SerializerMethodField()

        def get_is_new(self, book):
            return book.published_at > timezone.now() - timedelta(days=30)

        class Meta:
            model = Book
            fields = ("is_new",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (etag_extra.today,)

    Book.objects.update(published_at=timezone.now())
    serve(Books)
    with lies(url):
        clock(days=31)
    serve(MendedBooks)
    with mended(url):
        clock(days=0)


@pytest.mark.scenario("Whether each book is new, in a list", "audit", mend=TODAY)
def test_what_is_new_in_a_list(serve, book, lies, clock):
    class BookSerializer(serializers.ModelSerializer):
        is_new = serializers.SerializerMethodField()

        def get_is_new(self, book):
            return book.published_at > timezone.now() - timedelta(days=30)

        class Meta:
            model = Book
            fields = ("is_new",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    Book.objects.update(published_at=timezone.now())
    serve(Books)
    with lies("/books/"):
        clock(days=31)


@pytest.mark.scenario("Today's date, in the footer of a page", "W214", "audit", mend=TODAY)
def test_today(serve, url, lies, clock, warned, mended):
    def book_page(request, pk):
        return HttpResponse(f"Book {pk}, {timezone.localdate():%d.%m.%Y}")

    serve(versioned_condition(Book)(book_page))
    warned("W214", "depends on the time or on chance")
    with lies(url):
        clock(days=1)
    serve(versioned_condition(Book, etag_extra=etag_extra.today)(book_page))
    with mended(url):
        clock(days=2)


@pytest.mark.scenario("Today's date, in an async view", "W214", "audit", mend=TODAY)
def test_today_in_an_async_view(serve, url, lies, clock, warned, mended):
    async def book_page(request, pk):
        return JsonResponse({"today": timezone.localdate()})

    serve(versioned_condition(Book)(book_page))
    warned("W214", "depends on the time or on chance")
    with lies(url):
        clock(days=1)
    serve(versioned_condition(Book, etag_extra=etag_extra.today)(book_page))
    with mended(url):
        clock(days=2)


@pytest.mark.scenario(
    "A signed link, which another second signs otherwise",
    "audit",
    mend="`etag_extra.every(600)`, less than the link's life, in `etag_extra`",
)
def test_a_signed_link(serve, url, lies, monkeypatch, mended):
    now = [1_000_000_000]
    monkeypatch.setattr(signing.time, "time", lambda: now[0])

    def book_page(request, pk):
        return HttpResponse(f"/download/{signing.TimestampSigner().sign(str(pk))}")

    serve(versioned_condition(Book)(book_page))
    with lies(url):
        now[0] += 3600
    serve(versioned_condition(Book, etag_extra=etag_extra.every(600))(book_page))
    with mended(url):
        now[0] += 3600


@pytest.mark.scenario("A price that is lower after a date", "audit", mend=TODAY)
def test_a_sale(serve, url, lies, clock, mended):
    start = timezone.now() + timedelta(days=3)

    class BookSerializer(serializers.ModelSerializer):
        price = serializers.SerializerMethodField()

        def get_price(self, book):
            return float(book.price) / (2 if timezone.now() >= start else 1)

        class Meta:
            model = Book
            fields = ("price",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        etag_extra = (etag_extra.today,)

    serve(Books)
    with lies(url):
        clock(days=4)
    serve(MendedBooks)
    with mended(url):
        clock(days=0)


@pytest.mark.scenario("A list of books that have appeared, by a filter with `now()`", "impossible")
def test_a_filter_by_the_clock(serve, book, follows, clock):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

        def get_queryset(self):
            return super().get_queryset().filter(published_at__lte=timezone.now())

    Book.objects.filter(pk=book.pk).update(published_at=timezone.now() + timedelta(days=3))
    serve(Books)
    with follows("/books/"):
        clock(days=4)


@pytest.mark.scenario(
    "A book that is 404 before it appears, by a filter with `now()`", "impossible"
)
def test_a_row_that_expires(serve, book, url, follows, clock):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

        def get_queryset(self):
            limit = timezone.now() - timedelta(days=30)
            return super().get_queryset().filter(published_at__gt=limit)

    Book.objects.filter(pk=book.pk).update(published_at=timezone.now())
    serve(Books)
    with follows(url):
        clock(days=31)


@pytest.mark.scenario(
    "A time in the visitor's time zone, which a middleware activates, in a plain view",
    "helper",
    "audit",
    mend="`etag_extra.time_zone` in `etag_extra`",
)
def test_a_time_zone(serve, url, lies, helper_finds, helper_is_silent):
    def book_page(request, pk):
        published = timezone.localtime(Book.objects.get(pk=pk).published_at)
        return HttpResponse(published.isoformat())

    def zone(request, pk):
        return [timezone.get_current_timezone_name()]

    tried = {"time_zones": ["Asia/Tokyo"]}
    serve(versioned_condition(Book)(book_page))
    helper_finds(url, {"test_a_time_zone": "terms.time_zone"}, **tried)
    with lies(url):
        timezone.activate("Asia/Tokyo")
    timezone.deactivate()
    serve(versioned_condition(Book, etag_extra=zone)(book_page))
    helper_is_silent(url, **tried)


@pytest.mark.scenario(
    "A time in the visitor's time zone, by a `DateTimeField` of a serializer",
    "helper",
    "audit",
    mend="`etag_extra.time_zone` in `etag_extra`",
)
def test_a_time_zone_in_a_viewset(serve, url, lies, helper_finds, helper_is_silent):
    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("published_at",)

    class Books(BookViewSet):
        serializer_class = BookSerializer

    class MendedBooks(Books):
        def get_etag_extra(self):
            return [*super().get_etag_extra(), timezone.get_current_timezone_name()]

    tried = {"time_zones": ["Asia/Tokyo"]}
    serve(Books)
    helper_finds(url, {"Books": "terms.time_zone"}, **tried)
    with lies(url):
        timezone.activate("Asia/Tokyo")
    timezone.deactivate()
    serve(MendedBooks)
    helper_is_silent(url, **tried)


@pytest.mark.scenario(
    "A time in the time zone that a cookie names",
    "audit",
    mend="`etag_extra.time_zone` in `etag_extra`",
)
def test_a_cookie_with_a_time_zone(serve, url, lies, settings, mended):
    settings.MIDDLEWARE = [f"{__name__}.BookZone"]

    def book_page(request, pk):
        published = timezone.localtime(Book.objects.get(pk=pk).published_at)
        return HttpResponse(published.isoformat())

    serve(versioned_condition(Book)(book_page))
    with lies(url) as visitor:
        visitor.cookies["zone"] = "Asia/Tokyo"
    serve(versioned_condition(Book, etag_extra=etag_extra.time_zone)(book_page))
    with mended(url) as visitor:
        visitor.cookies["zone"] = "Europe/London"


@pytest.mark.scenario(
    "The time to the microsecond, which differs each time",
    "W214",
    "helper",
    "audit",
    mend="leave it out: each answer has a `Date`",
)
def test_what_differs_each_time(serve, url, lies, helper_finds, warned):
    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse(str(timezone.now()))

    serve(book_page)
    helper_finds(url, {})
    warned("W214", "depends on the time or on chance")
    with lies(url):
        pass
