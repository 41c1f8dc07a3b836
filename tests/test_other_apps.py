"""What other apps do around a write, by small stand-ins; the real ones are in tests/neighbours."""

from typing import Generic, TypeVar

import pytest
from django.db import connection, models
from django.db.models import sql

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import (
    TouchingMixin,
    VersionedModel,
    VersionedQuerySet,
    versioned_manager,
)
from etag_versioning.touching.receivers import connect

pytestmark = pytest.mark.django_db

Row = TypeVar("Row")


class LiveQuery(sql.Query):
    """As django-safedelete has it: the Query knows what its rows must be."""

    def live(self):
        self.add_q(models.Q(hidden=False))


class LiveQuerySet(models.QuerySet):
    def __init__(self, model=None, query=None, using=None, hints=None):
        super().__init__(model, query or LiveQuery(model), using, hints)

    def update(self, **kwargs):
        rows = self._chain()
        rows.query.live()
        return super(LiveQuerySet, rows).update(**kwargs)


class VersionedLiveQuerySet(VersionedQuerySet, LiveQuerySet):
    pass


class Hideable(models.Model):
    hidden = models.BooleanField(default=False)

    class Meta:
        abstract = True
        app_label = "testapp"

    def delete(self, using=None):
        for child in Thing.objects.filter(box_id=self.pk):
            child.delete(using)
        self.hidden = True
        self.save(using=using)


class Box(VersionedModel, Hideable):
    """Hides what is in it before itself, and each of these touches it."""

    name = models.CharField(max_length=50)

    objects = models.Manager.from_queryset(VersionedLiveQuerySet)()

    class Meta:
        app_label = "testapp"


class Thing(VersionedModel):
    touches = ("box",)

    box = models.ForeignKey(Box, models.CASCADE, related_name="children")

    class Meta:
        app_label = "testapp"


class GenericQuerySetMixin(Generic[Row]):
    pass


class GenericQuerySet(GenericQuerySetMixin[Row], models.QuerySet):
    pass


class GenericManagerMixin(Generic[Row]):
    def get_queryset(self):
        return GenericQuerySet(self.model, using=self._db)


class GenericManager(GenericManagerMixin[Row], models.Manager):
    pass


class Typed(VersionedModel):
    """Has the manager of an app with type hints: generic mixins come before Django's class."""

    name = models.CharField(max_length=50)

    objects = versioned_manager(GenericManager())

    class Meta:
        app_label = "testapp"


class Sticker(models.Model):
    class Meta:
        app_label = "testapp"


class Author(VersionedModel):
    class Meta:
        app_label = "testapp"


class Album(VersionedModel):
    """Its links touch it, and it touches its author."""

    touches = ("author",)

    author = models.ForeignKey(Author, models.CASCADE)
    stickers = models.ManyToManyField(Sticker)
    rated = models.ManyToManyField(Sticker, through="Rating", related_name="+")

    class Meta:
        app_label = "testapp"


class Rating(TouchingMixin):
    touches = ("album",)

    album = models.ForeignKey(Album, models.CASCADE)
    sticker = models.ForeignKey(Sticker, models.CASCADE)

    class Meta:
        app_label = "testapp"


MODELS = [Box, Thing, Typed, Sticker, Author, Album, Rating, Album.stickers.through]
connect(MODELS)


def test_bulk_update_uses_the_query_of_the_querysets_class():
    box = Box.objects.create(name="one")
    box.name = "two"
    Box.objects.bulk_update([box], ["name"])
    assert (Box.objects.get().name, Box.objects.get().version) == ("two", 2)


def test_expect_uses_the_query_of_the_querysets_class():
    Box.objects.create(name="one")
    with pytest.raises(StaleWriteError):
        Box.objects.filter(name="one").expect(version=2).delete()
    Box.objects.filter(name="one").expect(version=1).delete()
    assert not Box.objects.exists()


def test_a_row_is_hidden_after_its_children_which_touch_it():
    box = Box.objects.create(name="one")
    thing = Thing.objects.create(box=box)
    box.delete()
    assert not Thing.objects.filter(pk=thing.pk).exists()
    assert Box.objects.get().hidden


def test_a_stale_row_hides_no_children():
    box = Box.objects.create(name="one")
    Thing.objects.create(box=box)
    Box.objects.update(name="two")
    with pytest.raises(StaleWriteError):
        box.delete()
    assert Thing.objects.exists()


def test_a_manager_with_generic_mixins_makes_querysets_that_bump():
    Typed.objects.create(name="one")
    Typed.objects.update(name="two")
    assert isinstance(Typed.objects.all(), GenericQuerySet)
    assert Typed.objects.get().version == 2


def test_a_manager_with_generic_mixins_is_the_other_apps_manager_in_migrations():
    assert Typed.objects.deconstruct()[1].endswith(".GenericManager")


def test_a_link_keeps_what_its_row_touches_current():
    album = Album.objects.create(author=Author.objects.create())
    album.stickers.add(Sticker.objects.create())
    album.author.save()
    assert Author.objects.get().version == album.author.version


@pytest.mark.parametrize("change", ["remove", "clear"])
def test_a_removed_link_of_a_through_model_keeps_its_row_current(change):
    album = Album.objects.create(author=Author.objects.create())
    sticker = Sticker.objects.create()
    album.rated.add(sticker)
    getattr(album.rated, change)(*[sticker] if change == "remove" else [])
    album.save()
    assert Album.objects.get().version == album.version


def test_a_deleted_child_without_a_version_keeps_its_row_current():
    album = Album.objects.create(author=Author.objects.create())
    rating = Rating.objects.create(album=album, sticker=Sticker.objects.create())
    rating.delete()
    album.save()
    assert Album.objects.get().version == album.version


@pytest.fixture
def hiding_trigger():
    """Turns each DELETE of a typed row into an UPDATE, as a trigger of another app does."""
    if connection.vendor == "mysql":
        pytest.skip("A trigger cannot turn a DELETE into an UPDATE here.")
    table = Typed._meta.db_table
    hide = f"UPDATE {table} SET name = 'hidden' WHERE id = OLD.id"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER hides BEFORE DELETE ON {table} "
                f"BEGIN {hide}; SELECT RAISE(IGNORE); END"
            )
        else:
            cursor.execute(
                f"CREATE FUNCTION hide() RETURNS TRIGGER LANGUAGE plpgsql AS "
                f"'BEGIN {hide.replace(chr(39), chr(39) * 2)}; RETURN NULL; END'"
            )
            cursor.execute(
                f"CREATE TRIGGER hides BEFORE DELETE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION hide()"
            )


@pytest.mark.usefixtures("hiding_trigger")
def test_a_delete_that_a_trigger_makes_an_update_hides_the_row():
    row = Typed.objects.create(name="one")
    assert row.delete() == (0, {"testapp.Typed": 0})
    assert Typed.objects.get().name == "hidden"


@pytest.mark.usefixtures("hiding_trigger")
def test_a_stale_delete_that_a_trigger_makes_an_update_hides_nothing():
    row = Typed.objects.create(name="one")
    Typed.objects.update(name="two")
    with pytest.raises(StaleWriteError):
        row.delete()
    assert Typed.objects.get().name == "two"
