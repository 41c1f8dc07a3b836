"""factory_boy: factories make rows that are in their first state, and can be saved."""

import factory
import pytest
from django.db import models

from etag_versioning.models import VersionedModel

pytestmark = pytest.mark.django_db


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Author(VersionedModel):
    name = models.CharField(max_length=50, unique=True)


class Book(VersionedModel):
    touches = ("author",)

    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, models.CASCADE)
    tags = models.ManyToManyField(Tag)


class AuthorFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Author
        django_get_or_create = ("name",)

    name = factory.Sequence("author {}".format)


class BookFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Book
        skip_postgeneration_save = True

    title = factory.Sequence("book {}".format)
    author = factory.SubFactory(AuthorFactory)

    @factory.post_generation
    def tags(book, create, names, **kwargs):
        for name in names or ():
            book.tags.add(Tag.objects.create(name=name))


class SavedAgainFactory(BookFactory):
    class Meta:
        skip_postgeneration_save = False

    @factory.post_generation
    def shout(book, create, extracted, **kwargs):
        book.title = book.title.upper()
        book.save()


def test_a_created_row_has_the_first_version_and_can_be_saved():
    author = AuthorFactory()
    assert author.version == 1
    author.save()
    assert Author.objects.get().version == 2


def test_a_row_can_be_made_in_a_version_that_a_test_needs():
    author = AuthorFactory(version=7)
    assert Author.objects.get().version == 7
    author.save()
    assert Author.objects.get().version == 8


def test_a_row_and_its_author_are_current_after_they_were_made():
    book = BookFactory(tags=["one", "two"])
    book.save()
    book.author.save()
    found = Book.objects.get()
    assert (found.version, found.tags.count()) == (book.version, 2)
    assert Author.objects.get().version == book.author.version


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_row_that_its_factory_saves_again_can_be_saved():
    book = SavedAgainFactory()
    book.save()
    found = Book.objects.get()
    assert found.title == found.title.upper()
    assert found.version == book.version


def test_get_or_create_returns_the_row_in_its_state():
    first = AuthorFactory(name="Ada")
    first.save()
    second = AuthorFactory(name="Ada")
    second.save()
    assert Author.objects.get().version == 3


def test_a_batch_is_made():
    assert [book.version for book in BookFactory.create_batch(3)] == [1, 1, 1]


def test_a_built_instance_is_in_no_table_and_can_be_saved():
    author = AuthorFactory.build()
    assert not Author.objects.exists()
    author.save()
    assert Author.objects.get().version == 1
