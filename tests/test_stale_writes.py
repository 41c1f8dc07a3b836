"""``stale_writes``: a stale ``save()`` or ``delete()`` raises, is reported, or is merged."""

import contextlib
import copy
import inspect
import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, connections, models, transaction
from django.db.models import Case, When
from django.db.models.functions import Cast, Coalesce, Concat
from django.http import HttpResponse, JsonResponse
from django.test import RequestFactory
from django.utils import timezone

from etag_versioning.decorators import versioned_condition
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel
from etag_versioning.signals import stale_write_reported
from etag_versioning.sources.rows import row_of

WRITERS = 6


class Strict(VersionedModel):
    name = models.CharField(max_length=50)
    count = models.IntegerField(default=0)

    class Meta:
        app_label = "testapp"


class Group(VersionedModel):
    stale_writes = "merge"

    name = models.CharField(max_length=50)

    class Meta:
        app_label = "testapp"


class Reported(VersionedModel):
    stale_writes = "report"

    name = models.CharField(max_length=50)
    count = models.IntegerField(default=0)
    file = models.FileField(blank=True)

    class Meta:
        app_label = "testapp"


class ReportedProxy(Reported):
    class Meta:
        app_label = "testapp"
        proxy = True

    def save(self, *args, **kwargs):
        self.name = self.name.strip()
        super().save(*args, **kwargs)


class ReportedChild(Reported):
    note = models.CharField(max_length=50, default="")

    class Meta:
        app_label = "testapp"


class ReportedItem(models.Model):
    """Its owner is deleted by more than one statement."""

    owner = models.ForeignKey(Reported, models.CASCADE)

    class Meta:
        app_label = "testapp"


class Merged(VersionedModel):
    stale_writes = "merge"
    unversioned_fields = ("seen",)

    name = models.CharField(max_length=50)
    count = models.IntegerField(default=0)
    data = models.JSONField(default=dict)
    seen = models.IntegerField(default=0)
    modified = models.DateTimeField(auto_now=True)
    group = models.ForeignKey(Group, models.CASCADE, null=True)

    class Meta:
        app_label = "testapp"


class MergedChild(Merged):
    note = models.CharField(max_length=50, default="")

    class Meta:
        app_label = "testapp"


class MergedTag(VersionedModel):
    touches = ("merged",)

    merged = models.ForeignKey(Merged, models.CASCADE)

    class Meta:
        app_label = "testapp"


@pytest.fixture
def reports():
    """What the signal was sent with."""
    sent = []

    def receiver(sender, **kwargs):
        sent.append(kwargs)

    stale_write_reported.connect(receiver)
    yield sent
    stale_write_reported.disconnect(receiver)


def again(instance):
    return type(instance).objects.get(pk=instance.pk)


def state(instance):
    return instance.version, instance.updated_at


def stale_copy(instance, **changes):
    """The instance as it was read before somebody else wrote these changes."""
    stale = again(instance)
    other = again(instance)
    for name, value in changes.items():
        setattr(other, name, value)
    other.save()
    return stale


@pytest.mark.django_db
class TestWhichModeHolds:
    def test_a_stale_save_raises_by_default(self):
        stale = stale_copy(Strict.objects.create(name="a"), name="b")
        with pytest.raises(StaleWriteError):
            stale.save()

    def test_the_setting_holds_for_the_whole_project(self, settings):
        settings.ETAG_VERSIONING = {"STALE_WRITES": "report"}
        stale = stale_copy(Strict.objects.create(name="a"), name="b")
        stale.save()
        assert again(stale).name == "a"

    def test_the_models_own_wins(self, settings):
        settings.ETAG_VERSIONING = {"STALE_WRITES": "raise"}
        stale = stale_copy(Reported.objects.create(name="a"), name="b")
        stale.save()
        assert again(stale).name == "a"

    def test_another_value_of_the_setting_is_an_error(self, settings):
        settings.ETAG_VERSIONING = {"STALE_WRITES": "warn"}
        row = Strict.objects.create(name="a")
        with pytest.raises(ImproperlyConfigured, match='it must be "raise" or "report" or "merge"'):
            again(row)

    def test_another_value_of_the_model_is_an_error(self, monkeypatch):
        stale = stale_copy(Strict.objects.create(name="a"), name="b")
        monkeypatch.setattr(Strict, "stale_writes", "warn")
        with pytest.raises(ImproperlyConfigured, match='Write "raise", "report" or "merge"'):
            stale.save()


@pytest.mark.django_db(transaction=True)
def test_the_location_is_a_models_own_save_where_django_calls_it(reports):
    stale = stale_copy(ReportedProxy.objects.create(name="a"), name="b")
    # In a thread of its own, so that no function of this test is on the stack.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(ModelAdmin.save_model, None, None, stale, None, change=True).result()
        pool.submit(connections.close_all).result()
    (sent,) = reports
    lines, first = inspect.getsourcelines(ReportedProxy.save)
    assert sent["location"] == f"{__file__}:{first + len(lines) - 1}"


@pytest.mark.django_db
class TestReport:
    def test_a_stale_save_writes_and_bumps_the_row_from_its_own_version(self):
        stale = stale_copy(Reported.objects.create(name="a"), name="b", count=5)
        stale.name = "c"
        stale.save()
        row = again(stale)
        assert (row.name, row.count, row.version) == ("c", 0, 3)
        assert state(stale) == state(row)

    def test_the_timestamp_never_goes_back(self):
        row = Reported.objects.create(name="a")
        stale = again(row)
        ahead = timezone.now() + timedelta(minutes=5)
        Reported.objects.filter(pk=row.pk).unversioned().update(version=7, updated_at=ahead)
        stale.save()
        assert again(stale).updated_at > ahead
        assert again(stale).version == 8

    def test_a_save_that_is_not_stale_is_one_statement(self, django_assert_num_queries):
        row = again(Reported.objects.create(name="a"))
        with django_assert_num_queries(1):
            row.save()

    def test_the_log_names_the_line_that_saved(self, caplog, reports):
        stale = stale_copy(Reported.objects.create(name="a"), name="b")
        with caplog.at_level(logging.WARNING, logger="etag_versioning"):
            stale.save()
        (record,) = caplog.records
        assert f"{__file__}:" in record.getMessage()
        assert f"testapp.Reported {stale.pk} was changed by another" in record.getMessage()
        (sent,) = reports
        assert sent["location"] in record.getMessage()
        assert sent["instance"] is stale
        assert (sent["expected"].version, sent["found"].version) == (1, 2)

    def test_the_location_is_the_caller_of_a_models_own_save(self, reports):
        stale = stale_copy(ReportedProxy.objects.create(name="a"), name="b")
        stale.save()
        line = inspect.currentframe().f_lineno - 1
        (sent,) = reports
        assert sent["location"] == f"{__file__}:{line}"

    def test_a_save_that_is_not_stale_is_not_reported(self, reports):
        row = Reported.objects.create(name="a")
        row.save()
        again(row).delete()
        assert reports == []

    def test_a_stale_save_of_some_fields_leaves_the_instance_stale(self, reports):
        stale = stale_copy(Reported.objects.create(name="a"), name="b")
        before = state(stale)
        stale.count = 1
        stale.save(update_fields=["count"])
        assert (again(stale).name, again(stale).count, again(stale).version) == ("b", 1, 3)
        assert state(stale) == before  # Its name is still that of this state.
        stale.save()
        assert len(reports) == 2

    def test_what_was_loaded_and_saved_as_a_whole_is_current(self):
        row = Reported.objects.create(name="a")
        stale = Reported.objects.only("name", "version", "updated_at").get()
        row.save()
        stale.name = "b"
        stale.save()
        assert state(stale) == state(again(row))
        stale.save()

    def test_an_instance_that_was_loaded_without_its_state_is_saved(self, reports):
        row = Reported.objects.create(name="a")
        part = Reported.objects.defer("version").get()
        part.name = "b"
        part.save()
        assert (again(row).name, again(row).version) == ("b", 2)
        assert reports[0]["expected"] is None

    def test_a_version_that_was_not_loaded_is_read_after_a_save_of_some_fields(self):
        Reported.objects.create(name="a")
        part = Reported.objects.only("name", "count").get()
        part.name = "b"
        part.save(update_fields=["name"])
        assert part.get_deferred_fields() >= {"version", "updated_at"}
        with pytest.raises(ImproperlyConfigured):
            row_of(part)  # As before the save, there is no tag.
        assert state(part) == state(again(part))

    @pytest.mark.parametrize("options", [{}, {"force_update": True}, {"update_fields": ["name"]}])
    def test_an_instance_that_was_made_by_hand_overwrites_the_row(self, options, reports):
        row = Reported.objects.create(name="a")
        made = Reported(pk=row.pk, name="b")
        made.save(**options)
        assert (again(row).name, again(row).version) == ("b", 2)
        assert len(reports) == 1

    def test_an_instance_that_was_made_by_hand_is_inserted(self, reports):
        made = Reported(pk=1_000, name="b")
        made.save()
        assert again(made).version == 1
        assert reports == []

    def test_a_row_that_was_deleted_is_made_again_as_django_does(self, reports):
        gone = Reported.objects.create(name="a")
        again(gone).delete()
        gone.save()
        assert (again(gone).name, again(gone).version) == ("a", 2)
        assert reports[0]["found"] is None

    def test_a_row_that_was_deleted_is_made_again_with_a_new_file(self, media_root, reports):
        gone = ReportedChild.objects.create(name="a")
        again(gone).delete()
        before = state(gone)
        gone.file = ContentFile(b"new", name="new.txt")
        gone.save()
        assert state(again(gone)) == state(gone)
        assert (gone.version, gone.updated_at > before[1]) == (2, True)
        assert reports[0]["found"] is None

    @pytest.mark.parametrize("options", [{"force_update": True}, {"update_fields": ["name"]}])
    def test_a_forced_update_of_a_row_that_is_gone_is_djangos_error(self, options, reports):
        gone = Reported.objects.create(name="a")
        again(gone).delete()
        with pytest.raises(DatabaseError) as raised, transaction.atomic():
            gone.save(**options)
        assert not isinstance(raised.value, StaleWriteError)
        assert reports == []

    def test_a_child_of_a_stale_parent_is_saved(self, reports):
        child = ReportedChild.objects.create(name="a", note="a")
        stale = stale_copy(child, name="b", note="b")
        stale.note = "c"
        stale.save()
        assert (again(child).name, again(child).note, again(child).version) == ("a", "c", 3)
        assert state(stale) == state(again(child))
        assert len(reports) == 1

    def test_a_file_is_stored(self, media_root, reports):
        stale = stale_copy(Reported.objects.create(name="a"), name="b")
        stale.file = ContentFile(b"new", name="new.txt")
        stale.save()
        with again(stale).file.open("rb") as file:
            assert file.read() == b"new"
        assert again(stale).version == 3
        assert len(reports) == 1

    @pytest.mark.parametrize("has_items", [False, True])
    def test_a_stale_row_is_deleted(self, has_items, reports):
        row = Reported.objects.create(name="a")
        if has_items:
            ReportedItem.objects.create(owner=row)
        stale = stale_copy(row, name="b")
        stale.delete()
        assert not Reported.objects.exists()
        assert reports[0]["found"].version == 2

    def test_an_instance_without_its_state_is_deleted(self, reports):
        row = Reported.objects.create(name="a")
        Reported(pk=row.pk).delete()
        assert not Reported.objects.exists()

    def test_deleting_what_is_gone_deletes_nothing_and_is_not_reported(self, reports):
        row = Reported.objects.create(name="a")
        gone = again(row)
        row.delete()
        assert gone.delete()[0] == 0
        assert reports == []

    def test_an_enclosing_transaction_goes_on(self):
        stale = stale_copy(Reported.objects.create(name="a"), name="b")
        with transaction.atomic():
            stale.save()
            Reported.objects.create(name="c")
        assert Reported.objects.count() == 2


@pytest.mark.django_db
class TestReportOfBatches:
    def test_a_stale_batch_is_written_and_each_stale_instance_is_reported(self, reports):
        stale = stale_copy(Reported.objects.create(name="a"), name="b")
        current = again(Reported.objects.create(name="a"))
        for instance in (stale, current):
            instance.count = 5
        assert Reported.objects.bulk_update([stale, current], ["count"]) == 2
        assert (again(stale).name, again(stale).count, again(stale).version) == ("b", 5, 3)
        assert state(current) == state(again(current))
        assert [sent["instance"] for sent in reports] == [stale]
        assert stale.version == 1  # Its name is still that of this state.

    def test_a_batch_that_is_not_stale_is_not_reported(self, reports):
        rows = [again(Reported.objects.create(name="a")) for _ in range(3)]
        Reported.objects.bulk_update(rows, ["name"], batch_size=2)
        assert [state(row) for row in rows] == [state(again(row)) for row in rows]
        assert reports == []

    def test_instances_without_a_state_and_twice_the_same_row_are_written(self):
        row = Reported.objects.create(name="a")
        part = Reported.objects.defer("version").get()
        part.name = "b"
        Reported.objects.bulk_update([part, again(row)], ["name"])
        assert again(row).name == "b"

    def test_a_child_is_written_in_both_tables(self, reports):
        stale = stale_copy(ReportedChild.objects.create(name="a", note="a"), note="b")
        stale.name, stale.note = "c", "c"
        ReportedChild.objects.bulk_update([stale], ["name", "note"])
        assert (again(stale).name, again(stale).note, again(stale).version) == ("c", "c", 3)
        assert len(reports) == 1

    def test_an_instance_that_the_filter_leaves_out_is_neither_written_nor_reported(self, reports):
        row = again(Reported.objects.create(name="a"))
        row.count = 5
        assert Reported.objects.filter(name="z").bulk_update([row], ["count"]) == 0
        assert (again(row).count, row.version) == (0, 1)
        assert reports == []

    def test_a_stale_instance_that_the_filter_leaves_out_stays_stale(self, reports):
        stale = stale_copy(Reported.objects.create(name="a"), name="b")
        stale.count = 5
        assert Reported.objects.filter(name="z").bulk_update([stale], ["count"]) == 0
        assert stale.version == 1
        stale.save()
        assert [sent["instance"] for sent in reports] == [stale]

    @pytest.mark.parametrize("model", [Reported, ReportedChild])
    def test_of_a_filtered_batch_what_is_written_is_current_or_reported(self, model, reports):
        stale = stale_copy(model.objects.create(name="a"), name="b")
        current = again(model.objects.create(name="b"))
        left_out = again(model.objects.create(name="c"))
        rows = [stale, current, left_out]
        for row in rows:
            row.count = 5
        assert model.objects.filter(name="b").bulk_update(rows, ["count"], batch_size=1) == 2
        assert [again(row).count for row in rows] == [5, 5, 0]
        assert state(current) == state(again(current))
        assert (stale.version, left_out.version) == (1, 1)
        assert [sent["instance"] for sent in reports] == [stale]

    def test_a_row_that_leaves_the_filter_meanwhile_makes_no_instance_current(self):
        rows = [again(Reported.objects.create(name="a")) for _ in range(2)]

        def leave(execute, sql, *args):
            if sql.startswith("UPDATE"):
                moved.append(sql)
                if len(moved) == 1:
                    stale_copy(rows[0], name="z")
            return execute(sql, *args)

        moved = []
        with connection.execute_wrapper(leave):
            count = Reported.objects.filter(name="a").bulk_update(rows, ["count"])
        assert count == 1
        assert [row.version for row in rows] == [1, 1]

    def test_a_row_that_if_match_names_is_strict(self):
        row = Reported.objects.create(name="a")
        tag = put_count(RequestFactory().get("/"), pk=row.pk)["ETag"]
        stale = stale_copy(Reported.objects.create(name="c"), name="d")

        @versioned_condition(Reported)
        def view(request, pk):
            Reported.objects.bulk_update([again(row), stale], ["name"])
            return HttpResponse()

        assert put(view, row.pk, tag).status_code == 409
        assert again(row).version == 1


@pytest.mark.django_db
class TestMerge:
    def test_a_column_that_nobody_else_changed_is_saved(self, reports):
        stale = stale_copy(Merged.objects.create(name="a"), name="b")
        stale.count = 1
        stale.save(update_fields=["count"])
        row = again(stale)
        assert (row.name, row.count, row.version) == ("b", 1, 3)
        assert reports == []

    @pytest.mark.parametrize("fields", [["name"], ["count", "name"], None])
    def test_a_column_that_another_changed_is_stale(self, fields):
        stale = stale_copy(Merged.objects.create(name="a"), name="b")
        before = state(stale)
        stale.name, stale.count = "c", 1
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=fields)
        assert (again(stale).name, again(stale).count, again(stale).version) == ("b", 0, 2)
        assert state(stale) == before

    def test_after_a_merge_the_other_columns_are_still_compared(self):
        stale = stale_copy(Merged.objects.create(name="a"), name="b")
        stale.count = 1
        stale.save(update_fields=["count"])
        stale.count = 2
        stale.save(update_fields=["count"])
        assert again(stale).count == 2
        with pytest.raises(StaleWriteError):
            stale.save()
        assert again(stale).name == "b"

    def test_a_row_that_was_only_touched_can_be_saved_as_a_whole(self):
        row = again(Merged.objects.create(name="a"))
        MergedTag.objects.create(merged_id=row.pk)
        row.name = "b"
        row.save()
        assert state(row) == state(again(row))
        assert row.version == 3

    def test_an_update_by_key_and_a_save_that_agree(self):
        row = again(Merged.objects.create(name="a"))
        Merged.objects.filter(pk=row.pk).update(name="done")
        row.name = "done"
        row.save()
        assert (again(row).name, again(row).version) == ("done", 3)

    def test_an_update_by_key_that_a_save_would_undo_is_stale(self):
        row = again(Merged.objects.create(name="a"))
        Merged.objects.filter(pk=row.pk).update(name="done")
        row.count = 1
        with pytest.raises(StaleWriteError):
            row.save()

    def test_a_join_that_yields_a_row_twice(self):
        row = Merged.objects.create(name="a")
        MergedTag.objects.bulk_create([MergedTag(merged=row), MergedTag(merged=row)])
        for each in Merged.objects.filter(mergedtag__isnull=False):
            each.name = "seen"
            each.save()
        assert (again(row).name, Merged.objects.count()) == ("seen", 1)

    def test_an_expression_is_computed_from_the_row_as_it_is(self):
        stale = stale_copy(Merged.objects.create(name="a"), count=5)
        stale.count = models.F("count") + 1
        stale.save(update_fields=["count"])
        assert again(stale).count == 6

    def test_an_expression_that_is_a_value_overwrites_nobody(self):
        stale = stale_copy(Merged.objects.create(name="a"), name="b")
        stale.name = models.Value("c")
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=["name"])

    @pytest.mark.parametrize(
        "name",
        [
            Concat(models.Value("c"), models.Value("d")),
            Cast("count", models.CharField()),
            Case(When(count=0, then=models.Value("c")), default=models.Value("d")),
        ],
        ids=["of values", "of another column", "of conditions"],
    )
    def test_an_expression_that_does_not_read_its_column_overwrites_nobody(self, name):
        stale = stale_copy(Merged.objects.create(name="a"), name="b")
        stale.name = name
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=["name"])
        assert again(stale).name == "b"

    @pytest.mark.parametrize(
        "group",
        [models.F("group"), models.F("group_id"), Coalesce("group", 0)],
        ids=["name", "column", "deep inside"],
    )
    def test_an_expression_that_reads_its_column_keeps_the_others_change(self, group):
        row = Merged.objects.create(name="a")
        stale = stale_copy(row, group=Group.objects.create(name="a"))
        stale.group_id = group
        stale.save(update_fields=["group"])
        assert again(row).group.name == "a"

    def test_case_and_mutable_values_are_compared_exactly(self):
        row = Merged.objects.create(name="a", data={"a": [1]})
        stale = stale_copy(row, name="A", data={"a": [2]})
        stale.data["a"].append(3)
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=["data"])
        stale.name = "c"
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=["name"])

    def test_columns_that_no_client_sees_are_not_compared(self):
        row = Merged.objects.create(name="a")
        stale = again(row)
        Merged.objects.filter(pk=row.pk).update(seen=9)
        MergedTag.objects.create(merged=row)
        stale.save()
        assert again(row).version == 3

    def test_a_foreign_key_is_compared_by_its_column(self):
        row = Merged.objects.create(name="a")
        group = Group.objects.create(name="a")
        stale = stale_copy(row, group=group)
        stale.group = Group.objects.create(name="b")
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=["group"])
        assert again(row).group == group

    def test_a_childs_columns_are_compared_in_both_tables(self):
        stale = stale_copy(MergedChild.objects.create(name="a"), note="b")
        stale.note = "c"
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=["note"])
        stale.name = "c"
        stale.save(update_fields=["name"])
        assert (again(stale).name, again(stale).note) == ("c", "b")

    def test_deferred_columns_are_compared_once_they_are_loaded(self):
        row = Merged.objects.create(name="a")
        stale = Merged.objects.defer("name").get()
        assert stale.name == "a"
        stale_copy(row, name="b")
        stale.name = "c"
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=["name"])
        stale.count = 1
        stale.save(update_fields=["count"])

    def test_a_refreshed_instance_is_compared_with_what_it_was_refreshed_with(self):
        row = stale_copy(Merged.objects.create(name="a"), name="b")
        row.refresh_from_db()
        stale_copy(row, count=5)
        row.name = "c"
        row.save(update_fields=["name"])
        assert (again(row).name, again(row).count) == ("c", 5)

    def test_rows_that_were_prefetched_can_be_read_again(self):
        row = Merged.objects.create(name="a")
        tag = MergedTag.objects.create(merged=row)
        row = Merged.objects.prefetch_related("mergedtag_set").get()
        MergedTag.objects.create(merged_id=row.pk)
        row.refresh_from_db(fields=["mergedtag_set"])
        assert tag in row.mergedtag_set.all()
        assert row.mergedtag_set.count() == 2

    @pytest.mark.parametrize("name", ["pk", "group", "group_id"])
    def test_fields_can_be_read_again_by_any_of_their_names(self, name):
        row = stale_copy(Merged.objects.create(name="a"), group=Group.objects.create(name="a"))
        row.refresh_from_db(fields=[name])
        row.count = 1
        row.save(update_fields=["count"])
        assert again(row).count == 1

    def test_after_a_bulk_update_it_is_not_known_what_the_row_holds(self):
        row = again(Merged.objects.create(name="a"))
        row.name = "b"
        Merged.objects.bulk_update([row], ["name"])
        stale_copy(row, name="a")
        row.count = 1
        with pytest.raises(StaleWriteError):
            row.save()
        assert again(row).name == "a"

    @pytest.mark.parametrize(
        "outermost",
        [
            pytest.param(True, marks=pytest.mark.django_db(transaction=True)),
            pytest.param(False, marks=pytest.mark.django_db),
        ],
        ids=["transaction", "savepoint"],
    )
    def test_what_was_saved_and_rolled_back_is_not_what_the_row_holds(self, outermost):
        row = again(Merged.objects.create(name="a"))
        assert connection.in_atomic_block is not outermost
        with contextlib.suppress(KeyError), transaction.atomic():
            row.name = "done"
            row.save()
            raise KeyError
        stale_copy(row, name="done")
        row.name = "failed"
        with pytest.raises(StaleWriteError):
            row.save(update_fields=["name"])
        assert again(row).name == "done"

    @pytest.mark.parametrize("saves", [1, 2])
    def test_after_a_rollback_what_was_read_before_it_is_compared(self, saves):
        row = again(Merged.objects.create(name="a"))
        with contextlib.suppress(KeyError), transaction.atomic():
            for count in range(saves):
                row.count = count + 5
                row.save()
            raise KeyError
        row.name = "failed"
        row.save(update_fields=["name"])
        assert (again(row).name, again(row).count) == ("failed", 0)

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("in_transaction", [False, True])
    def test_what_was_saved_and_committed_is_what_the_row_holds(self, in_transaction):
        row = again(Merged.objects.create(name="a"))
        with transaction.atomic() if in_transaction else contextlib.nullcontext():
            row.name = "b"
            row.save()
        stale_copy(row, count=5)
        row.name = "c"
        row.save(update_fields=["name"])
        assert (again(row).name, again(row).count) == ("c", 5)

    @pytest.mark.parametrize("copied", [copy.copy, lambda row: pickle.loads(pickle.dumps(row))])
    def test_of_a_copy_it_is_not_known_what_it_was_read_with(self, copied):
        stale = copied(stale_copy(Merged.objects.create(name="a"), name="b"))
        stale.count = 1
        with pytest.raises(StaleWriteError):
            stale.save(update_fields=["count"])

    def test_a_row_that_is_gone_is_stale(self):
        row = Merged.objects.create(name="a")
        gone = again(row)
        row.delete()
        with pytest.raises(StaleWriteError):
            gone.save(update_fields=["count"])
        with pytest.raises(StaleWriteError):
            gone.save()

    def test_a_deletion_compares_the_whole_row(self):
        stale = stale_copy(Merged.objects.create(name="a"), name="b")
        with pytest.raises(StaleWriteError):
            stale.delete()
        assert again(stale).name == "b"


@pytest.mark.django_db
class TestWhatDjangoRaises:
    """``StaleWriteError`` where Django says that no row was updated."""

    @pytest.mark.parametrize("options", [{"force_update": True}, {"update_fields": ["name"]}])
    @pytest.mark.parametrize("gone", [False, True])
    def test_a_forced_update_is_caught_by_handlers_of_djangos_error(self, options, gone):
        stale = stale_copy(Strict.objects.create(name="a"), name="b")
        if gone:
            again(stale).delete()
        djangos = getattr(Strict, "NotUpdated", DatabaseError)
        with transaction.atomic():
            with pytest.raises(djangos) as raised:
                stale.save(**options)
            assert isinstance(raised.value, StaleWriteError)
            assert isinstance(raised.value, DatabaseError)
            Strict.objects.create(name="the transaction goes on")

    def test_a_plain_save_is_no_error_of_the_database(self):
        stale = stale_copy(Strict.objects.create(name="a"), name="b")
        with pytest.raises(StaleWriteError) as raised:
            stale.save()
        assert not isinstance(raised.value, DatabaseError)

    def test_the_class_of_the_error_can_be_pickled(self):
        """As Django's parallel test runner does."""
        stale = stale_copy(Strict.objects.create(name="a"), name="b")
        with pytest.raises(StaleWriteError) as error:
            stale.save(update_fields=["name"])
        assert pickle.loads(pickle.dumps(error.type)) is error.type

    def test_the_error_can_be_pickled(self):
        stale = stale_copy(Strict.objects.create(name="a"), name="b")
        with pytest.raises(StaleWriteError) as raised:
            stale.save(force_update=True)
        error = pickle.loads(pickle.dumps(raised.value))
        assert type(error) is type(raised.value)
        assert (error.model, error.pk, str(error)) == (Strict, stale.pk, str(raised.value))


@versioned_condition(Reported)
def put_count(request, pk):
    """Reads the row, and saves it with one more."""
    row = Reported.objects.get(pk=pk)
    if request.method != "GET":
        row.count += 1
        row.save()
    return JsonResponse({"count": row.count})


@versioned_condition(Reported, if_match="optional")
def put_count_optionally(request, pk):
    row = Reported.objects.get(pk=pk)
    if request.method != "GET":
        row.count += 1
        row.save()
    return JsonResponse({"count": row.count})


@versioned_condition(Reported, if_match="optional")
def put_while_another_writes(request, pk):
    """Between its reading and its writing, somebody else writes."""
    stale = stale_copy(Reported.objects.get(pk=pk), name="another's")
    if request.headers.get("X-Fields"):
        stale.save(update_fields=["count"])
    else:
        stale.save()
    return HttpResponse()


def put(view, pk, tag=None, **headers):
    given = {"If-Match": tag} if tag else {}
    return view(RequestFactory().put("/", headers={**given, **headers}), pk=pk)


@pytest.mark.django_db
class TestRequests:
    def test_a_row_that_if_match_names_is_strict(self):
        row = Reported.objects.create(name="a")
        tag = put_count(RequestFactory().get("/"), pk=row.pk)["ETag"]
        stale_copy(row, name="b")
        assert put(put_count, row.pk, tag).status_code == 412

    def test_a_stale_save_within_a_guarded_view_is_strict(self, reports):
        row = Reported.objects.create(name="a")
        tag = put_count(RequestFactory().get("/"), pk=row.pk)["ETag"]
        stale = Reported(pk=row.pk, name="made by hand")

        @versioned_condition(Reported)
        def view(request, pk):
            stale.save()
            return HttpResponse()

        assert put(view, row.pk, tag).status_code == 409
        assert again(row).name == "a"
        assert reports == []

    def test_without_if_match_a_stale_save_answers_with_the_new_tag(self):
        row = Reported.objects.create(name="a")
        answer = put(put_while_another_writes, row.pk)
        assert answer.status_code == 200
        assert answer["ETag"] == put_count(RequestFactory().get("/"), pk=row.pk)["ETag"]

    def test_after_a_stale_save_of_some_fields_the_answer_has_no_tag(self):
        """The instance that the view shows has the other fields of an older state."""
        row = Reported.objects.create(name="a")
        answer = put(put_while_another_writes, row.pk, **{"X-Fields": "count"})
        assert answer.status_code == 200
        assert "ETag" not in answer


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_with_report_every_save_succeeds_and_bumps_once(self, race):
        row = Reported.objects.create(name="a")
        instances = [again(row) for _ in range(WRITERS)]
        results = race(*[instance.save for instance in instances])
        assert results == [None] * WRITERS
        versions = sorted(instance.version for instance in instances)
        assert versions == list(range(2, 2 + WRITERS))
        assert len({instance.updated_at for instance in instances}) == WRITERS
        assert again(row).version == 1 + WRITERS

    def test_with_report_transactions_that_save_and_delete_all_succeed(self, race):
        row = Reported.objects.create(name="a")
        stale = [again(row) for _ in range(WRITERS)]

        def save(instance):
            with transaction.atomic():
                instance.save(update_fields=["count"])

        def delete():
            again(row).delete()

        results = race(*[lambda each=each: save(each) for each in stale])
        assert results == [None] * WRITERS
        assert again(row).version == 1 + WRITERS
        assert race(delete) == [None]
        assert not Reported.objects.exists()

    def test_with_merge_no_column_of_another_is_lost(self, race):
        row = Merged.objects.create(name="a")
        named, counted = again(row), again(row)
        named.name, counted.count = "b", 7
        results = race(
            lambda: named.save(update_fields=["name"]),
            lambda: counted.save(update_fields=["count"]),
        )
        assert results == [None, None]
        assert (again(row).name, again(row).count, again(row).version) == ("b", 7, 3)

    def test_with_merge_one_of_many_writers_of_one_column_wins(self, race):
        row = Merged.objects.create(name="a")
        instances = [again(row) for _ in range(WRITERS)]
        for number, instance in enumerate(instances):
            instance.name = f"writer {number}"
        results = race(*[lambda each=each: each.save(update_fields=["name"]) for each in instances])
        errors = [result for result in results if isinstance(result, StaleWriteError)]
        assert len(errors) == WRITERS - 1
        assert again(row).version == 2

    def test_with_if_match_nothing_is_lost_in_report_mode(self, race):
        row = Reported.objects.create(name="a")
        tag = put_count(RequestFactory().get("/"), pk=row.pk)["ETag"]
        answers = race(*[lambda: put(put_count, row.pk, tag)] * WRITERS)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] + [412] * (WRITERS - 1)
        assert again(row).count == 1
