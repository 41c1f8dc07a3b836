"""The columns: added to a table with rows, filled by the database, compared by the moment."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, migrations, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter
from django.utils import timezone

from etag_versioning.fields import (
    DatabaseTimestamp,
    NextTimestamp,
    UpdatedAtField,
    VersionField,
    next_timestamp,
)
from etag_versioning.sources.rows import last_modified_seconds
from tests.testapp.models import Person

KEY = ("id", models.BigAutoField(primary_key=True))


class AsksNothing(MigrationQuestioner):
    def __getattribute__(self, name):
        if name.startswith("ask_") and name not in ("ask_initial", "ask_rename_model"):
            raise AssertionError(name)
        return super().__getattribute__(name)


def project(*fields):
    state = ProjectState()
    state.add_model(ModelState("testapp", "Grown", [KEY, *fields]))
    return state


@pytest.fixture
def migration():
    """What ``makemigrations`` makes of the two columns being added to a model."""
    changes = MigrationAutodetector(
        project(), project(("version", VersionField()), ("updated_at", UpdatedAtField()))
    )
    changes.questioner = AsksNothing()
    (migration,) = changes.changes(graph=_graph(), trim_to_apps={"testapp"})["testapp"]
    return migration


def _graph():
    from django.db.migrations.graph import MigrationGraph

    graph = MigrationGraph()
    graph.add_node(("testapp", "0001_initial"), migrations.Migration("0001_initial", "testapp"))
    return graph


def test_adding_the_columns_asks_nothing_and_is_short(migration):
    source = MigrationWriter(migration).as_string()
    assert "etag_versioning.fields.VersionField()" in source
    assert "etag_versioning.fields.UpdatedAtField()" in source


@pytest.mark.django_db(transaction=True)
def test_rows_that_are_there_get_their_state_from_the_database(migration):
    before = project()
    with connection.schema_editor() as editor:
        editor.create_model(before.apps.get_model("testapp", "Grown"))
    table = "testapp_grown"
    try:
        old = before.apps.get_model("testapp", "Grown")
        old.objects.bulk_create(old() for _ in range(3))
        with connection.schema_editor() as editor:
            after = migration.apply(before, editor)
        grown = after.apps.get_model("testapp", "Grown")
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO testapp_grown (id) VALUES (77)")
        rows = list(grown.objects.all())
        assert [row.version for row in rows] == [1] * 4
        for row in rows:
            assert abs(row.updated_at - timezone.now()) < timedelta(minutes=1)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {table}")


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        (VersionField(), {}),
        (UpdatedAtField(), {}),
        (VersionField(db_column="rev"), {"db_column": "rev"}),
        (VersionField(default=5, editable=True), {"default": 5, "editable": True}),
    ],
)
def test_migrations_hold_what_differs(field, arguments):
    assert field.deconstruct()[3] == arguments
    clone = field.clone()
    assert (clone.default, clone.editable) == (field.default, field.editable)
    assert clone.has_db_default()


def test_a_column_has_no_default_twice():
    assert not VersionField().check()
    assert DatabaseTimestamp() == DatabaseTimestamp()


@pytest.mark.django_db
@pytest.mark.parametrize("use_tz", [True, False])
def test_the_databases_clock_is_djangos(settings, use_tz):
    settings.USE_TZ = use_tz
    Person.objects.create(name="a")
    people = Person.objects.annotate(timestamp=DatabaseTimestamp())
    (timestamp,) = people.values_list("timestamp", flat=True)
    assert timezone.is_aware(timestamp) is use_tz
    if connection.vendor == "postgresql" or use_tz:
        assert abs(timestamp - timezone.now()) < timedelta(minutes=1)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", ".5", ".123", ".123000", ".000000", ".999999"])
def test_a_moment_written_by_another_program_is_compared_by_what_it_is(text):
    person = Person.objects.create(name="a")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE testapp_person SET updated_at = '2026-01-31 23:59:59{text}'")
    person.refresh_from_db()
    same = Person.objects.filter(updated_at=person.updated_at)
    assert same.exists()
    for other in (timedelta(microseconds=1), timedelta(microseconds=-1)):
        assert not Person.objects.filter(updated_at=person.updated_at + other).exists()
    assert not Person.objects.exclude(updated_at=person.updated_at).exists()
    person.save()


@pytest.mark.django_db
def test_timestamps_compare_with_columns_too():
    Person.objects.create(name="a")
    assert Person.objects.filter(updated_at=models.F("updated_at")).exists()


def test_next_timestamp():
    now = datetime(2026, 1, 1, 12, 0, 0, 300_000, tzinfo=UTC)
    second, microsecond = timedelta(seconds=1), timedelta(microseconds=1)
    assert next_timestamp(None, now) == now
    assert next_timestamp(now - timedelta(days=1), now) == now
    # Another host's clock was ahead: the next second's date is another one.
    whole = now.replace(microsecond=0)
    assert next_timestamp(now, now) == whole + second + microsecond
    assert next_timestamp(now + second, now) == whole + 2 * second + microsecond
    assert next_timestamp(whole + second, now) == whole + second + microsecond
    # Its date cannot have been given out yet.
    assert next_timestamp(now + timedelta(days=1), now) == now + timedelta(days=1) + microsecond


AHEAD = {
    "behind": timedelta(milliseconds=-1),
    "equal": timedelta(0),
    "two seconds": timedelta(seconds=2),
    "two seconds and a bit": timedelta(seconds=2, microseconds=123_450),
    "a whole second": timedelta(seconds=2, microseconds=500_000),
    "the last microsecond": timedelta(seconds=2, microseconds=499_999),
    "a minute": timedelta(minutes=1),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", AHEAD)
def test_the_database_computes_the_next_timestamp_as_python_does(name):
    now = datetime(2026, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    old = now + AHEAD[name]
    Person.objects.create(name="a")
    Person.objects.update(updated_at=old)
    Person.objects.update(updated_at=NextTimestamp(Person._meta.get_field("updated_at"), now))
    assert Person.objects.get().updated_at == next_timestamp(old, now)


@pytest.mark.django_db
@pytest.mark.parametrize("write", ["save", "update", "bulk_update"])
def test_a_write_by_a_clock_that_is_behind_changes_the_date_too(write):
    """Otherwise, If-Unmodified-Since would let a client overwrite what it has not seen."""
    Person.objects.create(name="a")
    Person.objects.update(updated_at=timezone.now() + timedelta(seconds=2))
    person = Person.objects.get()
    before = last_modified_seconds(person.updated_at)
    if write == "save":
        person.save()
    elif write == "update":
        Person.objects.update(days=1)
    else:
        Person.objects.bulk_update([person], ["days"])
    assert last_modified_seconds(Person.objects.get().updated_at) == before + 1
