"""Writes of many rows at once, and writes without an instance."""

import pytest
from django.db import connection, models, transaction
from django.db.models.signals import post_save
from django.utils import timezone

from etag_versioning.exceptions import StaleWriteError, VersionNotLoaded
from etag_versioning.models import VersionedQuerySet
from etag_versioning.orm.state_columns import state_columns
from etag_versioning.orm.write_options import write_options
from tests.testapp.models import (
    Counter,
    Country,
    Login,
    Person,
    Plain,
    Renamed,
    Restaurant,
    Seat,
    Team,
)

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def state(instance):
    return state_columns(type(instance)).state_of(instance)


def again(instance):
    return type(instance).objects.using(instance._state.db).get(pk=instance.pk)


MAKERS = {
    "plain": (lambda n: Person.objects.create(name=f"{n}"), "days"),
    "version alone": (lambda n: Counter.objects.create(), "value"),
    "columns renamed": (lambda n: Renamed.objects.create(name=f"{n}"), "name"),
    "state in the parent": (lambda n: Restaurant.objects.create(name=f"{n}"), "stars"),
    "composite key": (lambda n: Seat.objects.create(row="a", number=n), "taken"),
    "another database": (lambda n: Person.objects.using("other").create(name=f"{n}"), "days"),
}


@pytest.fixture(params=MAKERS)
def rows(request):
    make, field = MAKERS[request.param]
    made = [make(number) for number in range(5)]
    for row in made:
        row._state.changes = field
        setattr(row, field, True)
    return made


def bulk_update(rows, **options):
    queryset = type(rows[0]).objects.using(rows[0]._state.db)
    return queryset.bulk_update(rows, [rows[0]._state.changes], **options)


class TestBulkUpdate:
    @pytest.mark.parametrize("batch_size", [None, 2])
    def test_moves_each_row_and_each_instance(self, rows, batch_size):
        before = [state(row) for row in rows]
        assert bulk_update(rows, batch_size=batch_size) == len(rows)
        for row, old in zip(rows, before, strict=True):
            assert state(row).version == old.version + 1
            assert state(row).timestamp is None or state(row).timestamp > old.timestamp
            fresh = again(row)
            assert state(fresh) == state(row)
            assert str(getattr(fresh, row._state.changes)) in ("True", "1")
            row.save()

    def test_of_a_stale_instance_writes_nothing_of_the_batch(self, rows):
        for index in (1, 3):
            again(rows[index]).save()
        current = [state(again(row)) for row in rows]
        before = [state(row) for row in rows]
        with transaction.atomic(using=rows[0]._state.db):
            with pytest.raises(StaleWriteError) as caught:
                bulk_update(rows, batch_size=2)
            assert caught.value.pk == [rows[1].pk]  # of the first chunk
            with pytest.raises(StaleWriteError) as caught:
                bulk_update(rows)
            assert sorted(caught.value.pk) == sorted([rows[1].pk, rows[3].pk])
            # The enclosing transaction goes on.
            assert [state(again(row)) for row in rows] == current
        assert [state(row) for row in rows] == before

    def test_of_a_deleted_row_names_it(self, rows):
        key = rows[2].pk
        again(rows[2]).delete()
        with pytest.raises(StaleWriteError) as caught:
            bulk_update(rows)
        assert caught.value.pk == [key]

    def test_is_one_statement_per_chunk(self, django_assert_num_queries):
        people = [Person.objects.create(name=name) for name in "abcd"]
        for batch_size, count in ((None, 1), (2, 2)):
            with django_assert_num_queries(count + 2) as queries:  # and the savepoint
                Person.objects.bulk_update(people, ["name"], batch_size)
            words = [query["sql"].split()[0] for query in queries]
            assert words.count("UPDATE") == count

    def test_of_the_same_row_twice(self):
        person = Person.objects.create(name="a")
        Person.objects.bulk_update([person, person], ["name"])
        assert person.version == Person.objects.get().version == 2

    def test_of_the_same_row_twice_in_two_instances_is_refused(self):
        Person.objects.create(name="a")
        twice = [Person.objects.get(), Person.objects.get()]
        with pytest.raises(ValueError, match="two instances"):
            Person.objects.bulk_update(twice, ["name"])
        person = twice[0]
        Person.objects.bulk_update([person, person], ["name"], batch_size=1)
        assert person.version == 2

    def test_leaves_out_what_the_filters_leave_out(self):
        team = Team.objects.create(name="a")
        inside, outside = (Person.objects.create(name=name) for name in "ab")
        team.person_set.add(inside)
        inside.refresh_from_db()
        inside.days = outside.days = 7
        assert team.person_set.bulk_update([inside, outside], ["days"]) == 1
        filtered = Person.objects.filter(team__name="a")
        assert filtered.bulk_update([inside, outside], ["days"]) == 1
        assert state(inside) == state(again(inside))
        assert state(outside) == state(again(outside))
        assert (again(inside).days, again(outside).days) == (7, 0)

    def test_of_instances_made_by_hand_moves_without_comparing(self):
        person = Person.objects.create(name="a")
        by_hand = Person(pk=person.pk, name="b")
        assert Person.objects.bulk_update([by_hand], ["name"]) == 1
        assert (Person.objects.get().name, Person.objects.get().version) == ("b", 2)

    def test_of_instances_without_their_state_is_refused(self):
        Person.objects.create(name="a")
        with pytest.raises(VersionNotLoaded):
            Person.objects.bulk_update(Person.objects.only("name"), ["name"])

    def test_leaves_the_state_columns_to_itself(self):
        person = Person.objects.create(name="a")
        person.name = "b"
        Person.objects.bulk_update([person], ["name", "updated_at", "version"])
        assert person.version == Person.objects.get().version == 2

    def test_keeps_djangos_errors(self):
        person = Person.objects.create(name="a")
        with pytest.raises(ValueError, match="Field names"):
            Person.objects.bulk_update([person], [])
        with pytest.raises(ValueError, match="positive"):
            Person.objects.bulk_update([person], ["name"], -1)
        with pytest.raises(ValueError, match="primary key"):
            Person.objects.bulk_update([Person(name="b")], ["name"])
        assert Person.objects.bulk_update([], ["name"]) == 0

    @pytest.mark.parametrize("text", ["", ".5", ".123", ".123000"])
    def test_compares_timestamps_of_any_number_of_digits(self, text):
        person = Person.objects.create(name="a")
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE testapp_person SET updated_at = '2026-01-31 23:50:00{text}'")
        person.refresh_from_db()
        Person.objects.bulk_update([person], ["name"])
        assert state(person) == state(Person.objects.get())

    @pytest.mark.usefixtures("close_connections")
    async def test_has_its_asynchronous_form(self):
        assert Person.objects.abulk_update


class TestBulkCreate:
    def test_of_new_rows(self):
        people = Person.objects.bulk_create(Person(name=name) for name in "ab")
        assert [state(person) for person in people] == [state(again(person)) for person in people]

    def test_with_update_conflicts_moves_what_is_there(self):
        unique = {} if connection.vendor == "mysql" else {"unique_fields": ["name"]}
        old = Login.objects.create(name="a")
        ahead = timezone.now() + timezone.timedelta(days=1)
        Login.objects.filter(pk=old.pk).update(updated_at=ahead, version=41)
        rows = [Login(name="a", data={"new": 1}), Login(name="b")]
        Login.objects.bulk_create(rows, update_conflicts=True, update_fields=["data"], **unique)
        moved = Login.objects.get(name="a")
        assert moved.pk == old.pk
        assert moved.data == {"new": 1}
        assert moved.version == 42
        assert moved.updated_at == ahead + timezone.timedelta(microseconds=1)
        assert Login.objects.get(name="b").version == 1
        with pytest.raises(StaleWriteError):
            old.save()

    def test_with_ignore_conflicts_moves_nothing(self):
        old = Login.objects.create(name="a")
        rows = [Login(pk=old.pk, name="a", data=1)]
        Login.objects.bulk_create(rows, ignore_conflicts=True)
        assert state(Login.objects.get()) == state(old)
        with pytest.raises(StaleWriteError):
            rows[0].save()
        assert Login.objects.get().data == {}

    def test_with_ignore_conflicts_new_rows_have_their_state(self):
        Login.objects.create(name="a")
        rows = [Login(name="a"), Login(name="b")]
        Login.objects.bulk_create(rows, ignore_conflicts=True)
        # Django sets no keys here: nothing may ask the database for these.
        assert [row.version for row in rows] == [1, 1]
        assert all(row.updated_at for row in rows)
        country = Country(code="xx", name="x")
        Country.objects.bulk_create([country], ignore_conflicts=True)
        country.name = "y"
        country.save()
        assert (Country.objects.get().name, Country.objects.get().version) == ("y", 2)

    def test_with_ignore_conflicts_and_a_version_alone_the_instances_are_stale(self):
        old = Counter.objects.create(value=1)
        row = Counter(pk=old.pk, value=2)
        Counter.objects.bulk_create([row], ignore_conflicts=True)
        with pytest.raises(StaleWriteError):
            row.save()
        assert Counter.objects.get().value == 1

    @pytest.mark.parametrize("on_purpose", [True, False])
    def test_with_update_conflicts_of_what_no_client_sees(self, on_purpose):
        unique = [] if connection.vendor == "mysql" else ["name"]
        old = Login.objects.create(name="a")
        rows = [Login(name="a", data=1, last_seen=timezone.now())]
        queryset = Login.objects.unversioned() if on_purpose else Login.objects
        fields = ["data"] if on_purpose else ["last_seen"]
        queryset.bulk_create(rows, None, False, True, fields, unique or None)
        fresh = Login.objects.get()
        assert state(fresh) == state(old)
        assert fresh.data == (1 if on_purpose else {})


class TestUnversioned:
    def test_update_on_purpose(self):
        person = Person.objects.create(name="a")
        assert Person.objects.unversioned().filter(pk=person.pk).update(days=9) == 1
        person.days = 10
        Person.objects.unversioned().bulk_update([person], ["days"])
        assert Person.objects.get().days == 10
        assert state(Person.objects.get()) == state(person)
        person.save()

    def test_fields_are_neither_compared_nor_moved(self, django_assert_num_queries):
        login = Login.objects.create(name="a")
        stale = Login.objects.get()
        login.name = "b"
        login.save()
        stale.last_seen = timezone.now()
        with django_assert_num_queries(1):
            stale.save(update_fields=["last_seen"])
        Login.objects.update(last_seen=stale.last_seen)
        fresh = Login.objects.get()
        assert (fresh.name, fresh.last_seen) == ("b", stale.last_seen)
        assert state(fresh) == state(login)
        with pytest.raises(StaleWriteError):
            stale.save()
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=["last_seen", "name"])


class TestExpect:
    def test_update_and_delete_of_the_state_that_is_named(self):
        person = Person.objects.create(name="a")
        assert Person.objects.filter(pk=person.pk).expect(version=1).update(days=1) == 1
        with pytest.raises(StaleWriteError):
            Person.objects.expect(version=1).filter(pk=person.pk).update(days=2)
        with pytest.raises(StaleWriteError):
            Person.objects.filter(pk=person.pk).expect(version=1).delete()
        fresh = Person.objects.get()
        assert (fresh.days, fresh.version) == (1, 2)
        same = Person.objects.filter(pk=person.pk).expect(version=2, updated_at=fresh.updated_at)
        assert same.delete()[0] == 1

    def test_delete_with_cascade(self):
        team = Team.objects.create(name="a")
        Person.objects.create(name="a", team=team)
        with pytest.raises(StaleWriteError):
            Team.objects.filter(pk=team.pk).expect(version=2).delete()
        assert Person.objects.exists()
        Team.objects.filter(pk=team.pk).expect(version=1).delete()
        assert not Person.objects.exists()

    def test_of_what_no_client_sees(self):
        login = Login.objects.create(name="a")
        for rows in (Login.objects.expect(version=2), Login.objects.unversioned()):
            rows = rows if write_options(rows).expected else rows.expect(version=2)
            with pytest.raises(StaleWriteError):
                rows.update(last_seen=timezone.now())
        assert Login.objects.get().last_seen is None
        assert Login.objects.expect(version=1).update(last_seen=timezone.now()) == 1
        assert state(Login.objects.get()) == state(login)

    def test_of_several_tables(self):
        restaurant = Restaurant.objects.create(name="a")
        rows = Restaurant.objects.filter(pk=restaurant.pk)
        assert rows.expect(version=1).update(stars=1) == 1
        with pytest.raises(StaleWriteError):
            rows.expect(version=1).update(stars=2)
        team = Team.objects.create(name="a")
        Person.objects.create(name="a", team=team)
        joined = Person.objects.filter(team__name="a")
        assert joined.expect(version=1).update(days=1) == 1
        with pytest.raises(StaleWriteError):
            joined.expect(version=1).delete()
        assert rows.expect(version=2).delete()[0] == 2

    def test_is_one_statement(self, django_assert_num_queries):
        person = Person.objects.create(name="a")
        with django_assert_num_queries(1):
            Person.objects.filter(pk=person.pk).expect(version=1).update(days=1)

    def test_of_what_is_no_state(self):
        with pytest.raises(TypeError, match=r"expect\(version=3\)"):
            Person.objects.expect(updated_at=timezone.now())
        with pytest.raises(TypeError, match="name"):
            Person.objects.expect(version=1, name="a")


def test_an_update_of_nothing_does_nothing():
    person = Person.objects.create(name="a")
    assert Person.objects.update() == 0
    assert state(Person.objects.get()) == state(person)


class TestRelated:
    def test_set_null_moves_the_rows_that_point_to_a_deleted_one(self):
        team = Team.objects.create(name="a")
        login = Login.objects.create(name="a", team=team)
        team.delete()
        fresh = Login.objects.get()
        assert (fresh.team_id, fresh.version) == (None, 2)
        assert fresh.updated_at > login.updated_at

    def test_related_managers(self):
        team, other = (Team.objects.create(name=name) for name in "ab")
        person = Person.objects.create(name="a")
        team.person_set.add(person, bulk=True)
        assert Person.objects.get().version == 2
        team.person_set.set([], bulk=True)
        assert Person.objects.get().version == 3
        other.person_set.set([Person.objects.get()])
        assert Person.objects.get().version == 4
        other.person_set.clear()
        assert Person.objects.get().version == 5
        other.person_set.create(name="b")
        assert Person.objects.get(name="b").version == 1

    def test_the_base_manager_is_versioned_and_apart_from_the_default(self):
        assert type(Person._base_manager).__name__ == "VersionedManager"
        assert Person._default_manager.name == "objects"
        assert type(Restaurant._base_manager).__name__ == "VersionedManager"


class TestSkipUnchanged:
    def test_a_save_that_changes_nothing_writes_nothing(self, django_assert_num_queries):
        login = Login.objects.create(name="a", data={"list": [1]})
        login = Login.objects.get()
        with django_assert_num_queries(1) as queries:
            login.save()
        assert queries[0]["sql"].startswith("SELECT")
        assert state(Login.objects.get()) == state(login)
        login.data["list"].append(2)
        login.save()
        assert Login.objects.get().data == {"list": [1, 2]}
        assert login.version == Login.objects.get().version == 2
        login.save()
        login.save(update_fields=["name"])
        assert Login.objects.get().version == 2
        login.name = "b"
        login.save(update_fields=["data"])
        assert Login.objects.get().name == "a"
        login.save()
        assert Login.objects.get().name == "b"

    @pytest.mark.parametrize("values", [(1, True), ([0], [False]), (1, 1.0), ({}, [])])
    def test_what_only_python_takes_for_the_same_is_written(self, values):
        old, new = values
        Login.objects.create(name="a", data=old)
        login = Login.objects.get()
        login.data = new
        login.save()
        assert repr(Login.objects.get().data) == repr(new)

    def test_a_signal_may_save_what_no_client_sees(self):
        Login.objects.create(name="a")
        login = Login.objects.get()

        def see(instance, update_fields, **kwargs):
            if not update_fields:
                instance.last_seen = timezone.now()
                instance.save(update_fields=["last_seen"])

        post_save.connect(see, sender=Login)
        try:
            login.save()
        finally:
            post_save.disconnect(see, sender=Login)
        assert Login.objects.get().last_seen is not None
        assert state(Login.objects.get()) == state(login)
        assert login.version == 1

    def test_a_bulk_update_of_what_no_client_sees_is_not_forgotten(self):
        Login.objects.create(name="a")
        login = Login.objects.get()
        login.last_seen = timezone.now()
        Login.objects.bulk_update([login], ["last_seen"])
        login.last_seen = None
        login.save()
        assert Login.objects.get().last_seen is None

    def test_is_still_compared(self):
        Login.objects.create(name="a")
        stale, login = Login.objects.get(), Login.objects.get()
        login.name = "b"
        login.save()
        with pytest.raises(StaleWriteError):
            stale.save()
        login.delete()
        with pytest.raises(StaleWriteError):
            stale.save()
        assert not Login.objects.exists()

    def test_what_an_unversioned_write_changed_is_not_taken_for_unchanged(self):
        login = Login.objects.create(name="a")
        login = Login.objects.get()
        Login.objects.update(last_seen=timezone.now())
        login.refresh_from_db()
        login.last_seen = None
        login.save()
        assert Login.objects.get().last_seen is None


def test_keep_parents_bumps_the_parents():
    place = Restaurant.objects.create(name="a")
    parent = place.place_ptr
    place.delete(keep_parents=True)
    fresh = type(parent).objects.get()
    assert fresh.version == 2
    with pytest.raises(StaleWriteError):
        parent.save()


def test_plain_models_may_use_the_queryset():
    Plain.objects.create(name="a")
    rows = VersionedQuerySet(Plain)
    assert rows.update(name="b") == 1
    assert rows.filter(name="b").delete()[0] == 1
    assert rows.bulk_update([], ["name"]) == 0
    assert models.QuerySet(Plain).count() == 0


class ArgumentsQuerySet(models.QuerySet):
    """A project's own: notes how it is called, and writes one column more."""

    calls = []

    def update(self, **kwargs):
        self.calls.append(("update", set(kwargs)))
        return super().update(**kwargs)

    def bulk_update(self, objs, *args, **kwargs):
        self.calls.append(("bulk_update", *args, kwargs))
        return super().bulk_update(objs, *args, **kwargs)

    def bulk_create(self, objs, *args, **kwargs):
        self.calls.append(("bulk_create", *args, kwargs))
        return super().bulk_create(objs, *args, **kwargs)

    def delete(self):
        self.calls.append(("delete",))
        return super().delete()


class InFront(ArgumentsQuerySet, VersionedQuerySet):
    pass


class Behind(VersionedQuerySet, ArgumentsQuerySet):
    pass


@pytest.fixture(params=[InFront, Behind])
def own_queryset(request, monkeypatch):
    monkeypatch.setattr(ArgumentsQuerySet, "calls", [])
    return request.param


class TestAQuerySetOfAProject:
    STATE = {"version", "updated_at"}

    def test_update_is_called_by_bulk_update(self, own_queryset):
        people = [Person.objects.create(name=name) for name in "ab"]
        own_queryset(Person).bulk_update(people, ["name"])
        updates = [call[1] - self.STATE for call in own_queryset.calls if call[0] == "update"]
        assert updates == [{"name"}]
        assert [state(person) for person in people] == [state(again(person)) for person in people]

    def test_update_is_called_by_bulk_update_of_several_tables(self, own_queryset):
        restaurant = Restaurant.objects.create(name="a")
        own_queryset(Restaurant).bulk_update([restaurant], ["stars"])
        assert ("update", {"stars"}) in own_queryset.calls
        assert state(restaurant) == state(again(restaurant))

    def test_update_is_called_once_in_a_state_that_is_expected(self, own_queryset):
        restaurant = Restaurant.objects.create(name="a")
        rows = own_queryset(Restaurant).filter(pk=restaurant.pk).expect(version=1)
        assert rows.update(stars=1) == 1
        assert len(own_queryset.calls) == 1
        assert own_queryset(Restaurant).expect(version=2).delete()[0] == 2
        assert own_queryset.calls[1:] == [("delete",)]

    def test_bulk_create_gets_the_arguments_of_the_caller(self, own_queryset):
        own_queryset(Person).bulk_create([Person(name="a")])
        own_queryset(Person).bulk_create([Person(name="b")], batch_size=1)
        assert own_queryset.calls == [
            ("bulk_create", {}),
            ("bulk_create", {"batch_size": 1}),
        ]

    def test_bulk_update_gets_the_arguments_of_the_caller(self, own_queryset):
        Person.objects.create(name="a")
        by_hand = Person(pk=Person.objects.get().pk, name="b")
        own_queryset(Person).bulk_update([by_hand], ["name"])
        assert own_queryset.calls[0] == ("bulk_update", ["name"], {})


def test_a_bulk_update_of_nothing_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Person.objects.bulk_update([], ["name"]) == 0
