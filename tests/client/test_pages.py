"""What docs/python-client.md and docs/mobile.md say, against a server."""

import json
import uuid

import httpx
import pytest
from django.http import JsonResponse
from django.urls import path

from etag_versioning.contrib.client import VersionedClient
from etag_versioning.decorators import versioned_condition
from tests.documentation.blocks import DOCS, blocks
from tests.testapp.models import Country


def run(page, address=""):
    """Run the Python blocks of a page, in order; returns the names that they define."""
    names = {}
    for block in blocks(DOCS / page):
        if block.language == "python":
            text = block.text.replace("https://example.org", address)
            exec(compile(text, str(block), "exec"), names)
    return names


class LosesAnswers(httpx.HTTPTransport):
    """Sends each request, and loses the answer to the first write."""

    lost = False

    def handle_request(self, request):
        response = super().handle_request(request)
        if request.method in ("PUT", "PATCH") and not self.lost:
            self.lost = True
            response.read()
            raise httpx.ReadTimeout("The answer was lost.", request=request)
        return response


@pytest.fixture
def client(address):
    with httpx.Client(base_url=address, transport=LosesAnswers()) as client:
        yield client


@pytest.fixture
def other(address):
    with VersionedClient(base_url=address) as other:
        yield other


def test_the_blocks_of_the_page_on_python_clients_write_what_they_say(address):
    before = httpx.get(f"{address}/users/7/").json()
    run("python-client.md", address)
    after = httpx.get(f"{address}/users/7/").json()
    assert after["desk"] == "B12"
    assert after["leave_days"] == before["leave_days"] + 2


def test_a_write_whose_answer_was_lost_is_412_when_it_is_sent_again(client):
    tag = {"If-Match": client.get("/users/11/").headers["ETag"]}
    with pytest.raises(httpx.ReadTimeout):
        client.patch("/users/11/", json={"desk": "C1"}, headers=tag)
    assert client.patch("/users/11/", json={"desk": "C1"}, headers=tag).status_code == 412
    assert client.get("/users/11/").json()["desk"] == "C1"


def test_ones_own_write_is_told_from_that_of_somebody_else(client):
    read = client.get("/users/12/")
    save = run("mobile.md")["save"]
    assert save(client, "/users/12/", read.headers["ETag"], {"desk": "C2"})
    assert client.get("/users/12/").json()["version"] == read.json()["version"] + 1


def test_the_write_of_somebody_else_is_told_from_ones_own(client, other):
    tag = client.get("/users/13/").headers["ETag"]
    other.get("/users/13/")
    other.patch("/users/13/", json={"desk": "theirs"}).raise_for_status()
    save = run("mobile.md")["save"]
    assert not save(client, "/users/13/", tag, {"desk": "C3"})
    assert client.get("/users/13/").json()["desk"] == "theirs"


def test_a_write_that_did_not_arrive_is_made(address):
    class Unreachable(httpx.HTTPTransport):
        tried = False

        def handle_request(self, request):
            if request.method == "PATCH" and not self.tried:
                self.tried = True
                raise httpx.ConnectError("no network", request=request)
            return super().handle_request(request)

    with httpx.Client(base_url=address, transport=Unreachable()) as client:
        tag = client.get("/users/14/").headers["ETag"]
        assert run("mobile.md")["save"](client, "/users/14/", tag, {"desk": "C4"})
        assert client.get("/users/14/").json()["desk"] == "C4"


def test_a_refresh_in_the_background_does_not_renew_the_tag_that_an_app_has_stored(address, other):
    with VersionedClient(base_url=address) as app:
        stored = app.get("/users/15/").headers["ETag"]
        other.get("/users/15/")
        other.patch("/users/15/", json={"desk": "theirs"}).raise_for_status()
        app.get("/users/15/")
        guard = {"If-Match": stored}
        assert app.patch("/users/15/", json={"desk": "mine"}, headers=guard).status_code == 412


@pytest.mark.parametrize("form", ['W/"{}"', '"{}-gzip"'])
def test_a_tag_as_a_proxy_makes_it_guards_a_write(address, other, form):
    opaque = other.get("/users/16/").headers["ETag"].strip('"')
    tag = form.format(opaque)
    with VersionedClient(base_url=address) as app:
        app.remember("/users/16/", tag)
        assert app.patch("/users/16/", json={"desk": "mine"}).status_code == 200
        app.remember("/users/16/", tag)
        assert app.patch("/users/16/", json={"desk": "again"}).status_code == 412


def test_a_merge_sends_my_changes_and_names_the_clashes():
    merge = run("mobile.md")["merge"]
    base = {"desk": "A", "days": 1, "band": "x", "zone": "UTC"}
    mine = {"desk": "B", "days": 2, "band": "x", "zone": "CET"}
    theirs = {"desk": "A", "days": 3, "band": "y", "zone": "CET"}
    assert merge(base, mine, theirs) == ({"desk": "B", "days": 2, "zone": "CET"}, ["days"])


@versioned_condition(Country, lookup_url_kwarg="country_id", allow_create=True)
def country_detail(request, country_id):
    country = Country.objects.filter(pk=country_id).first() or Country(pk=country_id)
    country.code = json.loads(request.body)["code"]
    country.save()
    return JsonResponse({"code": country.code}, status=201)


urlpatterns = [path("countries/<uuid:country_id>/", country_detail)]


@pytest.mark.urls(__name__)
def test_what_was_created_before_its_answer_was_lost_is_not_created_again(live_server):
    create, url = run("mobile.md")["create"], f"/countries/{uuid.uuid4()}/"
    with httpx.Client(base_url=live_server.url, transport=LosesAnswers()) as client:
        with pytest.raises(httpx.ReadTimeout):
            create(client, url, {"code": "FI"})
        create(client, url, {"code": "FI"})
    assert [country.code for country in Country.objects.all()] == ["FI"]
