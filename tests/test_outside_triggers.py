"""Triggers of the project's own that turn a DELETE into an UPDATE, which hides the row."""

import pytest
from django.db import connection, models, transaction

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel
from etag_versioning.orm.guards import Guard
from etag_versioning.orm.locks import StoredRow
from etag_versioning.orm.state_columns import state_columns

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor == "mysql", reason="MariaDB's triggers write no row of their own table."
    ),
]


class Archived(VersionedModel):
    """Deleted by one statement."""

    hidden = models.BooleanField(default=False)

    class Meta:
        app_label = "testapp"


class ArchivedWithEntries(VersionedModel):
    """Locked and deleted, since entries hang on it."""

    hidden = models.BooleanField(default=False)

    class Meta:
        app_label = "testapp"


class Entry(models.Model):
    archived = models.ForeignKey(ArchivedWithEntries, models.CASCADE)

    class Meta:
        app_label = "testapp"


def make_trigger(model, also=""):
    table = model._meta.db_table
    hide = f"UPDATE {table} SET hidden = true{also} WHERE id = OLD.id;"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER hide BEFORE DELETE ON {table} "
                f"BEGIN {hide} SELECT RAISE(IGNORE); END"
            )
        else:
            cursor.execute(
                f"CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {hide} RETURN NULL; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER hide BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION hide()"
            )


@pytest.mark.parametrize("model", [Archived, ArchivedWithEntries])
class TestDeletions:
    def test_a_row_that_a_trigger_hides_is_no_error(self, model):
        make_trigger(model)
        row = model.objects.create()
        key = row.pk
        assert row.delete()[0] == 0
        assert model.objects.get(pk=key).hidden

    def test_a_stale_instance_hides_nothing(self, model):
        make_trigger(model)
        row = model.objects.create()
        stale = model.objects.get(pk=row.pk)
        row.save()
        with pytest.raises(StaleWriteError) as error:
            stale.delete()
        assert not model.objects.get(pk=row.pk).hidden
        assert error.value.expected.version == 1

    def test_a_guard_knows_that_the_row_is_still_there(self, model):
        make_trigger(model)
        row = model.objects.create()
        guard = Guard(StoredRow.of(model, "default", row.pk), state_columns(model).state_of(row))
        with transaction.atomic(), guard.watch():
            row.delete()
        assert not guard.deleted
        assert guard.state.version == 1


def test_a_trigger_that_bumps_is_told_with_the_states_that_were_expected_and_found():
    make_trigger(Archived, ", version = version + 1")
    row = Archived.objects.create()
    with pytest.raises(StaleWriteError, match="a trigger that keeps the row") as error:
        row.delete()
    assert (error.value.expected.version, error.value.found.version) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_a_trigger_hides_is_read_again_without_a_transaction_around_it():
    make_trigger(Archived)
    try:
        row = Archived.objects.create()
        guard = Guard(
            StoredRow.of(Archived, "default", row.pk), state_columns(Archived).state_of(row)
        )
        with guard.watch():
            row.delete()
        assert guard.state.version == 1
    finally:
        with connection.cursor() as cursor:
            table = Archived._meta.db_table
            if connection.vendor == "sqlite":
                cursor.execute("DROP TRIGGER hide")
            else:
                cursor.execute(f"DROP TRIGGER hide ON {table}; DROP FUNCTION hide()")
