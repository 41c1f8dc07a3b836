"""GET and HEAD of one row: what comes before a 304, and what its tag holds."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.test import APIClient

from tests.rest_framework import read_views
from tests.testapp.models import Hidden, Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.read_views")]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    return Person.objects.create(name="a", team=Team.objects.create(name="t"))


@pytest.fixture
def handled():
    read_views.handled.clear()
    return read_views.handled


def get_304(client, url, headers=None):
    """The tag of a GET that a second one of the same state answers by 304."""
    full = client.get(url, headers=headers)
    assert full.status_code == 200
    for method in (client.get, client.head):
        answer = method(url, headers={**(headers or {}), "If-None-Match": full["ETag"]})
        assert answer.status_code == 304
        assert answer["ETag"] == full["ETag"]
        assert answer["Cache-Control"] == full["Cache-Control"]
        assert answer.get("Vary") == full.get("Vary")
        assert answer.content == b""
    return full["ETag"]


class TestLookups:
    def test_by_a_field_and_an_argument_of_its_own(self, client, django_assert_num_queries):
        hidden = Hidden.objects.create(name="h")
        url = f"/generic/{hidden.uuid}/"
        tag = get_304(client, url)
        assert tag.startswith(f'"secret-{hidden.uuid}-v1.')
        with django_assert_num_queries(1):
            client.get(url, headers={"If-None-Match": tag})

    @pytest.mark.parametrize("url", ["/slug/a/", "/spanning/t/"])
    def test_by_a_slug(self, client, person, url):
        tag = get_304(client, url)
        person.save()
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 200

    def test_by_nested_addresses(self, client, person):
        url = f"/teams/{person.team_id}/members/{person.pk}/"
        get_304(client, url)
        other = Team.objects.create(name="u")
        url = f"/teams/{other.pk}/members/{person.pk}/"
        for headers in ({}, {"If-None-Match": "*"}):
            assert client.get(url, headers=headers).status_code == 404

    def test_by_who_asks(self, client, person):
        url = f"/mine/{person.pk}/"
        tag = get_304(client, url, {"X-User": "a"})
        for value in (tag, "*"):
            answer = client.get(url, headers={"X-User": "b", "If-None-Match": value})
            assert answer.status_code == 404
            assert "ETag" not in answer


class TestAnnotations:
    """What the queryset computes is shown, and moves no version."""

    @pytest.mark.parametrize("kind", ["annotated", "annotating-filter", "annotated-object"])
    @pytest.mark.parametrize("detail", [True, False], ids=["detail", "list"])
    def test_stand_in_the_tag(self, client, person, kind, detail):
        url = f"/{kind}/{person.team_id}/" if detail else f"/{kind}/"
        tag = get_304(client, url)
        Person.objects.create(name="b", team=person.team)
        answer = client.get(url, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert answer["ETag"] != tag

    @pytest.mark.parametrize("detail", [True, False], ids=["detail", "list"])
    def test_that_are_not_selected_do_not(self, client, person, detail):
        url = f"/alias/{person.team_id}/" if detail else "/alias/"
        tag = get_304(client, url)
        Person.objects.create(name="b", team=person.team)
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 304

    @pytest.mark.parametrize("kind", ["annotated", "annotating-filter", "annotated-object"])
    def test_are_no_part_of_the_state_that_a_write_names(self, client, person, kind):
        url = f"/{kind}/{person.team_id}/"
        tag = client.get(url)["ETag"]
        Person.objects.create(name="b", team=person.team)
        answer = client.patch(url, {"name": "new"}, format="json", headers={"If-Match": tag})
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"]
        answer = client.patch(url, {"name": "new"}, format="json", headers={"If-Match": tag})
        assert answer.status_code == 412
        assert answer["ETag"] == client.get(url)["ETag"]

    def test_cost_no_statement(self, client, person, django_assert_num_queries):
        url = f"/annotated/{person.team_id}/"
        with django_assert_num_queries(1):
            tag = client.get(url)["ETag"]
        with django_assert_num_queries(1):
            assert client.get(url, headers={"If-None-Match": tag}).status_code == 304

    def test_are_not_told_by_the_tag(self, client, person, settings):
        url = f"/annotated/{person.team_id}/"
        tag = client.get(url)["ETag"]
        settings.SECRET_KEY = "another"
        assert client.get(url)["ETag"] != tag


class TestOwnWays:
    """Where a view refuses by a method of its own, a 304 goes through it."""

    KINDS = ["late", "behind", "far-behind", "around", "inside", "checking", "loading"]

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("value", ["*", "tag"])
    def test_a_304_is_no_way_past_them(self, client, person, kind, value):
        url = f"/{kind}/{person.pk}/"
        tag = get_304(client, url)
        Person.objects.unversioned().update(name="secret")
        for headers in (
            {},
            {"If-None-Match": tag if value == "tag" else "*"},
            {"If-Match": '"x"'},
            {"If-Modified-Since": "Sun, 06 Nov 2094 08:49:37 GMT"},
        ):
            for method in (client.get, client.head):
                answer = method(url, headers=headers)
                assert answer.status_code == 403
                assert "ETag" not in answer
                assert "Last-Modified" not in answer

    @pytest.mark.parametrize("kind", ["late", "behind", "far-behind"])
    def test_nor_is_that_of_a_list(self, client, person, kind):
        tag = get_304(client, f"/{kind}/")
        Person.objects.unversioned().update(name="secret")
        for value in (tag, "*"):
            answer = client.get(f"/{kind}/", headers={"If-None-Match": value})
            assert answer.status_code == 403
            assert "ETag" not in answer

    def test_the_304_that_stands_for_an_answer_has_its_headers(self, client, person, handled):
        url = f"/late/{person.pk}/"
        tag = client.get(url)["ETag"]
        answer = client.get(url, headers={"If-None-Match": tag})
        assert answer.status_code == 304
        assert answer["Expires"] == "0"
        assert answer.cookies["seen"].value == "1"
        assert handled == ["a", "a"]

    @pytest.mark.parametrize("kind", ["envelope", "envelope/{}"])
    def test_a_view_that_finishes_all_its_responses_finishes_a_304_too(self, client, person, kind):
        get_304(client, f"/{kind.format(person.pk)}/")

    def test_a_false_if_match_is_412_there_too(self, client, person):
        answer = client.get(f"/late/{person.pk}/", headers={"If-Match": '"x"'})
        assert answer.status_code == 412
        assert answer["ETag"] == answer.json()["current_etag"]

    def test_a_tag_of_the_views_own_is_compared_to_the_letter(self, client, person):
        url = f"/own-tag/{person.pk}/"
        assert client.get(url)["ETag"] == '"own"'
        assert client.get(url, headers={"If-None-Match": '"own"'}).status_code == 304
        assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200

    @pytest.mark.parametrize("kind", ["late", "around", "checking", "loading"])
    def test_cost_what_they_load(self, client, person, kind, django_assert_num_queries):
        url = f"/{kind}/{person.pk}/"
        with django_assert_num_queries(2 if kind == "around" else 1) as queries:
            tag = client.get(url)["ETag"]
        with django_assert_num_queries(len(queries)):
            assert client.get(url, headers={"If-None-Match": tag}).status_code == 304


class TestOtherMethods:
    """What other methods show by ``retrieve()`` and ``list()`` is evaluated by none of these."""

    def test_an_update_that_answers_with_retrieve(self, client, person):
        url = f"/answering/{person.pk}/"
        tag = client.get(url)["ETag"]
        answer = client.put(url, {"name": "b"}, format="json", headers={"If-Match": tag})
        assert answer.status_code == 200
        assert answer.json()["name"] == "b"

    @pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}, {"If-Match": '"x"'}])
    def test_a_search_by_post(self, client, person, headers):
        answer = client.post("/search/", headers=headers)
        assert answer.status_code == 200
        assert "ETag" not in answer


class TestOwnHandlers:
    @pytest.mark.parametrize("action", ["summary", "other"])
    def test_an_action_that_reads(self, client, person, action, django_assert_num_queries):
        url = f"/actions/{person.pk}/{action}/"
        with django_assert_num_queries(1):
            client.get(url)
        tag = get_304(client, url)
        with django_assert_num_queries(1) as queries:
            assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        assert '"name"' not in queries[0]["sql"].replace("`", '"')
        person.save()
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 200

    def test_is_not_run_for_a_304(self, client, person, handled):
        url = f"/actions/{person.pk}/summary/"
        tag = client.get(url)["ETag"]
        client.get(url, headers={"If-None-Match": tag})
        assert handled == ["a"]

    def test_lets_other_methods_through(self, client, person):
        url = f"/actions/{person.pk}/summary/"
        headers = {"If-Match": client.get(url)["ETag"]}
        answer = client.post(url, headers=headers)
        assert answer.status_code == 200
        assert "Cache-Control" not in answer

    def test_an_action_without_the_decorator_runs_before_a_304(
        self, client, person, django_assert_num_queries
    ):
        url = f"/actions/{person.pk}/plain/"
        tag = get_304(client, url)
        with django_assert_num_queries(1) as queries:
            assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        assert '"name"' in queries[0]["sql"].replace("`", '"')

    def test_an_actions_own_permissions_come_first(self, client, person, django_assert_num_queries):
        url = f"/actions/{person.pk}/owned/"
        for value in ("*", client.get(f"/actions/{person.pk}/summary/")["ETag"]):
            answer = client.get(url, headers={"If-None-Match": value})
            assert answer.status_code == 403
            assert "ETag" not in answer
        Person.objects.update(name="boss's")
        tag = get_304(client, url)
        with django_assert_num_queries(1):
            assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        # Another, for what the permission did not need.
        with django_assert_num_queries(2):
            assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200

    def test_a_retrieve_of_ones_own_is_fast_again_by_the_decorator(
        self, client, person, handled, django_assert_num_queries
    ):
        url = f"/actions/{person.pk}/"
        with django_assert_num_queries(1):
            tag = client.get(url)["ETag"]
        with django_assert_num_queries(1):
            assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        assert handled == ["retrieve"]

    def test_a_write_through_the_same_view_is_not_hindered(self, client, person):
        url = f"/actions/{person.pk}/"
        tag = client.get(url)["ETag"]
        answer = client.patch(url, {"days": 1}, format="json", headers={"If-Match": tag})
        assert answer.status_code == 200


class TestViewsWithoutAQuerySet:
    def test_an_api_view(self, client, person, handled, django_assert_num_queries):
        url = f"/naming/{person.pk}/"
        tag = client.get(url)["ETag"]
        with django_assert_num_queries(1):
            assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        assert handled == [str(person.pk)]
        assert get_304(client, url).startswith(f'"person-{person.pk}-v1.')

    def test_a_view_set(self, client, person):
        get_304(client, f"/naming-set/{person.pk}/")

    @pytest.mark.parametrize("key", ["0", "abc", "99999999999999999999"])
    @pytest.mark.parametrize("kind", ["naming", "owned-naming", "naming-set"])
    def test_an_absent_row_is_404(self, client, kind, key):
        for headers in ({}, {"If-None-Match": "*"}, {"If-Match": '"x"'}):
            assert client.get(f"/{kind}/{key}/", headers=headers).status_code == 404

    @pytest.mark.parametrize("kind", ["owned-naming", "own-loading"])
    def test_what_looks_at_the_object_comes_first(self, client, person, kind):
        url = f"/{kind}/{person.pk}/"
        tag = client.get(f"/naming/{person.pk}/")["ETag"]
        for headers in ({}, {"If-None-Match": tag}, {"If-None-Match": "*"}, {"If-Match": '"x"'}):
            answer = client.get(url, headers=headers)
            assert answer.status_code == 403
            assert "ETag" not in answer
        Person.objects.update(name="boss's")
        get_304(client, url)

    def test_that_names_no_row_says_how(self, client):
        with pytest.raises(ImproperlyConfigured, match="def get_versioned_queryset"):
            client.get("/nameless/1/")


class TestFunctions:
    """``@api_view`` stands above ``@versioned_condition``."""

    def test_are_read_and_written(self, client, person):
        url = f"/function/{person.pk}/"
        tag = get_304(client, url)
        assert client.put(url, {"name": "b"}, format="json").status_code == 428
        answer = client.put(url, {"name": "b"}, format="json", headers={"If-Match": tag})
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"] != tag
        answer = client.put(url, {"name": "b"}, format="json", headers={"If-Match": tag})
        assert answer.status_code == 412
        assert answer["ETag"] == client.get(url)["ETag"]

    @pytest.mark.parametrize("method", ["get", "head", "put"])
    @pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}, {"If-Match": '"x"'}])
    def test_permissions_come_first(self, client, person, method, headers):
        url = f"/guarded-function/{person.pk}/"
        answer = getattr(client, method)(url, headers=headers)
        assert answer.status_code == 403
        assert "ETag" not in answer

    def test_a_method_that_there_is_not_is_405(self, client, person):
        url = f"/function/{person.pk}/"
        assert client.delete(url, headers={"If-Match": '"x"'}).status_code == 405


class TestRenderers:
    def tags(self, client, person, *accepts):
        url = f"/rendered/{person.pk}/"
        return [get_304(client, url, {"Accept": accept}) for accept in accepts]

    def test_each_has_its_tag(self, client, person):
        tags = self.tags(
            client,
            person,
            "application/json",
            "application/json; indent=4",
            "text/x-line",
            "application/vnd.people+json",
        )
        assert len(set(tags)) == 4
        assert len({tag.partition("~")[0] for tag in tags}) == 1

    def test_weight_and_letter_case_make_no_other_tag(self, client, person):
        tags = self.tags(
            client,
            person,
            "application/json",
            "application/json;q=0.9",
            "application/json; Q=0.5",
            "Application/JSON",
            "text/none, */*;q=0.1",
        )
        assert len(set(tags)) == 1
        indented = self.tags(
            client, person, "application/json; indent=4", "APPLICATION/JSON;q=0.1; Indent=4"
        )
        assert len(set(indented)) == 1
        assert set(indented) != set(tags)

    def test_the_views_own_code_is_told_apart(self, client, person):
        tags = {client.get(f"/{kind}/{person.pk}/")["ETag"] for kind in ("people", "late")}
        assert len(tags) == 2

    def test_the_same_by_accept_and_by_format(self, client, person):
        (tag,) = self.tags(client, person, "text/x-line")
        # Another address, whose query string is a part of the tag.
        by_query = client.get(f"/rendered/{person.pk}/?format=line")["ETag"]
        assert by_query.startswith(f"{tag[:-1]}.")

    @pytest.mark.parametrize("conditions", [{}, {"If-None-Match": "*"}, {"If-Match": '"x"'}])
    def test_what_is_not_acceptable_is_406(self, client, person, conditions):
        answer = client.get(
            f"/rendered/{person.pk}/", headers={"Accept": "text/none", **conditions}
        )
        assert answer.status_code == 406
        assert "ETag" not in answer
        answer = client.get(f"/rendered/{person.pk}/?format=none", headers=conditions)
        assert answer.status_code == 404

    def test_head_has_the_headers_of_get(self, client, person):
        url = f"/rendered/{person.pk}/"
        get, head = client.get(url), client.head(url)
        assert "ETag" in get
        assert head.headers == get.headers

    def test_options_names_the_header_that_writes_need(self, client, person):
        answer = client.options(f"/rendered/{person.pk}/")
        required = {name: ["If-Match"] for name in ("PUT", "PATCH", "DELETE")}
        assert answer.json()["required_headers"] == required
        assert "required_headers" not in client.options("/rendered/").json()
        url = f"/generic/{Hidden.objects.create(name='h').uuid}/"
        assert "required_headers" not in client.options(url).json()

    def test_options_has_no_tag(self, client, person):
        answer = client.options(f"/rendered/{person.pk}/", headers={"If-None-Match": "*"})
        assert answer.status_code == 200
        assert "ETag" not in answer
