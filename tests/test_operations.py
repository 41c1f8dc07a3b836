"""The migration operations: forwards, backwards, as SQL, in squashes and behind routers."""

from io import StringIO

import pytest
from django.apps import apps
from django.core import checks
from django.core.management import call_command
from django.db import (
    NotSupportedError,
    OperationalError,
    connection,
    connections,
    migrations,
    models,
)
from django.db.migrations.optimizer import MigrationOptimizer
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter
from django.test import override_settings

from etag_versioning.checks import check_triggers
from etag_versioning.fields import VersionField
from etag_versioning.operations import AddVersionTrigger, RemoveVersionTrigger
from etag_versioning.triggers.audit import audit_triggers
from etag_versioning.triggers.backends import trigger_editor
from tests.triggerapp.models import Author, Book, Numbered, Stamped, Untouched

q = connection.ops.quote_name


def installed(model, using="default"):
    return trigger_editor(connections[using]).installed(model)


@pytest.fixture
def migrated(transactional_db):
    """Go to a migration of the app; back to the last one at the end."""

    def migrate(name):
        call_command("migrate", "triggerapp", name, verbosity=0)

    yield migrate
    migrate("0003")


def test_the_operation_is_reversible(migrated):
    models = [Author, Book, Stamped, Numbered]
    assert all(map(installed, models))
    migrated("0001")
    assert not any(map(installed, models))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'etag_versioning%'")
            assert cursor.fetchone() == (0,)
    migrated("0002")
    assert all(map(installed, models))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.django_db(transaction=True)
def test_sqlmigrate_shows_the_trigger(backwards):
    out = StringIO()
    call_command("sqlmigrate", "triggerapp", "0002", backwards=backwards, stdout=out, no_color=True)
    lines = [line for line in out.getvalue().splitlines() if not line.startswith("--")]
    assert any(line.startswith("DROP " if backwards else "CREATE ") for line in lines)
    assert "%%" not in out.getvalue()
    assert all(installed(model) for model in (Author, Book))


def test_sqlmigrate_shows_the_removal_of_a_trigger_that_is_not_there_yet(migrated):
    migrated("0001")
    out = StringIO()
    call_command("sqlmigrate", "triggerapp", "0002", backwards=True, stdout=out, no_color=True)
    assert out.getvalue().count("IF EXISTS") == 7


def test_the_plan_describes_it(migrated):
    migrated("0001")
    out = StringIO()
    call_command("migrate", "triggerapp", plan=True, stdout=out)
    assert "Add the version trigger of model book" in out.getvalue()
    assert not installed(Book)


def test_it_is_written_into_migrations():
    for operation, code in (
        (AddVersionTrigger("user"), "AddVersionTrigger(\n"),
        (RemoveVersionTrigger("user", touches=["team"]), "touches=('team',)"),
    ):
        migration = type("Migration", (migrations.Migration,), {"operations": [operation]})
        source = MigrationWriter(migration("0002_x", "app")).as_string()
        assert code in source
        assert "etag_versioning.operations" in source
        _, args, kwargs = operation.deconstruct()
        again = type(operation)(*args, **kwargs)
        assert (again.name, again.touches) == (operation.name, operation.touches)


def test_it_gives_migrations_their_names():
    assert AddVersionTrigger("User").migration_name_fragment == "user_version_trigger"
    removal = RemoveVersionTrigger("User")
    assert removal.migration_name_fragment == "remove_user_version_trigger"
    assert removal.describe() == "Remove the version trigger of model User"


def test_the_state_stays_what_it_is():
    state = ProjectState.from_apps(apps)
    before = state.clone()
    AddVersionTrigger("author").state_forwards("triggerapp", state)
    assert state == before


CREATE = migrations.CreateModel("User", [("id", models.BigAutoField(primary_key=True))])
OTHER = migrations.CreateModel("Team", [("id", models.BigAutoField(primary_key=True))])
FIELD = migrations.AddField("user", "name", models.TextField(default=""))
ADD, AGAIN = AddVersionTrigger("user"), AddVersionTrigger("User", touches=("team",))
REMOVE = RemoveVersionTrigger("user")


@pytest.mark.parametrize(
    ("operations", "squashed"),
    [
        ([ADD, AGAIN], [AGAIN]),
        ([ADD, REMOVE], [REMOVE]),
        ([REMOVE, ADD], [ADD]),
        ([ADD, OTHER, AGAIN], [OTHER, AGAIN]),
        # A trigger is made of the columns that are there.
        ([CREATE, ADD, FIELD], [CREATE, ADD, FIELD]),
        ([ADD, FIELD, AGAIN], [ADD, FIELD, AGAIN]),
        ([ADD, migrations.DeleteModel("User")], [migrations.DeleteModel("User")]),
        ([ADD, AddVersionTrigger("team")], [ADD, AddVersionTrigger("team")]),
    ],
)
def test_migrations_with_trigger_operations_are_squashed(operations, squashed):
    result = MigrationOptimizer().optimize(operations, "app")
    assert [each.deconstruct() for each in result] == [each.deconstruct() for each in squashed]


class NotInOther:
    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return None if db == "default" else app_label != "triggerapp"


@pytest.mark.django_db(databases=["default", "other"], transaction=True)
@pytest.mark.parametrize("routers", [[], [NotInOther()]])
def test_routers_decide_where_a_trigger_is_created(routers):
    state = ProjectState.from_apps(apps)
    other = connections["other"]
    assert installed(Stamped, "other")
    with override_settings(DATABASE_ROUTERS=routers):
        with other.schema_editor() as editor:
            RemoveVersionTrigger("stamped").database_forwards("triggerapp", editor, state, state)
        assert bool(installed(Stamped, "other")) is bool(routers)
        assert installed(Stamped)
        with other.schema_editor() as editor:
            RemoveVersionTrigger("stamped").database_backwards("triggerapp", editor, state, state)
    assert installed(Stamped, "other")


@pytest.mark.django_db
def test_a_database_that_is_not_known(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "oracle")
    with pytest.raises(NotSupportedError):
        trigger_editor(connection)
    assert check_triggers(databases=["default"]) == []


# A table with its migrations, by hand.


class Grown:
    """A model whose table changes; each step is undone at the end."""

    def __init__(self, table="triggerapp_grown"):
        self.state = ProjectState()
        fields = [
            ("id", models.BigAutoField(primary_key=True)),
            ("version", VersionField()),
            ("name", models.CharField(max_length=10)),
        ]
        self.done = []
        self.table = q(table)
        self.do(migrations.CreateModel("Grown", fields, options={"db_table": table}))

    def do(self, *operations):
        for operation in operations:
            before, after = self.state, self.state.clone()
            operation.state_forwards("triggerapp", after)
            with connection.schema_editor() as editor:
                operation.database_forwards("triggerapp", editor, before, after)
            self.state = after
            self.done.append((operation, before, after))

    def undo(self, count):
        for _ in range(count):
            operation, before, after = self.done.pop()
            with connection.schema_editor() as editor:
                operation.database_backwards("triggerapp", editor, after, before)
            self.state = before

    @property
    def model(self):
        return self.state.apps.get_model("triggerapp", "Grown")

    def moves(self, column="name"):
        """Whether a change of the column moves the row."""
        row = self.model.objects.create()
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {self.table} SET {q(column)} = '7' WHERE id = {row.pk}")
        row.refresh_from_db()
        return row.version == 2


@pytest.fixture
def grown(transactional_db):
    made = Grown()
    yield made
    made.undo(len(made.done))


ADD, REMOVE = AddVersionTrigger("grown"), RemoveVersionTrigger("grown")
SIZE = migrations.AddField("grown", "size", models.IntegerField(default=0))


def test_columns_that_are_added_later_count_from_the_next_operation_on(grown):
    assert not grown.moves()
    grown.do(ADD)
    assert grown.moves()
    grown.do(SIZE)
    assert not grown.moves("size")
    grown.do(ADD)
    assert grown.moves("size")
    assert len(installed(grown.model)) == 1


def test_a_column_is_removed_between_the_operations_and_comes_back(grown):
    grown.do(SIZE, ADD)
    grown.do(REMOVE, migrations.RemoveField("grown", "size"), ADD)
    assert grown.moves()
    grown.undo(3)
    assert grown.moves("size")


def test_a_column_changes_its_type_under_the_trigger(grown):
    grown.do(ADD, migrations.AlterField("grown", "name", models.TextField()))
    # Where SQLite rebuilds the table, the trigger is gone with the old one.
    assert grown.moves() is (connection.vendor != "sqlite")
    grown.do(ADD)
    assert grown.moves()


def test_a_trigger_follows_its_renamed_table(grown):
    grown.do(ADD, migrations.AlterModelTable("grown", "triggerapp_grown2"))
    grown.table = q("triggerapp_grown2")
    assert grown.moves()
    grown.do(ADD)
    assert len(installed(grown.model)) == 1
    assert grown.moves()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ['odd.table "x"', "schema"])
def test_tables_with_odd_names_and_in_schemas(table):
    mark = "`" if connection.vendor == "mysql" else '"'
    with connection.cursor() as cursor:
        if table == "schema":
            if connection.vendor == "sqlite":
                pytest.skip("SQLite has no schemas.")
            cursor.execute("CREATE SCHEMA etag_versioning_tests")
            table = f"{mark}etag_versioning_tests{mark}.{mark}grown{mark}"
        else:
            table = "odd.table 'x'"
        try:
            grown = Grown(table)
            grown.do(ADD)
            assert grown.moves()
            assert len(installed(grown.model)) == 1
            grown.undo(1)
            assert not grown.moves()
            grown.undo(1)
        finally:
            if "etag_versioning_tests" in table:
                cascade = "CASCADE" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP SCHEMA etag_versioning_tests {cascade}")


def test_a_cascade_of_the_database_runs_triggers_except_on_innodb(grown):
    """W003 says so: InnoDB runs no trigger for them."""
    column = migrations.AddField("grown", "parent", models.BigIntegerField(null=True))
    add = (
        "ALTER TABLE triggerapp_grown ADD COLUMN parent bigint NULL "
        "REFERENCES triggerapp_untouched (id) ON DELETE SET NULL"
    )
    drop = "ALTER TABLE triggerapp_grown DROP COLUMN parent"
    if connection.vendor == "mysql":
        drop = f"ALTER TABLE triggerapp_grown DROP FOREIGN KEY by_hand; {drop}"
        key = ", ADD CONSTRAINT by_hand FOREIGN KEY (parent) REFERENCES"
        add = add.replace(" REFERENCES", key)
    grown.do(
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(add.split(";"), drop.split(";"))], [column]
        ),
        ADD,
    )
    row = grown.model.objects.create(parent=Untouched.objects.create(name="a").pk)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM triggerapp_untouched")
    row.refresh_from_db()
    assert row.parent is None
    assert row.version == (1 if connection.vendor == "mysql" else 2)


@pytest.mark.django_db(transaction=True)
def test_collations_that_ignore_case():
    collation = {"sqlite": "NOCASE", "mysql": "utf8mb4_general_ci"}.get(connection.vendor, "nocase")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE COLLATION IF NOT EXISTS nocase "
                "(provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
            )
    grown = Grown()
    field = models.CharField(max_length=10, db_collation=collation, default="a")
    grown.do(migrations.AddField("grown", "title", field), ADD)
    row = grown.model.objects.create(title="a")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {grown.table} SET title = 'A'")
    row.refresh_from_db()
    assert row.version == 2
    grown.undo(3)


# What is told of it.


def reports():
    return {report.model: report for report in audit_triggers("default")}


@pytest.mark.django_db
def test_the_audit_names_each_table_once():
    found = reports()
    assert found[Author].status == found[Book].status == found[Numbered].status == "current"
    assert found[Untouched].status == "none"
    assert [message for message in check_triggers(databases=["default"]) if message.obj] == []
    out = StringIO()
    call_command("show_version_triggers", stdout=out)
    assert "[X] triggerapp.Author (the order)\n" in out.getvalue()
    assert "[ ] triggerapp.Untouched (triggerapp_untouched)\n" in out.getvalue()


@pytest.fixture
def lost(transactional_db):
    """Drop the triggers of Book, behind the back of the migrations."""
    triggers = trigger_editor(connection)
    with connection.cursor() as cursor:
        for statement in triggers.drop(Book, triggers.installed(Book)):
            cursor.execute(statement)
    yield
    state = ProjectState.from_apps(apps)
    with connection.schema_editor() as editor:
        operation = AddVersionTrigger("book", touches=("author", "editor"))
        operation.database_forwards("triggerapp", editor, state, state)


def test_w004_a_trigger_that_is_gone(lost):
    (message,) = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    assert (message.id, message.obj) == ("etag_versioning.W004", Book)
    assert "AddVersionTrigger(\"book\", touches=('author', 'editor'))" in message.hint
    out = StringIO()
    call_command("show_version_triggers", stdout=out)
    assert "[!] triggerapp.Book (triggerapp_book): missing; AddVersionTrigger(" in out.getvalue()


@pytest.mark.django_db
def test_a_trigger_that_is_switched_off_is_missing():
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL's own.")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE triggerapp_book DISABLE TRIGGER USER")
    (message,) = check_triggers(databases=["default"])
    assert (message.id, message.obj) == ("etag_versioning.W004", Book)


def test_migrations_that_are_not_applied_are_not_missed(migrated):
    migrated("0001")
    assert check_triggers(databases=["default"]) == []
    assert reports()[Book].status == "none"


@pytest.mark.django_db(databases=["default", "other"])
def test_tables_of_other_databases_are_not_missed():
    with override_settings(DATABASE_ROUTERS=[NotInOther()]):
        apps_of = {report.model._meta.app_label for report in audit_triggers("other")}
    assert "testapp" in apps_of
    assert "triggerapp" not in apps_of


@pytest.mark.django_db
def test_w005_a_trigger_whose_columns_are_others_by_now(monkeypatch):
    monkeypatch.setattr(Author, "unversioned_fields", ())
    (message,) = check_triggers(databases=["default"])
    assert (message.id, message.obj) == ("etag_versioning.W005", Author)
    assert 'operations = [AddVersionTrigger("author")]' in message.hint


@pytest.mark.django_db(transaction=True)
def test_w005_a_trigger_of_an_older_release_until_a_migration_replaces_it(monkeypatch):
    state = ProjectState.from_apps(apps)
    kind = type(trigger_editor(connection))

    def add_trigger():
        with connection.schema_editor() as editor:
            AddVersionTrigger("author").database_forwards("triggerapp", editor, state, state)

    with monkeypatch.context() as older:
        older.setattr(kind, "later", "{now}")
        add_trigger()
    (message,) = check_triggers(databases=["default"])
    assert (message.id, message.obj) == ("etag_versioning.W005", Author)
    assert 'operations = [AddVersionTrigger("author")]' in message.hint
    out = StringIO()
    call_command("show_version_triggers", stdout=out)
    assert '[!] triggerapp.Author (the order): out of date; AddVersionTrigger("author")' in (
        out.getvalue()
    )
    add_trigger()
    assert check_triggers(databases=["default"]) == []
    assert len(trigger_editor(connection).installed(Author)) == 1


@pytest.mark.django_db
def test_no_database_is_asked_that_is_not_given(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert check_triggers(databases=None) == []


@pytest.mark.django_db
def test_the_audit_follows_renamed_and_deleted_models():
    from etag_versioning.triggers.audit import _follow

    found = {}
    _follow(found, "app", [AddVersionTrigger("User", touches=["team"]), AddVersionTrigger("page")])
    _follow(
        found,
        "app",
        [
            migrations.RenameModel("User", "Member"),
            migrations.RenameModel("Other", "Else"),
            migrations.SeparateDatabaseAndState([RemoveVersionTrigger("page")]),
        ],
    )
    assert found == {("app", "member"): ("team",)}
    _follow(found, "app", [migrations.DeleteModel("Member")])
    assert found == {}


@pytest.mark.django_db(transaction=True)
def test_sqlite_does_not_rebuild_a_touched_table_under_triggers_of_its_children():
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own.")
    state = ProjectState.from_apps(apps)
    change = migrations.AlterField(
        "author", "biography", models.CharField(max_length=9, default="")
    )
    after = state.clone()
    change.state_forwards("triggerapp", after)
    with pytest.raises(OperationalError, match="error in trigger"), connection.schema_editor() as e:
        change.database_forwards("triggerapp", e, state, after)
    assert installed(Author)
    assert installed(Book)
