"""Handlers of a project's own: actions, and overrides of DRF's methods without ``super()``."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.rest_framework import views
from tests.testapp.models import Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.write_views")]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    return Person.objects.create(name="a")


@pytest.fixture
def detail(person):
    return f"/actions/{person.pk}/"


def post(url, tag=None, data=None):
    headers = {} if tag is None else {"If-Match": tag}
    return APIClient().post(url, data or {}, format="json", headers=headers)


def days():
    return Person.objects.get().days


def state_of(tag):
    return tag.strip('"').partition("~")[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["", "work/"])
def test_an_action_locks_its_row_and_refuses_a_stale_tag(client, person, name):
    url = f"/locking/{person.pk}/"
    call = client.post if name else client.patch
    tag = client.get(url)["ETag"]
    for value, status in ((tag, 200), (tag, 412), ("*", 200), ('"x"', 412)):
        answer = call(url + name, {"name": "b"}, format="json", headers={"If-Match": value})
        assert answer.status_code == status
    assert Person.objects.get().version == 3


@pytest.mark.parametrize("name", ["work", "forgotten"])
class TestGuarded:
    def test_without_if_match_is_428(self, detail, name):
        answer = post(detail + f"{name}/", data={"days": 1})
        assert answer.status_code == 428
        assert "ETag" not in answer
        assert days() == 0

    def test_stale_is_412_before_the_content(self, client, detail, name):
        for data in ({"days": 1}, {"days": "x"}):
            answer = post(detail + f"{name}/", '"stale"', data)
            assert answer.status_code == 412
            assert answer["ETag"] == answer.json()["current_etag"] == client.get(detail)["ETag"]
        assert days() == 0

    def test_answers_with_the_tag_for_the_next_write(self, client, detail, name):
        tag = client.get(detail)["ETag"]
        answer = post(detail + f"{name}/", tag, {"days": 1})
        assert answer.status_code == 200
        assert days() == 1
        # What it shows is not what a GET does, so its tag is no reason for a 304.
        assert answer["ETag"] == f'"{state_of(client.get(detail)["ETag"])}"'
        headers = {"If-None-Match": answer["ETag"]}
        assert client.get(detail, headers=headers).status_code == 200
        assert "Content-Location" not in answer
        assert post(detail + f"{name}/", tag, {"days": 1}).status_code == 412
        assert post(detail + f"{name}/", answer["ETag"], {"days": 1}).status_code == 200
        assert days() == 2

    def test_takes_the_tag_of_a_get_also_where_compared_strongly(
        self, client, detail, name, settings
    ):
        settings.ETAG_VERSIONING = {"IF_MATCH": "strong"}
        tag = client.get(detail)["ETag"]
        assert post(detail + f"{name}/", tag, {"days": 1}).status_code == 200

    def test_what_comes_first(self, detail, name, person):
        assert post(f"/actions/{person.pk + 1}/{name}/").status_code == 404
        Person.objects.update(name="locked")
        for tag in (None, "*", '"stale"', "junk"):
            answer = post(detail + f"{name}/", tag)
            assert answer.status_code == 403
            assert "ETag" not in answer
        assert days() == 0


class TestActions:
    def test_a_route_without_a_router_is_known_by_its_address(self, person):
        assert post(f"/bare/{person.pk}/").status_code == 428

    def test_invalid_content_is_400_and_changes_nothing(self, client, detail):
        tag = client.get(detail)["ETag"]
        assert post(detail + "work/", tag, {"days": -1}).status_code == 400
        assert client.get(detail)["ETag"] == tag

    def test_a_handler_that_is_mapped_to_another_method(self, client, detail):
        assert client.delete(detail + "work/").status_code == 428
        headers = {"If-Match": client.get(detail)["ETag"]}
        answer = client.delete(detail + "work/", headers=headers)
        assert answer.status_code == 204
        assert "ETag" not in answer
        assert not Person.objects.exists()

    def test_an_action_that_says_otherwise(self, client, detail):
        answer = post(detail + "loose/")
        assert answer.status_code == 200
        assert answer["ETag"] == f'"{state_of(client.get(detail)["ETag"])}"'
        assert post(detail + "loose/", '"stale"').status_code == 412
        assert post(detail + "apart/", '"stale"').status_code == 412
        assert days() == 1

    def test_one_that_says_otherwise_costs_nothing_more(self, detail, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert "ETag" not in post(detail + "apart/")

    def test_costs_a_claim_more_than_an_update(self, client, detail):
        tag = client.get(detail)["ETag"]
        with CaptureQueriesContext(connection) as queries:
            assert post(detail + "shown/", tag).status_code == 200
        words = [query["sql"].split()[0] for query in queries]
        assert [word for word in words if word not in ("SAVEPOINT", "RELEASE")] == [
            "SELECT",
            "UPDATE",
            "UPDATE",
            "SELECT",
        ]

    def test_may_go_on_to_drfs_methods(self, client, detail):
        answer = post(detail + "shown/", client.get(detail)["ETag"])
        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        answer = post(detail + "patched/", client.get(detail)["ETag"], {"days": 5})
        assert (answer.status_code, answer.json()["version"]) == (200, 3)
        assert answer["ETag"] == f'"{state_of(client.get(detail)["ETag"])}"'
        answer = post(detail + "cloned/", client.get(detail)["ETag"], {"name": "clone"})
        assert answer.status_code == 201
        # The tag of the row that the request named would be taken for the new one's.
        assert "ETag" not in answer

    def test_the_object_is_loaded_anew_when_it_is_asked_for_again(self, client, detail):
        answer = post(detail + "twice/", client.get(detail)["ETag"])
        assert answer.json() == {"version": 3}

    def test_no_row_is_named_where_the_route_is_the_lists(self, detail):
        assert post("/actions/everybody/").status_code == 200
        assert days() == 1

    def test_a_wildcard(self, client, detail):
        answer = post(detail + "work/", "*", {"days": 2})
        assert answer.status_code == 200
        assert answer["ETag"] == f'"{state_of(client.get(detail)["ETag"])}"'

    def test_by_action_as_for_permissions(self, client, person):
        url = f"/deciding/{person.pk}/"
        assert client.patch(url, {"days": 1}, format="json").status_code == 428
        assert client.delete(url).status_code == 204


class TestRewrittenMethods:
    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_are_guarded(self, client, person, method):
        url = f"/rewritten/{person.pk}/"
        write = getattr(client, method)
        data = {"days": 4}
        assert write(url, data, format="json").status_code == 428
        assert write(url, data, format="json", headers={"If-Match": '"x"'}).status_code == 412
        assert days() == 0
        headers = {"If-Match": client.get(url)["ETag"]}
        answer = write(url, data, format="json", headers=headers)
        if method == "delete":
            assert answer.status_code == 204
            assert not Person.objects.exists()
        else:
            assert answer["ETag"] == client.get(url)["ETag"]
            assert days() == 4


@pytest.mark.parametrize("kind", ["two-serializers", "by-method"])
class TestAnotherSerializerForWrites:
    def test_the_tag_is_the_states_alone(self, client, person, kind):
        """The content is not that of a GET, so its tag must be no reason for a 304."""
        url = f"/{kind}/{person.pk}/"
        headers = {"If-Match": client.get(url)["ETag"]}
        answer = client.put(url, {"name": "b"}, format="json", headers=headers)
        assert answer.json() == {"name": "b"}
        assert answer["ETag"] == f'"{state_of(client.get(url)["ETag"])}"'
        assert "Content-Location" not in answer

    def test_the_tag_of_a_get_is_taken_where_compared_strongly(
        self, client, person, kind, settings
    ):
        settings.ETAG_VERSIONING = {"IF_MATCH": "strong"}
        url = f"/{kind}/{person.pk}/"
        headers = {"If-Match": client.get(url)["ETag"]}
        assert client.put(url, {"name": "b"}, format="json", headers=headers).status_code == 200


@pytest.mark.django_db(transaction=True)
class TestLostRaces:
    @pytest.fixture(autouse=True, params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
    def atomic_requests(self, request):
        connection.settings_dict["ATOMIC_REQUESTS"] = request.param
        yield
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    @pytest.mark.parametrize("name", ["work", "forgotten"])
    def test_of_many_with_one_tag_one_wins(self, race, detail, name):
        tag = APIClient().get(detail)["ETag"]
        answers = race(*[lambda: post(detail + f"{name}/", tag, {"days": 1})] * 8)
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
        assert days() == 1
        current = APIClient().get(detail)["ETag"]
        # Under ATOMIC_REQUESTS the transaction may be blind to what the winner wrote.
        atomic = connection.settings_dict["ATOMIC_REQUESTS"]
        told = {current, None} if atomic else {current}
        for answer in answers:
            if answer.status_code == 412:
                assert answer.get("ETag") == answer.json().get("current_etag")
                assert answer.get("ETag") in told

    def test_what_fails_in_the_handler_takes_all_of_its_writes_with_it(self, detail):
        def fail():
            Person.objects.update(name="b")
            raise RuntimeError

        tag = APIClient().get(detail)["ETag"]
        views.before_write.append(fail)
        try:
            with pytest.raises(RuntimeError):
                post(detail + "work/", tag, {"days": 1})
        finally:
            views.before_write.clear()
        assert APIClient().get(detail)["ETag"] == tag
        assert not Team.objects.exists()
