"""What lies, and no check, helper or audit tells of: each is a limit of all of them."""

from datetime import timedelta

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import condition

from etag_versioning.decorators import etag_func, versioned_condition
from tests.honesty.models import Book


@pytest.fixture
def nobody_finds(lies, proofs, warned_of, helper_is_silent):
    """A block in which something changes; the tag lies, and nothing tells of it."""

    def run(url):
        assert warned_of() == []
        helper_is_silent(url)
        proofs.append("reader")
        return lies(url, audit=False)

    return run


@pytest.mark.scenario(
    "A stream of a file, or from another service",
    "reader",
    mend="`file_etag_func()`, or what the service says of its version in `etag_extra`",
)
def test_a_stream(serve, url, tmp_path, nobody_finds):
    text = tmp_path / "terms.txt"
    text.write_text("Buy")

    @versioned_condition(Book)
    def terms_page(request, pk):
        return StreamingHttpResponse([text.read_bytes()])

    serve(terms_page)
    with nobody_finds(url):
        text.write_text("Sell")


class DayMiddleware:
    """Writes the date into each page."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 200:
            response.content += f" {timezone.localdate()}".encode()
        return response


@pytest.mark.scenario(
    "The date, which a middleware writes into each page",
    "reader",
    mend="the date in `etag_extra`",
)
def test_a_middleware(serve, url, settings, monkeypatch, nobody_finds):
    settings.MIDDLEWARE = [f"{__name__}.DayMiddleware"]

    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse("Book")

    serve(book_page)
    tomorrow = timezone.now() + timedelta(days=1)
    with nobody_finds(url):
        monkeypatch.setattr(timezone, "now", lambda: tomorrow)


@pytest.mark.scenario(
    "The date, in a view under Django's own `condition`",
    "reader",
    mend="`versioned_condition()` in place of `condition()`, which the checks and the audit know",
)
def test_djangos_condition(serve, url, monkeypatch, nobody_finds):
    @condition(etag_func(Book, lookup_url_kwarg="pk"))
    def book_page(request, pk):
        return HttpResponse(str(timezone.localdate()))

    serve(book_page)
    tomorrow = timezone.now() + timedelta(days=1)
    with nobody_finds(url):
        monkeypatch.setattr(timezone, "now", lambda: tomorrow)


@pytest.mark.scenario(
    "A file on the disk, in an answer of more than `max_bytes`",
    "reader",
    mend="`file_etag_func()` as a second source; a greater `max_bytes`",
)
def test_a_large_answer(serve, url, tmp_path, nobody_finds):
    text = tmp_path / "terms.txt"
    text.write_text("Buy" * 400_000)

    @versioned_condition(Book)
    def terms_page(request, pk):
        return HttpResponse(text.read_bytes(), content_type="text/plain")

    serve(terms_page)
    with nobody_finds(url):
        text.write_text("Sell" * 400_000)
