"""Related managers write rows behind the instances that they are given, which stay current."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel, VersionMixin

pytestmark = pytest.mark.django_db


class Club(VersionedModel):
    notes = GenericRelation("testapp.ClubNote")

    class Meta:
        app_label = "testapp"


class Player(VersionedModel):
    club = models.ForeignKey(Club, models.SET_NULL, null=True, related_name="children")

    class Meta:
        app_label = "testapp"


class Coach(VersionedModel):
    """Shown in its club."""

    touches = ("club",)

    club = models.ForeignKey(Club, models.SET_NULL, null=True, related_name="coaches")

    class Meta:
        app_label = "testapp"


class Captain(Player):
    """The state is in the parent's table."""

    team = models.ForeignKey(Club, models.SET_NULL, null=True, related_name="captains")

    class Meta:
        app_label = "testapp"


class ClubNote(VersionedModel):
    # Its table is made before that of the content types.
    content_type = models.ForeignKey(ContentType, models.CASCADE, null=True, db_constraint=False)
    object_id = models.IntegerField(null=True)
    content_object = GenericForeignKey()

    class Meta:
        app_label = "testapp"


RELATIONS = [(Player, "children"), (Coach, "coaches"), (Captain, "captains"), (ClubNote, "notes")]


@pytest.fixture(params=RELATIONS, ids=lambda each: each[1])
def world(request):
    model, name = request.param
    club = Club.objects.create()
    return getattr(club, name), [model.objects.create() for _ in range(3)]


def assert_current(rows):
    for row in rows:
        stored = type(row).objects.get(pk=row.pk)
        assert (row.version, row.updated_at) == (stored.version, stored.updated_at)
        row.save()


def test_add_keeps_the_instances_current(world):
    manager, rows = world
    manager.add(*rows)
    assert manager.count() == 3
    assert {type(row).objects.get(pk=row.pk).version for row in rows} == {2}
    assert_current(rows)


@pytest.mark.parametrize("bulk", [True, False])
def test_remove_keeps_the_instances_current(world, bulk):
    manager, rows = world
    if not hasattr(manager, "field"):
        pytest.skip("A generic relation removes by deleting.")
    manager.set(rows)
    manager.remove(*rows[:2], bulk=bulk)
    assert manager.count() == 1
    for row in rows[:2]:
        row.club = row.team = None
    assert_current(rows)
    assert manager.count() == 1


@pytest.mark.parametrize("bulk", [True, False])
@pytest.mark.parametrize("clear", [True, False])
def test_set_keeps_the_instances_current(world, bulk, clear):
    manager, rows = world
    manager.add(rows[0], rows[1])
    if clear and bulk and not hasattr(manager, "field"):
        pytest.skip("A generic relation clears by deleting, and then finds no row to update.")
    manager.set([rows[0], rows[2]], bulk=bulk, clear=clear)
    assert set(manager.all()) == {rows[0], rows[2]}
    assert_current([rows[0], rows[2]])


def test_set_takes_a_generator(world):
    manager, rows = world
    manager.set((row for row in rows), bulk=False)
    assert manager.count() == 3


def test_aset_keeps_the_instances_current(world):
    manager, rows = world
    async_to_sync(manager.aset)(rows, bulk=False)
    assert_current(rows)


def test_an_instance_that_was_stale_before_stays_stale(world):
    manager, rows = world
    type(rows[0]).objects.get(pk=rows[0].pk).save()
    manager.add(*rows)
    with pytest.raises(StaleWriteError):
        rows[0].save()
    assert_current(rows[1:])


def test_an_added_row_touches_the_rows_that_show_it():
    club = Club.objects.create()
    coach = Coach.objects.create()
    club.coaches.add(coach)
    assert Club.objects.get().version == 2
    assert_current([coach])


def test_add_takes_the_one_statement_that_django_takes(django_assert_num_queries):
    club, players = Club.objects.create(), [Player.objects.create() for _ in range(2)]
    with django_assert_num_queries(1):
        club.children.add(*players)
    assert_current(players)


class Guest(VersionMixin):
    """A version alone."""

    club = models.ForeignKey(Club, models.SET_NULL, null=True, related_name="guests")

    class Meta:
        app_label = "testapp"


def test_add_keeps_instances_current_that_have_a_version_alone():
    club, guest, stale = Club.objects.create(), Guest.objects.create(), Guest.objects.create()
    Guest.objects.get(pk=stale.pk).save()
    club.guests.add(guest, stale)
    guest.save()
    with pytest.raises(StaleWriteError):
        stale.save()
