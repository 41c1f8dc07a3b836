"""django-ninja: its operations answer 304, 412 and 428 after authentication and validation."""

import json
from types import ModuleType

import pytest
from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.test import AsyncClient
from django.urls import path
from ninja import NinjaAPI, Router, Schema, Status
from ninja.errors import HttpError
from ninja.security import HttpBearer

from etag_versioning.contrib.ninja import versioned_operation
from etag_versioning.models import VersionedModel
from tests.documentation.blocks import DOCS, blocks

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Book(VersionedModel):
    title = models.CharField(max_length=100)


class BookIn(Schema):
    title: str


class BookOut(Schema):
    id: int
    title: str


class Token(HttpBearer):
    def authenticate(self, request, token):
        return token == "right"


api = NinjaAPI(urls_namespace="etag_versioning_books")
calls = []


@api.get("/books/{book_id}", response=BookOut)
@versioned_operation(Book, lookup_url_kwarg="book_id")
def read_book(request, book_id: int):
    """Shows a book."""
    calls.append(book_id)
    return get_object_or_404(Book, pk=book_id)


@api.put("/books/{book_id}", response=BookOut)
@versioned_operation(Book, lookup_url_kwarg="book_id")
def update_book(request, book_id: int, data: BookIn):
    book = get_object_or_404(Book, pk=book_id)
    book.title = data.title
    book.save()
    if data.title == "refused":
        raise HttpError(409, "This title is refused.")
    return book


@api.delete("/books/{book_id}", response={204: None})
@versioned_operation(Book, lookup_url_kwarg="book_id")
def delete_book(request, book_id: int):
    get_object_or_404(Book, pk=book_id).delete()
    return Status(204, None)


def book_by_id(request, book_id):
    return Book.objects.filter(pk=book_id)


@api.get("/by-source/{book_id}", response=BookOut)
@versioned_operation(book_by_id)
def read_book_by_source(request, book_id: int):
    return get_object_or_404(Book, pk=book_id)


@api.get("/private/{book_id}", response=BookOut, auth=Token())
@versioned_operation(Book, lookup_url_kwarg="book_id")
def read_private_book(request, book_id: int):
    return get_object_or_404(Book, pk=book_id)


@api.get("/own-response/{book_id}", response=BookOut)
@versioned_operation(Book, lookup_url_kwarg="book_id")
def read_with_own_headers(request, book_id: int, response: HttpResponse):
    response["X-Shelf"] = "7"
    response.set_cookie("seen", "1")
    return get_object_or_404(Book, pk=book_id)


@api.get("/async/{book_id}", response=BookOut)
@versioned_operation(Book, lookup_url_kwarg="book_id")
async def read_book_async(request, book_id: int):
    calls.append(book_id)
    return await Book.objects.aget(pk=book_id)


@api.put("/async/{book_id}", response=BookOut)
@versioned_operation(Book, lookup_url_kwarg="book_id")
async def update_book_async(request, book_id: int, data: BookIn):
    book = await Book.objects.aget(pk=book_id)
    book.title = data.title
    await book.asave()
    return book


router = Router()


@router.get("/{book_id}", response=BookOut)
@versioned_operation(Book, lookup_url_kwarg="book_id")
def read_of_router(request, book_id: int):
    return get_object_or_404(Book, pk=book_id)


api.add_router("/first", router)
api.add_router("/second", router, url_name_prefix="second")
urlpatterns = [path("api/", api.urls)]


@pytest.fixture
def book():
    calls.clear()
    return Book.objects.create(title="Emma")


def put(client, url, title, **headers):
    body = json.dumps({"title": title})
    return client.put(url, body, content_type="application/json", headers=headers)


def test_a_get_has_the_tag_of_the_row_and_the_data_of_the_schema(client, book):
    answer = client.get(f"/api/books/{book.pk}")
    assert answer.status_code == 200
    assert answer["ETag"].startswith(f'"book-{book.pk}-v1.')
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer.json() == {"id": book.pk, "title": "Emma"}


def test_a_get_with_the_current_tag_is_304_without_the_operation(client, book):
    tag = client.get(f"/api/books/{book.pk}")["ETag"]
    calls.clear()
    answer = client.get(f"/api/books/{book.pk}", headers={"If-None-Match": tag})
    assert answer.status_code == 304
    assert answer["ETag"] == tag
    assert calls == []


def test_a_source_is_given_the_parameters_of_the_operation_and_no_others(client, book):
    assert client.get(f"/api/by-source/{book.pk}").status_code == 200


def test_a_put_without_if_match_is_428_and_writes_nothing(client, book):
    answer = put(client, f"/api/books/{book.pk}", "Persuasion")
    assert answer.status_code == 428
    assert Book.objects.get().title == "Emma"


def test_a_put_with_the_current_tag_is_200_with_the_new_tag(client, book):
    tag = client.get(f"/api/books/{book.pk}")["ETag"]
    answer = put(client, f"/api/books/{book.pk}", "Persuasion", **{"If-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["title"] == "Persuasion"
    assert answer["ETag"] == client.get(f"/api/books/{book.pk}")["ETag"] != tag


def test_a_put_with_a_stale_tag_is_412_with_the_current_tag(client, book):
    tag = client.get(f"/api/books/{book.pk}")["ETag"]
    put(client, f"/api/books/{book.pk}", "Persuasion", **{"If-Match": tag})
    answer = put(client, f"/api/books/{book.pk}", "Sanditon", **{"If-Match": tag})
    assert answer.status_code == 412
    assert answer.json()["current_etag"] == client.get(f"/api/books/{book.pk}")["ETag"]
    assert Book.objects.get().title == "Persuasion"


def test_a_delete_with_the_current_tag_is_204(client, book):
    tag = client.get(f"/api/books/{book.pk}")["ETag"]
    answer = client.delete(f"/api/books/{book.pk}", headers={"If-Match": tag})
    assert answer.status_code == 204
    assert not Book.objects.exists()


def test_a_row_that_is_absent_is_404(client):
    assert client.get("/api/books/7").status_code == 404


def test_an_error_of_the_operation_rolls_its_write_back(client, book):
    tag = client.get(f"/api/books/{book.pk}")["ETag"]
    answer = put(client, f"/api/books/{book.pk}", "refused", **{"If-Match": tag})
    assert answer.status_code == 409
    assert answer.json() == {"detail": "This title is refused."}
    assert Book.objects.get().title == "Emma"


def test_a_body_that_does_not_fit_the_schema_is_422_before_preconditions(client, book):
    answer = client.put(
        f"/api/books/{book.pk}", "{}", content_type="application/json", headers={"If-Match": '"x"'}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("key", ["its own", "of no row"])
def test_a_caller_who_is_not_authenticated_gets_401_and_no_tag(client, book, key):
    tag = client.get(f"/api/books/{book.pk}")["ETag"]
    number = book.pk if key == "its own" else book.pk + 1
    answer = client.get(f"/api/private/{number}", headers={"If-None-Match": tag})
    assert answer.status_code == 401
    assert "ETag" not in answer


def test_an_authenticated_caller_gets_304(client, book):
    tag = client.get(f"/api/books/{book.pk}")["ETag"]
    headers = {"If-None-Match": tag, "Authorization": "Bearer right"}
    assert client.get(f"/api/private/{book.pk}", headers=headers).status_code == 304


def test_headers_and_cookies_that_the_operation_sets_stay(client, book):
    answer = client.get(f"/api/own-response/{book.pk}")
    assert answer["X-Shelf"] == "7"
    assert answer.cookies["seen"].value == "1"
    assert answer["ETag"].startswith('"book-')
    assert answer["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("place", ["first", "second"])
def test_a_router_can_be_mounted_in_several_places(client, book, place):
    tag = client.get(f"/api/{place}/{book.pk}")["ETag"]
    answer = client.get(f"/api/{place}/{book.pk}", headers={"If-None-Match": tag})
    assert answer.status_code == 304


def test_the_schema_shows_no_parameter_of_ours():
    schema = api.get_openapi_schema()
    operation = schema["paths"]["/api/books/{book_id}"]["get"]
    assert [each["name"] for each in operation["parameters"]] == ["book_id"]
    assert operation["description"] == "Shows a book."


def code_of_the_page():
    """The guide's code as one module, for the book of this file."""
    code = "".join(b.text for b in blocks(DOCS / "ninja.md") if b.language == "python")
    module = ModuleType("guide")
    code = code.replace("from .models import Book", f"from {__name__} import Book")
    exec(compile(code, "docs/ninja.md", "exec"), vars(module))
    module.urlpatterns = [path("api/", module.api.urls)]
    return module


def test_the_code_of_the_guide_answers_304_428_and_412(client, book, settings):
    settings.ROOT_URLCONF = code_of_the_page()
    url = f"/api/books/{book.pk}"
    tag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert put(client, url, "Persuasion").status_code == 428
    assert put(client, url, "Persuasion", **{"If-Match": tag}).status_code == 200
    assert put(client, url, "Sanditon", **{"If-Match": tag}).status_code == 412
    tag = client.get(url)["ETag"]
    assert client.delete(url, headers={"If-Match": tag}).status_code == 204


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("close_connections")
async def test_a_coroutine_is_304_without_running():
    calls.clear()
    client = AsyncClient()
    book = await Book.objects.acreate(title="Emma")
    tag = (await client.get(f"/api/async/{book.pk}"))["ETag"]
    calls.clear()
    answer = await client.get(f"/api/async/{book.pk}", headers={"If-None-Match": tag})
    assert answer.status_code == 304
    assert calls == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("close_connections")
async def test_of_two_writes_of_a_coroutine_with_one_tag_the_second_is_412():
    client = AsyncClient()
    book = await Book.objects.acreate(title="Emma")
    tag = (await client.get(f"/api/async/{book.pk}"))["ETag"]
    first = await _put_async(client, book, "Persuasion", tag)
    second = await _put_async(client, book, "Sanditon", tag)
    assert (first.status_code, second.status_code) == (200, 412)
    assert (await Book.objects.aget()).title == "Persuasion"


async def _put_async(client, book, title, tag):
    body = json.dumps({"title": title})
    return await client.put(
        f"/api/async/{book.pk}", body, content_type="application/json", headers={"If-Match": tag}
    )
