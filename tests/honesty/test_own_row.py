"""The columns of the row itself: whatever writes them through the ORM, the tag follows."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from django.core import serializers as django_serializers
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Concat, Upper
from django.http import HttpResponse
from django.utils import timezone

from etag_versioning.decorators import versioned_condition
from tests.honesty.models import Book

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def title_page(serve):
    @versioned_condition(Book)
    def title_page(request, pk):
        return HttpResponse(Book.objects.get(pk=pk).title)

    serve(title_page)


@pytest.mark.scenario("A column, by `save()`", "impossible")
def test_save(book, url, follows):
    with follows(url):
        book.title = "Cliff"
        book.save()


@pytest.mark.scenario("A column, by `save(update_fields=…)` of a deferred instance", "impossible")
def test_save_of_some_fields(book, url, follows):
    with follows(url):
        row = Book.objects.only("title", "version", "updated_at").get(pk=book.pk)
        row.title = "Cliff"
        row.save(update_fields=["title"])


@pytest.mark.scenario("A column, by `asave()`", "impossible")
def test_asave(book, url, follows):
    with follows(url):
        book.title = "Cliff"
        async_to_sync(book.asave)()


@pytest.mark.scenario("A column, by a queryset's `update()`", "impossible")
def test_update(book, url, follows):
    with follows(url):
        Book.objects.filter(pk=book.pk).update(title="Cliff")


@pytest.mark.scenario("A column, by an expression", "impossible")
def test_an_expression(book, url, follows):
    with follows(url):
        book.title = Upper(F("title"))
        book.save()


@pytest.mark.scenario("A column, by `bulk_update()`", "impossible")
def test_bulk_update(book, url, follows):
    with follows(url):
        book.title = "Cliff"
        Book.objects.bulk_update([book], ["title"])


@pytest.mark.scenario("A column, by `update_or_create()`", "impossible")
def test_update_or_create(book, url, follows):
    with follows(url):
        Book.objects.update_or_create(pk=book.pk, defaults={"title": "Cliff"})


@pytest.mark.scenario("A column, by `bulk_create(update_conflicts=True)`", "impossible")
def test_bulk_create_with_conflicts(book, url, follows):
    unique = {} if connection.vendor == "mysql" else {"unique_fields": ["isbn"]}
    with follows(url):
        row = Book(
            isbn=book.isbn,
            title="Cliff",
            publisher=book.publisher,
            published_at=book.published_at,
        )
        Book.objects.bulk_create([row], update_conflicts=True, update_fields=["title"], **unique)


@pytest.mark.scenario("A row that is deleted", "impossible")
def test_delete(book, url, follows):
    with follows(url):
        book.delete()


@pytest.mark.scenario("A row that is deleted and created again with its key", "impossible")
def test_delete_and_create(book, url, follows):
    copy = Book(pk=book.pk, title="Cliff", publisher=book.publisher, published_at=book.published_at)
    with follows(url):
        book.delete()
        copy.save(force_insert=True)


@pytest.mark.scenario("A column, by a fixture that overwrites the row", "impossible")
def test_a_fixture(book, url, follows):
    with follows(url):
        (old,) = django_serializers.deserialize(
            "python", django_serializers.serialize("python", [book])
        )
        old.object.title = "Cliff"
        old.save()


@pytest.mark.scenario("A write after a backup was restored", "impossible")
def test_a_restored_backup(book, url, follows):
    backup = django_serializers.serialize("json", [book])
    book.title = "Cliff"
    book.save()
    with follows(url):
        for each in django_serializers.deserialize("json", backup):
            each.save()
        Book.objects.filter(pk=book.pk).update(title="Coast")


@pytest.mark.scenario("A write while the clock is set back", "impossible")
def test_a_clock_that_is_set_back(book, url, follows):
    past = datetime(2020, 1, 1, tzinfo=UTC)
    with follows(url), mock.patch.object(timezone, "now", return_value=past):
        book.title = "Cliff"
        book.save()


@pytest.mark.scenario("Two writes at one tick of the clock", "impossible")
def test_two_writes_at_the_same_time(book, url, follows):
    now = timezone.now() + timedelta(hours=1)
    with mock.patch.object(timezone, "now", return_value=now):
        book.save()
        with follows(url):
            book.title = "Cliff"
            book.save()


@pytest.mark.scenario("A write by another tag's digits: version 1 after version 11", "impossible")
def test_a_tag_that_begins_with_another(book, url, follows):
    for _ in range(10):
        book.save()
    copy = Book(pk=book.pk, title="Cliff", publisher=book.publisher, published_at=book.published_at)
    with follows(url):
        Book.objects.filter(pk=book.pk).delete()
        copy.save(force_insert=True)


@pytest.mark.scenario("A write that is rolled back, and another one", "impossible")
def test_a_write_after_a_rollback(book, url, follows):
    with follows(url):
        with transaction.atomic():
            Book.objects.filter(pk=book.pk).update(title="Coast")
            transaction.set_rollback(True)
        Book.objects.filter(pk=book.pk).update(title=Concat("title", "title"))
