"""PUT of an absent row, and POST of what must not be there."""

import json

import pytest
from django.db import IntegrityError, connection
from rest_framework.test import APIClient

from tests.rest_framework import views
from tests.testapp.models import Login, Person, Place, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.write_views")]

URL = "/creating/ada/"
NEW = {"If-None-Match": "*"}


@pytest.fixture
def client():
    return APIClient()


def put(url=URL, content=None, **headers):
    content = {"name": "ada", "data": {"a": 1}} if content is None else content
    return APIClient().put(url, content, format="json", headers=headers)


def post(url="/creating/", content=None, **headers):
    content = {"name": "ada", "data": {"a": 1}} if content is None else content
    return APIClient().post(url, content, format="json", headers=headers)


class TestPutOfAnAbsentRow:
    def test_creates_it(self, client):
        answer = put(**NEW)
        assert answer.status_code == 201
        assert answer.json() == client.get(URL).json()
        assert answer["ETag"] == client.get(URL)["ETag"]
        assert answer["Location"] == f"http://testserver{URL}"
        assert answer["Content-Location"] == URL
        again = put(**NEW)
        assert again.status_code == 412
        assert again["ETag"] == again.json()["current_etag"] == client.get(URL)["ETag"]
        assert put(**{"If-Match": answer["ETag"]}).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 428),
            ({"If-Match": "*"}, 412),
            ({"If-Match": '"x"'}, 412),
            ({"If-Match": "junk"}, 412),
            ({"If-Match": '"x"', **NEW}, 412),
            ({"If-None-Match": "junk"}, 428),
            ({"If-None-Match": '"x"'}, 428),
        ],
    )
    def test_needs_to_be_asked_for(self, headers, status):
        answer = put(**headers)
        assert answer.status_code == status
        assert "ETag" not in answer
        assert not Login.objects.exists()

    def test_by_the_tag_in_the_body(self):
        content = {"name": "ada", "data": {}, "etag": '"x"'}
        assert put(content=content).status_code == 412

    def test_where_if_match_is_optional(self):
        assert put("/creating-optional/ada/").status_code == 201
        assert put("/creating-optional/ada/").status_code == 200

    def test_only_by_put_and_where_it_is_allowed(self, client):
        for method in ("patch", "delete", "get"):
            assert getattr(client, method)(URL, {}, headers=NEW).status_code == 404
        assert put("/people/1/", {"name": "a"}, **NEW).status_code == 404

    def test_only_for_who_may_post(self):
        for kind in ("not-posting", "by-action-posting"):
            assert post(f"/{kind}/").status_code == 403
            assert put(f"/{kind}/ada/", **NEW).status_code == 403
        assert not Login.objects.exists()

    def test_a_row_that_is_there_and_not_shown_is_404(self):
        Login.objects.create(name="ada")
        assert put("/not-seen/ada/", **NEW).status_code == 404

    @pytest.mark.django_db(transaction=True)
    def test_a_key_that_a_hidden_row_has_is_404(self):
        Login.objects.create(name="hidden")
        answer = put("/creating-scoped/hidden/", {"data": {}}, **NEW)
        assert answer.status_code == 404
        assert "ETag" not in answer

    def test_invalid_content_is_400(self):
        assert put(content={"name": "ada", "data": "refuse"}, **NEW).status_code == 400
        assert put(content={"data": {}}, **NEW).status_code == 400
        answer = put(content={"name": "other", "data": {}}, **NEW)
        assert answer.status_code == 400
        assert "name" in answer.json()
        answer = APIClient().generic("PUT", URL, "{", content_type="application/json", headers=NEW)
        assert answer.status_code == 400
        assert not Login.objects.exists()

    @pytest.mark.parametrize("key", ["abc", "99999999999999999999", "%00"])
    def test_a_key_that_no_row_can_have_is_404(self, key):
        assert put(f"/by-key/{key}/", {"name": "a"}, **NEW).status_code == 404

    def test_by_primary_key(self, client):
        answer = put("/by-key/7/", {"name": "a"}, **NEW)
        assert (answer.status_code, answer.json()["id"]) == (201, 7)
        assert answer["ETag"] == client.get("/by-key/7/")["ETag"]

    @pytest.mark.parametrize("kind", ["restaurants", "profiles", "named-profiles"])
    def test_where_the_key_is_that_of_a_relation(self, client, kind):
        team = Team.objects.create(pk=7, name="t")
        content = {"name": "r", "text": "x", "team": team.pk}
        answer = put(f"/{kind}/7/", content, **NEW)
        assert answer.status_code == 201
        assert answer["ETag"] == client.get(f"/{kind}/7/")["ETag"]
        assert put(f"/{kind}/7/", content, **NEW).status_code == 412
        if kind == "named-profiles":
            other = Team.objects.create(name="u")
            assert put(f"/{kind}/{other.pk}/", content, **NEW).status_code == 400
        if kind != "restaurants":
            assert put(f"/{kind}/9/", content, **NEW).status_code == 404

    def test_a_parent_that_is_no_such_child_is_404(self):
        place = Place.objects.create(name="p")
        assert put(f"/restaurants/{place.pk}/", {"name": "r"}, **NEW).status_code == 404
        assert Place.objects.get().version == 1

    def test_no_tag_where_put_shall_have_none(self, settings):
        settings.ETAG_VERSIONING = {"ETAG_ON_PUT": False}
        assert "ETag" not in put(**NEW)


@pytest.mark.parametrize("kind", ["by-key", "people"])
def test_a_row_that_is_deleted_before_its_write(kind):
    """Where PUT creates, If-Match is false of a row that is not there; elsewhere it is gone."""
    person = Person.objects.create(name="a")
    url = f"/{kind}/{person.pk}/"
    tag = APIClient().get(url)["ETag"]
    views.before_write.append(lambda: Person.objects.filter(pk=person.pk).delete())
    try:
        lost = put(url, {"name": "b", "days": 1}, **{"If-Match": tag})
    finally:
        views.before_write.clear()
    again = put(url, {"name": "b", "days": 1}, **{"If-Match": tag})
    assert lost.status_code == again.status_code == (412 if kind == "by-key" else 404)


class TestPost:
    def test_creates_what_is_not_there(self, client):
        answer = post(**NEW)
        assert answer.status_code == 201
        assert answer["Location"] == f"http://testserver{URL}"
        assert answer["ETag"] == client.get(URL)["ETag"]

    def test_of_what_is_there_is_412(self, client):
        Login.objects.create(name="ada")
        for data in ({}, "refuse"):
            answer = post(content={"name": "ada", "data": data}, **NEW)
            assert answer.status_code == 412
            assert answer["ETag"] == answer.json()["current_etag"] == client.get(URL)["ETag"]

    def test_who_may_not_read_the_row_learns_no_tag(self):
        Login.objects.create(name="ada")
        answer = post("/creating-unread/", **NEW)
        assert answer.status_code == 412
        assert "ETag" not in answer
        assert "current_etag" not in answer.json()

    @pytest.mark.parametrize("kind", ["own-object", "scoped-logins"])
    def test_nor_who_would_not_find_it(self, client, kind):
        team = Team.objects.create(name="t")
        login = Login.objects.create(name="ada", data="precious", team=team)
        key = login.pk if kind == "own-object" else login.name
        assert client.get(f"/{kind}/{key}/").status_code == 404
        # The view's own get_object() says of its address that nothing is there.
        at_address = 404 if kind == "own-object" else 412
        for answer, status in (
            (post(f"/{kind}/", **NEW), 412),
            (put(f"/{kind}/{key}/", **NEW), at_address),
        ):
            assert answer.status_code == status
            assert "ETag" not in answer
            assert "precious" not in answer.text
        Login.objects.update(team=None)
        assert post(f"/{kind}/", **NEW)["ETag"] == client.get(f"/{kind}/{key}/")["ETag"]

    def test_without_the_header_it_is_drfs_400(self):
        Login.objects.create(name="ada")
        answer = post()
        assert answer.status_code == 400
        assert answer.json()["name"]

    def test_any_other_refusal_stays_what_it_is(self):
        for content in ({}, [], {"name": "eve", "data": "refuse"}, {"name": "x" * 99, "data": {}}):
            assert post(content=content, **NEW).status_code == 400

    @pytest.mark.parametrize("name", ["\ud800", "a\0b"])
    def test_a_name_that_no_row_can_have_is_400(self, name):
        content = json.dumps({"name": name, "data": {}})
        for headers in ({}, NEW):
            answer = APIClient().generic(
                "POST", "/creating/", content, content_type="application/json", headers=headers
            )
            assert answer.status_code == 400

    def test_another_error_of_the_database_stays_what_it_is(self, monkeypatch):
        def save(*args, **kwargs):
            raise IntegrityError

        monkeypatch.setattr(Login, "save", save)
        with pytest.raises(IntegrityError):
            post(**NEW)

    def test_a_row_written_again_past_its_instance_shows_its_tag(self, client):
        answer = post("/twice/", {"name": "a"})
        assert answer.status_code == 201
        assert answer["ETag"] == client.get(answer["Location"])["ETag"]

    def test_costs_one_insert(self, django_assert_num_queries):
        with django_assert_num_queries(3) as queries:
            post("/people/", {"name": "a"})
        words = [query["sql"].split()[0] for query in queries]
        assert words == ["SAVEPOINT", "INSERT", "RELEASE"]


class TestCodeThatWritesWhatItFinds:
    """As ``update_or_create()`` does: ``If-None-Match: *`` still writes over nothing."""

    @pytest.fixture
    def login(self):
        return Login.objects.create(name="ada", data="precious")

    def unchanged(self, login):
        version = login.version
        login.refresh_from_db()
        return (login.data, login.version) == ("precious", version)

    @pytest.mark.parametrize("kind", ["upserting", "query-upserting", "own-create"])
    def test_post(self, client, login, kind):
        answer = post(f"/{kind}/", **NEW)
        assert answer.status_code == 412
        assert answer["ETag"] == client.get(f"/{kind}/ada/")["ETag"]
        assert self.unchanged(login)
        assert post(f"/{kind}/", {"name": "eve", "data": 1}, **NEW).status_code == 201
        assert post(f"/{kind}/").status_code in (200, 201)
        assert not self.unchanged(login)

    @pytest.mark.parametrize("kind", ["own-key", "own-create"])
    def test_post_where_the_content_does_not_name_the_row(self, client, kind):
        beside = Login.objects.create(name="beside")
        assert post(f"/{kind}/", {"data": "precious"}, **NEW).status_code == 201
        mine = Login.objects.get(name="mine")
        answer = post(f"/{kind}/", {"data": 1}, **NEW)
        assert answer.status_code == 412
        assert self.unchanged(mine)
        beside.refresh_from_db()
        assert beside.version == (2 if kind == "own-key" else 1)

    def test_nothing_else_is_written_then(self, login):
        assert post("/own-create/", **NEW).status_code == 412
        assert not Team.objects.exists()

    def test_post_of_a_state(self, login):
        for value in ('"stale"', "junk"):
            assert post("/own-create/", **{"If-Match": value}).status_code == 412
        assert self.unchanged(login)

    def test_a_create_that_calls_drfs_answers_with_the_tag(self, client):
        answer = post("/extended-create/", **NEW)
        assert answer.status_code == 201
        assert answer.json()["more"]
        assert answer["Location"] == "http://testserver/extended-create/ada/"
        assert answer["ETag"] == client.get(answer["Location"])["ETag"]
        assert post("/extended-create/", **NEW).status_code == 412

    @pytest.mark.parametrize("method", [put, post])
    def test_a_row_that_the_view_does_not_show(self, method):
        login = Login.objects.create(name="ada", data="hidden")
        answer = method("/upserting/ada/" if method is put else "/upserting/", **NEW)
        assert answer.status_code == (404 if method is put else 412)
        assert "ETag" not in answer
        login.refresh_from_db()
        assert (login.data, login.version) == ("hidden", 1)

    @pytest.mark.parametrize("kind", ["upserting", "query-upserting", "upserting-optional"])
    def test_put_when_another_was_first(self, client, kind):
        url = f"/{kind}/ada/"
        views.before_write.append(lambda: Login.objects.create(name="ada", data="precious"))
        try:
            answer = put(url, **({} if "optional" in kind else NEW))
        finally:
            views.before_write.clear()
        assert answer.status_code == (409 if "optional" in kind else 412)
        assert answer["ETag"] == client.get(url)["ETag"]
        assert self.unchanged(Login.objects.get())

    def test_put_creates(self, client):
        answer = put("/upserting/ada/", **NEW)
        assert answer.status_code == 201
        assert answer["ETag"] == client.get("/upserting/ada/")["ETag"]


@pytest.mark.django_db(transaction=True)
class TestLostRaces:
    @pytest.fixture(autouse=True, params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
    def atomic_requests(self, request):
        connection.settings_dict["ATOMIC_REQUESTS"] = request.param
        yield
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    @pytest.mark.parametrize("kind", ["put", "post"])
    def test_concurrent_creations_one_gets_201(self, race, kind):
        send = {"put": put, "post": post}[kind]
        answers = race(
            *[
                lambda number=number: send(content={"name": "ada", "data": {"n": number}}, **NEW)
                for number in range(8)
            ]
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [412] * 7
        winner = next(answer for answer in answers if answer.status_code == 201)
        assert Login.objects.get().data == winner.json()["data"]
        # Under ATOMIC_REQUESTS the transaction may be blind to what the winner wrote.
        atomic = connection.settings_dict["ATOMIC_REQUESTS"]
        current = None if atomic else APIClient().get(URL)["ETag"]
        for answer in answers:
            # Nor does it matter to a PUT that was evaluated after the winner.
            assert answer.get("ETag") in {winner["ETag"], current}

    @pytest.mark.parametrize("kind", ["upserting", "own-create"])
    def test_of_many_that_would_write_what_they_find_one_creates(self, race, kind):
        answers = race(*[lambda: post(f"/{kind}/", **NEW)] * 8)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses.count(201) == 1
        # MariaDB gives up, and in a transaction of the whole request nobody can see why.
        atomic = connection.settings_dict["ATOMIC_REQUESTS"]
        blind = atomic and connection.vendor == "mysql"
        assert set(statuses[1:]) <= ({412, 503} if blind else {412})
        assert Login.objects.get().version == 1

    def test_of_many_by_primary_key_one_creates(self, race):
        """No validator of the serializer sees the other: the database alone decides."""
        answers = race(*[lambda: put("/by-key/7/", {"name": "a"}, **NEW)] * 8)
        assert sorted(answer.status_code for answer in answers) == [201] + [412] * 7
        assert Person.objects.get().version == 1

    def test_what_was_in_the_way_and_is_gone_is_no_error_of_the_client_s(self):
        def insert_twice(execute, sql, *arguments):
            if sql.startswith("INSERT"):
                # Taken back with the second, which the database refuses.
                execute(sql, *arguments)
            return execute(sql, *arguments)

        with connection.execute_wrapper(insert_twice):
            answer = put("/by-key/7/", {"name": "a"}, **NEW)
        assert answer.status_code == 503
        assert not Person.objects.exists()
        assert put("/by-key/7/", {"name": "a"}, **NEW).status_code == 201

    @pytest.mark.parametrize("isolation", ["repeatable", "strictest"], indirect=True)
    @pytest.mark.usefixtures("isolation")
    def test_under_any_isolation(self, race):
        answers = race(*[lambda: put("/by-key/7/", {"name": "a"}, **NEW)] * 8)
        # SQLite may give up on a lock before its holder has written; and in a transaction
        # of the whole request nobody can see why a database gave up.
        blind = connection.settings_dict["ATOMIC_REQUESTS"] or connection.vendor == "sqlite"
        expected = {201, 412, 503} if blind else {201, 412}
        assert {answer.status_code for answer in answers} <= expected
        assert sum(answer.status_code == 201 for answer in answers) == 1

    def test_who_named_nothing_has_a_conflict(self, race):
        if connection.vendor == "sqlite" and connection.settings_dict["ATOMIC_REQUESTS"]:
            pytest.skip("the other writer waits until this request has ended")
        url = "/creating-optional/ada/"
        views.before_write.append(lambda: race(lambda: Login.objects.create(name="ada")))
        try:
            answer = put(url)
        finally:
            views.before_write.clear()
        assert answer.status_code == 409
        # Under ATOMIC_REQUESTS the transaction may be blind to what the other wrote.
        atomic = connection.settings_dict["ATOMIC_REQUESTS"]
        assert answer.get("ETag") == (None if atomic else APIClient().get(url)["ETag"])
