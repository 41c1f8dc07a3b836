"""Compare-and-swap in the model: what a write compares, moves, raises and leaves alone."""

import copy
import pickle
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models.signals import post_save, pre_save
from django.utils import timezone

from etag_versioning.exceptions import StaleWriteError, VersionNotLoaded
from etag_versioning.orm.state_columns import state_columns
from tests.testapp.models import (
    Base,
    Chapter,
    Counter,
    Extended,
    Hidden,
    Note,
    Person,
    PersonProxy,
    Place,
    Renamed,
    Restaurant,
    Seat,
    Team,
)

pytestmark = pytest.mark.django_db(databases=["default", "other"])

MAKERS = {
    "plain": lambda: Person.objects.create(name="a"),
    "proxy": lambda: PersonProxy.objects.create(name="a"),
    "version alone": lambda: Counter.objects.create(),
    "columns renamed": lambda: Renamed.objects.create(name="a"),
    "UUID beside the key": lambda: Hidden.objects.create(name="a"),
    "state in the parent": lambda: Restaurant.objects.create(name="a"),
    "state in the child": lambda: Extended.objects.create(name="a"),
    "composite key": lambda: Seat.objects.create(row="a", number=1),
}


@pytest.fixture(params=MAKERS)
def row(request):
    return MAKERS[request.param]()


def again(instance):
    return type(instance)._base_manager.get(pk=instance.pk)


def state(instance):
    return state_columns(type(instance)).state_of(instance)


def content_field(instance):
    """A column of the row that is neither key nor state."""
    columns = state_columns(type(instance))
    return next(
        field.attname
        for field in type(instance)._meta.concrete_fields
        if not field.primary_key
        and field not in type(instance)._meta.pk_fields
        and field not in (columns.version, columns.timestamp)
        and field.name not in type(instance).unversioned_fields
        and isinstance(field, models.CharField | models.IntegerField | models.BooleanField)
    )


class TestSave:
    def test_a_new_row_is_in_its_first_state(self, row):
        assert state(row).version == 1
        assert state(again(row)) == state(row)

    def test_moves_version_and_timestamp_by_one_write(self, row):
        before = state(row)
        row.save()
        assert state(row).version == before.version + 1
        assert state(row).timestamp is None or state(row).timestamp > before.timestamp
        assert state(again(row)) == state(row)

    def test_of_a_stale_instance_writes_nothing_and_leaves_it_as_it_was(self, row):
        stale, field = again(row), content_field(row)
        row.save()
        before, content = state(stale), getattr(again(row), field)
        setattr(stale, field, True)
        with pytest.raises(StaleWriteError) as caught:
            stale.save()
        assert caught.value.instance is stale
        assert caught.value.using == "default"
        assert "Nothing was written" in str(caught.value)
        assert state(stale) == before
        assert state(again(row)) == state(row)
        assert getattr(again(row), field) == content

    def test_repeated_after_a_conflict_is_stale_again(self, row):
        stale = again(row)
        row.save()
        for _ in range(2):
            with pytest.raises(StaleWriteError):
                stale.save()

    def test_never_makes_a_deleted_row_again(self, row):
        stale = again(row)
        row.delete()
        with pytest.raises(StaleWriteError):
            stale.save()
        assert not type(stale)._base_manager.filter(pk=stale.pk).exists()

    def test_leaves_an_enclosing_transaction_usable(self, row):
        stale = again(row)
        row.save()
        with transaction.atomic():
            with pytest.raises(StaleWriteError):
                stale.save()
            Team.objects.create(name="after it")
        assert Team.objects.filter(name="after it").exists()

    def test_of_update_fields_moves_the_state_too(self, row):
        stale, field = again(row), content_field(row)
        row.save(update_fields=[field])
        assert state(again(row)) == state(row)
        assert state(row).version == 2
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=[field])

    def test_costs_one_update(self, django_assert_num_queries):
        for instance in (
            Person.objects.create(name="a"),
            Counter.objects.create(),
            Seat.objects.create(row="a", number=1),
        ):
            with django_assert_num_queries(1) as queries:
                instance.save()
            assert queries[0]["sql"].startswith("UPDATE")

    @pytest.mark.parametrize("deferred", ["version", "updated_at"])
    def test_of_an_instance_without_its_state_is_refused(self, deferred):
        Person.objects.create(name="a")
        for instance in (Person.objects.defer(deferred).get(), Person.objects.only("name").get()):
            for write in (instance.save, instance.delete):
                with pytest.raises(VersionNotLoaded, match=rf'only\(…, .*"{deferred}"'):
                    write()
            assert deferred in instance.get_deferred_fields()

    def test_of_some_loaded_fields_compares(self):
        Person.objects.create(name="a", days=1)
        some = Person.objects.only("name", "version", "updated_at").get()
        stale = Person.objects.only("name", "version", "updated_at").get()
        some.save()
        assert state(some) == state(Person.objects.get())
        with pytest.raises(StaleWriteError):
            stale.save()

    def test_signals_see_the_callers_update_fields_and_the_new_state(self):
        person = Person.objects.create(name="a")
        seen = []

        def receive(signal, instance, update_fields, **kwargs):
            seen.append((update_fields, instance.version))

        for signal in (pre_save, post_save):
            signal.connect(receive, sender=Person)
        try:
            person.save(update_fields=["name"])
        finally:
            for signal in (pre_save, post_save):
                signal.disconnect(receive, sender=Person)
        assert seen == [({"name"}, 1), ({"name"}, 2)]

    def test_within_a_pre_save_signal_of_the_same_instance(self):
        person = Person.objects.create(name="a")
        saving = []

        def receive(instance, **kwargs):
            if not saving:
                saving.append(instance)
                instance.save()

        pre_save.connect(receive, sender=Person)
        try:
            person.save()
        finally:
            pre_save.disconnect(receive, sender=Person)
        assert person.version == 3
        assert state(Person.objects.get()) == state(person)

    def test_timestamps_rise_whatever_the_clock_says(self):
        person = Person.objects.create(name="a")
        ahead = timezone.now() + timedelta(days=1)
        Person.objects.update(updated_at=ahead)
        person.refresh_from_db()
        person.save()
        assert person.updated_at == ahead + timedelta(microseconds=1)
        Person.objects.update(days=1)
        person.refresh_from_db()
        assert person.updated_at == ahead + timedelta(microseconds=2)

    @pytest.mark.parametrize("microsecond", [0, 100000, 999999])
    def test_compares_timestamps_of_any_number_of_digits(self, microsecond):
        person = Person.objects.create(name="a")
        Person.objects.update(updated_at=timezone.now().replace(microsecond=microsecond))
        person.refresh_from_db()
        person.save()
        assert state(person) == state(Person.objects.get())

    def test_of_an_insert_that_failed_leaves_the_instance_as_it_was(self, row):
        before = state(row)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)
        assert state(row) == before
        row.save()
        assert state(row).version == 2

    def test_in_whose_signal_something_fails_keeps_what_it_has_written(self):
        restaurant = Restaurant.objects.create(name="a")

        def fail(**kwargs):
            raise ZeroDivisionError

        post_save.connect(fail, sender=Restaurant)
        try:
            with transaction.atomic(), pytest.raises(ZeroDivisionError):
                restaurant.save()
        finally:
            post_save.disconnect(fail, sender=Restaurant)
        assert state(restaurant) == state(again(restaurant))
        assert restaurant.version == 2

    def test_of_a_child_whose_own_row_is_gone_writes_nothing(self):
        restaurant = Restaurant.objects.create(name="a")
        stale = again(restaurant)
        again(restaurant).delete(keep_parents=True)
        Place.objects.update(version=1, updated_at=stale.updated_at)
        stale.name = "b"
        with transaction.atomic():
            with pytest.raises(StaleWriteError):
                stale.save()
            assert Place.objects.get().name == "a"
        assert Place.objects.get().version == 1

    def test_asks_no_snapshot_whether_the_row_is_there(self, django_assert_num_queries):
        person = Person.objects.create(name="a")
        Person._meta.select_on_save = True
        try:
            with django_assert_num_queries(1):
                person.save()
        finally:
            Person._meta.select_on_save = False

    def test_of_a_new_row_timestamps_it_whatever_the_instance_says(self):
        old = timezone.now() - timedelta(days=1)
        person = Person(name="a", updated_at=old)
        person.save()
        copies = Person.objects.bulk_create([Person(name="b", updated_at=old)])
        for stamped in (person, *copies):
            assert stamped.updated_at > old + timedelta(hours=1)
            assert state(again(stamped)) == state(stamped)

    def test_after_a_rollback_is_stale_even_where_versions_agree(self):
        person = Person.objects.create(name="a")
        with transaction.atomic():
            person.save()
            transaction.set_rollback(True)
        other = Person.objects.get()
        other.save()
        assert person.version == other.version == 2
        with pytest.raises(StaleWriteError):
            person.save()

    def test_of_a_database_error_leaves_the_instance_as_it_was(self):
        Hidden.objects.create(name="a")
        second = Hidden.objects.create(name="b")
        before = state(second)
        second.uuid = Hidden.objects.get(name="a").uuid
        with pytest.raises(IntegrityError), transaction.atomic():
            second.save()
        assert state(second) == before
        second.refresh_from_db()
        second.save()
        assert second.version == 2

    def test_by_update_or_create_and_get_or_create(self):
        person, created = Person.objects.update_or_create(name="a", defaults={"days": 1})
        assert created
        assert person.version == 1
        person, created = Person.objects.update_or_create(name="a", defaults={"days": 2})
        assert not created
        assert (person.version, Person.objects.get().version) == (2, 2)
        assert Person.objects.get_or_create(name="a") == (person, False)
        assert Person.objects.get().version == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("close_connections")
async def test_the_asynchronous_methods_compare_too():
    person = await Person.objects.acreate(name="a")
    stale = await Person.objects.aget()
    await person.asave()
    with pytest.raises(StaleWriteError):
        await stale.asave()
    with pytest.raises(StaleWriteError):
        await stale.adelete()
    await Person.objects.aupdate(days=3)
    await person.arefresh_from_db()
    assert (person.version, person.days) == (3, 3)
    await person.adelete()


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_fails_leaves_the_instance_as_it_was():
    """Databases that check keys at COMMIT refuse it after the last table is written."""
    restaurant = Restaurant.objects.create(name="a")
    before = state(restaurant)
    restaurant.team_id = 999_999
    with pytest.raises(IntegrityError):
        restaurant.save()
    assert state(restaurant) == before == state(again(restaurant))
    restaurant.team_id = None
    restaurant.save()
    assert state(restaurant) == state(again(restaurant))


class TestInstancesWithoutState:
    def test_made_by_hand_are_inserted_and_never_update(self):
        person = Person.objects.create(name="a")
        with pytest.raises(IntegrityError), transaction.atomic():
            Person(pk=person.pk, name="b").save()
        assert Person.objects.get().name == "a"
        Person(pk=person.pk + 1, name="b").save()
        assert Person.objects.count() == 2

    def test_made_by_hand_for_a_parent_that_is_there(self):
        place = Place.objects.create(name="a")
        with pytest.raises(IntegrityError), transaction.atomic():
            Restaurant(pk=place.pk, name="b").save()
        assert Place.objects.get().name == "a"
        base = Base.objects.create(name="a")
        Extended(base_ptr=base, name="b").save()
        assert Extended.objects.get().version == 1

    @pytest.mark.parametrize("arguments", [{"update_fields": ["name"]}, {"force_update": True}])
    def test_made_by_hand_cannot_be_updated_or_deleted(self, arguments):
        person = Person.objects.create(name="a")
        by_hand = Person(pk=person.pk, name="b")
        with pytest.raises(VersionNotLoaded, match=r"Person\.objects\.using\('default'\)\.get"):
            by_hand.save(**arguments)
        with pytest.raises(VersionNotLoaded):
            by_hand.delete()
        assert state(Person.objects.get()) == state(person)

    def test_a_copy_without_key_is_a_new_row(self, row):
        if isinstance(row, Seat | Hidden):
            pytest.skip("its key, or what stands for it, has to be made by hand")
        duplicate = copy.copy(row)
        duplicate._state = copy.copy(row._state)
        duplicate.pk = None
        duplicate.id = None
        duplicate.save()
        assert type(row).objects.count() == 2
        row.save()

    def test_of_another_database_are_inserted_there(self):
        person = Person.objects.create(name="a")
        person.save(using="other")
        assert Person.objects.using("other").get().name == "a"
        with pytest.raises(IntegrityError), transaction.atomic(using="default"):
            person.save(using="default")

    def test_read_from_a_replica_compare_where_the_router_writes(self, settings):
        class Router:
            def db_for_read(self, model, **hints):
                return "other"

            def db_for_write(self, model, **hints):
                return "default"

        person = Person.objects.create(name="a")
        fresh = Person.objects.get()
        fresh._state.db = "other"  # as if a replica had answered
        settings.DATABASE_ROUTERS = [Router()]
        fresh.save()
        assert fresh.version == 2
        with pytest.raises(StaleWriteError):
            person.save()


class TestDelete:
    def test_of_a_stale_instance_deletes_nothing(self, row):
        stale = again(row)
        row.save()
        with pytest.raises(StaleWriteError):
            stale.delete()
        assert state(again(row)) == state(row)

    def test_of_a_row_that_is_gone_deletes_nothing_as_djangos_does(self, row):
        gone = again(row)
        row.delete()
        deleted, by_model = gone.delete()
        assert deleted == 0
        assert not any(by_model.values())

    def test_answers_as_django_does(self, row):
        deleted, by_model = row.delete()
        assert by_model[type(row)._meta.label] == 1
        assert deleted == sum(by_model.values())
        assert row.pk is None or row.pk == (None, None)

    def test_without_relations_is_one_statement(self, django_assert_num_queries):
        person = Person.objects.create(name="a")
        with django_assert_num_queries(1) as queries:
            person.delete()
        assert queries[0]["sql"].startswith("DELETE")

    def test_with_cascade_claims_the_row_first(self):
        team = Team.objects.create(name="a")
        Person.objects.create(name="a", team=team)
        stale = again(team)
        team.save()
        with pytest.raises(StaleWriteError):
            stale.delete()
        assert Person.objects.count() == 1
        team.delete()
        assert Person.objects.count() == 0

    def test_without_key_is_djangos_error(self):
        with pytest.raises(ValueError, match="can't be deleted"):
            Person(name="a").delete()


class TestQuerySet:
    def test_update_moves_every_row_in_the_same_statement(self, django_assert_num_queries):
        people = [Person.objects.create(name=name) for name in "abc"]
        with django_assert_num_queries(1):
            assert Person.objects.exclude(name="c").update(days=models.F("days") + 1) == 2
        for person, version in zip(people, (2, 2, 1), strict=True):
            fresh = again(person)
            assert (fresh.version, fresh.days) == (version, version - 1)
            assert (fresh.updated_at > person.updated_at) is (version == 2)

    def test_update_makes_instances_stale(self, row):
        type(row).objects.filter(pk=row.pk).update(**{content_field(row): 1})
        with pytest.raises(StaleWriteError):
            row.save()

    def test_update_may_name_the_version_itself(self):
        Person.objects.create(name="a")
        Person.objects.update(version=9)
        assert Person.objects.get().version == 9

    def test_update_reads_the_old_version(self):
        Person.objects.create(name="a")
        Person.objects.update(days=models.F("version") * 10)
        assert (Person.objects.get().days, Person.objects.get().version) == (10, 2)


class TestTimestampAlone:
    def test_moves_on_each_write_and_compares_nothing(self):
        note = Note.objects.create(text="a")
        stale = Note.objects.get()
        first = note.updated_at
        note.save(update_fields=["text"])
        assert Note.objects.get().updated_at == note.updated_at > first
        stale.save()
        Note.objects.update(text="b")
        assert Note.objects.get().updated_at > stale.updated_at > note.updated_at


class TestDjangosPromises:
    def test_pickling_keeps_the_state(self):
        person = Person.objects.create(name="a")
        restored = pickle.loads(pickle.dumps(person))
        restored.save()
        with pytest.raises(StaleWriteError):
            person.save()

    def test_a_fixture_keeps_its_state_only_where_there_is_no_row(self, tmp_path):
        person = Person.objects.create(name="a")
        # JSON keeps milliseconds.
        Person.objects.update(updated_at=timezone.now().replace(microsecond=123000), version=7)
        person.refresh_from_db()
        file = tmp_path / "people.json"
        call_command("dumpdata", "testapp.Person", output=str(file))
        Person.objects.update(name="b")
        before = state(Person.objects.get())
        call_command("loaddata", str(file), verbosity=0)
        assert Person.objects.get().name == "a"
        assert state(Person.objects.get()).version == before.version + 1
        assert state(Person.objects.get()).timestamp > before.timestamp
        Person.objects.all().delete()
        call_command("loaddata", str(file), verbosity=0)
        assert state(Person.objects.get()) == state(person)

    def test_the_columns_are_not_for_forms(self):
        from django.forms import modelform_factory

        assert set(modelform_factory(Person, fields="__all__").base_fields) == {
            "name",
            "days",
            "team",
        }

    def test_generated_columns_and_expressions(self):
        team = Team.objects.create(name="a")
        chapter = Chapter.objects.create(team=team, pages=3)
        chapter.pages = models.F("pages") + 1
        chapter.save()
        chapter.refresh_from_db()
        assert (chapter.pages, chapter.sheets, chapter.version) == (4, 8, 2)

    def test_order_with_respect_to(self):
        team = Team.objects.create(name="a")
        chapters = [Chapter.objects.create(team=team) for _ in range(3)]
        assert [chapter._order for chapter in chapters] == [0, 1, 2]
        team.set_chapter_order([chapter.pk for chapter in reversed(chapters)])
        assert list(team.get_chapter_order()) == [chapter.pk for chapter in reversed(chapters)]
        with pytest.raises(StaleWriteError):
            chapters[0].save()

    def test_many_to_many_rows_are_not_the_models_own(self):
        chapter = Chapter.objects.create(team=Team.objects.create(name="a"))
        other = Renamed.objects.create(name="a")
        chapter.tagged.add(other)
        assert state(Chapter.objects.get()) == state(chapter)
        assert state(Renamed.objects.get()) == state(other)

    def test_select_for_update_and_nested_transactions(self):
        Person.objects.create(name="a")
        with transaction.atomic():
            person = Person.objects.select_for_update().get()
            person.save()
            with transaction.atomic():
                person.save()
                transaction.set_rollback(True)
            with pytest.raises(StaleWriteError):
                person.save()
            Person.objects.get().save()
        assert Person.objects.get().version == 3

    def test_historical_models_are_djangos_own(self):
        """In ``RunPython`` there is no mixin: what it does is not protected."""
        from django.db import connection
        from django.db.migrations.state import ModelState, ProjectState

        Person.objects.create(name="a")
        project = ProjectState()
        for model in (Team, Person):
            project.add_model(ModelState.from_model(model))
        historical = project.apps.get_model("testapp", "Person")
        row = historical.objects.using(connection.alias).get()
        row.name = "b"
        row.save()
        assert (Person.objects.get().name, Person.objects.get().version) == ("b", 1)
        created = historical.objects.create(name="c")
        assert Person.objects.get(pk=created.pk).version == 1

    @pytest.mark.skipif(not hasattr(Person, "NotUpdated"), reason="came with Django 6.0")
    def test_djangos_own_error_stays_for_models_without_a_version(self):
        note = Note.objects.create(text="a")
        Note.objects.all().delete()
        with pytest.raises(Note.NotUpdated):
            note.save(update_fields=["text"])

    def test_full_clean_and_refresh(self):
        person = Person.objects.create(name="a")
        person.full_clean()
        Person.objects.update(days=5)
        person.refresh_from_db()
        assert (person.version, person.days) == (2, 5)

    def test_rows_of_other_programs_get_their_state_from_the_database(self):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO testapp_person (name, days) VALUES ('raw', 0)")
        person = Person.objects.get()
        assert person.version == 1
        assert abs(person.updated_at - timezone.now()) < timedelta(minutes=1)
        person.save()
        assert state(person) == state(Person.objects.get())
        person.delete()

    def test_rows_are_compared_on_their_own_database(self):
        person = Person.objects.using("other").create(name="a")
        Person.objects.create(pk=person.pk, name="b")
        person.save()
        assert Person.objects.using("other").get().version == 2
        assert Person.objects.get().version == 1
