"""model_bakery: baked rows are in their first state, and can be saved."""

import pytest
from django.db import models
from model_bakery import baker
from model_bakery.recipe import Recipe, foreign_key

from etag_versioning.models import VersionedModel

pytestmark = pytest.mark.django_db


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Author(VersionedModel):
    name = models.CharField(max_length=50)


class Book(VersionedModel):
    touches = ("author",)

    title = models.CharField(max_length=50)
    subtitle = models.CharField(max_length=50, blank=True)
    author = models.ForeignKey(Author, models.CASCADE)
    tags = models.ManyToManyField(Tag)


authors = Recipe(Author, name="Ada")
books = Recipe(Book, author=foreign_key(authors))


def test_a_made_row_has_the_first_version_and_can_be_saved():
    author = baker.make(Author)
    assert author.version == 1
    author.save()
    assert Author.objects.get().version == 2


def test_a_row_can_be_made_in_a_version_that_a_test_needs():
    baker.make(Author, version=7)
    assert Author.objects.get().version == 7


def test_a_row_and_its_author_are_current_after_they_were_made():
    book = baker.make(Book, make_m2m=True)
    book.save()
    book.author.save()
    assert Book.objects.get().version == book.version
    assert Author.objects.get().version == book.author.version


def test_filled_optional_fields_leave_version_and_timestamp_to_the_model():
    book = baker.make(Book, _fill_optional=True)
    assert book.subtitle
    book.save()
    assert Book.objects.get().version == book.version


def test_rows_made_in_bulk_have_the_first_version():
    baker.make(Author, _quantity=3, _bulk_create=True)
    assert list(Author.objects.values_list("version", flat=True)) == [1, 1, 1]


def test_a_prepared_instance_is_in_no_table_and_can_be_saved():
    author = baker.prepare(Author)
    assert not Author.objects.exists()
    author.save()
    assert Author.objects.get().version == 1


def test_recipes_make_rows_with_their_authors():
    book = books.make()
    book.save()
    assert (book.author.name, Book.objects.get().version) == ("Ada", 2)
