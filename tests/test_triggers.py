"""What programs write past the models, by SQL, and what the triggers make of it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import call_command
from django.db import OperationalError, connection, models, transaction
from django.db.migrations.state import ProjectState
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import isolate_apps
from django.utils import timezone

from etag_versioning.decorators import versioned_condition
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.fields import UpdatedAtField
from etag_versioning.models import VersionedModel
from etag_versioning.operations import AddVersionTrigger
from etag_versioning.orm.locks import StoredRow, lock_state
from etag_versioning.orm.state import State
from etag_versioning.triggers.audit import audit_triggers
from etag_versioning.triggers.backends import trigger_editor
from tests.triggerapp.models import Author, Book, Numbered, Stamped, Subject, Untouched

pytestmark = pytest.mark.django_db

q = connection.ops.quote_name
AUTHOR, BOOK = q(Author._meta.db_table), q(Book._meta.db_table)
MICROSECOND = timedelta(microseconds=1)


def execute(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def set_column(author, column, value):
    return execute(f"UPDATE {AUTHOR} SET {q(column)} = %s WHERE id = %s", value, author.pk)


def state(author):
    """The version and the timestamp of the row as it is now."""
    return Author.objects.values_list("row_version", "updated_at").get(pk=author.pk)


@pytest.fixture
def author():
    return Author.objects.create(name="ada", weight=1.5, data={"a": 1})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("the name", "grace"),
        # What collations hold to be equal is not the same to a reader.
        ("the name", "Ada"),
        ("the name", "ada "),
        ("the name", "adá"),
        ("the name", ""),
        ("the name", None),
        ("born", "1815-12-10"),
        ("weight", 1.5000000000000002),
        ("weight", None),
        ("fee", "0.01"),
        ("data", '{"a": 2}'),
        ("photo", b"\x00\xff"),
        ("active", False),
        ("biography", "x" * 100_000),
        ("id", 4711),
    ],
)
def test_a_change_of_any_column_moves_version_and_timestamp(author, column, value):
    before = timezone.now() - timedelta(seconds=1)
    assert set_column(author, column, value) == 1
    row = Author.objects.get()
    assert row.row_version == 2
    assert author.updated_at < row.updated_at
    assert before < row.updated_at < timezone.now() + timedelta(seconds=1)


@pytest.mark.parametrize("value", [None, "grace"])
def test_null_is_compared_like_any_value(author, value):
    set_column(author, "the name", None)
    set_column(author, "the name", value)
    assert state(author)[0] == (2 if value is None else 3)


def test_what_changes_nothing_moves_nothing(author):
    before = state(author)
    execute(
        f"UPDATE {AUTHOR} SET {q('the name')} = {q('the name')}, active = active, weight = 1.5, "
        f"born = NULL, data = data"
    )
    assert state(author) == before


def test_unversioned_fields_move_nothing(author):
    before = state(author)
    set_column(author, "last_login", "2026-01-01 10:00:00")
    assert state(author) == before
    author.refresh_from_db()
    author.last_login = timezone.now()
    author.save(update_fields=["last_login"])
    assert state(author) == before
    author.save()


def test_an_unversioned_field_beside_another_does_not_hide_it(author):
    execute(f"UPDATE {AUTHOR} SET last_login = '2026-01-01 10:00:00', active = %s", False)
    assert state(author)[0] == 2


def test_a_claim_moves_nothing(author):
    before = state(author)
    lock_state(StoredRow.of(Author, "default", author.pk), [State(*before)])
    execute(f"UPDATE {AUTHOR} SET {q('row version')} = {q('row version')}")
    assert state(author) == before


def test_a_program_that_sets_version_or_timestamp_itself_is_believed(author):
    execute(f"UPDATE {AUTHOR} SET {q('row version')} = 70, {q('the name')} = 'b'")
    assert state(author) == (70, author.updated_at)
    execute(f"UPDATE {AUTHOR} SET updated_at = '2031-01-01 10:00:00', {q('the name')} = 'c'")
    assert state(author) == (70, datetime(2031, 1, 1, 10, tzinfo=UTC))


def test_writes_of_the_orm_are_not_moved_twice(author):
    author.name = "b"
    author.save()
    assert author.row_version == 2
    assert Author.objects.get().row_version == 2
    author.name = "c"
    author.save(update_fields=["name"])
    author.refresh_from_db()
    assert author.row_version == 3
    Author.objects.update(name="d")
    assert Author.objects.get().row_version == 4
    author.refresh_from_db()
    author.name = "e"
    Author.objects.bulk_update([author], ["name"])
    assert author.row_version == Author.objects.get().row_version == 5
    author.save()
    author.delete()


def test_an_instance_that_was_written_past_is_stale(author):
    set_column(author, "the name", "b")
    with pytest.raises(StaleWriteError):
        author.save()
    with pytest.raises(StaleWriteError):
        author.delete()
    assert Author.objects.get().name == "b"


def test_unversioned_writes_of_other_columns_are_moved():
    """The trigger knows of ``unversioned_fields``, and not of who writes."""
    Author.objects.create(name="a")
    Author.objects.unversioned().update(last_login=timezone.now())
    assert Author.objects.get().row_version == 1
    Author.objects.unversioned().update(name="b")
    assert Author.objects.get().row_version == 2


def test_loaded_data_give_a_row_that_is_there_one_new_state(author, tmp_path):
    author.row_version, author.name = 70, "b"
    author.updated_at = datetime(2020, 1, 1, tzinfo=UTC)
    file = tmp_path / "authors.json"
    file.write_text(serializers.serialize("json", [author]))
    for version in (2, 3):
        call_command("loaddata", str(file), verbosity=0)
        row = Author.objects.get()
        assert (row.name, row.row_version) == ("b", version)
        assert row.updated_at > author.updated_at


def test_each_row_of_a_statement_moves_that_it_changes():
    Author.objects.bulk_create(Author(name=name) for name in "abc")
    execute(f"UPDATE {AUTHOR} SET {q('the name')} = 'b'")
    versions = Author.objects.order_by("pk").values_list("row_version", flat=True)
    assert list(versions) == [2, 1, 2]


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2031-12-31 23:59:59.999999", "2032-01-01 00:00:00"),
        ("2031-12-31 23:59:59.999998", "2031-12-31 23:59:59.999999"),
        ("2031-12-31 23:59:59", "2031-12-31 23:59:59.000001"),
        ("2031-12-31 23:59:59.5", "2031-12-31 23:59:59.500001"),
        ("2031-12-31 23:59:59.099999", "2031-12-31 23:59:59.100000"),
    ],
)
def test_a_timestamp_in_the_future_rises_by_a_microsecond(author, timestamp, expected):
    execute(f"UPDATE {AUTHOR} SET updated_at = %s", timestamp)
    set_column(author, "the name", "b")
    row = Author.objects.get()
    assert row.updated_at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    row.save()
    row.refresh_from_db()
    assert row.updated_at == datetime.fromisoformat(expected).replace(tzinfo=UTC) + MICROSECOND


@pytest.mark.parametrize(
    ("ahead", "rises_to"),
    [
        ("2.000000", "2.000001"),
        ("2.000001", "3.000001"),
        ("2.5", "3.000001"),
        ("8.999999", "9.000001"),
    ],
)
def test_a_timestamp_that_another_clock_put_ahead_rises_by_a_whole_second(author, ahead, rises_to):
    """Clients may have its date, rounded up: the next state must have another."""
    now = timezone.now().replace(microsecond=0)
    put_ahead = now + timedelta(seconds=float(ahead))
    execute(f"UPDATE {AUTHOR} SET updated_at = %s", put_ahead.strftime("%Y-%m-%d %H:%M:%S.%f"))
    set_column(author, "the name", "b")
    assert Author.objects.get().updated_at == now + timedelta(seconds=float(rises_to))


def test_a_touched_row_that_another_clock_put_ahead_rises_by_a_whole_second(writers):
    put_ahead = timezone.now().replace(microsecond=500_000) + timedelta(seconds=3)
    execute(f"UPDATE {AUTHOR} SET updated_at = %s", put_ahead.strftime("%Y-%m-%d %H:%M:%S.%f"))
    insert(writers[0])
    touched = Author.objects.get(pk=writers[0].pk)
    assert touched.updated_at == put_ahead + timedelta(microseconds=500_001)


def test_a_timestamp_without_a_fraction_rises_by_a_microsecond_in_the_next_second(author):
    """SQLite keeps datetimes as text, and Django writes no fraction where it is zero."""
    put_ahead = timezone.now().replace(microsecond=0) + timedelta(seconds=3)
    execute(f"UPDATE {AUTHOR} SET updated_at = %s", put_ahead.strftime("%Y-%m-%d %H:%M:%S"))
    set_column(author, "the name", "b")
    assert Author.objects.get().updated_at == put_ahead + MICROSECOND


@pytest.mark.django_db(transaction=True)
def test_a_row_without_a_timestamp_gets_one():
    """Where another program made the table, the column may hold NULL."""
    field = Stamped._meta.get_field("changed")
    nullable = UpdatedAtField(null=True)
    nullable.set_attributes_from_name("changed")
    nullable.model = Stamped
    with connection.schema_editor() as editor:
        editor.alter_field(Stamped, field, nullable)
    add_trigger(Stamped)
    try:
        Stamped.objects.create(name="a")
        execute("UPDATE triggerapp_stamped SET changed = NULL")
        execute("UPDATE triggerapp_stamped SET name = 'b'")
        assert timezone.now() - Stamped.objects.get().changed < timedelta(minutes=1)
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(Stamped, nullable, field)
        add_trigger(Stamped)


def test_many_writes_in_a_row_do_not_run_ahead_of_the_clock(author):
    for number in range(20):
        set_column(author, "the name", f"name {number}")
        assert Author.objects.get().updated_at <= timezone.now()


@pytest.mark.django_db(transaction=True)
def test_writers_that_waited_for_the_row_do_not_run_ahead_of_the_clock(race):
    if connection.vendor == "mysql":
        pytest.skip("MariaDB tells a trigger the time at which the statement began to wait.")
    author = Author.objects.create(name="a", weight=0)

    def raise_weight():
        for _ in range(10):
            execute(f"UPDATE {AUTHOR} SET weight = weight + 1")

    assert race(*[raise_weight] * 8) == [None] * 8
    assert state(author)[0] == 81
    assert state(author)[1] <= timezone.now()


def test_timestamps_rise_with_each_of_many_writes(author):
    timestamps = []
    for number in range(20):
        set_column(author, "the name", f"name {number}")
        timestamps.append(Author.objects.get().updated_at)
    assert timestamps == sorted(set(timestamps))


@pytest.mark.parametrize("use_tz", [True, False])
@pytest.mark.django_db(transaction=True)
def test_timestamps_are_in_djangos_time(settings, use_tz):
    if connection.vendor == "postgresql" and not use_tz:
        pytest.skip("The column was made with a time zone.")
    settings.USE_TZ = use_tz
    row = Stamped.objects.create(name="a")
    add_trigger(Stamped)
    try:
        execute(f"UPDATE {q('triggerapp_stamped')} SET name = 'b'")
    finally:
        settings.USE_TZ = True
        add_trigger(Stamped)
        settings.USE_TZ = use_tz
    after = Stamped.objects.get().changed
    assert row.changed < after <= timezone.now()
    assert after - row.changed < timedelta(minutes=1)


def add_trigger(model):
    with connection.schema_editor() as editor:
        project = ProjectState.from_apps(apps)
        operation = AddVersionTrigger(model.__name__)
        operation.database_forwards("triggerapp", editor, project, project)


def test_a_timestamp_alone():
    row = Stamped.objects.create(name="a")
    execute(f"UPDATE {q('triggerapp_stamped')} SET name = 'a'")
    assert Stamped.objects.get().changed == row.changed
    execute(f"UPDATE {q('triggerapp_stamped')} SET name = 'b'")
    assert Stamped.objects.get().changed > row.changed


def test_a_version_alone_under_a_composite_key():
    Numbered.objects.bulk_create(Numbered(row="a", number=number) for number in (1, 2))
    execute("UPDATE triggerapp_numbered SET name = 'b' WHERE number = 2")
    execute("UPDATE triggerapp_numbered SET number = 3 WHERE number = 2")
    assert list(Numbered.objects.order_by("number").values_list("number", "version")) == [
        (1, 1),
        (3, 3),
    ]


def test_a_conflict_clause_is_an_update(author):
    excluded = "VALUES(active)" if connection.vendor == "mysql" else "excluded.active"
    clause = (
        "ON DUPLICATE KEY UPDATE"
        if connection.vendor == "mysql"
        else "ON CONFLICT (id) DO UPDATE SET"
    )
    execute(
        f"INSERT INTO {AUTHOR} (id, active, data) VALUES (%s, %s, '{{}}') "
        f"{clause} active = {excluded}",
        author.pk,
        False,
    )
    assert state(author)[0] == 2


def test_recursive_triggers_end(author):
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own.")
    execute("PRAGMA recursive_triggers = ON")
    try:
        set_column(author, "the name", "b")
    finally:
        execute("PRAGMA recursive_triggers = OFF")
    assert state(author)[0] == 2


def test_returning_gives_what_the_database_says(author):
    if connection.vendor == "mysql":
        pytest.skip("UPDATE has no RETURNING.")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {AUTHOR} SET active = %s RETURNING {q('row version')}", [False])
        (version,) = cursor.fetchone()
    # SQLite writes the row first, and moves it then.
    assert version == (1 if connection.vendor == "sqlite" else 2)


@pytest.mark.django_db(transaction=True)
def test_eight_writers_at_once_raise_the_version_by_eight(race):
    author = Author.objects.create(name="a", weight=0)
    statement = f"UPDATE {AUTHOR} SET weight = weight + 1"
    assert race(*[lambda: execute(statement)] * 8) == [1] * 8
    row = Author.objects.get(pk=author.pk)
    assert (row.weight, row.row_version) == (8, 9)


# Touching.


def versions(*rows):
    return [type(row)._base_manager.get(pk=row.pk).row_version for row in rows]


@pytest.fixture
def writers():
    return [Author.objects.create(name=name) for name in "abc"]


def insert(author, editor=None, title="t"):
    execute(
        f"INSERT INTO {BOOK} (title, author_id, editor_id) VALUES (%s, %s, %s)",
        title,
        author.pk,
        editor and editor.pk,
    )


def test_an_insert_touches_the_parents(writers):
    insert(writers[0])
    assert versions(*writers) == [2, 1, 1]
    insert(writers[0], writers[2])
    assert versions(*writers) == [3, 1, 2]
    timestamp = Author.objects.get(pk=writers[2].pk).updated_at
    assert timestamp > writers[2].updated_at


def test_an_update_touches_the_old_and_the_new_parent(writers):
    insert(writers[0])
    execute(f"UPDATE {BOOK} SET author_id = %s", writers[1].pk)
    assert versions(*writers) == [3, 2, 1]
    execute(f"UPDATE {BOOK} SET editor_id = %s", writers[2].pk)
    assert versions(*writers) == [3, 3, 2]
    execute(f"UPDATE {BOOK} SET editor_id = NULL")
    assert versions(*writers) == [3, 4, 3]
    execute(f"UPDATE {BOOK} SET title = 'u'")
    assert versions(*writers) == [3, 5, 3]


def test_a_parent_that_is_named_twice_moves_at_all(writers):
    insert(writers[0], writers[0])
    assert versions(*writers)[0] > 1


def test_a_delete_touches_the_parents(writers):
    insert(writers[0], writers[1])
    execute(f"DELETE FROM {BOOK}")
    assert versions(*writers) == [3, 3, 1]


def test_what_changes_nothing_touches_nothing(writers):
    insert(writers[0])
    execute(f"UPDATE {BOOK} SET title = title, author_id = author_id")
    execute(f"UPDATE {BOOK} SET version = version + 1")
    assert versions(*writers) == [2, 1, 1]


def test_writes_of_the_orm_touch_too(writers):
    book = Book.objects.create(title="t", author=writers[0])
    assert versions(*writers) == [2, 1, 1]
    book.title, book.author = "u", writers[1]
    book.save()
    assert versions(*writers) == [3, 2, 1]
    book.title = "v"
    book.save()
    assert (book.version, Book.objects.get().version) == (3, 3)
    Book.objects.update(title="w")
    assert versions(*writers) == [3, 4, 1]
    Book.objects.all().delete()
    assert versions(*writers) == [3, 5, 1]


def test_a_parent_is_deleted_with_its_children(writers):
    insert(writers[0])
    Author.objects.get(pk=writers[0].pk).delete()
    assert Book.objects.count() == 0


def test_parents_are_touched_in_one_order():
    create = trigger_editor(connection).create
    assert create(Book, ("editor", "author")) == create(Book, ("author", "editor"))


def test_who_writes_need_not_know_where_the_parents_are(writers):
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL's own.")
    execute("SET LOCAL search_path TO pg_catalog")
    execute("INSERT INTO public.triggerapp_book (title, author_id) VALUES ('t', %s)", writers[0].pk)
    execute("SET LOCAL search_path TO DEFAULT")
    assert versions(*writers) == [2, 1, 1]


@pytest.mark.parametrize("write", ["raw", "update", "delete"])
def test_statements_that_read_the_touched_table_too(writers, write):
    """MariaDB and MySQL have a trigger write no table that its statement reads."""
    insert(writers[0])
    insert(writers[1])
    books = Book.objects.filter(author__name="a")
    sql = (
        f"UPDATE {BOOK} SET title = 'u' WHERE author_id IN (SELECT id FROM {AUTHOR} WHERE id = %s)"
    )
    write = {
        "raw": lambda: execute(sql, writers[0].pk),
        "update": lambda: books.update(title="u"),
        "delete": books.delete,
    }[write]
    if connection.vendor == "mysql":
        with pytest.raises(OperationalError, match="1442"), transaction.atomic():
            write()
        keys = list(books.values_list("pk", flat=True))
        Book.objects.filter(pk__in=keys).update(title="u")
    else:
        write()
    assert versions(*writers) == [3, 2, 1]


@pytest.mark.django_db(transaction=True)
def test_eight_writers_of_one_parents_children_do_not_deadlock(race):
    author = Author.objects.create(name="a")

    def insert_many():
        for _ in range(50):
            insert(author)

    assert race(*[insert_many] * 8) == [None] * 8
    assert versions(author) == [401]


@pytest.mark.django_db(transaction=True)
def test_a_touch_that_is_rolled_back_is_none(writers):
    with transaction.atomic():
        insert(writers[0])
        transaction.set_rollback(True)
    assert versions(*writers) == [1, 1, 1]


# What cannot be.


def test_a_table_without_state_has_nothing_to_move():
    with isolate_apps("tests.triggerapp"):

        class Plain(models.Model):
            class Meta:
                app_label = "triggerapp"

        class Child(Untouched):
            class Meta:
                app_label = "triggerapp"

    for model in (Plain, Child):
        with pytest.raises(ValueError, match="nothing to bump there"):
            trigger_editor(connection).create(model)


@pytest.mark.parametrize(
    ("name", "message"), [("title", "no foreign key"), ("plain", "no version and no timestamp")]
)
def test_touches_are_foreign_keys_to_rows_with_a_state(name, message):
    with isolate_apps("tests.triggerapp"):

        class Plain(models.Model):
            class Meta:
                app_label = "triggerapp"

        class Shown(VersionedModel):
            title = models.CharField(max_length=10)
            plain = models.ForeignKey(Plain, models.CASCADE)

            class Meta:
                app_label = "triggerapp"

    with pytest.raises(ValueError, match=message):
        trigger_editor(connection).create(Shown, (name,))


# In a guarded view.


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("steps", ["raw", "child", "raw, save", "child, save", "child, raw"])
def test_what_a_guarded_view_has_the_triggers_move_is_its_own(author, steps):
    def write(step):
        row = Author.objects.get(pk=author.pk)
        if step == "raw":
            set_column(row, "weight", 7)
        elif step == "child":
            Book.objects.create(title="t", author=row)
        else:
            row.name = "b"
            row.save()

    @versioned_condition(Author, lookup_url_kwarg="pk")
    def view(request, pk):
        for step in steps.split(", ") if request.method == "PUT" else ():
            write(step)
        return HttpResponse()

    requests = RequestFactory()
    tag = view(requests.get("/"), pk=author.pk)["ETag"]
    answer = view(requests.put("/", headers={"If-Match": tag}), pk=author.pk)
    assert answer.status_code == 200
    assert answer["ETag"] == view(requests.get("/"), pk=author.pk)["ETag"] != tag
    assert view(requests.put("/", headers={"If-Match": tag}), pk=author.pk).status_code == 412


# The automatic table of a many-to-many field, written past the field.


def test_links_that_are_created_past_their_field_bump_the_row(author):
    subject = Subject.objects.create(name="logic")
    links = Author.subjects.through.objects
    links.bulk_create([Author.subjects.through(author=author, subject=subject)])
    assert state(author)[0] == 2
    assert state(author)[1] > author.updated_at


def test_links_that_are_changed_or_deleted_past_their_field_bump_the_row(author):
    first, second = Subject.objects.create(name="logic"), Subject.objects.create(name="sets")
    author.subjects.add(first)
    before = state(author)[0]
    links = Author.subjects.through.objects.filter(author=author)
    links.update(subject=second)
    assert state(author)[0] == before + 1
    links.delete()
    assert state(author)[0] == before + 2


def test_links_of_an_unversioned_field_bump_the_row_once_by_the_trigger(author):
    author.subjects.add(Subject.objects.create(name="logic"))
    assert state(author)[0] == 2


@pytest.mark.django_db(transaction=True)
def test_a_trigger_of_links_that_is_gone_is_told():
    through, triggers = Author.subjects.through, trigger_editor(connection)
    with connection.schema_editor() as editor:
        for statement in triggers.drop(through, triggers.installed(through)):
            editor.execute(statement, params=None)
    try:
        (report,) = [each for each in audit_triggers("default") if each.status == "missing"]
    finally:
        with connection.schema_editor() as editor:
            for statements in triggers.create(through, ("author",)).values():
                for statement in statements:
                    editor.execute(statement, params=None)
    assert report.model is through
    assert report.code == "AddVersionTrigger(\"author_subjects\", touches=('author',))"
    assert "missing" not in {each.status for each in audit_triggers("default")}
