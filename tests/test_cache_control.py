"""Cache-Control: presets, and what credentials make of them."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import RequestFactory

from etag_versioning import cache_control
from etag_versioning.cache_control import check_cache_control, set_cache_control
from etag_versioning.http.headers import NotModified
from etag_versioning.http.preconditions import Decision, Outcome, Validators

ANONYMOUS = RequestFactory().get("/")


@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        (None, {"private", "no-cache"}),
        ({"private": True, "max_age": 60}, {"private", "max-age=60"}),
        (
            {"public": True, "max_age": 300, "stale_while_revalidate": 60},
            {"public", "max-age=300", "stale-while-revalidate=60"},
        ),
        ({}, None),
    ],
)
@pytest.mark.parametrize(
    "answer", [HttpResponse, lambda: NotModified(Validators(), Decision(Outcome.NOT_MODIFIED))]
)
def test_cache_control(directives, expected, answer):
    response = answer()
    set_cache_control(response, directives, ANONYMOUS)
    value = response.headers.get("Cache-Control")
    assert (value if value is None else set(value.split(", "))) == expected


@pytest.mark.parametrize("directives", [None, {"public": True}, {}])
@pytest.mark.parametrize("own", ["max-age=5", "no-store", ""])
def test_the_views_own_cache_control_stays(directives, own):
    response = HttpResponse(headers={"Cache-Control": own})
    set_cache_control(response, directives, ANONYMOUS)
    assert response["Cache-Control"] == own


def test_the_default_cache_control_is_not_used_up():
    for _ in range(2):
        response = HttpResponse()
        set_cache_control(response, None, ANONYMOUS)
        assert response["Cache-Control"] == "private, no-cache"


def with_session():
    request = RequestFactory().get("/")
    request.COOKIES["sessionid"] = "a"
    return request


def directives(chosen, request):
    response = HttpResponse()
    set_cache_control(response, chosen, request)
    return set(response.get("Cache-Control", "").split(", "))


PUBLIC = {"public", "max-age=300", "stale-while-revalidate=60", "stale-if-error=3600"}


@pytest.mark.parametrize(
    ("chosen", "anonymous", "credentials"),
    [
        (None, {"private", "no-cache"}, {"private", "no-cache"}),
        (cache_control.private(), {"private", "max-age=60"}, {"private", "max-age=60"}),
        (cache_control.public(), PUBLIC, PUBLIC - {"public"} | {"private"}),
        (cache_control.public(to_credentials=True), PUBLIC, PUBLIC),
        ({"max_age": 60}, {"max-age=60"}, {"private", "max-age=60"}),
        ({"s_maxage": 60}, {"s-maxage=60"}, {"private"}),
        (
            {"max_age": 5, "must_revalidate": True},
            {"max-age=5", "must-revalidate"},
            {"private", "max-age=5"},
        ),
        ({"no_store": True}, {"no-store"}, {"no-store"}),
        ({}, {""}, {""}),
    ],
)
@pytest.mark.parametrize("credentials_by", ["header", "cookie"])
def test_credentials_are_not_told_public(chosen, anonymous, credentials, credentials_by):
    """RFC 9111 §3.5: a shared cache may hand a public answer to anybody."""
    if credentials_by == "cookie":
        request = with_session()
    else:
        request = RequestFactory().get("/", headers={"Authorization": "Basic eA=="})
    assert directives(chosen, ANONYMOUS) == anonymous
    assert directives(chosen, request) == credentials


def test_the_session_is_known_by_its_cookie_and_not_touched(settings):
    settings.SESSION_COOKIE_NAME = "sid"
    assert not cache_control.bears_credentials(with_session())
    request = RequestFactory().get("/")
    request.COOKIES["sid"] = ""
    assert cache_control.bears_credentials(request)
    assert not hasattr(request, "session")


@pytest.mark.parametrize(
    "chosen",
    [
        {"public": True, "private": True},
        {"no_store": True, "max_age": 60},
        {"no_cache": True, "stale_while_revalidate": 60},
        {"must_revalidate": True, "stale_if_error": 60},
        {"public": True, "no_store": True},
    ],
)
def test_directives_that_contradict_each_other_are_a_mistake(chosen):
    """RFC 9111 §4.2.1, §4.2.4: the stricter one would win, and nobody would see it."""
    with pytest.raises(ImproperlyConfigured, match=r"cache_control\.private"):
        check_cache_control(chosen)


@pytest.mark.parametrize(
    "chosen",
    [None, {}, cache_control.private(), cache_control.public(), {"public": False, "private": True}],
)
def test_directives_that_go_together(chosen):
    check_cache_control(chosen)
