"""PUT and POST that create: of any number at once one does, and nothing is written over."""

import json

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import connection, transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path

from etag_versioning.decorators import etag_func, file_etag_func, versioned_condition
from etag_versioning.exceptions import StaleWriteError
from etag_versioning.orm.locks import StoredRow
from etag_versioning.sources.absent_rows import CreationGuard
from etag_versioning.sources.validator_query import read_row
from tests.testapp.models import Book, Leaf, Login, Person, Team

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

WRITERS = 8

# What happens between the evaluation of a request and its view.
before_view = []


def person_view(request, pk):
    for step in before_view:
        step()
    how, name = request.headers.get("X-Create", "create"), request.headers.get("X-Name", "")
    if how == "refuse":
        return HttpResponse(status=400)
    if how == "fail elsewhere":
        Login.objects.create(name="taken")
    if how == "be stale elsewhere":
        team = Team.objects.get()
        Team.objects.update(name="moved")
        team.save()
    if how == "roll back":
        Person.objects.create(pk=pk, name=name)
        transaction.set_rollback(True)
        return HttpResponse(status=201)
    if how == "nothing":
        return HttpResponse(status=204)
    if how == "update or create":
        return show(*Person.objects.update_or_create(pk=pk, defaults={"name": name}))
    if how == "update by query":
        Person.objects.filter(pk=pk).update(name=name)
    person = Person.objects.filter(pk=pk).first()
    if person is not None:
        if request.method not in ("GET", "HEAD"):
            person.name = name
            person.save()
        return show(person, False)
    if how == "write another too":
        Person.objects.exclude(pk=pk).update(days=5)
    person = Person(pk=pk, name=name)
    if how == "validate":
        try:
            person.full_clean()
        except ValidationError as error:
            return JsonResponse(error.message_dict, status=400)
    person.save()
    if how == "save twice":
        person.save()
    return show(person, True)


def show(row, created):
    return JsonResponse({"name": row.name}, status=201 if created else 200)


async def async_person_view(request, pk):
    return await sync_to_async(person_view)(request, pk=pk)


def login_view(request, name):
    """Its address holds no primary key."""
    for step in before_view:
        step()
    if request.headers.get("X-Create") == "update or create":
        return show(*Login.objects.update_or_create(name=name, defaults={"data": {"a": 1}}))
    if request.headers.get("X-Create") == "update by query":
        Login.objects.filter(name=name).update(data={"a": 1})
    login = Login.objects.filter(name=name).first()
    if login is not None and request.method not in ("GET", "HEAD"):
        login.data = {"a": 1}
        login.save()
    created = login is None
    return show(login or Login.objects.create(name=name), created)


def book_view(request, pk):
    """What is in the book moves it: the request's own row, by another write of its own."""
    if request.method == "GET":
        return show(Book.objects.get(pk=pk), False)
    for step in before_view:
        step()
    how = request.headers["X-Create"]
    if how != "only what is in it":
        Book.objects.create(pk=pk, name="new")
    Leaf.objects.create(name="leaf", book_id=pk)
    if how == "save again":
        Book.objects.get(pk=pk).save()
    return show(Book.objects.get(pk=pk), True)


async def async_book_view(request, pk):
    return await sync_to_async(book_view)(request, pk=pk)


def named_in_the_content(request):
    try:
        return Login.objects.filter(name=json.loads(request.body)["name"])
    except (ValueError, KeyError, TypeError):
        raise Http404 from None


def add_login(request):
    login = Login.objects.create(name=json.loads(request.body)["name"])
    return JsonResponse({}, status=201, headers={"Location": f"/logins/{login.name}/"})


versioned = versioned_condition(Person, allow_create=True)
optional = versioned_condition(Person, allow_create=True, if_match="optional")
by_name = {"lookup_field": "name", "allow_create": True}

urlpatterns = [
    path("people/<int:pk>/", versioned(person_view)),
    path("async/<int:pk>/", transaction.non_atomic_requests(versioned(async_person_view))),
    path("optional/<int:pk>/", optional(person_view)),
    path("async-optional/<int:pk>/", transaction.non_atomic_requests(optional(async_person_view))),
    path("books/<int:pk>/", versioned_condition(Book, allow_create=True)(book_view)),
    path(
        "async-books/<int:pk>/",
        transaction.non_atomic_requests(
            versioned_condition(Book, allow_create=True)(async_book_view)
        ),
    ),
    path(
        "several/<int:pk>/",
        versioned_condition(Person, etag_func(Team), allow_create=True)(person_view),
    ),
    path(
        "silent/<int:pk>/",
        versioned_condition(Person, allow_create=True, expose_tag=False)(person_view),
    ),
    path("logins/<str:name>/", versioned_condition(Login, **by_name)(login_view)),
    path(
        "logins/",
        versioned_condition(named_in_the_content, allow_create=True, methods=["POST"])(add_login),
    ),
    path("never/<int:pk>/", versioned_condition(Person)(person_view)),
]

KINDS = ["people", "async"]


@pytest.fixture(params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def atomic_requests(request):
    connection.settings_dict["ATOMIC_REQUESTS"] = request.param
    yield request.param
    connection.settings_dict["ATOMIC_REQUESTS"] = False


@pytest.fixture(autouse=True)
def nothing_between():
    yield
    before_view.clear()


def ask(method, url, how="create", name="new", **headers):
    headers = {"X-Create": how, "X-Name": name, **headers}
    return getattr(Client(), method)(url, headers=headers)


def create(url, how="create", name="new"):
    return ask("put", url, how, name, **{"If-None-Match": "*"})


@pytest.mark.parametrize("kind", KINDS)
class TestAnAbsentRow:
    @pytest.mark.parametrize("method", ["get", "head", "patch", "delete"])
    @pytest.mark.parametrize(
        "headers", [{}, {"If-None-Match": "*"}, {"If-Match": "*"}, {"If-Match": '"x"'}]
    )
    def test_is_404_for_what_does_not_create(self, kind, method, headers):
        assert ask(method, f"/{kind}/7/", **headers).status_code == 404

    @pytest.mark.parametrize("method", ["put", "post"])
    @pytest.mark.parametrize("value", ["*", '"x"', "", "junk"])
    def test_is_412_with_any_if_match(self, kind, method, value):
        for more in ({}, {"If-None-Match": "*"}):
            answer = ask(method, f"/{kind}/7/", **{"If-Match": value}, **more)
            assert answer.status_code == 412
            assert "ETag" not in answer
            assert "current_etag" not in answer.json()
        assert not Person.objects.exists()

    @pytest.mark.parametrize("method", ["put", "post"])
    @pytest.mark.parametrize("headers", [{}, {"If-None-Match": '"x"'}, {"If-None-Match": "junk"}])
    def test_is_428_without_a_precondition(self, kind, method, headers):
        assert ask(method, f"/{kind}/7/", **headers).status_code == 428
        assert not Person.objects.exists()

    @pytest.mark.parametrize("how", ["create", "update or create", "validate", "save twice"])
    def test_is_created(self, kind, how):
        url = f"/{kind}/7/"
        answer = create(url, how)
        assert answer.status_code == 201
        assert answer["ETag"] == Client().get(url)["ETag"]
        assert Person.objects.get().name == "new"
        again = create(url, how, "other")
        assert again.status_code == 412
        assert again["ETag"] == again.json()["current_etag"] == answer["ETag"]
        written = ask("put", url, name="other", **{"If-Match": answer["ETag"]})
        assert written.status_code == 200
        assert Person.objects.get().name == "other"

    @pytest.mark.parametrize("how", ["refuse", "nothing"])
    def test_may_stay_absent(self, kind, how):
        answer = create(f"/{kind}/7/", how)
        assert answer.status_code == {"refuse": 400, "nothing": 204}[how]
        assert "ETag" not in answer
        assert not Person.objects.exists()

    def test_may_be_created_together_with_writes_of_others(self, kind):
        other = Person.objects.create(name="a")
        assert create(f"/{kind}/{other.pk + 1}/", "write another too").status_code == 201
        other.refresh_from_db()
        assert other.days == 5

    def test_is_404_where_nothing_may_create_it(self, kind):
        assert create("/never/7/").status_code == 404

    def test_a_value_that_must_be_unique_elsewhere_is_409(self, kind, atomic_requests):
        Login.objects.create(name="taken")
        answer = create(f"/{kind}/7/", "fail elsewhere")
        assert (answer.status_code, answer.json()["reason"]) == (409, "duplicate")
        assert not Person.objects.exists()

    def test_another_stale_row_is_409(self, kind, atomic_requests):
        Team.objects.create(name="a")
        assert create(f"/{kind}/7/", "be stale elsewhere").status_code == 409
        assert not Person.objects.exists()

    def test_may_be_created_unconditionally_where_that_is_optional(self, kind):
        url = f"/{kind.replace('people', 'optional').replace('async', 'async-optional')}/7/"
        answer = ask("put", url)
        assert answer.status_code == 201
        assert answer["ETag"] == Client().get(url)["ETag"]
        assert ask("put", url, name="other").status_code == 200
        assert Person.objects.get().name == "other"


def test_a_dry_run_answers_as_the_view_does_and_creates_nothing():
    answer = create("/people/7/", "roll back")
    assert answer.status_code == 201
    assert "ETag" not in answer
    assert not Person.objects.exists()


@pytest.mark.parametrize("url", ["/people/7/", "/logins/a/"])
def test_creating_takes_two_validator_queries_around_the_view(url, django_assert_num_queries):
    with django_assert_num_queries(6) as queries:
        assert create(url).status_code == 201
    words = [query["sql"].split()[0] for query in queries]
    # Is it there? The view's own: load, insert. What is its state?
    assert words == ["SELECT", "BEGIN", "SELECT", "INSERT", "SELECT", "COMMIT"]


@pytest.mark.parametrize("how", ["create", "save again"])
@pytest.mark.parametrize("kind", ["books", "async-books"])
def test_the_tag_of_a_created_row_includes_what_the_request_touched(kind, how):
    answer = create(f"/{kind}/7/", how)
    assert answer.status_code == 201
    assert answer["ETag"] == Client().get(f"/{kind}/7/")["ETag"]


@pytest.mark.parametrize("kind", ["books", "async-books"])
def test_a_row_that_another_request_created_is_not_touched(race, kind):
    if connection.vendor == "sqlite" and kind == "books":
        pytest.skip("the transaction that is open lets nobody else write")
    before_view.append(lambda: race(lambda: Book.objects.create(pk=7, name="another")))
    assert create(f"/{kind}/7/", "only what is in it").status_code == 412
    assert Book.objects.get().version == 1
    assert not Leaf.objects.exists()


def test_with_several_sources_the_new_tag_is_of_the_state():
    Team.objects.create(pk=7, name="a")
    answer = create("/several/7/")
    assert answer.status_code == 201
    tag = Client().get("/several/7/")["ETag"]
    assert tag.startswith(answer["ETag"][:-1] + "~")
    assert ask("put", "/several/7/", **{"If-Match": answer["ETag"]}).status_code == 200


def test_a_row_by_a_field_that_is_no_key():
    answer = create("/logins/a/")
    assert answer.status_code == 201
    assert answer["ETag"] == Client().get("/logins/a/")["ETag"]
    assert create("/logins/a/").status_code == 412


class TestPost:
    """The row to be created is named in the content; the source reads it there."""

    def post(self, content, **headers):
        return Client().post("/logins/", content, "application/json", headers=headers)

    def test_creates_what_is_absent(self):
        answer = self.post({"name": "a"}, **{"If-None-Match": "*"})
        assert answer.status_code == 201
        assert answer["ETag"] == Client().get(answer["Location"])["ETag"]

    def test_does_not_create_it_twice(self):
        Login.objects.create(name="a")
        answer = self.post({"name": "a"}, **{"If-None-Match": "*"})
        assert answer.status_code == 412
        assert answer["ETag"] == Client().get("/logins/a/")["ETag"]
        assert self.post({"name": "b"}, **{"If-None-Match": "*"}).status_code == 201
        assert self.post({"name": "c"}).status_code == 428
        assert self.post({"name": "c"}, **{"If-Match": "*"}).status_code == 412
        assert self.post("junk", **{"If-None-Match": "*"}).status_code == 404

    def test_concurrent_creations_one_gets_201(self, race, atomic_requests):
        answers = race(*[lambda: self.post({"name": "a"}, **{"If-None-Match": "*"})] * WRITERS)
        assert_one_has_created(answers, "/logins/a/", atomic_requests)


def assert_one_has_created(answers, url, in_transaction):
    """
    The others are 412 with the current tag. A plain view under ATOMIC_REQUESTS names no tag
    after a lost race, and is 503 where MariaDB has ended its transaction by a deadlock.
    """
    losers = [answer for answer in answers if answer.status_code != 201]
    assert len(losers) == len(answers) - 1
    ended = in_transaction and connection.vendor == "mysql"
    assert {answer.status_code for answer in losers} <= ({412, 503} if ended else {412})
    current = Client().get(url)["ETag"]
    for answer in answers:
        if in_transaction and answer.status_code != 201:
            assert answer.get("ETag", current) == current
        else:
            assert answer["ETag"] == current


class TestAnotherWhoCreatesItMeanwhile:
    @pytest.fixture(autouse=True)
    def another(self, race):
        def once():
            before_view.clear()
            race(lambda: Person.objects.create(pk=7, name="another"))

        before_view.append(once)

    @pytest.mark.parametrize(
        "how", ["create", "update or create", "validate", "update by query", "refuse"]
    )
    @pytest.mark.parametrize("kind", KINDS)
    def test_has_won(self, kind, how, atomic_requests):
        if connection.vendor == "sqlite" and kind == "people":
            pytest.skip("the transaction that is open lets nobody else write")
        answer = create(f"/{kind}/7/", how)
        assert answer.status_code == 412
        if atomic_requests and kind == "people":
            assert "ETag" not in answer
            assert "current_etag" not in answer.json()
        else:
            assert answer["ETag"] == answer.json()["current_etag"]
            assert answer["ETag"] == Client().get(f"/{kind}/7/")["ETag"]
        assert Person.objects.get().name == "another"
        assert Person.objects.get().version == 1

    @pytest.mark.parametrize("kind", ["optional", "async-optional"])
    def test_is_a_conflict_for_who_named_no_condition(self, kind, atomic_requests):
        if connection.vendor == "sqlite" and kind == "optional":
            pytest.skip("the transaction that is open lets nobody else write")
        answer = ask("put", f"/{kind}/7/", "update or create")
        assert answer.status_code == 409
        assert Person.objects.get().name == "another"

    def test_is_not_shown_where_tags_are_not(self):
        if connection.vendor == "sqlite":
            pytest.skip("the transaction that is open lets nobody else write")
        answer = create("/silent/7/")
        assert answer.status_code == 412
        assert "ETag" not in answer


@pytest.mark.parametrize("how", ["create", "update or create", "validate", "update by query"])
@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_creations_one_gets_201(race, atomic_requests, kind, how):
    url = f"/{kind}/7/"
    calls = [lambda name=str(number): create(url, how, name) for number in range(WRITERS)]
    answers = race(*calls)
    assert_one_has_created(answers, url, atomic_requests and kind == "people")
    person = Person.objects.get()
    assert person.name == str([answer.status_code for answer in answers].index(201))
    assert person.version == 1


@pytest.mark.parametrize("how", ["create", "update or create", "update by query"])
def test_concurrent_creations_by_a_field_that_is_no_key_one_gets_201(race, atomic_requests, how):
    Login.objects.create(name="b")
    answers = race(*[lambda: create("/logins/a/", how)] * WRITERS)
    assert_one_has_created(answers, "/logins/a/", atomic_requests)
    assert Login.objects.get(name="a").version == 1


def test_a_row_that_comes_between_the_look_and_the_update_is_not_written_over():
    person = Person.objects.create(name="another")
    looks = iter([None, read_row(Person.objects.all())])
    guard = CreationGuard(StoredRow.of(Person, "default", None), look=looks.__next__)
    with guard.watch(), pytest.raises(StaleWriteError):
        Person.objects.filter(pk=person.pk).update(name="new")
    person.refresh_from_db()
    assert (person.name, person.version) == ("another", 1)


@pytest.mark.parametrize("isolation", ["repeatable", "strictest"], indirect=True)
@pytest.mark.parametrize("how", ["create", "update or create", "update by query"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("isolation")
def test_concurrent_creations_under_any_isolation_one_gets_201(race, atomic_requests, kind, how):
    answers = race(*[lambda: create(f"/{kind}/7/", how)] * WRITERS)
    # SQLite may give up on a lock before its holder has written, and so may InnoDB on
    # the gap that views lock which look for a row to update first.
    gives_up = connection.vendor == "sqlite" or (connection.vendor == "mysql" and how != "create")
    expected = {201, 412, 503} if gives_up else {201, 412}
    if atomic_requests and kind == "people":
        # The snapshot of the request's transaction hides whose row has the key.
        expected |= {409, 503}
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= expected
    assert statuses.count(201) == 1
    assert Person.objects.get().version == 1
    current = Client().get(f"/{kind}/7/")["ETag"]
    for answer in answers:
        if answer.status_code == 412 and not (atomic_requests and kind == "people"):
            assert answer["ETag"] == current


@pytest.mark.usefixtures("close_connections")
async def test_gathered_on_one_event_loop_one_creates():
    import asyncio

    async def put(number):
        headers = {"If-None-Match": "*", "X-Name": str(number)}
        return await AsyncClient().put("/async/7/", headers=headers)

    answers = await asyncio.gather(*map(put, range(WRITERS)))
    assert sorted(answer.status_code for answer in answers) == [201] + [412] * (WRITERS - 1)


def test_only_a_row_can_be_created():
    for sources in ((), (file_etag_func("/tmp/a"),)):
        with pytest.raises(ImproperlyConfigured, match="allow_create"):
            versioned_condition(*sources, etag_func=lambda request: "a", allow_create=True)


class TestARowThatTheSourceHides:
    """A request that may only create must not take it over."""

    @pytest.fixture(autouse=True)
    def hidden(self):
        return Person.objects.create(pk=7, name="hidden")

    def put(self, write, if_none_match="*", **options):
        def mine(request, pk):
            return Person.objects.filter(pk=pk, name="mine")

        def view(request, pk):
            write(pk)
            return HttpResponse(status=201)

        headers = {"If-None-Match": if_none_match}
        request = RequestFactory().put("/", headers=headers)
        return versioned_condition(mine, allow_create=True, **options)(view)(request, pk=7)

    @pytest.mark.parametrize("name", ["mine", "still hidden"])
    def test_is_not_written(self, name):
        def save(pk):
            person = Person.objects.get(pk=pk)
            person.name = name
            person.save()

        def update_or_create(pk):
            Person.objects.update_or_create(pk=pk, defaults={"name": name})

        def update(pk):
            Person.objects.filter(pk=pk).update(name=name)

        def insert(pk):
            Person.objects.create(pk=pk, name=name)

        def replace(pk):
            Person.objects.get(pk=pk).delete()
            Person.objects.create(pk=pk, name="mine")

        for write in (save, update_or_create, update, insert, replace):
            assert self.put(write).status_code == 409
            assert Person.objects.values_list("name", "version").get() == ("hidden", 1)

    @pytest.mark.parametrize("value", ["*, *", "", "junk", '*, "a"'])
    @pytest.mark.parametrize("if_match", ["required", "optional"])
    def test_an_if_none_match_that_cannot_be_read_is_428(self, value, if_match):
        def fail(pk):
            raise AssertionError("the view must not run")

        assert self.put(fail, value, if_match=if_match).status_code == 428
        Person.objects.unversioned().update(name="mine")
        assert self.put(fail, value, if_match=if_match).status_code == 428

    @pytest.mark.parametrize("name", ["mine", "still hidden"])
    @pytest.mark.parametrize("lookup", [{}, {"lookup_field": "pk"}], ids=["itself", "by key"])
    @pytest.mark.usefixtures("close_connections")
    async def test_is_not_written_by_a_coroutine(self, async_rf, lookup, name):
        """It commits each of its writes, so the first one must be refused."""

        async def save(pk):
            person = await Person.objects.aget(pk=pk)
            person.name = name
            await person.asave()

        async def save_unread(pk):
            await Person(pk=pk, name=name).asave()

        async def update_or_create(pk):
            await Person.objects.aupdate_or_create(pk=pk, defaults={"name": name})

        async def update(pk):
            await Person.objects.filter(pk=pk).aupdate(name=name)

        async def insert(pk):
            await Person.objects.acreate(pk=pk, name=name)

        async def replace(pk):
            await (await Person.objects.aget(pk=pk)).adelete()
            await Person.objects.acreate(pk=pk, name=name)

        async def replace_by_query(pk):
            await Person.objects.filter(pk=pk).adelete()
            await Person.objects.acreate(pk=pk, name=name)

        def mine(request, pk):
            return Person.objects.filter(pk=pk, name="mine")

        for write in (
            save,
            save_unread,
            update_or_create,
            update,
            insert,
            replace,
            replace_by_query,
        ):

            @versioned_condition(mine, allow_create=True, **lookup)
            async def view(request, pk, write=write):
                await write(pk)
                return HttpResponse(status=201)

            answer = await view(async_rf.put("/", headers={"If-None-Match": "*"}), pk=7)
            assert answer.status_code == 409
            rows = Person.objects.values_list("pk", "name", "version")
            assert await rows.aget() == (7, "hidden", 1)

    @pytest.mark.parametrize("lookup", [{}, {"lookup_field": "pk"}], ids=["itself", "by key"])
    @pytest.mark.usefixtures("close_connections")
    async def test_leaves_a_coroutine_to_create_another(self, async_rf, lookup):
        def mine(request, pk):
            return Person.objects.filter(pk=pk, name="mine")

        @versioned_condition(mine, allow_create=True, **lookup)
        async def view(request, pk):
            if not await Person.objects.filter(pk=pk).aupdate(name="mine"):
                person = await Person.objects.acreate(pk=pk, name="mine")
                await person.asave()
            await Person.objects.exclude(pk=pk).aupdate(days=5)
            return HttpResponse(status=201)

        answer = await view(async_rf.put("/", headers={"If-None-Match": "*"}), pk=8)
        assert answer.status_code == 201
        assert "-8-v2." in answer["ETag"]
        assert (await Person.objects.aget(pk=7)).days == 5
