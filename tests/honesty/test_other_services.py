"""Content from outside the database: another service, the process, its environment, chance."""

import os
import random
from functools import lru_cache
from types import SimpleNamespace

import pytest
from django.http import HttpResponse, JsonResponse
from rest_framework import serializers

from etag_versioning.decorators import versioned_condition
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.honesty.models import Book, Publisher


@pytest.fixture
def weather():
    """A service that says something else at each change."""
    return SimpleNamespace(text="rain")


@pytest.mark.scenario(
    "What another service says, in a plain view",
    "audit",
    mend="a part of its answer in `etag_extra`, or no tag",
)
def test_another_service(serve, url, lies, weather, mended):
    def book_page(request, pk):
        return JsonResponse({"weather": weather.text})

    serve(versioned_condition(Book)(book_page))
    with lies(url):
        weather.text = "sun"
    serve(versioned_condition(Book, etag_extra=lambda request, pk: [weather.text])(book_page))
    with mended(url):
        weather.text = "snow"


@pytest.mark.scenario(
    "What another service says, in a list",
    "audit",
    mend="a part of its answer in `get_etag_extra()`",
)
def test_another_service_in_a_list(serve, book, lies, weather):
    class BookSerializer(serializers.ModelSerializer):
        weather = serializers.SerializerMethodField()

        def get_weather(self, book):
            return weather.text

        class Meta:
            model = Book
            fields = ("weather",)

    class Books(VersionedModelViewSet):
        queryset = Book.objects.order_by("pk")
        serializer_class = BookSerializer

    serve(Books)
    with lies("/books/"):
        weather.text = "sun"


@pytest.mark.scenario(
    "A row that `lru_cache` keeps in one process, until the process forgets it",
    "audit",
    mend="Django's cache, cleared when the row is written, in place of `lru_cache`",
)
def test_a_cache_in_the_process(serve, url, lies, add_line):
    @lru_cache
    def publisher_of(pk):
        return Publisher.objects.get(books=pk).name

    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse(publisher_of(pk))

    add_line(Publisher, 'touches = ("books",)')
    serve(book_page)
    publisher_of(int(url.split("/")[2]))
    for publisher in Publisher.objects.filter(name="Planeta"):
        publisher.name = "Seix"
        publisher.save()
    with lies(url):
        publisher_of.cache_clear()


@pytest.mark.scenario(
    "A variable of the environment", "audit", mend="the variable in `etag_extra`, or in `REVISION`"
)
def test_the_environment(serve, url, lies, monkeypatch):
    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse(os.environ.get("SHOP", "Bookshop"))

    serve(book_page)
    with lies(url):
        monkeypatch.setenv("SHOP", "Library")


@pytest.mark.scenario(
    "A recommendation that is chosen at random",
    "W214",
    "helper",
    "audit",
    mend="leave it out, or load it by a request of its own",
)
def test_chance(serve, url, lies, warned, helper_finds):
    @versioned_condition(Book)
    def book_page(request, pk):
        return HttpResponse(str(random.random()))

    serve(book_page)
    warned("W214", "depends on the time or on chance")
    helper_finds(url, {})
    with lies(url):
        pass
