"""What a stale write is told, and the tag in a body."""

import pytest
from django.db import connection
from rest_framework.test import APIClient

from tests.rest_framework import views
from tests.testapp.models import Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.write_views")]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    return Person.objects.create(name="a", team=Team.objects.create(name="t"))


def write(url, data, tag, method="patch"):
    headers = {} if tag is None else {"If-Match": tag}
    return getattr(APIClient(), method)(url, data, format="json", headers=headers)


class TestCurrentContent:
    def test_is_what_a_get_shows_the_caller(self, client, person):
        url = f"/telling/{person.pk}/"
        for method in ("put", "patch", "delete"):
            answer = write(url, {"name": "b"}, '"stale"', method)
            current = client.get(url)
            assert answer.status_code == 412
            assert answer.json()["current"] == current.json()
            assert answer["ETag"] == answer.json()["current_etag"] == current["ETag"]
            assert answer["Cache-Control"] == "no-store"

    def test_is_what_the_query_set_of_a_get_has(self, client, person):
        url = f"/counted/{person.team_id}/"
        answer = write(url, {"name": "b"}, '"stale"')
        current = client.get(url)
        assert (
            answer.json()["current"]
            == current.json()
            == {"id": person.team_id, "name": "t", "people": 1}
        )
        assert answer["ETag"] == current["ETag"]

    def test_is_in_no_other_answer(self, client, person):
        assert "current" not in write(f"/telling/{person.pk}/", {}, None).json()
        assert "current" not in write(f"/people/{person.pk}/", {}, '"stale"').json()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
class TestWhoMayWriteAndNotRead:
    """Is told neither content nor tag."""

    @pytest.mark.parametrize("kind", ["write-only", "scoped-reading"])
    def test_a_stale_write(self, client, person, kind, method):
        url = f"/{kind}/{person.pk}/"
        assert client.get(url).status_code in (403, 404)
        assert_tells_nothing(write(url, {"name": "a"}, '"stale"', method))

    @pytest.mark.parametrize("kind", ["people", "telling", "own-query-set"])
    def test_to_know_costs_no_statement(self, person, method, kind, django_assert_num_queries):
        with django_assert_num_queries(1):
            answer = write(f"/{kind}/{person.pk}/", {"name": "b"}, '"stale"', method)
        assert answer.status_code == 412
        assert "ETag" in answer


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_412_shows_no_tag_to_a_user_who_lost_access_meanwhile(person, method):
    url = f"/locked-telling/{person.pk}/"
    tag = APIClient().get(url)["ETag"]
    views.before_write.append(lambda: Person.objects.update(name="locked"))
    try:
        answer = write(url, {"name": "b", "days": 1}, tag, method)
    finally:
        views.before_write.clear()
    assert_tells_nothing(answer)


def assert_tells_nothing(answer):
    assert answer.status_code == 412
    assert "ETag" not in answer
    assert not {"current", "current_etag"} & answer.json().keys()


class TestTagInTheBody:
    @pytest.fixture
    def url(self, person):
        return f"/tagged/{person.pk}/"

    @pytest.mark.parametrize("format", ["json", "multipart"])
    def test_stands_for_if_match(self, client, url, format):
        tag = client.get(url).json()["etag"]
        data = {"days": 1, "etag": tag}
        answer = client.patch(url, data, format=format)
        assert answer.status_code == 200
        assert answer.json()["etag"] != tag
        assert client.patch(url, data, format=format).status_code == 412
        assert Person.objects.get().days == 1

    def test_of_the_same_state_as_the_header(self, client, url):
        for header in (client.get(url)["ETag"], "*"):
            data = {"days": 1, "etag": client.get(url).json()["etag"]}
            header = header if header == "*" else client.get(url)["ETag"]
            assert write(url, data, header).status_code == 200

    def test_where_tags_are_opaque(self, client, url, settings):
        settings.ETAG_VERSIONING = {"OPAQUE_TAGS": True}
        shown = client.get(url)
        data = {"days": 1, "etag": shown.json()["etag"]}
        assert write(url, {**data, "etag": '"stale"'}, shown["ETag"]).status_code == 400
        assert write(url, data, shown["ETag"]).status_code == 200
        assert write(url, data, None).status_code == 412

    def test_under_another_secret_key_than_the_header(self, client, url, settings):
        """The list was fetched before the key was replaced, and the row after it."""
        settings.ETAG_VERSIONING = {"OPAQUE_TAGS": True}
        data = {"days": 1, "etag": client.get(url).json()["etag"]}
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "a new one"
        header = client.get(url)["ETag"]
        assert write(url, {**data, "etag": '"stale"'}, header).status_code == 400
        assert write(url, data, '"stale"').status_code == 400
        assert write(url, data, header).status_code == 200

    @pytest.mark.parametrize("method", ["put", "post"])
    def test_where_none_is_needed_and_the_handler_loads_nothing(self, client, person, method):
        url = f"/tagged-optional/{person.pk}/"
        tag = client.get(url).json()["etag"]
        address = url + "work/" if method == "post" else url
        for data, status in (
            ({"days": 1, "etag": '"stale"'}, 412),
            ({"days": 2, "etag": tag}, 200),
            ({"days": 3, "etag": tag}, 412),
            ({"days": 4}, 200),
        ):
            assert write(address, data, None, method).status_code == status
        assert Person.objects.get().days == 4
        answer = client.generic(method, address, "{", content_type="application/json")
        assert answer.status_code == 400

    def test_beside_a_wildcard_is_compared(self, url):
        assert write(url, {"days": 1, "etag": '"stale"'}, "*").status_code == 412

    @pytest.mark.parametrize("body", ['"stale"', "junk", "*", 7, ["x"]])
    def test_contradicting_the_header_is_400(self, client, url, body):
        answer = write(url, {"days": 1, "etag": body}, client.get(url)["ETag"])
        assert answer.status_code == 400
        assert "etag" in answer.json()
        assert Person.objects.get().days == 0

    @pytest.mark.parametrize(
        ("body", "status"), [(None, 428), ("", 428), ("junk", 412), (7, 412), ({"a": 1}, 412)]
    )
    def test_what_is_no_tag(self, url, body, status):
        assert write(url, {"days": 1, "etag": body}, None).status_code == status

    def test_a_list_has_none(self, url):
        assert write(url, [1], None).status_code == 428

    def test_content_that_cannot_be_read_is_evaluated_after_the_header(self, client, url):
        def send(tag):
            headers = {} if tag is None else {"If-Match": tag}
            return client.generic(
                "PATCH", url, "{", content_type="application/json", headers=headers
            )

        assert send(None).status_code == 428
        assert send('"stale"').status_code == 412
        assert send(client.get(url)["ETag"]).status_code == 400
        assert Person.objects.get().version == 1


@pytest.mark.django_db(transaction=True)
class TestLostRaces:
    @pytest.fixture(autouse=True, params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
    def atomic_requests(self, request):
        connection.settings_dict["ATOMIC_REQUESTS"] = request.param
        yield
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    def overtaken(self, race, url, other, data):
        if connection.vendor == "sqlite" and connection.settings_dict["ATOMIC_REQUESTS"]:
            pytest.skip("the other writer waits until this request has ended")
        tag = APIClient().get(url)["ETag"]
        steps = [lambda: race(lambda: Person.objects.update(**other))]
        views.before_write.append(lambda: steps.pop()() if steps else None)
        try:
            return write(url, data, tag)
        finally:
            views.before_write.clear()

    def test_the_content_is_that_after_the_winners_write(self, race, person):
        url = f"/telling/{person.pk}/"
        answer = self.overtaken(race, url, {"name": "other"}, {"days": 5})
        assert answer.status_code == 412
        if connection.settings_dict["ATOMIC_REQUESTS"]:
            # The transaction may be blind to what the winner wrote.
            assert_tells_nothing(answer)
            return
        assert answer.json()["current"] == APIClient().get(url).json()
        assert answer.json()["current"]["name"] == "other"
        assert answer["ETag"] == answer.json()["current_etag"] == APIClient().get(url)["ETag"]
