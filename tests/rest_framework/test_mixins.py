"""Viewsets, through Django's own handler."""

import uuid

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from rest_framework.test import APIClient

from tests.rest_framework import views
from tests.testapp.models import Hidden, Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.views")]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    return Person.objects.create(name="a", team=Team.objects.create(name="t"))


@pytest.fixture
def url(person):
    return f"/people/{person.pk}/"


def content():
    return Person.objects.values_list("name", "days", "version", "updated_at").get()


def statements(queries):
    words = [query["sql"].split()[0] for query in queries]
    return [word for word in words if word not in ("SAVEPOINT", "RELEASE")]


class TestRetrieve:
    def test_shows_tag_and_cache_control(self, client, url, person):
        answer = client.get(url)
        assert answer["ETag"].startswith(f'"person-{person.pk}-v1.')
        assert "~json." in answer["ETag"]
        assert answer["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize("method", ["get", "head"])
    def test_304_is_one_narrow_query(self, client, url, method, django_assert_num_queries):
        full = client.get(url)
        with django_assert_num_queries(1) as queries:
            answer = getattr(client, method)(url, headers={"If-None-Match": full["ETag"]})
        assert answer.status_code == 304
        assert answer.content == b""
        assert "JOIN" not in queries[0]["sql"]
        for header in ("ETag", "Cache-Control", "Vary"):
            assert answer.get(header) == full.get(header)
        assert "Content-Length" not in answer

    def test_without_conditions_costs_no_query_more(self, client, url, django_assert_num_queries):
        with django_assert_num_queries(1):
            client.get(url)

    def test_200_after_a_write(self, client, url, person):
        tag = client.get(url)["ETag"]
        person.save()
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 200

    def test_each_representation_has_its_tag_and_each_guards_a_write(self, client, url):
        json, html = (
            client.get(url, headers={"Accept": kind})["ETag"]
            for kind in ("application/json", "text/html")
        )
        assert json != html
        answer = client.get(url, headers={"Accept": "text/html", "If-None-Match": json})
        assert answer.status_code == 200
        answer = client.patch(url, {}, format="json", headers={"If-Match": html})
        assert answer.status_code == 200

    def test_one_mixin_alone_guards_the_writes_of_drf(self, client, person):
        url = f"/read-only/{person.pk}/"
        tag = client.get(url)["ETag"]
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        assert client.patch(url, {"days": 1}, format="json").status_code == 428
        answer = client.patch(url, {"days": 1}, format="json", headers={"If-Match": '"x"'})
        assert answer.status_code == 412
        headers = {"If-Match": tag}
        answer = client.patch(url, {"days": 1}, format="json", headers=headers)
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"]
        assert client.delete(url).status_code == 428
        assert client.delete(url, headers=headers).status_code == 412


class TestUpdate:
    @pytest.mark.parametrize(
        "kind", ["people", "own-hooks", "updating", "own-object", "composed", "upsert"]
    )
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_answers_with_the_tag_of_the_next_read(self, client, person, kind, method):
        url = f"/{kind}/{person.pk}/"
        tag = client.get(url)["ETag"]
        data = {"name": "b", "days": 3}
        answer = getattr(client, method)(url, data, format="json", headers={"If-Match": tag})
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"] != tag
        assert answer["Content-Location"] == url
        assert "Last-Modified" not in answer
        answer = getattr(client, method)(url, data, format="json", headers={"If-Match": tag})
        assert answer.status_code == 412
        assert answer["ETag"] == answer.json()["current_etag"] == client.get(url)["ETag"]
        assert answer["Cache-Control"] == "no-store"

    def test_costs_one_select_and_one_update(self, client, url, django_assert_num_queries):
        tag = client.get(url)["ETag"]
        with django_assert_num_queries(4) as queries:
            client.patch(url, {"days": 1}, format="json", headers={"If-Match": tag})
        assert statements(queries) == ["SELECT", "UPDATE"]
        with django_assert_num_queries(1):
            client.patch(url, {"days": 1}, format="json", headers={"If-Match": tag})

    def test_without_if_match_is_428(self, client, url):
        before = content()
        for method in (client.put, client.patch, client.delete):
            answer = method(url, {"name": "b"}, format="json")
            assert answer.status_code == 428
            assert answer.json()["error"] == "PRECONDITION_REQUIRED"
            assert answer["Cache-Control"] == "no-store"
            assert "ETag" not in answer
        assert content() == before

    def test_a_stale_tag_is_evaluated_before_the_content(self, client, url):
        for body in ({"days": -1}, {"days": "x"}):
            answer = client.patch(url, body, format="json", headers={"If-Match": '"stale"'})
            assert answer.status_code == 412
        answer = client.generic(
            "PATCH", url, "{", content_type="application/json", headers={"If-Match": '"stale"'}
        )
        assert answer.status_code == 412

    def test_invalid_content_is_400_and_writes_nothing(self, client, url):
        tag, before = client.get(url)["ETag"], content()
        answer = client.patch(url, {"days": -1}, format="json", headers={"If-Match": tag})
        assert answer.status_code == 400
        assert "ETag" not in answer
        assert content() == before

    def test_where_if_match_is_optional(self, client, person):
        url = f"/optional/{person.pk}/"
        answer = client.patch(url, {"days": 1}, format="json")
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"]
        assert client.get(url)["Cache-Control"] == "public, max-age=5"
        answer = client.patch(url, {"days": 1}, format="json", headers={"If-Match": '"stale"'})
        assert answer.status_code == 412

    def test_with_a_wildcard(self, client, url):
        answer = client.patch(url, {"days": 1}, format="json", headers={"If-Match": "*"})
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"]


class TestDestroy:
    @pytest.mark.parametrize("kind", ["people", "updating", "cascade"])
    def test_deletes_the_state_that_was_named(self, client, person, kind):
        url = f"/{kind}/{person.pk}/"
        assert client.delete(url, headers={"If-Match": '"stale"'}).status_code == 412
        answer = client.delete(url, headers={"If-Match": client.get(url)["ETag"]})
        assert answer.status_code == 204
        assert "ETag" not in answer
        assert not Person.objects.exists()

    def test_costs_one_select_and_one_delete(self, client, url, django_assert_num_queries):
        tag = client.get(url)["ETag"]
        with django_assert_num_queries(4) as queries:
            client.delete(url, headers={"If-Match": tag})
        assert statements(queries) == ["SELECT", "DELETE"]

    @pytest.mark.parametrize("by", ["tag", "*"])
    @pytest.mark.parametrize("kind", ["siblings", "query-set-siblings"])
    def test_may_write_other_rows_too(self, client, person, kind, by):
        other = Person.objects.create(name="b")
        url = f"/{kind}/{person.pk}/"
        tag = client.get(url)["ETag"] if by == "tag" else by
        assert client.delete(url, headers={"If-Match": tag}).status_code == 204
        assert list(Person.objects.values_list("pk", "days")) == [(other.pk, 1)]


class TestCreate:
    @pytest.mark.parametrize("kind", ["people", "own-hooks"])
    def test_answers_with_tag_and_location(self, client, kind):
        answer = client.post(f"/{kind}/", {"name": "b"}, format="json")
        assert answer.status_code == 201
        assert answer["Location"] == f"http://testserver/{kind}/{answer.json()['id']}/"
        assert answer["ETag"] == client.get(answer["Location"])["ETag"]

    def test_location_by_the_views_lookup(self, client):
        answer = client.post("/hidden/", {"uuid": str(uuid.uuid4()), "name": "b"}, format="json")
        hidden = Hidden.objects.get()
        assert answer["Location"] == f"http://testserver/hidden/{hidden.uuid}/"
        assert f"secret-{hidden.uuid}-v1" in answer["ETag"]

    def test_no_state_of_a_new_row_can_be_named(self, client):
        for value in ('"x"', "x"):
            answer = client.post("/people/", {"name": "b"}, headers={"If-Match": value})
            assert answer.status_code == 412
        assert not Person.objects.exists()

    def test_invalid_content_is_400(self, client):
        assert client.post("/people/", {}, format="json").status_code == 400


CONDITIONS = [
    {},
    {"If-None-Match": "*"},
    {"If-None-Match": '"x"'},
    {"If-Match": "*"},
    {"If-Match": '"x"'},
    {"If-Match": "junk"},
    {"If-Modified-Since": "Sun, 06 Nov 2094 08:49:37 GMT"},
]


class TestMistakes:
    @pytest.mark.parametrize("method", ["get", "put"])
    def test_a_query_set_that_leaves_out_the_state(self, client, person, method):
        with pytest.raises(ImproperlyConfigured, match=r"only\(…, 'version', 'updated_at'\)"):
            getattr(client, method)(f"/narrowed/{person.pk}/", {}, format="json")


class TestOrderOfEvaluation:
    """What is answered without preconditions is answered with them, and tells no tag."""

    @pytest.mark.parametrize("conditions", CONDITIONS)
    @pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
    @pytest.mark.parametrize(
        ("kind", "status"), [("unknown", 403), ("refused", 403), ("owned", 403), ("filtered", 404)]
    )
    def test_who_may_not_learns_nothing(self, client, kind, status, method, conditions):
        person = Person.objects.create(name="somebody's")
        answer = getattr(client, method)(f"/{kind}/{person.pk}/", headers=conditions)
        assert answer.status_code == status
        assert "ETag" not in answer
        assert "Last-Modified" not in answer
        assert person.version == Person.objects.get().version

    def test_an_object_permission_sees_the_object_before_a_304(
        self, client, django_assert_num_queries
    ):
        person = Person.objects.create(name="boss's")
        url = f"/owned/{person.pk}/"
        tag = client.get(url)["ETag"]
        with django_assert_num_queries(1) as queries:
            assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        assert "name" in queries[0]["sql"]

    @pytest.mark.parametrize("kind", ["own-object", "composed"])
    def test_304_through_a_views_own_ways(self, client, person, kind):
        url = f"/{kind}/{person.pk}/"
        tag = client.get(url)["ETag"]
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 304

    @pytest.mark.parametrize("conditions", CONDITIONS)
    def test_405_and_415_come_first(self, client, url, person, conditions):
        assert client.post(url, {}, headers=conditions).status_code == 405
        for kind in ("text/x", ""):
            answer = client.generic("PUT", url, "x", content_type=kind, headers=conditions)
            assert answer.status_code == 415
        answer = client.generic("POST", "/people/", "x", content_type="text/x", headers=conditions)
        assert answer.status_code == 415

    @pytest.mark.parametrize("key", ["0", "99999999999999999999", "abc", "%00"])
    @pytest.mark.parametrize("conditions", CONDITIONS)
    @pytest.mark.parametrize("method", ["get", "put", "delete"])
    def test_an_absent_row_is_404(self, client, key, conditions, method):
        answer = getattr(client, method)(f"/people/{key}/", headers=conditions)
        assert answer.status_code == 404

    def test_a_text_that_no_row_has_is_404(self, client):
        for method in (client.get, client.put, client.delete):
            assert method("/named/a%00/", headers={"If-Match": "*"}).status_code == 404

    def test_options_ignores_preconditions(self, client, url):
        assert client.options(url, headers={"If-Match": '"x"'}).status_code == 200


def told(answer):
    """The current tag, as header and content tell it: once, or not at all."""
    assert answer.get("ETag") == answer.json().get("current_etag")
    return answer.get("ETag")


@pytest.mark.django_db(transaction=True)
class TestLostRaces:
    """
    Under ATOMIC_REQUESTS the transaction may be blind to what others wrote: a lost race
    is told without the tag, a deletion as a stale tag, and contention as what it is.
    """

    @pytest.fixture(autouse=True, params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
    def atomic_requests(self, request):
        connection.settings_dict["ATOMIC_REQUESTS"] = request.param
        yield
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    def test_concurrent_writers_with_one_tag_one_gets_200(self, race, url):
        tag = APIClient().get(url)["ETag"]

        def write(method, data):
            headers = {"If-Match": tag}
            return lambda: getattr(APIClient(), method)(url, data, format="json", headers=headers)

        writers = [
            write(method, {"name": "b", "days": number})
            for number, method in enumerate(["put", "patch"] * 4, start=1)
        ]
        answers = race(*writers)
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
        winner = next(answer for answer in answers if answer.status_code == 200)
        assert Person.objects.get().days == winner.json()["days"]
        current = APIClient().get(url)["ETag"]
        assert winner["ETag"] == current
        blind = connection.settings_dict["ATOMIC_REQUESTS"]
        for answer in answers:
            if answer.status_code == 412:
                assert told(answer) in ({current, None} if blind else {current})
                assert answer["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("isolation", ["repeatable", "strictest"], indirect=True)
    @pytest.mark.usefixtures("isolation")
    def test_the_loser_learns_the_true_tag_under_any_isolation(self, race, url):
        tag = APIClient().get(url)["ETag"]
        headers = {"If-Match": tag}
        write = lambda: APIClient().patch(url, {"days": 5}, format="json", headers=headers)  # noqa: E731
        answers = race(*[write] * 8)
        current = APIClient().get(url)["ETag"]
        # SQLite may give up on a lock before its holder has written.
        blind = connection.settings_dict["ATOMIC_REQUESTS"]
        expected = {200, 412, 503} if blind or connection.vendor == "sqlite" else {200, 412}
        assert {answer.status_code for answer in answers} <= expected
        assert sum(answer.status_code == 200 for answer in answers) == 1
        for answer in answers:
            if answer.status_code == 412:
                assert told(answer) in ({current, None} if blind else {current})

    def test_of_many_deletions_one_wins(self, race, url):
        headers = {"If-Match": APIClient().get(url)["ETag"]}
        answers = race(*[lambda: APIClient().delete(url, headers=headers)] * 8)
        statuses = sorted(answer.status_code for answer in answers)
        blind = connection.settings_dict["ATOMIC_REQUESTS"]
        assert statuses[0] == 204
        assert set(statuses[1:]) <= ({404, 412} if blind else {404})

    @pytest.mark.parametrize(
        ("kind", "tag", "status"),
        [
            ("people", None, 412),
            ("updating", None, 412),
            ("relatives", None, 412),
            ("relatives-by-serializer", None, 412),
            ("past-orm", None, 412),
            ("me", None, 412),
            ("optional", "", 409),
        ],
    )
    def test_a_write_between_check_and_write(self, race, person, kind, tag, status):
        if connection.vendor == "sqlite" and connection.settings_dict["ATOMIC_REQUESTS"]:
            pytest.skip("the other writer waits until this request has ended")
        url = f"/{kind}/{person.pk}/" if kind != "me" else "/me/"
        client = APIClient()
        tag = client.get(url)["ETag"] if tag is None else tag
        headers = {"If-Match": tag} if tag else {}
        views.before_write.append(
            lambda: race(lambda: Person.objects.filter(pk=person.pk).update(name="other"))
        )
        try:
            answer = client.patch(url, {"days": 5}, format="json", headers=headers)
        finally:
            views.before_write.clear()
        assert answer.status_code == status
        assert content()[:2] == ("other", 0)
        assert Team.objects.get().name == "t"
        blind = connection.settings_dict["ATOMIC_REQUESTS"]
        assert told(answer) == (None if blind else client.get(url)["ETag"])

    def test_a_wildcard_holds_the_row_from_when_it_is_loaded(self, race, url):
        def write(days):
            return lambda: APIClient().patch(
                url, {"days": days}, format="json", headers={"If-Match": "*"}
            )

        answers = race(*[write(days) for days in range(1, 9)])
        assert [answer.status_code for answer in answers] == [200] * 8
        assert len({answer["ETag"] for answer in answers}) == 8
        assert Person.objects.get().version == 9

    @pytest.mark.parametrize("method", ["get", "put"])
    def test_what_cannot_be_read_for_others_locks_is_503(self, race, url, method):
        if connection.vendor != "postgresql":
            pytest.skip("has no lock timeout short enough for a test")

        def impatient():
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
            return getattr(APIClient(), method)(url, headers={"If-Match": "*"})

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE testapp_person IN ACCESS EXCLUSIVE MODE")
            (answer,) = race(impatient)
        assert answer.status_code == 503
        assert answer["Retry-After"] == "1"
