"""409 for a stale write that a view without a guard lets out."""

import json

import pytest
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.urls import path

from etag_versioning.exceptions import StaleWriteError, VersioningError, VersionNotLoaded
from etag_versioning.middleware import StaleWriteMiddleware
from tests.testapp.models import Person

RAISED = {
    "stale": lambda: StaleWriteError(Person, 7, "default"),
    "not-loaded": lambda: VersionNotLoaded("loaded without its version"),
    "error": lambda: ValueError("something else"),
    "missing": lambda: Http404("no such row"),
}


def view(request, what):
    if what == "nothing":
        return HttpResponse("fine")
    raise RAISED[what]()


async def coroutine_view(request, what):
    return view(request, what)


urlpatterns = [path("sync/<what>/", view), path("async/<what>/", coroutine_view)]

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def middleware(settings):
    settings.MIDDLEWARE = ["etag_versioning.middleware.StaleWriteMiddleware"]


def assert_conflict(response):
    assert response.status_code == 409
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert not response.has_header("ETag")
    body = json.loads(response.content)
    assert body.keys() == {"error", "reason", "message"}
    assert body["error"] == "CONFLICT"
    assert "Nothing was written" in body["message"]
    assert "Person" not in body["message"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stale_write_is_a_conflict(client, kind):
    assert_conflict(client.put(f"/{kind}/stale/"))


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.usefixtures("close_connections")
async def test_a_stale_write_is_a_conflict_under_asgi(async_client, kind):
    assert_conflict(await async_client.put(f"/{kind}/stale/"))


def test_without_the_middleware_it_is_an_error_of_the_server(client, settings):
    settings.MIDDLEWARE = []
    with pytest.raises(StaleWriteError):
        client.put("/sync/stale/")


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("what", "error"), [("not-loaded", VersionNotLoaded), ("error", ValueError)]
)
def test_other_errors_are_left_alone(client, kind, what, error):
    with pytest.raises(error):
        client.put(f"/{kind}/{what}/")


@pytest.mark.usefixtures("close_connections")
async def test_other_errors_are_left_alone_under_asgi(async_client):
    with pytest.raises(ValueError, match="something else"):
        await async_client.put("/async/error/")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_other_answers_are_left_alone(client, kind):
    assert client.get(f"/{kind}/missing/").status_code == 404
    response = client.get(f"/{kind}/nothing/")
    assert (response.status_code, response.content) == (200, b"fine")


@pytest.mark.parametrize(
    "error", [VersioningError("base"), VersionNotLoaded("x"), ValueError(), Http404()]
)
def test_the_hook_answers_for_nothing_else(error):
    middleware = StaleWriteMiddleware(lambda request: HttpResponse())
    assert middleware.process_exception(RequestFactory().put("/"), error) is None


def test_the_answer_of_the_hook_has_its_content():
    """So that the middleware above it can read its content."""
    middleware = StaleWriteMiddleware(lambda request: HttpResponse())
    response = middleware.process_exception(RequestFactory().put("/"), RAISED["stale"]())
    assert response.content
    assert_conflict(response)
