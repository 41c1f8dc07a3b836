"""
Every way in which Django's ORM writes: the row's content changed if and only if its
version moved, by one, and what was read before is stale from then on.
"""

import copy
import pickle

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.orm.state_columns import state_columns
from etag_versioning.orm.stateful_model import StatefulModel
from tests.testapp.models import (
    Chapter,
    Country,
    Login,
    Member,
    Person,
    PersonProxy,
    Place,
    Plain,
    Renamed,
    Restaurant,
    Seat,
    Team,
)

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def run(method, **kwargs):
    async def call():
        return await method(**kwargs)

    return async_to_sync(call)()


def save(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def save_some(row, *names, **values):
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=names or list(values))


def person():
    return Person.objects.create(name="a", team=Team.objects.create(name="a"))


def login():
    return Login.objects.create(name="a", team=Team.objects.create(name="a"))


def member():
    team = Team.objects.create(name="a")
    return Member.objects.create(team=team, boss=Plain.objects.create(name="a"))


def chapter():
    return Chapter.objects.create(team=Team.objects.create(name="a"))


def tagged_chapter():
    made = chapter()
    made.tagged.add(Renamed.objects.create(name="a"))
    return made


def country():
    return Country.objects.create(code="de")


def restaurant():
    return Restaurant.objects.create(name="a")


def seat():
    return Seat.objects.create(row="a", number=1)


def only(row):
    return type(row).objects.only("days", "version", "updated_at").get(pk=row.pk)


def in_savepoints(row):
    with transaction.atomic():
        with transaction.atomic():
            save(row, days=8)
            transaction.set_rollback(True)
        save(Person.objects.get(pk=row.pk), days=9)


def bulk_update(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    type(row).objects.bulk_update([row], list(values))


def upsert(row):
    unique = {} if connection.vendor == "mysql" else {"unique_fields": ["name"]}
    rows = [Login(name=row.name, data=[1])]
    Login.objects.bulk_create(rows, update_conflicts=True, update_fields=["data"], **unique)


def replace_in(row):
    row.team.person_set.set([], bulk=True)


def by_generated_column(row):
    Chapter.objects.filter(sheets=2).update(pages=F("sheets") + F("pages"))


def order(row):
    other = Chapter.objects.create(team=row.team)
    row.team.set_chapter_order([other.pk, row.pk])


def without_changes(row):
    login = Login.objects.get(pk=row.pk)
    login.save()


def seen(row):
    return {"last_seen": timezone.now()}


# What makes a row, and what writes it; the row's version moves …
MOVES = {
    "save()": (person, lambda row: save(row, days=1)),
    "save(update_fields=…)": (person, lambda row: save_some(row, days=1)),
    "save() of some columns": (person, lambda row: save(only(row), days=1)),
    "save() of all but some": (
        person,
        lambda row: save(Person.objects.defer("name").get(pk=row.pk), days=1),
    ),
    "asave()": (
        person,
        lambda row: (setattr(row, "days", 1), run(row.asave)),
    ),
    "save() of an expression": (person, lambda row: save(row, days=F("days") + 1)),
    "save() of a copy": (person, lambda row: save(copy.copy(row), days=1)),
    "save() of what was pickled": (
        person,
        lambda row: save(pickle.loads(pickle.dumps(row)), days=1),
    ),
    "save() as a proxy": (
        person,
        lambda row: save(PersonProxy.objects.get(pk=row.pk), days=1),
    ),
    "save() of a child": (restaurant, lambda row: save(row, stars=1)),
    "save() of a child's inherited column": (restaurant, lambda row: save_some(row, name="b")),
    "save() of the parent": (
        restaurant,
        lambda row: save(Place.objects.get(pk=row.pk), name="b"),
    ),
    "save() under a composite key": (seat, lambda row: save(row, taken=True)),
    "save() under a UUID": (country, lambda row: save(row, name="b")),
    "save() in savepoints": (person, in_savepoints),
    "save() of a locked row": (
        person,
        lambda row: save(Person.objects.select_for_update().get(pk=row.pk), days=1),
    ),
    "update_or_create()": (
        person,
        lambda row: Person.objects.update_or_create(name="a", defaults={"days": 1}),
    ),
    "aupdate_or_create()": (
        country,
        lambda row: run(Country.objects.aupdate_or_create, code="de", defaults={"name": "b"}),
    ),
    "update_or_create() by a related manager": (
        person,
        lambda row: row.team.person_set.update_or_create(name="a", defaults={"days": 1}),
    ),
    "update()": (person, lambda row: Person.objects.update(days=1)),
    "update() of an expression": (
        person,
        lambda row: Person.objects.update(days=F("days") + 1),
    ),
    "update() over a join": (
        person,
        lambda row: Person.objects.filter(team__name="a").update(days=1),
    ),
    "update() of a child": (restaurant, lambda row: Restaurant.objects.update(stars=1)),
    "update() of a child's inherited column": (
        restaurant,
        lambda row: Restaurant.objects.update(name="b"),
    ),
    "update() of the parent": (restaurant, lambda row: Place.objects.update(name="b")),
    "update() of both tables": (
        restaurant,
        lambda row: Restaurant.objects.update(name="b", stars=1),
    ),
    "update() of what a column is generated from": (chapter, by_generated_column),
    "update() through the base manager": (
        person,
        lambda row: Person._base_manager.update(days=1),
    ),
    "aupdate()": (person, lambda row: run(Person.objects.aupdate, days=1)),
    "expect()": (person, lambda row: Person.objects.expect(version=1).update(days=1)),
    "bulk_update()": (person, lambda row: bulk_update(row, days=1)),
    "bulk_update() of a child": (restaurant, lambda row: bulk_update(row, stars=1)),
    "bulk_create(update_conflicts=True)": (login, upsert),
    "add() to a related manager": (
        person,
        lambda row: Team.objects.create(name="b").person_set.add(row),
    ),
    "remove() from a related manager": (person, lambda row: row.team.person_set.remove(row)),
    "clear() of a related manager": (person, lambda row: row.team.person_set.clear()),
    "set() of a related manager": (person, replace_in),
    "SET_NULL": (login, lambda row: Team.objects.get(name="a").delete()),
    "SET_NULL by QuerySet.delete()": (login, lambda row: Team.objects.all().delete()),
    "SET_DEFAULT": (member, lambda row: Team.objects.get(name="a").delete()),
    "SET_DEFAULT by QuerySet.delete()": (
        member,
        lambda row: Team.objects.filter(name="a").delete(),
    ),
    "SET(): of a function's result": (member, lambda row: row.boss.delete()),
    "set_chapter_order()": (chapter, order),
    "add() of a link": (
        chapter,
        lambda row: row.tagged.add(Renamed.objects.create(name="a")),
    ),
    "add() of a link from the other side": (
        chapter,
        lambda row: Renamed.objects.create(name="a").chapter_set.add(row),
    ),
    "create() of a link's other end": (chapter, lambda row: row.tagged.create(name="a")),
    "remove() of a link": (tagged_chapter, lambda row: row.tagged.remove(Renamed.objects.get())),
    "clear() of links": (tagged_chapter, lambda row: row.tagged.clear()),
    "set() of links": (tagged_chapter, lambda row: row.tagged.set([])),
    "delete() of a link's other end": (tagged_chapter, lambda row: Renamed.objects.get().delete()),
    "QuerySet.delete() of links' other ends": (
        tagged_chapter,
        lambda row: Renamed.objects.all().delete(),
    ),
}

# … or stays.
STAYS = {
    "get_or_create()": (person, lambda row: Person.objects.get_or_create(name="a")),
    "aget_or_create()": (
        country,
        lambda row: run(Country.objects.aget_or_create, code="de"),
    ),
    "save() with skip_unchanged": (login, without_changes),
    "save() of an unversioned field": (login, lambda row: save_some(row, **seen(row))),
    "update() of an unversioned field": (login, lambda row: Login.objects.update(**seen(row))),
    "unversioned().update()": (
        person,
        lambda row: Person.objects.unversioned().update(days=1),
    ),
    "bulk_create(ignore_conflicts=True)": (
        login,
        lambda row: Login.objects.bulk_create([Login(name="a")], ignore_conflicts=True),
    ),
    "save(using=…)": (
        lambda: Person.objects.create(name="a"),
        lambda row: copy.copy(row).save(using="other"),
    ),
    "save() of a copy without key": (
        lambda: Person.objects.create(name="a"),
        lambda row: save(copied_without_key(row), days=1),
    ),
    "add() of a link that is there": (
        tagged_chapter,
        lambda row: row.tagged.add(Renamed.objects.get()),
    ),
    "set() of the links that are there": (
        tagged_chapter,
        lambda row: row.tagged.set(Renamed.objects.all()),
    ),
    "delete() of another row": (
        person,
        lambda row: Person.objects.create(name="b").delete(),
    ),
}


def copied_without_key(row):
    duplicate = copy.deepcopy(row)
    duplicate.pk = None
    duplicate._state.adding = True
    return duplicate


def state(row):
    return state_columns(type(row)).state_of(row)


def content(row):
    names = state_columns(type(row)).attnames
    fields = [field.attname for field in row._meta.concrete_fields]
    found = {name: getattr(row, name) for name in fields if name not in names}
    for field in row._meta.many_to_many:
        links = field.remote_field.through.objects.filter(**{field.m2m_field_name(): row.pk})
        found[field.name] = set(links.values_list(field.m2m_reverse_field_name(), flat=True))
    return found


def again(row):
    return type(row)._base_manager.get(pk=row.pk)


@pytest.mark.parametrize("path", MOVES)
def test_a_write_that_changes_content_bumps_the_version_by_one(path):
    make, write = MOVES[path]
    made = make()
    before, stale = again(made), again(made)
    old = content(before)
    write(made)
    after = again(before)
    assert content(after) != old
    assert state(after).version == state(before).version + 1
    assert state(after).timestamp > state(before).timestamp
    with pytest.raises(StaleWriteError):
        stale.save(force_update=True)
    assert (state(again(before)), content(again(before))) == (state(after), content(after))


@pytest.mark.parametrize("path", STAYS)
def test_a_write_that_bumps_nothing_leaves_instances_current(path):
    make, write = STAYS[path]
    made = make()
    before = again(made)
    write(made)
    assert state(again(before)) == state(before)
    before.delete()


def test_a_fixture_with_natural_keys_gives_the_row_a_new_state(tmp_path):
    made = country()
    Country.objects.update(updated_at=timezone.now().replace(microsecond=123000), version=7)
    before = again(made)
    file = str(tmp_path / "countries.json")
    call_command(
        "dumpdata", "testapp.Country", output=file, use_natural_primary_keys=True, verbosity=0
    )
    Country.objects.update(name="b")
    call_command("loaddata", file, verbosity=0)
    after = Country.objects.get()
    assert (after.pk, content(after)) == (made.pk, content(before))
    assert state(after).version == 9
    assert state(after).timestamp > state(before).timestamp


def test_a_default_of_the_database_is_there_after_the_save():
    made = country()
    if connection.features.can_return_columns_from_insert:
        assert made.name == "nameless"
    made.refresh_from_db()
    made.name = "b"
    made.save()
    assert again(made).name == "b"


@pytest.fixture
def plain_person():
    """The same table, as a model of Django's own."""
    project = ProjectState()
    for model in (Team, Person):
        project.add_model(ModelState.from_model(model))
    return project.apps.get_model("testapp", "Person")


COSTS = {
    "save() of a new row": lambda model, row: model(name="b").save(),
    "save()": lambda model, row: save(row, days=1),
    "save(update_fields=…)": lambda model, row: save_some(row, days=1),
    "update()": lambda model, row: model.objects.filter(pk=row.pk).update(days=1),
    "delete()": lambda model, row: row.delete(),
    "QuerySet.delete()": lambda model, row: model.objects.filter(pk=row.pk).delete(),
    "get_or_create()": lambda model, row: model.objects.get_or_create(name="a"),
    "update_or_create()": lambda model, row: model.objects.update_or_create(
        name="a", defaults={"days": 1}
    ),
    "bulk_create()": lambda model, row: model.objects.bulk_create([model(name="b")]),
}


@pytest.mark.parametrize("path", COSTS)
def test_costs_as_many_statements_as_without_a_version(path, plain_person):
    assert not issubclass(plain_person, StatefulModel)
    counts = []
    for model in (plain_person, Person):
        row = model.objects.get(pk=Person.objects.create(name="a").pk)
        with CaptureQueriesContext(connection) as queries:
            COSTS[path](model, row)
        counts.append([query["sql"].split()[0] for query in queries])
        model.objects.all().delete()
    assert counts[0] == counts[1]
