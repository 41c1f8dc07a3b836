"""Validator queries find what the plain ORM finds, however they are run."""

import datetime
import uuid
from contextlib import contextmanager, suppress
from unittest import mock

import pytest
from django.db import NotSupportedError, connection, models, transaction
from django.db.models import Exists, F, OuterRef, Q, Value, sql
from django.db.models.functions import Lower
from django.db.models.lookups import Exact, IExact
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import CaptureQueriesContext, register_lookup
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from etag_versioning.models import VersionedManager, VersionedQuerySet
from etag_versioning.sources import fast_select, statements
from etag_versioning.sources.fast_select import Key, KeyedRows, fixed_queryset
from tests.testapp.models import Country, Hidden, Person, PersonProxy, Restaurant, Seat, Team

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def values_of(queryset, names, key=None):
    return fast_select.values_of(queryset, names, queryset.db, key)


def by_keys(queryset, names):
    """The same function for a queryset that does not change."""
    rows = {}

    def read(queryset, names, key):
        if key.name not in rows:
            rows[key.name] = KeyedRows(queryset, names, key.name)
        return rows[key.name].values_of(key.value, queryset.db)

    return read


NAMES = ("id", "id", "version", "updated_at")
MANY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MOMENT = datetime.datetime(2026, 1, 1, 23, 30, tzinfo=datetime.UTC)

# What a project may have made of a queryset.
STEPS = {
    "filter": lambda q: q.filter(days__gte=1),
    "exclude": lambda q: q.exclude(name="Bob"),
    "in": lambda q: q.filter(days__in=[0, 1, 2]),
    "in none": lambda q: q.filter(days__in=[]),
    "or": lambda q: q.filter(Q(days=1) | Q(name="Ada")),
    "or of two": lambda q: q | Person.objects.filter(name="Bob"),
    "not": lambda q: q.filter(~Q(days=1, name="Ada")),
    "other column": lambda q: q.filter(days__lt=F("version")),
    "foreign key": lambda q: q.filter(team_id__isnull=False),
    "join": lambda q: q.filter(team__name="Red"),
    "joined away": lambda q: q.exclude(team__name="Red"),
    "many": lambda q: q.filter(team__person__days__gte=0),
    "moment": lambda q: q.filter(updated_at__gte=MOMENT),
    "day": lambda q: q.filter(updated_at__date=MOMENT.date()),
    "transform": lambda q: q.filter(name__iexact="ada"),
    "annotation": lambda q: q.annotate(lower=Lower("name")),
    "annotation of a value": lambda q: q.annotate(one=Value(1)).filter(one=1),
    "aggregate": lambda q: q.annotate(count=models.Count("team__person")),
    "alias": lambda q: q.alias(lower=Lower("name")).filter(lower="ada"),
    "subquery": lambda q: q.filter(Exists(Team.objects.filter(pk=OuterRef("team")))),
    "keys of others": lambda q: q.filter(team__in=Team.objects.filter(name="Red")),
    "extra": lambda q: q.extra(where=["days < %s"], params=[5]),
    "extra column": lambda q: q.extra(select={"twice": "days * 2"}),
    "extra table": lambda q: q.extra(tables=["testapp_team"], where=["testapp_team.name = 'Red'"]),
    "distinct by": lambda q: q.order_by("team_id", "-days").distinct("team_id"),
    "state": lambda q: q.filter(version__gte=1),
    "locked": lambda q: q.select_for_update(),
    "distinct": lambda q: q.distinct(),
    "order": lambda q: q.order_by("-days", "name"),
    "order of others": lambda q: q.order_by("team__name"),
    "reverse": lambda q: q.reverse(),
    "slice": lambda q: q.order_by("pk")[1:3],
    "union": lambda q: q.union(Person.objects.filter(days=9)),
    "joins shown": lambda q: q.select_related("team"),
    "rows shown": lambda q: q.prefetch_related("team__person_set"),
    "only": lambda q: q.only("name"),
    "defer": lambda q: q.defer("version"),
    "values": lambda q: q.values("name"),
    "none": lambda q: q.none(),
    "other database": lambda q: q.using("other"),
}
KEYS = st.one_of(
    st.tuples(st.sampled_from(["pk", "id", "days", "version"]), st.integers(-1, 6)),
    st.tuples(st.sampled_from(["pk", "days"]), st.sampled_from([2**63, -(2**70), "1", "x", ""])),
    st.tuples(st.just("pk"), st.sampled_from([True, None, 1.0, uuid.UUID(int=1), ["1"]])),
    st.tuples(st.just("name"), st.sampled_from(["Ada", "ada", "Bob", "", "%s", "ü'\""])),
    st.tuples(st.sampled_from(["team", "team_id", "team__name"]), st.sampled_from([1, 2, "Red"])),
    st.tuples(st.sampled_from(["name__iexact", "name__in", "missing"]), st.just("ada")),
)


@pytest.fixture
def people():
    for alias in ("default", "other"):
        red, blue = (Team.objects.using(alias).create(name=name) for name in ("Red", "Blue"))
        for number, name in enumerate(["Ada", "Bob", "Cy", "%s"]):
            team = [red, blue, None, red][number]
            day = number if alias == "default" else 9
            Person.objects.using(alias).create(name=name, days=day, team=team)


def outcome(read, *args, **kwargs):
    """What is found, in any order, or what is raised."""
    try:
        # What is refused leaves the test's own transactions as they are.
        with transaction.atomic(), transaction.atomic("other"):
            return sorted(read(*args, **kwargs))
    except Exception as error:
        return type(error)


def by_django(queryset, names, key):
    query = queryset.query
    if not (query.is_sliced or query.distinct_fields or query.extra_tables or query.combinator):
        # The order decides nothing here, and PostgreSQL locks no rows that another
        # table, joined for the order alone, may lack.
        queryset = queryset.order_by()
    queryset = queryset.filter(**{key.name: key.value})
    return list(queryset.values_list(*names))


@MANY
@example(["extra table", "extra table", "order of others"], [("pk", True)])
@example(["locked", "order of others"], [("pk", 1)])
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=4), st.lists(KEYS, min_size=1, max_size=5))
def test_every_query_finds_what_the_plain_orm_finds(people, steps, keys):
    first = min(Person.objects.values_list("pk", flat=True)) - 1
    try:
        queryset = Person.objects.all()
        for step in steps:
            queryset = STEPS[step](queryset)
    except (NotSupportedError, TypeError):
        return  # Django has no such query.
    by_key = by_keys(queryset, NAMES)
    for name, value in keys:
        if name in ("pk", "id") and type(value) is int:
            value += first
        key = Key(name, value)
        expected = outcome(by_django, queryset, NAMES, key)
        for read in (values_of, values_of, by_key, by_key):
            found = outcome(read, queryset, NAMES, key)
            if isinstance(expected, list) and len(expected) > 2:
                assert len(found) == 2
                assert set(found) <= set(expected)
            else:
                assert found == (expected if isinstance(expected, type) else sorted(expected))


SOME_KEYS = [
    *(("pk", number) for number in range(1, 5)),
    *(("days", value) for value in (1, 9, 2**70, "x", Value(1), F("version"))),
    *(("name", value) for value in ("Ada", "Bob", "")),
    ("pk", Person.objects.filter(name="Ada").values("pk")),
    ("team", 1),
]


@pytest.mark.parametrize("step", STEPS)
def test_each_kind_of_query_alone(people, step):
    first = min(Person.objects.values_list("pk", flat=True)) - 1
    queryset = STEPS[step](Person.objects.all())
    by_key = by_keys(queryset, NAMES)
    for name, value in SOME_KEYS:
        key = Key(name, value + first if name == "pk" and type(value) is int else value)
        expected = outcome(by_django, queryset, NAMES, key)
        for read in (values_of, values_of, by_key, by_key):
            found = outcome(read, queryset, NAMES, key)
            if isinstance(expected, list) and len(expected) > 2:
                assert len(found) == 2, (name, value)
                assert set(found) <= set(expected), (name, value)
            else:
                assert found == expected, (name, value)


@contextmanager
def compiled():
    """The queries that are compiled."""
    with mock.patch.object(
        SQLCompiler, "as_sql", autospec=True, side_effect=SQLCompiler.as_sql
    ) as m:
        yield m


def compilations(queryset, keys):
    """How many queries Django compiles for these keys, one after another."""
    with compiled() as calls:
        for key in keys:
            values_of(queryset, NAMES, key)
    return calls.call_count


def test_the_shape_of_a_queryset_is_computed_once(people):
    first = min(Person.objects.values_list("pk", flat=True))
    rows = KeyedRows(Person.objects.filter(days__gte=1), NAMES, "pk")
    # The first number tells nothing, since no column can hold it.
    assert rows.values_of(2**70, "default") == []
    with mock.patch.object(fast_select, "by_shape", side_effect=fast_select.by_shape) as by_shape:
        found = [rows.values_of(first + number, "default") for number in range(4)]
        assert rows.values_of(2**70, "default") == []
    assert [len(each) for each in found] == [0, 1, 1, 1]
    assert by_shape.call_count == 1


def test_a_lookup_whose_sql_depends_on_the_value_is_compiled_each_time(people):
    rows = KeyedRows(Person.objects.all(), ("name",), "days")

    def process_rhs(lookup, compiler, connection):
        return ("%s" if lookup.rhs < 2 else "%s - 1"), [lookup.rhs]

    with mock.patch.object(Exact, "process_rhs", process_rhs):
        found = [rows.values_of(day, "default") for day in (0, 1, 2, 1)]
    assert found == [[("Ada",)], [("Bob",)], [("Bob",)], [("Bob",)]]


def test_kept_statements_are_dropped_when_settings_change(people, settings):
    rows = KeyedRows(Person.objects.all(), NAMES, "name")
    for use_tz in (True, False, True):
        settings.USE_TZ = use_tz
        for _ in range(2):
            ((*_, timestamp),) = rows.values_of("Ada", "default")
            assert timezone.is_aware(timestamp) is use_tz


SHAPED = (
    *("defer", "exclude", "filter", "foreign key", "in", "joins shown", "moment", "not", "only"),
    *("or", "order", "order of others", "other database", "reverse", "rows shown", "state"),
)


@pytest.mark.parametrize("step", SHAPED)
def test_each_shape_is_compiled_once(people, step):
    statements._statements.clear()
    queryset = STEPS[step](Person.objects.all())
    assert compilations(queryset, [Key("pk", number) for number in range(9)]) == 1
    assert compilations(STEPS[step](Person.objects.all()), [Key("pk", 1)]) == 0


@pytest.mark.parametrize("step", sorted(set(STEPS) - {*SHAPED, "distinct by"}))
def test_a_queryset_with_more_than_comparisons_is_compiled_by_django(people, step):
    queryset = STEPS[step](Person.objects.all())
    statements._statements.clear()
    with suppress(NotSupportedError, TypeError), transaction.atomic():
        values_of(queryset, NAMES, None if step == "slice" else Key("pk", 1))
    assert not any(statements._statements.values())


def test_values_are_no_part_of_a_shape(people):
    """Two tenants, one statement, and each finds its own."""
    statements._statements.clear()
    for day, name in enumerate(["Ada", "Bob", "Cy", "%s"]):
        found = values_of(Person.objects.filter(days=day), ("name", "days"), Key("name", name))
        assert found == [(name, day)]
        assert values_of(Person.objects.filter(days=day + 1), ("name",), Key("name", name)) == []
    assert len(statements._statements) == 1 + 1


def test_everything_that_changes_the_sql_is_part_of_a_shape():
    statements._statements.clear()
    Seat.objects.create(row="a", number=1, taken=True)
    Seat.objects.create(row="b", number=1, taken=False)
    for condition in [
        *(Q(taken=True), Q(taken=False), ~Q(taken=True), Q(taken__gt=False), Q(taken__lt=True)),
        *(Q(taken__in=[True]), Q(taken__in=[True, False]), Q(row=None), Q(row__isnull=False)),
        *(Q(taken=True) | Q(row="b"), Q(taken=True) & Q(row="b"), ~Q(taken=True, row="b")),
    ]:
        seats = Seat.objects.filter(condition)
        for _ in range(2):
            found = sorted(values_of(seats, ("row", "taken")))
            assert found == sorted(seats.values_list("row", "taken")), condition
    # Not every engine tells the two values of a truth column apart in its SQL.
    assert 11 <= len(statements._statements) <= 12
    assert None not in statements._statements.values()


def test_shapes_that_are_made_up_do_not_pile_up(people):
    statements._statements.clear()
    with mock.patch.object(statements, "_MOST_SHAPES", 5):
        for count in range(1, 20):
            values_of(Person.objects.filter(days__in=range(count)), NAMES, Key("pk", 1))
            assert len(statements._statements) <= 5


def test_a_shape_whose_parameters_django_sees_otherwise_is_not_kept(people):
    """Should a version of Django come to write a comparison in another way."""
    statements._statements.clear()
    queryset = Person.objects.filter(name="Ada")

    def other(self, compiler, connection):
        return self.process_lhs(compiler, connection)[0] + " = 'Ada'", []

    with mock.patch.object(Exact, "as_sql", other):
        expected = list(queryset.values_list(*NAMES))
        assert [values_of(queryset, NAMES) for _ in range(2)] == [expected] * 2
    assert list(statements._statements.values()) == [None]


def test_a_lookup_of_the_project_s_own_is_left_to_itself(people):
    statements._statements.clear()
    with register_lookup(models.CharField, Uppercase, lookup_name="loud"):
        queryset = Person.objects.filter(name__loud="ADA")
    assert values_of(queryset, ("name",), Key("days", 0)) == [("Ada",)]
    assert statements._statements == {}


class OwnQuery(sql.Query):
    """As packages have it that write other SQL."""

    def get_compiler(self, *args, **kwargs):
        raise NotImplementedError


def test_a_query_of_the_project_s_own_is_left_to_itself(people):
    queryset = VersionedQuerySet(Person, query=OwnQuery(Person))
    with mock.patch.object(fast_select, "_values_of") as values:
        assert values_of(queryset, NAMES, Key("pk", 1)) is values.return_value


def test_a_value_that_becomes_null_is_asked_for_as_such(people):
    key, queryset = Key("name", "nobody"), Person.objects.filter(days=0)
    null = mock.patch.object(models.CharField, "get_prep_value", return_value=None)
    with null, CaptureQueriesContext(connection) as queries:
        for read in (values_of, values_of, by_keys(queryset, NAMES)):
            assert read(queryset, NAMES, key) == []
    assert all("IS NULL" in query["sql"] for query in queries)


def test_a_foreign_key_is_a_column(people):
    queryset, key = Person.objects.all(), Key("name", "Ada")
    for _ in range(2):
        assert values_of(queryset, ("team",), key) == by_django(queryset, ["team"], key)


def test_a_row_that_was_written_is_seen(people):
    queryset, person = Person.objects.all(), Person.objects.get(name="Ada")
    key = Key("pk", person.pk)
    before = values_of(queryset, NAMES, key)
    person.save()
    after = values_of(queryset, NAMES, key)
    assert before != after == [(person.pk, person.pk, person.version, person.updated_at)]


@pytest.mark.parametrize("use_tz", [True, False])
def test_timestamps_are_in_the_form_of_the_settings(people, settings, use_tz):
    queryset, key = Person.objects.all(), Key("name", "Ada")
    values_of(queryset, NAMES, key)
    settings.USE_TZ = use_tz
    with timezone.override("Asia/Tokyo"):
        found = values_of(queryset, NAMES, key)
        assert found == by_django(queryset, NAMES, key)
        assert timezone.is_aware(found[0][-1]) is use_tz


class Alternately:
    """A router to one database and then the other."""

    turns = 0

    def db_for_read(self, model, **hints):
        self.turns += 1
        return ("default", "other")[self.turns % 2]


def test_each_read_goes_where_the_router_says(people, settings):
    settings.DATABASE_ROUTERS = [Alternately()]
    queryset, key = Person.objects.all(), Key("name", "Ada")
    names = ("days", "version")
    for read in (values_of, by_keys(queryset, names)):
        found = [read(queryset, names, key)[0][0] for _ in range(4)]
        assert found == [9, 0, 9, 0] or found == [0, 9, 0, 9]


class Uppercase(Exact):
    def as_sql(self, compiler, connection):
        left, params = self.process_lhs(compiler, connection)
        right, others = self.process_rhs(compiler, connection)
        return f"UPPER({left}) = UPPER({right})", (*params, *others)


@pytest.mark.parametrize("lookup", [Uppercase, IExact])
def test_a_lookup_registered_for_equality_is_used(people, lookup):
    queryset, key = Person.objects.all(), Key("name", "ADA")
    assert values_of(queryset, NAMES, Key("name", "Ada"))
    with register_lookup(models.CharField, lookup, lookup_name="exact"):
        for asked in (queryset, Person.objects.all()):
            for _ in range(2):
                assert values_of(asked, NAMES, key) == by_django(asked, NAMES, key)
                assert values_of(asked, NAMES, key)


class OnlyAda(VersionedQuerySet):
    def filter(self, *args, **kwargs):
        return super().filter(*args, **kwargs).exclude(name="Bob")


def test_a_queryset_class_of_the_project_is_used(people):
    queryset = OnlyAda(Person)
    for _ in range(2):
        assert values_of(queryset, NAMES, Key("name", "Bob")) == []
        assert values_of(queryset, NAMES, Key("name", "Ada"))


def test_a_source_that_may_be_another_each_time_is_not_fixed():
    class Own(VersionedManager):
        def get_queryset(self):
            return super().get_queryset().filter(days=1)

    own = Own()
    own.model = Person
    assert fixed_queryset(own) is None
    assert fixed_queryset(Team(pk=1).person_set) is None
    assert fixed_queryset(lambda request: Person.objects.all()) is None
    assert fixed_queryset(OnlyAda(Person)) is None
    assert fixed_queryset(Person).model is Person
    assert fixed_queryset(Person.objects).model is Person
    queryset = Person.objects.all()
    assert fixed_queryset(queryset) is queryset


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Country(code="se"), ("id", "version", "updated_at")),
        (lambda: Hidden(name="x"), ("id", "uuid", "version", "updated_at")),
        (lambda: PersonProxy(name="x"), NAMES),
        (lambda: Restaurant(name="x"), ("id", "version", "updated_at")),
        (lambda: Seat(row="a", number=1), ("pk", "version", "updated_at")),
    ],
)
def test_every_kind_of_model_is_read(make, names):
    made = make()
    made.save()
    queryset = type(made).objects.all()
    for _ in range(2):
        found = values_of(queryset, names, Key("pk", made.pk))
        assert found == by_django(queryset, names, Key("pk", made.pk))
        assert len(found) == 1
