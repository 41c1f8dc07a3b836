"""
``touches``: a row moves if and only if what it shows of others was written.

Each case of a way to write says which rows move, all others stay, and each that
moves does so once.
"""

import re
from contextlib import nullcontext

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Value
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext, isolate_apps

from etag_versioning.checks import check_models
from etag_versioning.decorators import versioned_condition
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.models import VersionedModel
from tests.testapp.models import (
    Book,
    Cover,
    Genre,
    Knot,
    Leaf,
    Page,
    Part,
    Reader,
    Shelf,
)

pytestmark = pytest.mark.django_db


def run(method, *args, **kwargs):
    async def call():
        return await method(*args, **kwargs)

    return async_to_sync(call)()


class World:
    """A few rows of each kind, by short names; ``moved()`` says which have moved."""

    def __init__(self):
        self.rows = {}
        self.s, self.t = (self.add(Shelf, name) for name in "st")
        self.a = self.add(Book, "a", shelf=self.s)
        self.b = self.add(Book, "b", shelf=self.t)
        self.c = self.add(Book, "c")
        self.part = Part.objects.create(book=self.a)
        self.other_part = Part.objects.create(book=self.b)
        self.page = Page.objects.create(part=self.part)
        self.leaf = Leaf.objects.create(name="leaf", book=self.a, copied_from=self.b)
        self.cover = Cover.objects.create(book=self.a)
        self.reader = Reader.objects.create(name="r")
        self.g, self.h = (self.add(Genre, name) for name in "gh")
        self.a.genres.add(self.g)
        self.refresh()

    def add(self, model, name, **values):
        self.rows[name] = model.objects.create(name=name, **values)
        return self.rows[name]

    def refresh(self):
        for row in (*self.rows.values(), self.part, self.page, self.leaf):
            row.refresh_from_db()
        self.states = self.read()

    def read(self):
        states = {}
        for name, row in self.rows.items():
            found = type(row).objects.filter(pk=row.pk)
            states[name] = found.values_list("version", "updated_at").first()
        return states

    def moved(self):
        """The names of the rows that have moved since the last call, each as often as it has."""
        now = self.read()
        names = ""
        for name, state in now.items():
            if state is None or state == self.states[name]:
                continue
            assert state[1] > self.states[name][1]
            names += name * (state[0] - self.states[name][0])
        self.states = now
        return "".join(sorted(names))


@pytest.fixture
def world():
    return World()


def changed(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    return row


def save(row, update_fields=None, **values):
    changed(row, **values).save(update_fields=update_fields)


def bulk_update(row, **values):
    type(row).objects.bulk_update([changed(row, **values)], list(values))


def upsert(leaf, updated=("number",)):
    unique = {} if connection.vendor == "mysql" else {"unique_fields": ["name"]}
    Leaf.objects.bulk_create([leaf], update_conflicts=True, update_fields=list(updated), **unique)


# What is written, and which of the shelves s and t, the books a (on s), b (on t) and c, and
# the genres g (of a) and h move.
WRITES = {
    "save": (lambda w: save(w.leaf, number=1), "abst"),
    "save of a field": (lambda w: save(w.leaf, ["number"], number=1), "abst"),
    "asave": (lambda w: run(changed(w.leaf, number=1).asave), "abst"),
    "save that moves": (lambda w: save(w.leaf, book=w.c), "abcst"),
    "save of another field than what is moved in memory": (
        lambda w: save(w.leaf, ["number"], book=w.c, number=1),
        "abst",
    ),
    "save that moves by key": (lambda w: save(w.leaf, ["book"], book_id=str(w.c.pk)), "abcst"),
    "save that moves by expression": (lambda w: save(w.leaf, copied_from_id=F("book")), "abst"),
    "save without a parent": (lambda w: save(w.leaf, copied_from=None), "abst"),
    "save of a deferred row": (
        lambda w: save(Leaf.objects.only("version", "updated_at", "number").get(), number=1),
        "abst",
    ),
    "create": (lambda w: Leaf.objects.create(name="x", book=w.c), "c"),
    "get_or_create": (lambda w: Leaf.objects.get_or_create(name="x", defaults={"book": w.c}), "c"),
    "get_or_create of what is there": (lambda w: Leaf.objects.get_or_create(name="leaf"), ""),
    "update_or_create": (
        lambda w: Leaf.objects.update_or_create(name="leaf", defaults={"number": 2}),
        "abst",
    ),
    "aupdate_or_create": (
        lambda w: run(Leaf.objects.aupdate_or_create, name="leaf", defaults={"number": 2}),
        "abst",
    ),
    "delete": (lambda w: w.leaf.delete(), "abst"),
    "adelete": (lambda w: run(w.leaf.adelete), "abst"),
    "update": (lambda w: Leaf.objects.update(number=F("number") + 1), "abst"),
    "aupdate": (lambda w: run(Leaf.objects.aupdate, number=1), "abst"),
    "update of nothing": (lambda w: Leaf.objects.filter(name="x").update(number=1), ""),
    "update that moves": (lambda w: Leaf.objects.update(book=w.c), "abcst"),
    "update that moves by key": (lambda w: Leaf.objects.update(book_id=w.c.pk), "abcst"),
    "update that moves by expression": (
        lambda w: Leaf.objects.update(copied_from=F("book"), book=Value(w.c.pk)),
        "abcst",
    ),
    "update through another table": (
        lambda w: Leaf.objects.filter(book__name="a", book__genres__name="g").update(number=1),
        "abst",
    ),
    "update of rows that are all there": (
        lambda w: Leaf.objects.order_by("number").update(number=1),
        "abst",
    ),
    "update expecting": (lambda w: Leaf.objects.expect(version=1).update(number=1), "abst"),
    "update by the base manager": (lambda w: Leaf._base_manager.update(number=1), "abst"),
    "unversioned update": (lambda w: Leaf.objects.unversioned().update(number=1), ""),
    "update of an unversioned field": (lambda w: Book.objects.update(opened=1), ""),
    "save of an unversioned field": (lambda w: save(w.a, ["opened"], opened=1), ""),
    "bulk_update": (lambda w: bulk_update(w.leaf, number=1), "abst"),
    "bulk_update that moves": (lambda w: bulk_update(w.leaf, book=w.c), "abcst"),
    "bulk_update by hand": (
        lambda w: bulk_update(Leaf(pk=w.leaf.pk), number=1, book=w.c),
        "abcst",
    ),
    "unversioned bulk_update": (
        lambda w: Leaf.objects.unversioned().bulk_update([changed(w.leaf, number=1)], ["number"]),
        "",
    ),
    "bulk_create": (
        lambda w: Leaf.objects.bulk_create(Leaf(name=name, book=w.c) for name in "xy"),
        "c",
    ),
    "abulk_create": (lambda w: run(Leaf.objects.abulk_create, [Leaf(name="x", book=w.c)]), "c"),
    "bulk_create that updates": (lambda w: upsert(Leaf(name="leaf", number=3, book=w.a)), "abst"),
    "bulk_create that moves": (
        lambda w: upsert(Leaf(name="leaf", book=w.c), updated=["book"]),
        "abcst",
    ),
    "bulk_create of conflicts": (
        lambda w: Leaf.objects.bulk_create([Leaf(name="x", book=w.c)], ignore_conflicts=True),
        "c",
    ),
    "delete of a queryset": (lambda w: Leaf.objects.all().delete(), "abst"),
    "delete expecting": (lambda w: Leaf.objects.expect(version=1).delete(), "abst"),
    "related create": (lambda w: w.c.leaf_set.create(name="x"), "c"),
    "related add": (lambda w: w.c.leaf_set.add(w.leaf), "abcst"),
    "related add by save": (lambda w: w.c.leaf_set.add(w.leaf, bulk=False), "abcst"),
    "related remove": (lambda w: w.b.copies.remove(w.leaf), "abst"),
    "related clear": (lambda w: w.b.copies.clear(), "abst"),
    "related set": (lambda w: w.c.copies.set([w.leaf]), "abcst"),
    "a path": (lambda w: save(w.page, text="x"), "as"),
    "a path's other end": (lambda w: save(w.page, part=w.other_part), "abst"),
    "a path's new row": (lambda w: Page.objects.create(part=w.other_part), "bt"),
    "a path's update": (lambda w: Page.objects.update(part=w.other_part), "abst"),
    "a path's deletion": (lambda w: w.page.delete(), "as"),
    "a path's cascade": (lambda w: w.part.delete(), "as"),
    "a save that is skipped": (lambda w: Page.objects.get().save(), ""),
    "the book itself": (lambda w: save(w.a, name="x"), "as"),
    "the book changes shelves": (lambda w: save(w.a, shelf=w.t), "ast"),
    "a cascade": (lambda w: w.a.delete(), "bst"),
    "a cascade by queryset": (lambda w: Book.objects.filter(name="a").delete(), "bst"),
    "a cascade that sets null": (lambda w: w.b.delete(), "ast"),
    "books lose their shelf": (lambda w: w.s.delete(), "a"),
    "a new one without version": (lambda w: Cover.objects.create(book=w.b), "bt"),
    "one without version": (lambda w: save(w.cover, color="red"), "as"),
    "one without version moves": (lambda w: save(w.cover, book=w.b), "abst"),
    "one without version goes": (lambda w: w.cover.delete(), "as"),
    "update of one without version": (lambda w: Cover.objects.update(color="red"), "as"),
    "bulk_update of one without version": (lambda w: bulk_update(w.cover, book=w.c), "acs"),
    "bulk_create of one without version": (
        lambda w: Cover.objects.bulk_create([Cover(book=w.c)]),
        "c",
    ),
    "delete of those without version": (lambda w: Cover.objects.all().delete(), "as"),
    "a genre": (lambda w: save(w.g, name="x"), "ags"),
    "update of genres": (lambda w: Genre.objects.update(name="x"), "aghs"),
    "a genre goes": (lambda w: w.g.delete(), "as"),
    "a link": (lambda w: w.b.genres.add(w.h), "bt"),
    "a link that is there": (lambda w: w.a.genres.add(w.g), ""),
    "a link by its key": (lambda w: w.b.genres.add(w.h.pk), "bt"),
    "aadd": (lambda w: run(w.b.genres.aadd, w.h), "bt"),
    "a link from the other side": (lambda w: w.h.books.add(w.b, w.c), "bct"),
    "links, one of them there": (lambda w: w.g.books.add(w.a, w.b), "bt"),
    "no link": (lambda w: w.b.genres.remove(w.g), ""),
    "no link from the other side": (lambda w: w.g.books.remove(w.b), ""),
    "a link less": (lambda w: w.a.genres.remove(w.g), "as"),
    "a link less from the other side": (lambda w: w.g.books.remove(w.a, w.b), "as"),
    "clear": (lambda w: w.a.genres.clear(), "as"),
    "clear nothing": (lambda w: w.b.genres.clear(), ""),
    "clear from the other side": (lambda w: w.g.books.clear(), "as"),
    "set": (lambda w: w.a.genres.set([w.h]), "aass"),
    "set what is there": (lambda w: w.a.genres.set([w.g]), ""),
    "set from the other side": (lambda w: w.g.books.set([w.b, w.c]), "abcst"),
    "create a genre of a book": (lambda w: w.b.genres.create(name="x"), "bt"),
    "a link with a model of its own": (lambda w: w.reader.reads.add(w.a), "as"),
    "its other side": (lambda w: w.a.readers.add(w.reader), "as"),
}


@pytest.mark.parametrize("name", WRITES)
def test_what_a_write_touches(world, name):
    write, moved = WRITES[name]
    write(world)
    assert world.moved() == moved


@pytest.mark.parametrize("name", WRITES)
def test_a_rolled_back_write_leaves_no_touch_and_can_be_repeated(world, name):
    write, moved = WRITES[name]
    with transaction.atomic():
        write(world)
        transaction.set_rollback(True)
    assert world.moved() == ""
    again = World.__new__(World)
    again.__dict__.update(world.__dict__)
    for kind, key in ((Leaf, "leaf"), (Page, "page"), (Cover, "cover"), (Part, "part")):
        setattr(again, key, kind.objects.get(pk=kind.objects.first().pk))
    for key, row in world.rows.items():
        setattr(again, key, type(row).objects.filter(name=key).first())
    write(again)
    assert again.moved() == moved


def statements(write):
    with CaptureQueriesContext(connection) as queries:
        write()
    words = [query["sql"].split()[0] for query in queries]
    tables = [re.search(r"testapp_(\w+)", query["sql"]) for query in queries]
    locks = [" FOR " in query["sql"] for query in queries]
    return [
        " ".join(filter(None, ["lock" if lock else word.lower(), table and table[1]]))
        for word, table, lock in zip(words, tables, locks, strict=True)
        if not word.startswith(("BEGIN", "COMMIT"))
    ]


def with_locks(*expected):
    """Without the statements that lock, on SQLite, whose transactions lock the database."""
    locks = connection.features.has_select_for_update
    return [statement for statement in expected if locks or not statement.startswith("lock")]


class TestCosts:
    """In statements: one shelf, and a book that touches it."""

    def test_of_an_insert(self, world):
        write = lambda: Book.objects.create(name="x", shelf=world.s)  # noqa: E731
        assert statements(write) == with_locks("lock shelf", "insert book", "update shelf")

    def test_of_an_insert_that_touches_nothing(self, world):
        assert statements(lambda: Book.objects.create(name="x")) == ["insert book"]

    @pytest.mark.parametrize("how", ["save", "bulk_update"])
    def test_of_a_save(self, world, how):
        write = {"save": save, "bulk_update": bulk_update}[how]
        found = statements(lambda: write(world.a, name="x"))
        found = [name for name in found if "savepoint" not in name.lower() and name != "release"]
        assert found == with_locks("select book", "lock shelf", "update book", "update shelf")

    def test_of_an_update(self, world):
        assert statements(lambda: Book.objects.filter(name="a").update(name="x")) == with_locks(
            "select book", "lock shelf", "lock book", "update book", "update shelf"
        )

    def test_of_one_with_nothing_to_touch(self, world):
        assert statements(lambda: save(world.c, name="x")) == ["select book", "update book"]

    @pytest.mark.parametrize(
        ("name", "lock"),
        [("a", ["select book", "lock shelf", "update book"]), ("s", ["update shelf"])],
    )
    def test_of_a_claim(self, rf, world, name, lock):
        """By a view that may write in any way. A shelf touches nothing."""
        row = world.rows[name]
        view = versioned_condition(type(row))(lambda request, pk: HttpResponse())
        tag = view(rf.get("/"), pk=row.pk)["ETag"]
        found = statements(lambda: view(rf.patch("/", headers={"If-Match": tag}), pk=row.pk))
        found = [statement for statement in found if statement != "savepoint"]
        lock = lock if connection.features.has_select_for_update else lock[-1:]
        evaluation = [f"select {lock[-1].split()[1]}"]
        assert found[: len(lock) + 1] == evaluation + lock

    def test_of_what_is_not_versioned(self, world):
        assert statements(lambda: save(world.a, ["opened"], opened=1)) == ["update book"]

    def test_of_a_model_that_touches_nothing(self, world):
        assert statements(lambda: save(world.s, name="x")) == ["update shelf"]
        assert statements(lambda: Shelf.objects.update(name="x")) == ["update shelf"]
        assert statements(lambda: Shelf.objects.create(name="x")) == ["insert shelf"]


class TestFailures:
    @pytest.mark.parametrize("nested", [False, True])
    @pytest.mark.parametrize("how", ["save", "delete", "bulk_update", "update", "expecting delete"])
    def test_a_stale_write_touches_nothing(self, world, how, nested):
        Leaf.objects.update(number=5)
        world.moved()
        rows = Leaf.objects.expect(version=1)
        write = {
            "save": lambda: save(world.leaf, book=world.c),
            "delete": world.leaf.delete,
            "bulk_update": lambda: bulk_update(world.leaf, book=world.c),
            "update": lambda: rows.update(book=world.c),
            "expecting delete": rows.delete,
        }[how]
        with transaction.atomic() if nested else nullcontext():
            with pytest.raises(StaleWriteError):
                write()
            # The enclosing transaction can go on.
            assert world.moved() == ""
            save(Leaf.objects.get(), number=6)
        assert world.moved() == "abst"

    def test_a_refused_insert_touches_nothing(self, world):
        for write in (
            lambda: Leaf.objects.create(name="leaf", book=world.c),
            lambda: Leaf.objects.bulk_create([Leaf(name="leaf", book=world.c)]),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                write()
            assert world.moved() == ""

    def test_a_savepoint_s_touch_is_repeated_after_its_rollback(self, world):
        with transaction.atomic():
            with transaction.atomic():
                Leaf.objects.update(number=1)
                transaction.set_rollback(True)
            Leaf.objects.update(number=2)
        assert world.moved() == "abst"


class TestCircles:
    def test_each_row_moves_once(self):
        one = Knot.objects.create(name="a")
        two = Knot.objects.create(name="b", parent=one)
        three = Knot.objects.create(name="c", parent=two)
        one.refresh_from_db()
        one.parent = three
        one.save()
        versions = dict(Knot.objects.values_list("name", "version"))
        before = versions.copy()
        Knot.objects.get(name="b").save()
        after = dict(Knot.objects.values_list("name", "version"))
        assert {name: after[name] - before[name] for name in after} == dict.fromkeys("abc", 1)
        assert (two.pk, three.pk) != (None, None)

    def test_a_row_of_its_own_parent(self):
        knot = Knot.objects.create(name="a")
        knot.parent = knot
        knot.save()
        knot.save()
        assert Knot.objects.get().version == knot.version == 3
        knot.delete()
        assert not Knot.objects.exists()

    def test_symmetrical_links_move_both_ends(self):
        one, two, three = [Knot.objects.create(name=name) for name in "abc"]
        one.tied.add(two)
        assert list(Knot.objects.order_by("name").values_list("version", flat=True)) == [2, 2, 1]
        one.tied.clear()
        assert list(Knot.objects.order_by("name").values_list("version", flat=True)) == [3, 3, 1]
        assert three.version == 1


class TestGuards:
    """The request names the book, and its view writes what the book shows."""

    WAYS = {
        "save": lambda book: save(Leaf.objects.get(), number=9),
        "create": lambda book: Cover.objects.create(book=book),
        "update": lambda book: Leaf.objects.update(number=9),
        "delete": lambda book: Leaf.objects.all().delete(),
        "link": lambda book: book.genres.clear(),
    }

    @pytest.fixture
    def book(self):
        book = Book.objects.create(name="a")
        Leaf.objects.create(name="leaf", book=book)
        book.genres.add(Genre.objects.create(name="g"))
        return book

    @pytest.mark.parametrize("how", WAYS)
    @pytest.mark.parametrize("header", ["tag", "*"])
    def test_the_answer_s_tag_is_that_of_the_next_get(self, rf, book, how, header):
        def view(request, pk):
            if request.method == "PATCH":
                self.WAYS[how](book)
            return HttpResponse(status=204 if request.method == "PATCH" else 200)

        view = versioned_condition(Book)(view)
        tag = view(rf.get("/"), pk=book.pk)["ETag"]
        headers = {"If-Match": tag if header == "tag" else "*"}
        answer = view(rf.patch("/", headers=headers), pk=book.pk)
        assert answer.status_code == 204
        assert answer["ETag"] == view(rf.get("/"), pk=book.pk)["ETag"] != tag
        stale = view(rf.patch("/", headers={"If-Match": tag}), pk=book.pk)
        assert stale.status_code == 412
        assert stale["ETag"] == answer["ETag"]


def test_e003_says_what_to_write(world):
    with isolate_apps("tests.testapp") as registry:

        class Bare(models.Model):
            class Meta:
                app_label = "testapp"

        class Wrong(VersionedModel):
            touches = ("bear", "bare", "bare__x", "name")
            bare = models.ForeignKey(Bare, models.CASCADE)
            name = models.CharField(max_length=5)

            class Meta:
                app_label = "testapp"

        class Text(VersionedModel):
            touches = "wrong"
            wrong = models.ForeignKey(Wrong, models.CASCADE)

            class Meta:
                app_label = "testapp"

        messages = check_models(registry.get_app_configs())
    assert {message.id for message in messages} == {"etag_versioning.E003"}
    assert [message.hint for message in messages] == [
        'touches = ("bare",); the relations of testapp.Wrong: text, bare.',
        "class Bare(VersionedModel)",
        'touches = ("bare__wrong",); the relations of testapp.Bare: wrong.',
        'touches = ("bare",); the relations of testapp.Wrong: text, bare.',
        'touches = ("wrong",)',
    ]
