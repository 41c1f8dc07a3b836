"""
A primary and a replica that is behind: where requests of plain and of async views read.

"other" stands for the replica. Nothing replicates by itself: ``replicate()`` does.
"""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from django.db import connections, models
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import aget_object_or_404, get_object_or_404
from django.template import engines
from django.template.response import SimpleTemplateResponse
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import path

from etag_versioning.decorators import versioned_condition
from etag_versioning.routers import ReadYourWritesRouter
from tests.testapp.models import Person, Team

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"], transaction=True),
    pytest.mark.urls(__name__),
]


class PrimaryReplicaRouter:
    def db_for_read(self, model, **hints):
        return "other"

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, *args, **hints):
        return True


@versioned_condition(Person)
def person_detail(request, pk):
    person = get_object_or_404(Person, pk=pk)
    if request.method == "PATCH":
        person.name = json.loads(request.body)["name"]
        person.save()
    return JsonResponse({"name": person.name})


@versioned_condition(Person)
async def async_person_detail(request, pk):
    person = await aget_object_or_404(Person, pk=pk)
    if request.method == "PATCH":
        person.name = json.loads(request.body)["name"]
        await person.asave()
    return JsonResponse({"name": person.name})


@versioned_condition(Person)
def databases(request, pk):
    """The database of each of the view's queries."""
    names = {"own": Person.objects.all().db, "of another model": Team.objects.all().db}
    return JsonResponse(names | {"by using()": Person.objects.using("other").all().db})


def _names(request, *args, **kwargs):
    return [*Team.objects.order_by("pk").values_list("name", flat=True)]


@versioned_condition(Person, etag_extra=_names)
def with_teams(request, pk):
    return JsonResponse({"teams": _names(request)})


@versioned_condition(Person)
def rendered(request, pk):
    template = engines["django"].from_string(
        "{% for person in people %}{{ person.name }}{% endfor %}"
    )
    return SimpleTemplateResponse(template, {"people": Person.objects.filter(pk=pk)})


@versioned_condition(Person)
def streamed(request, pk):
    people = Person.objects.filter(pk=pk)
    return StreamingHttpResponse(person.name for person in people)


@versioned_condition(Team.objects.all(), lookup_field="name")
def team_detail(request, name):
    return HttpResponse(Team.objects.get(name=name).name)


urlpatterns = [
    path("people/<int:pk>/", person_detail),
    path("async/<int:pk>/", async_person_detail),
    path("databases/<int:pk>/", databases),
    path("with-teams/<int:pk>/", with_teams),
    path("rendered/<int:pk>/", rendered),
    path("streamed/<int:pk>/", streamed),
    path("teams/<name>/", team_detail),
]


@pytest.fixture
def routers(settings):
    settings.DATABASE_ROUTERS = [ReadYourWritesRouter(), PrimaryReplicaRouter()]


@pytest.fixture
def person():
    """A row that the replica has, in the same state."""
    person = Person.objects.create(name="first")
    replicate(person)
    return person


def replicate(row):
    """Copy a row's columns to the replica as they are."""
    (values,) = models.QuerySet(type(row)).using("default").filter(pk=row.pk).values()
    copies = models.QuerySet(type(row)).using("other")
    if not copies.filter(pk=row.pk).exists():
        copies.bulk_create([type(row)(**values)])
    copies.filter(pk=row.pk).update(**values)  # An INSERT has a timestamp of its own.


@pytest.fixture
def queries():
    """How many statements each database has run since the start of the test."""
    with (
        CaptureQueriesContext(connections["default"]) as primary,
        CaptureQueriesContext(connections["other"]) as replica,
    ):
        yield {"primary": primary, "replica": replica}


@pytest.fixture(params=["plain", "async"])
def request_to(request):
    """Send a request to the plain or the async view of a person."""
    folder = {"plain": "people", "async": "async"}[request.param]

    def send(method, pk, *, body=None, **headers):
        content = "" if body is None else json.dumps(body)

        async def run():
            answer = await AsyncClient().generic(
                method, f"/{folder}/{pk}/", content, "application/json", headers=headers
            )
            await sync_to_async(connections.close_all)()
            return answer

        return asyncio.run(run())

    return send


@pytest.mark.usefixtures("routers")
class TestWrites:
    def test_a_second_patch_with_a_fresh_tag_is_200(self, request_to, person):
        tag = request_to("GET", person.pk)["ETag"]
        first = request_to("PATCH", person.pk, body={"name": "second"}, if_match=tag)
        second = request_to("PATCH", person.pk, body={"name": "third"}, if_match=first["ETag"])
        assert (first.status_code, second.status_code) == (200, 200)
        assert Person.objects.using("default").get().name == "third"

    def test_a_stale_tag_that_the_replica_still_has_is_412(self, request_to, person):
        stale = request_to("GET", person.pk)["ETag"]
        request_to("PATCH", person.pk, body={"name": "second"}, if_match=stale)
        answer = request_to("PATCH", person.pk, body={"name": "third"}, if_match=stale)
        assert answer.status_code == 412

    def test_all_reads_of_the_view_go_where_it_writes_except_by_using(self, client, person):
        answer = client.post(f"/databases/{person.pk}/", headers={"If-Match": "*"})
        assert answer.json() == {
            "own": "default",
            "of another model": "default",
            "by using()": "other",
        }

    def test_reads_go_to_the_replica_again_after_the_request(self, client, person):
        client.post(f"/databases/{person.pk}/", headers={"If-Match": "*"})
        assert Person.objects.all().db == "other"
        assert client.get(f"/databases/{person.pk}/").json()["own"] == "other"


@pytest.mark.usefixtures("routers")
class TestReads:
    def test_the_newest_tag_is_304_while_the_replica_is_behind(self, request_to, person):
        tag = request_to("GET", person.pk)["ETag"]
        newest = request_to("PATCH", person.pk, body={"name": "second"}, if_match=tag)["ETag"]
        assert request_to("GET", person.pk, if_none_match=newest).status_code == 304

    def test_an_older_tag_gets_the_content_of_the_primary(self, request_to, person):
        oldest = request_to("GET", person.pk)["ETag"]
        person.name = "second"
        person.save()
        replicate(person)
        person.name = "third"
        person.save()
        answer = request_to("GET", person.pk, if_none_match=oldest)
        assert (answer.status_code, answer.json()) == (200, {"name": "third"})
        assert request_to("GET", person.pk, if_none_match=answer["ETag"]).status_code == 304

    def test_a_head_with_the_newest_tag_is_304_too(self, request_to, person):
        tag = request_to("GET", person.pk)["ETag"]
        newest = request_to("PATCH", person.pk, body={"name": "second"}, if_match=tag)["ETag"]
        assert request_to("HEAD", person.pk, if_none_match=newest).status_code == 304

    def test_if_match_on_a_read_is_compared_on_the_primary(self, request_to, person):
        tag = request_to("GET", person.pk)["ETag"]
        newest = request_to("PATCH", person.pk, body={"name": "second"}, if_match=tag)["ETag"]
        answer = request_to("GET", person.pk, if_match=newest)
        assert (answer.status_code, answer.json()) == (200, {"name": "second"})

    def test_a_new_row_that_the_replica_does_not_have_is_304_for_its_tag(self, client, person):
        tag = client.get(f"/people/{person.pk}/")["ETag"]
        models.QuerySet(Person).using("other").delete()
        answer = client.get(f"/people/{person.pk}/", headers={"If-None-Match": tag})
        assert answer.status_code == 304

    def test_a_new_row_that_the_replica_does_not_have_is_shown_for_another_tag(
        self, client, person
    ):
        models.QuerySet(Person).using("other").delete()
        answer = client.get(f"/people/{person.pk}/", headers={"If-None-Match": '"another"'})
        assert (answer.status_code, answer.json()) == (200, {"name": "first"})

    def test_a_row_that_is_nowhere_is_404(self, client):
        answer = client.get("/people/1/", headers={"If-None-Match": '"another"'})
        assert answer.status_code == 404

    def test_a_deleted_row_that_the_replica_still_has_is_404_for_another_tag(self, client, person):
        models.QuerySet(Person).using("default").delete()
        answer = client.get(f"/people/{person.pk}/", headers={"If-None-Match": '"another"'})
        assert answer.status_code == 404

    def test_what_else_the_tag_depends_on_is_read_from_the_primary_too(self, client, person):
        team = Team.objects.create(name="old")
        replicate(team)
        url = f"/with-teams/{person.pk}/"
        Team.objects.using("default").update(name="new")
        answer = client.get(url, headers={"If-None-Match": '"another"'})
        assert answer.json() == {"teams": ["new"]}
        assert client.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304

    def test_a_template_is_rendered_from_the_primary(self, client, person):
        Person.objects.using("default").update(name="second")
        url, headers = f"/rendered/{person.pk}/", {"If-None-Match": '"another"'}
        assert client.get(url).content == b"first"
        answer = client.get(url, headers=headers)
        assert answer.content == b"second"
        assert client.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304

    def test_what_is_streamed_from_a_replica_that_is_behind_has_no_tag(self, client, person):
        url, headers = f"/streamed/{person.pk}/", {"If-None-Match": '"another"'}
        assert client.get(url, headers=headers).has_header("ETag")
        Person.objects.using("default").update(name="second")
        assert not client.get(url, headers=headers).has_header("ETag")


class TestStatements:
    @pytest.mark.usefixtures("routers")
    def test_a_read_without_a_tag_asks_the_replica_alone(self, client, person, queries):
        client.get(f"/people/{person.pk}/")
        assert (len(queries["primary"]), len(queries["replica"])) == (0, 2)

    @pytest.mark.usefixtures("routers")
    def test_a_tag_that_the_replica_has_is_one_query_there(self, client, person, queries):
        tag = client.get(f"/people/{person.pk}/")["ETag"]
        before = len(queries["replica"])
        client.get(f"/people/{person.pk}/", headers={"If-None-Match": tag})
        assert (len(queries["primary"]), len(queries["replica"]) - before) == (0, 1)

    @pytest.mark.usefixtures("routers")
    def test_a_tag_that_the_replica_does_not_have_is_one_query_more(self, client, person, queries):
        answer = client.get(f"/people/{person.pk}/", headers={"If-None-Match": '"another"'})
        assert answer.status_code == 200
        assert (len(queries["primary"]), len(queries["replica"])) == (1, 2)

    def test_nothing_is_asked_twice_without_a_router(self, client, person, queries):
        client.get(f"/people/{person.pk}/", headers={"If-None-Match": '"another"'})
        assert (len(queries["primary"]), len(queries["replica"])) == (2, 0)

    def test_nothing_is_asked_twice_where_reads_go_where_writes_go(
        self, client, person, queries, settings
    ):
        class Primary(PrimaryReplicaRouter):
            def db_for_read(self, model, **hints):
                return "default"

        settings.DATABASE_ROUTERS = [ReadYourWritesRouter(), Primary()]
        client.get(f"/people/{person.pk}/", headers={"If-None-Match": '"another"'})
        assert (len(queries["primary"]), len(queries["replica"])) == (2, 0)


class TestRouter:
    def test_one_request_keeps_to_one_replica(self, client, person, settings):
        """Its tag would be newer than its content, if the second replica were further behind."""

        class Alternately(PrimaryReplicaRouter):
            turns = 0

            def db_for_read(self, model, **hints):
                self.turns += 1
                return ("default", "other")[self.turns % 2]

        Person.objects.using("default").update(name="second")
        settings.DATABASE_ROUTERS = [ReadYourWritesRouter(), Alternately()]
        answers = [client.get(f"/people/{person.pk}/") for _ in range(4)]
        settings.DATABASE_ROUTERS = []
        newest = client.get(f"/people/{person.pk}/")["ETag"]
        shown = {answer["ETag"] == newest: answer.json()["name"] for answer in answers}
        assert shown[False] == "first"
        assert shown.get(True, "second") == "second"

    def test_it_has_no_opinion_outside_of_a_view(self):
        assert ReadYourWritesRouter().db_for_read(Person) is None

    def test_it_has_no_opinion_where_no_router_says_where_writes_go(self, client, person, settings):
        class Warehouse:
            def db_for_read(self, model, **hints):
                return "other"

        settings.DATABASE_ROUTERS = [ReadYourWritesRouter(), Warehouse()]
        answer = client.post(f"/databases/{person.pk}/", headers={"If-Match": "*"})
        assert answer.json()["of another model"] == "other"

    def test_nothing_is_asked_twice_where_no_router_says_where_writes_go(
        self, client, person, settings, queries
    ):
        class Warehouse:
            def db_for_read(self, model, **hints):
                return "other"

        settings.DATABASE_ROUTERS = [ReadYourWritesRouter(), Warehouse()]
        client.get(f"/people/{person.pk}/", headers={"If-None-Match": '"another"'})
        assert (len(queries["primary"]), len(queries["replica"])) == (0, 2)

    def test_a_row_found_by_another_field_is_compared_on_the_primary(self, client, routers):
        team = Team.objects.create(name="a")
        replicate(team)
        tag = client.get("/teams/a/")["ETag"]
        team.save()
        answer = client.get("/teams/a/", headers={"If-None-Match": tag})
        assert answer.status_code == 304
        newest = client.get("/teams/a/", headers={"If-None-Match": '"another"'})["ETag"]
        assert newest != tag
