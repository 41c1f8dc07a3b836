"""django-import-export: imported rows are written as new states, exported ones are read."""

import pytest
import tablib
from django.db import models
from import_export.resources import ModelResource

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel

pytestmark = pytest.mark.django_db


class Book(VersionedModel):
    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=0)


class BookResource(ModelResource):
    class Meta:
        model = Book
        fields = ("id", "title", "pages")
        skip_unchanged = True


class BulkBookResource(ModelResource):
    class Meta:
        model = Book
        fields = ("id", "title", "pages")
        use_bulk = True
        skip_diff = True


class VersionedBookResource(ModelResource):
    """The version in the file says which state each line was exported in."""

    class Meta:
        model = Book
        fields = ("id", "title", "version")


class AllFieldsResource(ModelResource):
    class Meta:
        model = Book


class MendedResource(ModelResource):
    """As the error says."""

    class Meta:
        model = Book
        exclude = ("updated_at",)


def lines(*rows, headers=("id", "title", "pages")):
    return tablib.Dataset(*rows, headers=headers)


def test_an_import_bumps_each_row_that_it_changes_once():
    changed = Book.objects.create(title="one", pages=1)
    same = Book.objects.create(title="two", pages=2)
    result = BookResource().import_data(
        lines((changed.pk, "new", 1), (same.pk, "two", 2)), raise_errors=True
    )
    assert (result.totals["update"], result.totals["skip"]) == (1, 1)
    assert list(Book.objects.order_by("pk").values_list("title", "version")) == [
        ("new", 2),
        ("two", 1),
    ]


def test_an_import_inserts_new_rows_with_the_first_version():
    BookResource().import_data(lines(("", "one", 1)), raise_errors=True)
    assert (Book.objects.get().title, Book.objects.get().version) == ("one", 1)


def test_a_dry_run_leaves_rows_and_versions():
    book = Book.objects.create(title="one")
    result = BookResource().import_data(lines((book.pk, "new", 1)), dry_run=True)
    assert not result.has_errors()
    assert (Book.objects.get().title, Book.objects.get().version) == ("one", 1)


def test_a_bulk_import_bumps_each_row_once():
    books = [Book.objects.create(title="one"), Book.objects.create(title="two")]
    BulkBookResource().import_data(
        lines((books[0].pk, "new", 1), (books[1].pk, "new", 2), ("", "third", 3)),
        raise_errors=True,
    )
    assert list(Book.objects.order_by("pk").values_list("title", "version")) == [
        ("new", 2),
        ("new", 2),
        ("third", 1),
    ]


def test_a_line_with_the_current_version_is_written():
    book = Book.objects.create(title="one")
    data = VersionedBookResource().export()
    row = data.dict[0] | {"title": "new"}
    changed = lines(tuple(row.values()), headers=tuple(row))
    VersionedBookResource().import_data(changed, raise_errors=True)
    found = Book.objects.get(pk=book.pk)
    assert (found.title, found.version) == ("new", 2)


def test_a_line_with_an_old_version_is_an_error_and_changes_nothing():
    Book.objects.create(title="one")
    row = VersionedBookResource().export().dict[0] | {"title": "new"}
    Book.objects.update(title="two")
    old = lines(tuple(row.values()), headers=tuple(row))
    result = VersionedBookResource().import_data(old)
    ((_, (error,)),) = result.row_errors()
    assert isinstance(error.error, StaleWriteError)
    assert Book.objects.get().title == "two"


def test_a_timestamp_in_a_file_has_no_microseconds_and_the_error_says_so():
    Book.objects.create(title="one", pages=3)
    result = AllFieldsResource().import_data(AllFieldsResource().export())
    ((_, (error,)),) = result.row_errors()
    assert isinstance(error.error, StaleWriteError)
    assert 'exclude = ("updated_at",) in an import\'s Meta' in str(error.error)


def test_a_file_without_timestamps_can_be_imported_again():
    book = Book.objects.create(title="one", pages=3)
    MendedResource().import_data(MendedResource().export(), raise_errors=True)
    Book.objects.update(title="two")
    row = MendedResource().export().dict[0] | {"title": "three"}
    changed = lines(tuple(row.values()), headers=tuple(row))
    MendedResource().import_data(changed, raise_errors=True)
    assert Book.objects.get(pk=book.pk).title == "three"
