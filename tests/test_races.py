"""Two or more at once, on connections of their own, through Django's own handler."""

import os
import threading
import uuid
from contextlib import suppress

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from etag_versioning.decorators import versioned_condition
from etag_versioning.exceptions import StaleWriteError
from tests import views
from tests.testapp.models import Book, Leaf, Person, Restaurant, Shelf, Team

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.views"),
]

WRITERS = 8


@pytest.fixture(params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def atomic_requests(request):
    connection.settings_dict["ATOMIC_REQUESTS"] = request.param
    yield request.param
    connection.settings_dict["ATOMIC_REQUESTS"] = False


@pytest.fixture
def person():
    return Person.objects.create(name="a")


@pytest.fixture
def before_write():
    yield views.before_write
    views.before_write.clear()


def put(url, tag, how="save", method="put"):
    headers = {"If-Match": tag, "X-Write": how}
    return lambda: getattr(Client(), method)(url, headers=headers)


def days():
    return Person.objects.get().days


@pytest.mark.parametrize("how", ["save", "update", "update many"])
@pytest.mark.parametrize("kind", ["people", "async"])
def test_concurrent_writers_with_one_tag_one_gets_200(race, person, atomic_requests, kind, how):
    if kind == "async" and how == "update many":
        how = "save"
    url = f"/{kind}/{person.pk}/"
    tag = Client().get(url)["ETag"]
    answers = race(*[put(url, tag, how)] * WRITERS)
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * (WRITERS - 1)
    assert days() == 1
    assert Person.objects.get().version == 2
    current = Client().get(url)["ETag"]
    for answer in answers:
        if answer.status_code == 412 and atomic_requests and kind == "people":
            # Lost under ATOMIC_REQUESTS, it names no tag. Evaluated after the win, it does.
            assert answer.get("ETag", current) == answer.json().get("current_etag", current)
            assert answer.get("ETag", current) == current
            continue
        assert answer["ETag"] == current
        if answer.status_code == 412:
            assert answer.json()["current_etag"] == current


def test_a_lost_write_rolls_the_whole_request_back(person, atomic_requests):
    """What was written above the decorator too, where that is in the same transaction."""
    Team.objects.create(name="a")
    answer = put(f"/logged/{person.pk}/", "*", "team")()
    assert answer.status_code == 409
    assert Team.objects.filter(name="log").exists() is not atomic_requests


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_a_lost_write_rolls_the_request_back_on_every_database(atomic_requests):
    """The guarded row is on another database than the request's transaction."""
    person = Person.objects.using("other").create(name="a")
    Team.objects.using("other").create(name="a")
    answer = Client().put(f"/elsewhere/{person.pk}/", headers={"If-Match": "*"})
    assert answer.status_code == 409
    assert Team.objects.filter(name="log").exists() is not atomic_requests


def test_concurrent_deletions_with_one_tag_one_gets_2xx(race, person, atomic_requests):
    url = f"/people/{person.pk}/"
    tag = Client().get(url)["ETag"]
    answers = race(*[put(url, tag, "delete", "delete")] * WRITERS)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [204] + [404] * (WRITERS - 1)


def test_a_deletion_and_a_write_do_not_both_win(race, person, atomic_requests):
    url = f"/people/{person.pk}/"
    tag = Client().get(url)["ETag"]
    written, deleted = race(put(url, tag), put(url, tag, "delete", "delete"))
    assert (written.status_code, deleted.status_code) in {(200, 412), (404, 204)}
    assert Person.objects.exists() is (written.status_code == 200)


def test_writers_with_a_wildcard_come_one_after_another(race, person, atomic_requests):
    url = f"/people/{person.pk}/"
    answers = race(*[put(url, "*")] * WRITERS)
    assert [answer.status_code for answer in answers] == [200] * WRITERS
    assert days() == WRITERS
    assert len({answer["ETag"] for answer in answers}) == WRITERS


def test_the_tag_of_a_wildcards_answer_is_that_of_what_was_locked(race, person):
    """Overtaken between the check and the lock, by a view that then writes nothing."""
    url = f"/overtaken/{person.pk}/"
    views.before_lock[:] = [lambda: race(lambda: Person.objects.update(days=50))]
    try:
        answer = put(url, "*", "none")()
    finally:
        views.before_lock.clear()
    assert answer.status_code == 200
    assert answer.json()["days"] == 50
    assert answer["ETag"] == Client().get(url)["ETag"]


@pytest.mark.parametrize("isolation", ["repeatable", "strictest"], indirect=True)
@pytest.mark.usefixtures("isolation")
def test_with_a_wildcard_no_view_is_shown_an_old_version(race, person, atomic_requests):
    if connection.vendor == "sqlite" and atomic_requests:
        pytest.skip("the other writer waits until this request has ended")
    views.before_lock[:] = [lambda: race(lambda: Person.objects.update(days=50))]
    try:
        answer = put(f"/overtaken/{person.pk}/", "*", "none")()
    finally:
        views.before_lock.clear()
    assert answer.status_code == 503 or answer.json()["days"] == 50


def test_a_lost_lock_takes_one_update_and_one_select(race, person):
    url = f"/overtaken/{person.pk}/"
    tag = Client().get(url)["ETag"]
    views.before_lock[:] = [
        lambda: race(lambda: Person.objects.update(days=50)),
        views.before_lock.clear,
    ]
    with CaptureQueriesContext(connection) as queries:
        answer = put(url, tag)()
    assert answer.status_code == 412
    words = [query["sql"].split()[0] for query in queries]
    assert [word for word in words if word not in ("BEGIN", "ROLLBACK")] == [
        "SELECT",
        "UPDATE",
        "SELECT",
    ]
    assert days() == 50


def test_an_async_view_that_was_overtaken_writes_nothing(race, person, before_write):
    """Between its check and its own read: what it then reads is not what was named."""
    url = f"/async/{person.pk}/"
    tag = Client().get(url)["ETag"]
    for how in ("save", "update", "delete"):
        before_write[:] = [lambda: race(lambda: Person.objects.update(days=50))]
        answer = put(url, tag, how)()
        assert answer.status_code == 412
        tag = Client().get(url)["ETag"]
        assert answer["ETag"] == answer.json()["current_etag"] == tag
        assert days() == 50


def test_an_async_view_whose_row_is_deleted_meanwhile_is_404(race, person, before_write):
    url = f"/async-optional/{person.pk}/"
    before_write[:] = [lambda: race(lambda: Person.objects.all().delete())]
    headers = {"If-Match": "*", "X-Write": "update"}
    answer = Client().put(url, headers=headers)
    assert answer.status_code == 404
    assert not Person.objects.exists()


def test_concurrent_saves_of_one_state_one_succeeds(race, person):
    copies = [Person.objects.get() for _ in range(WRITERS)]
    results = race(*[copy.save for copy in copies])
    assert results.count(None) == 1
    assert sum(isinstance(result, StaleWriteError) for result in results) == WRITERS - 1
    assert Person.objects.get().version == 2


def test_concurrent_saves_of_a_child_one_succeeds(race):
    place = Restaurant.objects.create(name="a")
    copies = [Restaurant.objects.get() for _ in range(WRITERS)]
    for stars, copy in enumerate(copies, start=1):
        copy.stars = stars
    results = race(*[copy.save for copy in copies])
    assert results.count(None) == 1
    winner = copies[results.index(None)]
    stored = Restaurant.objects.get(pk=place.pk)
    assert (stored.version, stored.stars) == (2, winner.stars)


def test_a_deletion_with_cascade_loses_to_a_save(race):
    team = Team.objects.create(name="a")
    copies = [Team.objects.get() for _ in range(WRITERS)]
    results = race(*[copy.save for copy in copies[1:]], copies[0].delete)
    winners = [result for result in results if not isinstance(result, StaleWriteError)]
    assert len(winners) == 1
    assert Team.objects.filter(pk=team.pk).exists() is (winners[0] is None)


@pytest.mark.parametrize("kind", ["one table", "several tables", "joined"])
def test_concurrent_updates_expecting_one_state_one_succeeds(race, kind):
    if kind == "several tables":
        key = Restaurant.objects.create(name="a").pk
        write = lambda: Restaurant.objects.filter(pk=key).expect(version=1).update(stars=1)  # noqa: E731
    else:
        team = Team.objects.create(name="a")
        key = Person.objects.create(name="a", team=team).pk
        name = {"team__name": "a"} if kind == "joined" else {}
        write = lambda: Person.objects.filter(pk=key, **name).expect(version=1).update(days=1)  # noqa: E731
    for version in range(1, 4):
        results = race(*[write] * WRITERS)
        assert results.count(1) == (version == 1)
        assert sum(isinstance(result, StaleWriteError) for result in results) >= WRITERS - 1


def test_concurrent_queryset_updates_lose_nothing(race, person):
    from django.db.models import F

    race(*[lambda: Person.objects.update(days=F("days") + 1)] * WRITERS)
    person.refresh_from_db()
    assert (person.days, person.version) == (WRITERS, WRITERS + 1)


@pytest.mark.parametrize("kind", ["people", "async"])
@pytest.mark.parametrize("isolation", ["repeatable", "strictest"], indirect=True)
@pytest.mark.usefixtures("isolation")
def test_the_loser_learns_the_true_tag_under_any_isolation(race, person, atomic_requests, kind):
    url = f"/{kind}/{person.pk}/"
    tag = Client().get(url)["ETag"]
    for _ in range(3):
        answers = race(*[put(url, tag)] * WRITERS)
        tag = Client().get(url)["ETag"]
        # SQLite may give up on a lock before its holder has written.
        expected = {200, 412, 503} if connection.vendor == "sqlite" else {200, 412}
        assert {answer.status_code for answer in answers} <= expected
        assert sum(answer.status_code == 200 for answer in answers) == 1
        for answer in answers:
            if answer.status_code == 412 and atomic_requests and kind == "people":
                assert answer.get("ETag", tag) == answer.json().get("current_etag", tag) == tag
            elif answer.status_code == 412:
                assert answer["ETag"] == answer.json()["current_etag"] == tag
            if answer.status_code == 503:
                assert answer["Retry-After"] == "1"
    assert days() == 3


class TestWhatStaysLocked:
    """Nobody wrote the row: it is not stale, and it is not an error of ours."""

    IMPATIENCE = {
        "postgresql": "SET lock_timeout = '50ms'",
        "mysql": "SET SESSION innodb_lock_wait_timeout = 1",
        "sqlite": "PRAGMA busy_timeout = 50",
    }

    def impatient(self, call):
        def run():
            with connection.cursor() as cursor:
                cursor.execute(self.IMPATIENCE[connection.vendor])
            return call()

        return run

    def test_a_row_is_503(self, race, person):
        url = f"/people/{person.pk}/"
        tag = Client().get(url)["ETag"]
        with transaction.atomic():
            Person.objects.select_for_update().get()
            (answer,) = race(self.impatient(put(url, tag)))
        assert answer.status_code == 503
        assert answer["Retry-After"] == "1"
        assert "ETag" not in answer
        assert put(url, tag)().status_code == 200

    def test_a_row_is_tried_again_and_the_view_is_not(self, race, person, monkeypatch):
        url = f"/people/{person.pk}/"
        tag = Client().get(url)["ETag"]
        locked, released = threading.Event(), threading.Event()

        def hold():
            with transaction.atomic():
                Person.objects.select_for_update().get()
                locked.set()
                # Between the first and the second attempt.
                assert released.wait(timeout=30)

        def write():
            assert locked.wait(timeout=30)
            return self.impatient(put(url, tag))()

        monkeypatch.setattr("etag_versioning.orm.retries.time.sleep", lambda _: released.set())
        _, answer = race(hold, write)
        assert released.is_set()
        assert answer.status_code == 200
        assert days() == 1

    @pytest.mark.parametrize("kind", ["people", "async"])
    @pytest.mark.parametrize("method", ["get", "put"])
    def test_a_table_whose_rows_cannot_be_read_is_503(self, race, person, kind, method):
        if connection.vendor != "postgresql":
            pytest.skip("has no lock that a plain SELECT waits for")
        url = f"/{kind}/{person.pk}/"
        call = lambda: getattr(Client(), method)(url, headers={"If-Match": "*"})  # noqa: E731
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE testapp_person IN ACCESS EXCLUSIVE MODE")
            (answer,) = race(self.impatient(call))
        assert answer.status_code == 503
        assert answer["Retry-After"] == "1"

    def test_an_unguarded_view_is_503_by_the_middleware(self, race, person, settings):
        settings.MIDDLEWARE = ["etag_versioning.middleware.StaleWriteMiddleware"]
        call = lambda: Client().put(f"/unguarded/{person.pk}/")  # noqa: E731
        with transaction.atomic():
            Person.objects.select_for_update().get()
            (answer,) = race(self.impatient(call))
        assert answer.status_code == 503
        assert answer["Retry-After"] == "1"


class TestTouching:
    """Many write what one row shows, in transactions that partly roll back."""

    @pytest.fixture
    def shelves(self):
        return [Shelf.objects.create(name=name) for name in "ab"]

    @pytest.fixture
    def books(self, shelves):
        return [Book.objects.create(name=str(n), shelf=shelves[n % 2]) for n in range(4)]

    def leaves(self, books, number):
        return [
            Leaf.objects.create(
                name=f"{number}-{n}", book=books[n % 4], copied_from=books[(n + number) % 4]
            )
            for n in range(4)
        ]

    def insert(self, books, number, step):
        one, other = books[(number + step) % 4], books[step % 4]
        Leaf.objects.create(name=f"new {number}-{step}", book=one, copied_from=other)

    def save(self, books, number, step):
        leaf = Leaf.objects.get(name=f"{number}-{step % 4}")
        leaf.book = books[(number * step) % 4]
        leaf.save()

    def update(self, books, number, step):
        Leaf.objects.filter(name__startswith=f"{number}-").update(number=step)

    def bulk_update(self, books, number, step):
        leaves = list(Leaf.objects.filter(name__startswith=f"{number}-"))
        for leaf in leaves:
            leaf.copied_from = books[(number + step + leaf.pk) % 4]
        Leaf.objects.bulk_update(leaves, ["copied_from"])

    def replace(self, books, number, step):
        Leaf.objects.filter(name=f"{number}-{step % 4}").delete()
        Leaf.objects.create(name=f"{number}-{step % 4}", book=books[step % 4])

    def roll_back(self, books, number, step):
        with transaction.atomic():
            with transaction.atomic():
                self.save(books, number, step)
                transaction.set_rollback(True)
            self.save(books, number, step)

    def books_too(self, books, number, step):
        """The book is written, which moves its shelf; and moved, by what is written on it."""
        if (number + step) % 2:
            Book.objects.filter(pk=books[step % 4].pk).update(name=f"{number}-{step}")
        else:
            self.update(books, number, step)

    WAYS = ("insert", "save", "update", "bulk_update", "replace", "roll_back", "books_too")

    @pytest.mark.parametrize("way", [*WAYS, "mixed"])
    def test_writers_of_one_parent_s_children_do_not_deadlock(self, race, books, way):
        steps = int(os.environ.get("TOUCHING_STEPS", "6"))
        for number in range(WRITERS):
            self.leaves(books, number)

        def writer(number):
            def work():
                for step in range(steps):
                    name = self.WAYS[(number + step) % len(self.WAYS)] if way == "mixed" else way
                    getattr(self, name)(books, number, step)

            return work

        results = race(*map(writer, range(WRITERS)))
        assert results == [None] * WRITERS

    def test_no_touch_is_lost(self, race, books):
        """Each insert is one version of its book and of the shelf."""
        before = Book.objects.get(pk=books[0].pk).version, Shelf.objects.get(name="a").version

        def insert_five():
            for _ in range(5):
                Leaf.objects.create(name=str(uuid.uuid4()), book=books[0])

        race(*[insert_five] * WRITERS)
        assert Leaf.objects.count() == 5 * WRITERS
        after = Book.objects.get(pk=books[0].pk).version, Shelf.objects.get(name="a").version
        assert [new - old for new, old in zip(after, before, strict=True)] == [5 * WRITERS] * 2

    @pytest.mark.parametrize("how", ["update", "delete"])
    def test_who_is_moved_meanwhile_is_touched_at_its_new_place(self, race, books, how):
        """After the search for what a row shows up in, and before that is locked."""
        if not connection.features.has_select_for_update:
            pytest.skip("its transactions lock the whole database when they begin")
        Leaf.objects.create(name="a", book=books[0])
        rows = Leaf.objects.filter(name="a")
        moves = [lambda: Leaf.objects.update(book=books[1])]

        def overtaken(execute, sql, params, many, context):
            if " FOR " in sql and moves:
                assert race(moves.pop()) == [1]
            return execute(sql, params, many, context)

        before = Book.objects.get(pk=books[1].pk).version
        with connection.execute_wrapper(overtaken):
            if how == "update":
                assert rows.update(number=1) == 1
            else:
                rows.delete()
        assert moves == []
        # By who moved it there, and by who wrote it there.
        assert Book.objects.get(pk=books[1].pk).version == before + 2

    @pytest.mark.parametrize("how", ["save", "insert", "bulk_update", "delete"])
    def test_what_shows_the_touched_row_is_touched_at_its_new_place(self, race, books, how):
        """The leaf says by itself which book it is in; which shelf that is on, another says."""
        if not connection.features.has_select_for_update:
            pytest.skip("its transactions lock the whole database when they begin")
        leaf = Leaf.objects.create(name="a", book=books[0])
        book, shelf = Book.objects.get(pk=books[0].pk), Shelf.objects.get(name="b")
        before = shelf.version  # The update() below keeps the instance current.
        moves = [lambda: Book.objects.filter(pk=book.pk).update(shelf=shelf)]

        def overtaken(execute, sql, params, many, context):
            if " FOR " in sql and moves:
                assert race(moves.pop()) == [1]
            return execute(sql, params, many, context)

        write = {
            "save": leaf.save,
            "insert": lambda: Leaf.objects.create(name="b", book=book),
            "bulk_update": lambda: Leaf.objects.bulk_update([leaf], ["number"]),
            "delete": leaf.delete,
        }[how]
        with connection.execute_wrapper(overtaken):
            write()
        assert moves == []
        # By who moved the book there, and by who wrote what is in it.
        assert Shelf.objects.get(pk=shelf.pk).version == before + 2
        assert Book.objects.get(pk=book.pk).version == book.version + 2

    def test_a_child_that_is_locked_and_its_parent_do_not_wait_for_each_other(
        self, race, rf, books
    ):
        """Both views write both: the parent's, and what it shows."""
        leaf, book = Leaf.objects.create(name="a", book=books[0]), books[0]
        both_have_locked = threading.Barrier(2)

        def wait():
            with suppress(threading.BrokenBarrierError):
                both_have_locked.wait(timeout=1)

        @versioned_condition(Leaf)
        def write_leaf(request, pk):
            if request.method == "PATCH":
                wait()
                Leaf.objects.get(pk=pk).save()
            return HttpResponse()

        @versioned_condition(Book)
        def write_book(request, pk):
            if request.method == "PATCH":
                wait()
                Leaf.objects.filter(book=pk).update(number=7)
            return HttpResponse()

        def patch(view, row):
            tag = view(rf.get("/"), pk=row.pk)["ETag"]
            return lambda: view(rf.patch("/", headers={"If-Match": tag}), pk=row.pk).status_code

        assert sorted(race(patch(write_leaf, leaf), patch(write_book, book))) == [200, 412]
