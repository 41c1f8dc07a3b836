"""``save()`` and ``delete()`` beside other apps: soft deletion, files, fixtures, copies."""

import copy
import pickle
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.models.signals import post_save, pre_save
from django.utils import timezone

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.orm.guards import Guard
from etag_versioning.orm.locks import StoredRow
from etag_versioning.orm.state_columns import State, state_columns, unversioned_names
from tests.testapp.models import (
    Attachment,
    Book,
    Foreign,
    HiddenAfter,
    HiddenBefore,
    Leaf,
    Login,
    NarrowedAfter,
    NarrowedBefore,
    Person,
    Place,
    Plain,
    Profile,
    Restaurant,
    Shelf,
    Team,
    Upload,
)

pytestmark = pytest.mark.django_db


def again(instance):
    return type(instance)._base_manager.get(pk=instance.pk)


def state(instance):
    return state_columns(type(instance)).state_of(instance)


def content(row):
    with row.file.open("rb") as file:
        return file.read()


def guard_on(row):
    return Guard(StoredRow.of(type(row), "default", row.pk), state(row))


@pytest.mark.parametrize("model", [HiddenAfter, HiddenBefore])
class TestSoftDeletion:
    def test_delete_hides_the_row_and_bumps_it(self, model):
        row = model.objects.create(name="a")
        row.delete()
        assert again(row).hidden
        assert again(row).version == 2

    def test_delete_of_a_stale_instance_hides_nothing(self, model):
        row = model.objects.create(name="a")
        stale = again(row)
        row.save()
        with pytest.raises(StaleWriteError):
            stale.delete()
        assert not again(row).hidden

    def test_delete_passes_the_callers_arguments_on(self, model):
        row = model.objects.create(name="a")
        assert row.delete(force=True) == (1, {model._meta.label: 1})
        assert not model.objects.exists()

    def test_a_guard_knows_that_the_row_is_still_there(self, model):
        row = model.objects.create(name="a")
        guard = guard_on(row)
        with transaction.atomic(), guard.watch():
            row.delete()
        assert not guard.deleted
        assert guard.state == state(again(row))

    def test_a_guard_knows_that_the_row_is_gone(self, model):
        row = model.objects.create(name="a")
        guard = guard_on(row)
        with transaction.atomic(), guard.watch():
            row.delete(force=True)
        assert guard.deleted


class TestDeletionOfWhatIsGone:
    def test_a_row_that_a_precondition_names_is_stale(self):
        row = Person.objects.create(name="a")
        gone, guard = again(row), guard_on(row)
        row.delete()
        with transaction.atomic(), guard.watch(), pytest.raises(StaleWriteError):
            gone.delete()

    def test_a_child_and_its_parent_are_deleted_as_django_does(self):
        restaurant = Restaurant.objects.create(name="a")
        gone = again(restaurant)
        restaurant.delete()
        assert gone.delete()[0] == 0

    def test_a_child_without_its_parent_is_deleted_as_django_does(self):
        restaurant = Restaurant.objects.create(name="a")
        gone = again(restaurant)
        restaurant.delete()
        assert gone.delete(keep_parents=True)[0] == 0

    def test_a_row_of_a_class_with_its_own_delete_is_deleted_as_django_does(self):
        row = HiddenAfter.objects.create(name="a")
        gone = again(row)
        row.delete(force=True)
        assert gone.delete(force=True)[0] == 0

    def test_an_enclosing_transaction_goes_on(self):
        row = Person.objects.create(name="a")
        gone = again(row)
        row.delete()
        with transaction.atomic():
            assert gone.delete()[0] == 0
            Person.objects.create(name="b")
        assert Person.objects.get().name == "b"

    def test_a_row_with_relations_is_deleted_as_django_does(self):
        team = Team.objects.create(name="a")
        gone = again(team)
        team.delete()
        assert gone.delete()[0] == 0


@pytest.mark.parametrize("model", [NarrowedAfter, NarrowedBefore])
class TestOtherOverrides:
    def test_another_do_update_is_called_and_keeps_its_filter(self, model):
        model.asked.clear()
        ours, theirs = (model.objects.create(tenant=name) for name in ("ours", "theirs"))
        ours.days = theirs.days = 1
        ours.save()
        assert model.asked
        with pytest.raises(StaleWriteError):
            theirs.save()
        assert (again(ours).days, again(theirs).days) == (1, 0)

    def test_another_from_db_is_called_and_skip_unchanged_works(self, model):
        row = again(model.objects.create(tenant="ours"))
        assert row.is_loaded
        row.save()
        assert again(row).version == 1


def test_an_instance_can_be_copied_and_pickled_in_signals():
    person = Person.objects.create(name="a")
    copies = []

    def receive(instance, **kwargs):
        copies.append(copy.deepcopy(instance))
        copies.append(pickle.loads(pickle.dumps(instance)))
        transaction.on_commit(lambda: copies.append(copy.copy(instance)))

    for signal in (pre_save, post_save):
        signal.connect(receive, sender=Person)
    try:
        person.save()
    finally:
        for signal in (pre_save, post_save):
            signal.disconnect(receive, sender=Person)
    names = set(vars(Person.objects.get()))
    assert all(set(vars(each)) - {"_django_version"} == names for each in copies)
    # The key of the row is a plain value, and a copy may have it. The others are Django's.
    known = {"db", "adding", "fields_cache", "fetch_mode", "peers", "row_key"}
    assert all(vars(each._state).keys() <= known for each in copies)


class TestSkipUnchanged:
    def test_a_field_that_was_not_in_update_fields_still_counts_as_changed(self):
        row = again(Login.objects.create(name="a"))
        row.data, row.name = [1], "b"
        row.save(update_fields=["name"])
        row.save()
        assert again(row).data == [1]

    def test_an_expression_never_counts_as_unchanged(self):
        row = NarrowedAfter.objects.create(tenant="ours")
        row.days = models.F("days") + 1
        for _ in range(3):
            row.save()
            row.days = models.F("days") + 1
        assert again(row).days == 3

    @pytest.mark.parametrize(
        "made",
        [
            lambda row: row,
            lambda row: copy.copy(again(row)),
            lambda row: pickle.loads(pickle.dumps(again(row))),
        ],
    )
    def test_a_change_is_saved_after_another_field_is_read_again(self, made):
        row = made(Login.objects.create(name="a"))
        row.name = "b"
        row.refresh_from_db(fields=["data"])
        row.save()
        assert again(row).name == "b"

    def test_a_change_of_an_unpickled_instance_is_saved_after_a_deferred_field_is_read(self):
        Login.objects.create(name="a")
        row = pickle.loads(pickle.dumps(Login.objects.defer("data").get()))
        row.name = "b"
        assert row.data == {}
        row.save()
        assert again(row).name == "b"

    def test_a_change_is_saved_after_a_save_of_what_no_client_sees(self):
        row = again(Login.objects.create(name="a"))
        row.save(update_fields=["last_seen"])
        row.name = "b"
        row.refresh_from_db(fields=["last_seen"])
        row.save()
        assert again(row).name == "b"

    @pytest.mark.parametrize("mode", ["raise", "report", "merge"])
    def test_a_change_back_after_a_bulk_update_is_saved(self, mode, monkeypatch):
        monkeypatch.setattr(Login, "stale_writes", mode)
        row = again(Login.objects.create(name="a"))
        row.name = "b"
        Login.objects.bulk_update([row], ["name"])
        row.save(update_fields=["data"])
        row.name = "a"
        row.save()
        assert again(row).name == "a"

    def test_nothing_is_remembered_of_a_new_row(self):
        row = Login.objects.create(name="a")
        row.save()
        assert again(row).version == 2

    def test_a_file_that_is_there_is_unchanged(self, tmp_path, settings):
        settings.MEDIA_ROOT = tmp_path
        row = Upload.objects.create(name="a", file=ContentFile(b"one", name="a.txt"))
        row = again(row)
        row.save()
        assert row.version == 1
        row.file = ContentFile(b"two", name="b.txt")
        row.save()
        assert row.version == 2
        row.save()
        assert row.version == 2
        assert content(again(row)) == b"two"

    @pytest.mark.skipif(connection.vendor == "mysql", reason="MariaDB takes 32 levels of JSON")
    def test_json_that_is_nested_deeply_can_be_written_and_read(self):
        deep = []
        for _ in range(500):
            deep = [deep]
        row = again(Login.objects.create(name="a"))
        row.data = deep
        row.save()
        row = again(row)
        row.name = "b"
        row.save()
        assert again(row).version == 3

    def test_an_unchanged_save_in_a_guarded_request_compares_and_locks(
        self, django_assert_num_queries
    ):
        row = again(Login.objects.create(name="a"))
        guard = guard_on(row)
        with transaction.atomic(), guard.watch(), django_assert_num_queries(1) as queries:
            row.save()
        assert queries[0]["sql"].startswith("UPDATE")
        assert guard.compared
        stale = again(row)
        Login.objects.update(data=[1])
        with transaction.atomic(), guard_on(stale).watch(), pytest.raises(StaleWriteError):
            stale.save()


class TestFiles:
    @pytest.fixture(autouse=True)
    def media(self, tmp_path, settings):
        settings.MEDIA_ROOT = tmp_path
        self.folder = tmp_path

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}

    @pytest.mark.parametrize("overwrites", [False, True])
    def test_a_stale_save_stores_no_file(self, settings, overwrites):
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"allow_overwrite": overwrites},
            },
        }
        row = Attachment.objects.create(name="a", file=ContentFile(b"first", name="a.txt"))
        stale = again(row)
        row.save()
        before = self.files()
        stale.file = ContentFile(b"refused", name="a.txt")
        with pytest.raises(StaleWriteError):
            stale.save()
        assert self.files() == before
        assert stale.file.read() == b"refused"

    def test_a_new_file_under_the_old_name_is_a_change(self, settings):
        """With ``skip_unchanged``, and a storage that overwrites."""
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"allow_overwrite": True},
            },
        }
        row = again(Upload.objects.create(name="a", file=ContentFile(b"first", name="a.txt")))
        row.file = ContentFile(b"second", name="a.txt")
        row.save()
        assert row.version == again(row).version == 2
        row.save()
        assert again(row).version == 2

    def test_a_save_stores_its_file_once(self):
        row = Attachment.objects.create(name="a", file=ContentFile(b"first", name="a.txt"))
        row.file = ContentFile(b"second", name="b.txt")
        row.save()
        assert content(again(row)) == b"second"
        assert sorted(self.files()) == ["a.txt", "b.txt"]


def test_a_stale_save_leaves_auto_now_as_it_was(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    row = Attachment.objects.create(name="a", file=ContentFile(b"first", name="a.txt"))
    stale = again(row)
    before = dict(vars(stale))
    row.save()
    with pytest.raises(StaleWriteError):
        stale.save()
    assert vars(stale) == before


class TestKeys:
    def test_a_child_for_an_existing_parent_updates_the_parent(self):
        place = Place.objects.create(name="a")
        child = Restaurant.objects.create(place_ptr=place, name="b", stars=3)
        assert (again(place).name, again(place).version) == ("b", 2)
        assert state(again(child)) == state(child)
        child.save()
        other = Place.objects.create(name="c")
        Restaurant(place_ptr=other, name="c").save()
        assert Restaurant.objects.count() == 2

    def test_a_child_for_a_stale_parent_is_stale(self):
        place = Place.objects.create(name="a")
        stale = again(place)
        place.save()
        child = Restaurant(place_ptr=stale, name="b")
        with pytest.raises(StaleWriteError):
            child.save()
        assert child.place_ptr is stale
        assert again(place).name == "a"

    def test_a_child_saved_raw_for_an_existing_parent(self):
        place = Place.objects.create(name="a")
        Restaurant(place_ptr=place, stars=2).save_base(raw=True)
        assert Restaurant.objects.get().stars == 2
        assert again(place).version == 2

    @pytest.mark.parametrize("name", ["pk", "id"])
    @pytest.mark.parametrize("loaded", [True, False])
    def test_another_key_makes_another_row(self, name, loaded):
        person = Person.objects.create(name="a")
        person = again(person) if loaded else person
        key = person.pk
        setattr(person, name, 999)
        person.save()
        assert set(Person.objects.values_list("pk", flat=True)) == {key, 999}
        person.save()
        assert state(again(person)) == state(person)

    def test_another_key_never_overwrites_a_row_that_was_not_read(self):
        one, two = Person.objects.create(name="a"), Person.objects.create(name="b")
        one.pk = two.pk
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"), transaction.atomic():
            one.save()
        assert again(two).name == "b"

    def test_a_copy_of_a_child_is_a_new_row(self):
        restaurant = Restaurant.objects.create(name="a", stars=1)
        restaurant.pk = restaurant.id = None
        restaurant._state.adding = True
        restaurant.save()
        assert Restaurant.objects.count() == Place.objects.count() == 2

    def test_a_row_that_somebody_deleted_is_not_made_again(self):
        person = Person.objects.create(name="a")
        Person.objects.all().delete()
        with pytest.raises(StaleWriteError):
            person.save()
        assert not Person.objects.exists()


class TestRowsOfOtherPrograms:
    def test_a_row_without_a_version_can_be_saved_and_deleted(self):
        row = Foreign.objects.create(name="a")
        Foreign.objects.unversioned().update(version=None, updated_at=None)
        row = again(row)
        stale = again(row)
        row.save()
        assert state(again(row)) == state(row)
        assert row.version == 1
        with pytest.raises(StaleWriteError):
            stale.save()
        Foreign.objects.unversioned().update(version=None, updated_at=None)
        Foreign.objects.update(name="b")
        assert again(row).version == 1
        assert again(row).updated_at is not None
        Foreign.objects.unversioned().update(version=None, updated_at=None)
        again(row).delete()
        assert not Foreign.objects.exists()

    def test_a_version_that_is_no_number_says_how_to_mend_the_row(self):
        row = Person.objects.create(name="a")
        row.version = "draft"
        for write in (row.save, row.delete):
            with pytest.raises(ImproperlyConfigured, match=r"'draft'.*update\(version=…\)"):
                write()

    def test_unversioned_fields_may_name_a_columns_attribute(self):
        row = Foreign.objects.create(name="a")
        row.viewer = Plain.objects.create(name="b")
        for name in ("viewer", "viewer_id"):
            row.save(update_fields=[name])
        Foreign.objects.update(viewer=None)
        assert again(row).version == 1

    def test_unversioned_fields_as_a_string_is_an_error_with_the_right_code(self):
        class Wrong:
            unversioned_fields = "name"
            _meta = Person._meta

        with pytest.raises(ImproperlyConfigured, match=r'unversioned_fields = \("name",\)'):
            unversioned_names(Wrong)

    @pytest.mark.skipif(connection.vendor != "mysql", reason="a flag of MariaDB and MySQL")
    def test_a_client_flag_without_found_rows_is_named(self):
        team = Team.objects.create(name="a")
        options = connection.settings_dict["OPTIONS"]
        connection.settings_dict["OPTIONS"] = {**options, "client_flag": 0}
        try:
            with pytest.raises(ImproperlyConfigured, match="FOUND_ROWS"):
                State(1) and guard_on(again_elsewhere(team)).lock()
        finally:
            connection.settings_dict["OPTIONS"] = options


def again_elsewhere(team):
    stale = again(team)
    team.save()
    return stale


class TestRawSaves:
    def test_a_raw_save_bumps_what_it_touches_and_gives_the_row_a_new_state(self):
        shelf = Shelf.objects.create(name="s")
        book = Book.objects.create(name="b", shelf=shelf)
        leaf = Leaf.objects.create(name="l", book=book)
        old = again(leaf)
        Leaf.objects.update(number=1)
        before = again(leaf), again(book), again(shelf)
        models.Model.save_base(old, raw=True)
        for row in before:
            assert again(row).version == row.version + 1
            assert again(row).updated_at > row.updated_at
        assert state(again(leaf)) == state(old)
        assert again(leaf).number == 0

    def test_a_raw_save_of_a_child_bumps_the_parent_that_holds_its_state(self):
        restaurant = Restaurant.objects.create(name="a")
        before = again(restaurant)
        restaurant.stars = 5
        restaurant.save_base(raw=True)
        assert state(again(restaurant)).version == before.version + 1
        assert state(again(restaurant)) == state(restaurant)

    def test_a_fixture_may_name_rows_that_come_later(self, tmp_path):
        book = Book.objects.create(name="b", shelf=Shelf.objects.create(name="s"))
        Leaf.objects.create(name="l", book=book)
        file = str(tmp_path / "rows.json")
        names = ["testapp.Leaf", "testapp.Book", "testapp.Shelf"]
        call_command("dumpdata", *names, output=file, verbosity=0)
        for model in (Leaf, Book, Shelf):
            model.objects.all().delete()
        call_command("loaddata", file, verbosity=0)
        assert Leaf.objects.get().book.shelf.name == "s"

    def test_a_raw_save_in_a_guarded_request_is_held_to_the_guard(self):
        row = Person.objects.create(name="a")
        stale = again(row)
        row.save()
        with transaction.atomic(), guard_on(stale).watch(), pytest.raises(StaleWriteError):
            stale.save_base(raw=True)

    def test_a_timestamp_from_the_future_is_not_set_back(self):
        row = Person.objects.create(name="a")
        ahead = timezone.now() + timedelta(days=1)
        Person.objects.update(updated_at=ahead)
        row.save_base(raw=True)
        assert again(row).updated_at > ahead


def test_a_key_that_is_another_rows_can_be_saved():
    profile = Profile.objects.create(team=Team.objects.create(name="a"), text="a")
    profile.save()
    assert profile.version == 2


def test_the_parent_that_a_new_child_was_given_stays_current():
    place = Place.objects.create(name="a")
    Restaurant(place_ptr=place, name="a").save()
    place.name = "b"
    place.save()
    assert again(place).name == "b"


def test_a_stale_write_of_a_timestamp_from_a_file_says_what_to_leave_out():
    person = Person.objects.create(name="a")
    person.updated_at = person.updated_at.replace(microsecond=0) - timedelta(seconds=1)
    with pytest.raises(StaleWriteError, match=r"the updated_at .* has no microseconds.*exclude"):
        person.save()


def test_a_stale_write_of_a_whole_timestamp_says_nothing_of_files():
    person = Person.objects.create(name="a")
    person.updated_at = person.updated_at.replace(microsecond=123_456) - timedelta(seconds=1)
    with pytest.raises(StaleWriteError) as error:
        person.save()
    assert "file" not in str(error.value)
