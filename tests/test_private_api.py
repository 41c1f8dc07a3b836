"""
The private API of Django that docs/contributing.md lists: what it has to look like.

The behaviour is tested elsewhere. These tests say by name what a new version of Django changed.
"""

import inspect
import re
from pathlib import Path

import pytest
from django.contrib.contenttypes.fields import create_generic_related_manager
from django.db import connection, models, transaction
from django.db.models import sql
from django.db.models.deletion import Collector
from django.db.models.fields import related_descriptors
from django.db.models.fields.files import FieldFile
from django.db.models.options import Options

from tests.testapp.models import Login, Person, Team, Upload


def parameters(function):
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (
            models.Model.save_base,
            ["self", "raw", "force_insert", "force_update", "using", "update_fields"],
        ),
        (
            models.Model._save_table,
            ["self", "raw", "cls", "force_insert", "force_update", "using", "update_fields"],
        ),
        (
            models.Model._do_update,
            ["self", "base_qs", "using", "pk_val", "values", "update_fields", "forced_update"],
        ),
        (models.Model._do_insert, ["self", "manager", "using", "fields", "returning_fields"]),
        (models.Model._is_pk_set, ["self"]),
        (
            models.QuerySet._insert,
            ["self", "objs", "fields", "returning_fields", "raw", "using", "on_conflict"],
        ),
        (models.QuerySet._raw_delete, ["self", "using"]),
        (Collector, ["using", "origin"]),
        (Collector.can_fast_delete, ["self", "objs", "from_field"]),
        (sql.InsertQuery.insert_values, ["self", "fields", "objs", "raw"]),
        (sql.Query.get_compiler, ["self", "using", "connection", "elide_empty"]),
        (transaction.mark_for_rollback_on_error, ["using"]),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_a_method_has_the_parameters_that_we_count_on(function, names):
    assert parameters(function)[: len(names)] == names


def test_a_conflict_clause_is_made_of_fields_and_columns():
    names = ["fields", "on_conflict", "update_fields", "unique_fields"]
    assert parameters(connection.ops.on_conflict_suffix_sql) == names
    assert callable(connection.ops.bulk_batch_size)
    assert callable(connection.ops.adapt_datetimefield_value)


def test_a_connection_says_whether_its_transaction_can_go_on():
    names = ("in_atomic_block", "needs_rollback", "rollback_exc", "savepoint_state")
    for name in (*names, "savepoint_ids", "set_rollback"):
        assert hasattr(connection, name)


def test_a_queryset_says_what_it_selects():
    rows = Person.objects.all()
    assert {"_fields", "_for_write", "_hints", "_result_cache"} <= vars(rows).keys()
    for name in ("alias_map", "combinator", "distinct_fields", "is_sliced", "where"):
        assert hasattr(rows.query, name)


def test_attributes_of_a_query_are_there_in_its_clones():
    rows = Person.objects.all()
    rows.query.mark = "ours"
    assert rows.filter(pk=1).query.mark == "ours"


@pytest.mark.django_db
def test_an_instance_says_where_it_was_read():
    person = Person.objects.create(name="a")
    assert {"adding", "db"} <= vars(person._state).keys()
    assert person._state.fields_cache == {}


def test_options_find_managers_by_names_that_are_set_later():
    meta = Person._meta
    assert {"base_manager_name", "default_manager_name", "local_managers"} <= vars(meta).keys()
    for name in ("base_manager", "default_manager", "managers_map"):
        assert hasattr(inspect.getattr_static(Options, name), "func")
    assert meta.pk_fields == [meta.pk]


@pytest.mark.django_db
def test_a_collector_has_its_rows_and_its_updates():
    team = Team.objects.create(name="a")
    login = Login.objects.create(name="a", team=team)
    collector = Collector(using="default", origin=team)
    collector.collect([team])
    assert set(collector.data[Team]) == {team}
    ((field, value),) = collector.field_updates
    assert (field.name, value) == ("team", None)
    assert list(collector.field_updates[field, value][0]) == [login]
    assert collector.origin is team


def test_related_managers_are_made_below_the_manager_of_the_model():
    relation = Team._meta.get_field("person")
    made = related_descriptors.create_reverse_many_to_one_manager(
        Person._default_manager.__class__, relation
    )
    assert issubclass(made, Person._default_manager.__class__)
    assert made.__module__ == related_descriptors.__name__
    assert {"add", "clear", "remove", "set"} <= vars(made).keys()
    assert create_generic_related_manager.__module__ == "django.contrib.contenttypes.fields"


def test_a_file_says_whether_it_is_stored():
    upload = Upload(name="a")
    assert isinstance(upload.file, FieldFile)
    assert upload.file._committed is True


def test_the_list_for_contributors_has_each_private_attribute_that_is_used():
    root = Path(__file__).parents[1]
    listed = (
        (root / "docs/contributing.md").read_text("utf-8").partition("## Private Django API")[2]
    )
    modules = [
        *(root / "etag_versioning/orm").glob("*.py"),
        *(root / "etag_versioning/touching").glob("*.py"),
    ]
    code = "".join(module.read_text("utf-8") for module in modules)
    defined = r"(?:def|class) (_\w+)|^(_\w+)\b.*=|self\.(_\w+)(?:: [^=\n]+)? ="
    ours = set(re.findall(defined, code, re.MULTILINE))
    used = set(re.findall(r"\w\.(_[a-z]\w+)", code)) - {name for names in ours for name in names}
    # Documented by Django.
    used -= {"_base_manager", "_default_manager", "_meta", "_state"}
    assert {name for name in used if name not in listed} == set()
