"""What models, managers and querysets gain by the mixins: a project may use any other name."""

from django.db import models

from etag_versioning.models import (
    VersionedManager,
    VersionedModel,
    VersionedQuerySet,
    versioned_manager,
)


class Article(VersionedModel):
    class Meta:
        app_label = "testapp"


class PlainArticle(models.Model):
    class Meta:
        app_label = "testapp"


def gained(ours, plain):
    """The names of one class that another does not have; ``get_next_by_…`` is a field's."""
    python = {"Meta", "__annotations__"}
    names = set(dir(ours)) - set(dir(plain)) - python
    return {name for name in names if "_by_" not in name}


def test_a_model_gains_its_fields_and_its_options():
    assert gained(Article, PlainArticle) == {
        "version",
        "updated_at",
        "skip_unchanged",
        "stale_writes",
        "tag_key",
        "tag_label",
        "touch",
        "atouch",
        "touches",
        "unversioned_fields",
        "unversioned_managers",
        # The manager that answers for models without one that bumps.
        "_versioned_rows",
    }


def test_an_instance_gains_no_attribute_by_being_read_and_saved(db):
    from tests.testapp.models import Person

    person = Person.objects.create(name="a")
    person = Person.objects.get()
    person.save()
    fields = {field.attname for field in Person._meta.concrete_fields}
    assert set(vars(person)) - fields == {"_state"}


def test_a_queryset_gains_its_four_methods_and_no_private_name():
    public = {"atouch", "expect", "touch", "unversioned"}
    assert gained(VersionedQuerySet, models.QuerySet) == public


def test_a_manager_gains_the_methods_of_its_queryset_and_no_private_name():
    plain = models.Manager.from_queryset(models.QuerySet)
    public = {"atouch", "expect", "touch", "unversioned"}
    assert gained(VersionedManager, plain) == public


class BookManager(models.Manager):
    """As another app has one."""


def test_a_manager_of_another_app_gains_the_same():
    versioned = type(versioned_manager(BookManager()))
    public = {"atouch", "expect", "touch", "unversioned"}
    assert gained(versioned, BookManager) == public
