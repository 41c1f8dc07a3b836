"""Django's own middleware and decorators around versioned views, in each order."""

import itertools
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.vary import vary_on_headers

from etag_versioning.cache_control import public
from etag_versioning.checks import http as http_checks
from etag_versioning.checks.http import check_cors, check_middleware, mended
from etag_versioning.decorators import versioned_condition
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

UPDATE = "django.middleware.cache.UpdateCacheMiddleware"
FETCH = "django.middleware.cache.FetchFromCacheMiddleware"
GZIP = "django.middleware.gzip.GZipMiddleware"
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"
CORS = "corsheaders.middleware.CorsMiddleware"

ALL = (UPDATE, GZIP, CONDITIONAL, COMMON, FETCH)
GZIPPED = {"Accept-Encoding": "gzip"}
# What a 304 repeats of the 200 (RFC 9110 §15.4.5).
KEPT = ("ETag", "Last-Modified", "Cache-Control", "Vary")


def page(request, pk):
    if request.method == "PUT":
        Person.objects.filter(pk=pk).update(days=1)
    return HttpResponse(f"{Person.objects.get(pk=pk).version} " * 500)


def allow_origin(get_response):
    def middleware(request):
        response = get_response(request)
        response["Access-Control-Allow-Origin"] = "*"
        return response

    return middleware


def name_session(request):
    request.session["name"] = request.GET["name"]
    return HttpResponse()


urlpatterns = [
    path("people/<int:pk>/", versioned_condition(Person)(page)),
    path("public/<int:pk>/", versioned_condition(Person, cache_control=public())(page)),
    path("controlled/<int:pk>/", cache_control(max_age=5)(versioned_condition(Person)(page))),
    path("never/<int:pk>/", never_cache(versioned_condition(Person)(page))),
    path("varied/<int:pk>/", vary_on_headers("X-Site")(versioned_condition(Person)(page))),
    path("gzipped/<int:pk>/", gzip_page(versioned_condition(Person)(page))),
    path("named/", name_session),
    path("hello/", lambda request: HttpResponse(str(request.session.get("name")))),
    path("plain/", lambda request: HttpResponse("plain" * 500)),
]


@pytest.fixture
def person():
    cache.clear()
    Person.objects.create(name="a")
    Person.objects.update(updated_at=timezone.now() - timedelta(minutes=1), version=1)
    return Person.objects.get()


def sensible():
    """Each order of each selection of Django's middleware to which the check says nothing."""
    for count in range(len(ALL) + 1):
        for order in itertools.permutations(ALL, count):
            if mended(order) == list(order) and (UPDATE in order) is (FETCH in order):
                yield order


def names(order):
    return "-".join(path.rpartition(".")[2].removesuffix("Middleware") for path in order) or "none"


@pytest.mark.parametrize("order", list(sensible()), ids=names)
def test_a_conversation_in_each_sensible_order(client, person, order, settings):
    """The tag as it was received gives 304, guards a write once, and then is stale."""
    settings.MIDDLEWARE = list(order)
    url = f"/people/{person.pk}/"
    full = client.get(url, headers=GZIPPED)
    tag = full["ETag"]
    assert tag.startswith("W/") is (GZIP in order)
    assert full["Cache-Control"] == "private, no-cache"

    again = client.get(url, headers={**GZIPPED, "If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert "Content-Length" not in again
    for name in KEPT:
        assert again.get(name) == full.get(name)
    head = client.head(url, headers={**GZIPPED, "If-None-Match": tag})
    assert head.status_code == 304
    assert "Content-Length" not in head

    write = client.put(url, headers={**GZIPPED, "If-Match": tag})
    assert write.status_code == 200
    lost = client.put(url, headers={**GZIPPED, "If-Match": tag})
    assert (lost.status_code, lost["Cache-Control"]) == (412, "no-store")
    fresh = client.get(url, headers={**GZIPPED, "If-None-Match": tag})
    assert fresh.status_code == 200
    assert fresh["ETag"] == write["ETag"] != tag


@pytest.mark.parametrize("order", list(sensible()), ids=names)
def test_vary_is_alike_for_who_takes_no_coding(client, person, order, settings):
    settings.MIDDLEWARE = list(order)
    url = f"/people/{person.pk}/"
    full = client.get(url)
    again = client.get(url, headers={"If-None-Match": full["ETag"]})
    assert again.status_code == 304
    assert again.get("Vary") == full.get("Vary")


def test_a_weakened_tag_is_refused_and_told_why_where_comparison_is_strong(
    client, person, settings
):
    """RFC 9110 §13.1.1."""
    settings.MIDDLEWARE = [GZIP, COMMON]
    settings.ETAG_VERSIONING = {"IF_MATCH": "strong"}
    url = f"/people/{person.pk}/"
    tag = client.get(url, headers=GZIPPED)["ETag"]
    answer = client.put(url, headers={"If-Match": tag})
    assert answer.status_code == 412
    assert "weakened" in answer.json()["message"]
    assert "Accept-Encoding: identity" in answer.json()["message"]
    identity = client.get(url)["ETag"]
    assert client.put(url, headers={"If-Match": identity}).status_code == 200


@pytest.mark.parametrize("kind", ["gzipped", "varied", "controlled", "never"])
def test_decorators_above_are_on_200_and_304_alike(client, person, kind):
    url = f"/{kind}/{person.pk}/"
    full = client.get(url, headers=GZIPPED)
    again = client.get(url, headers={**GZIPPED, "If-None-Match": full["ETag"]})
    assert again.status_code == 304
    for name in KEPT:
        assert again.get(name) == full.get(name)
    expected = {
        "gzipped": ("Vary", "Accept-Encoding"),
        "varied": ("Vary", "X-Site"),
        "controlled": ("Cache-Control", "max-age=5"),
        "never": ("Cache-Control", "no-store"),
    }
    name, value = expected[kind]
    assert value in again[name]
    assert "private" in again["Cache-Control"]


class TestDjangosCache:
    @pytest.fixture(autouse=True)
    def order(self, settings):
        settings.MIDDLEWARE = [UPDATE, SESSION, CONDITIONAL, COMMON, FETCH]
        settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

    def test_keeps_nothing_private(self, client, person, django_assert_num_queries):
        url = f"/people/{person.pk}/"
        client.get(url)
        with django_assert_num_queries(2):
            client.get(url)

    def test_keeps_what_is_public_and_answers_304_from_it(
        self, client, person, django_assert_num_queries
    ):
        url = f"/public/{person.pk}/"
        full = client.get(url)
        assert "public" in full["Cache-Control"]
        with django_assert_num_queries(0):
            again = client.get(url, headers={"If-None-Match": full["ETag"]})
        assert again.status_code == 304

    def test_is_not_filled_by_who_has_credentials(self, client, person, django_assert_num_queries):
        url = f"/public/{person.pk}/"
        answer = client.get(url, headers={"Authorization": "Basic eA=="})
        assert "public" not in answer["Cache-Control"]
        assert "private" in answer["Cache-Control"]
        with django_assert_num_queries(2):
            client.get(url)

    def test_keeps_no_error(self, client, person, django_assert_num_queries):
        url = f"/public/{person.pk}/"
        headers = {"If-Match": '"stale"'}
        for _ in range(2):
            with django_assert_num_queries(1):
                assert client.get(url, headers=headers).status_code == 412


class TestCheck:
    def test_says_nothing_of_djangos_documented_order(self, settings):
        settings.MIDDLEWARE = [UPDATE, CORS, GZIP, SESSION, CONDITIONAL, LOCALE, COMMON, FETCH]
        settings.CORS_EXPOSE_HEADERS = ["ETag"]
        settings.CORS_ALLOW_HEADERS = ["accept", "If-Match", "If-None-Match"]
        assert check_middleware() == check_cors() == []

    @pytest.mark.parametrize(("first", "second", "reason"), http_checks._ORDER)
    def test_names_each_wrong_order_and_the_right_one(self, first, second, reason, settings):
        settings.MIDDLEWARE = ["a.B", second, "c.D", first, "e.F"]
        messages = [found for found in check_middleware() if found.id.endswith("W101")]
        (message,) = messages
        assert reason in message.msg
        right = mended(settings.MIDDLEWARE)
        assert right == ["a.B", first, second, "c.D", "e.F"]
        settings.MIDDLEWARE = right
        assert [f'"{path}"' for path in right] == [
            line.strip(" ,") for line in message.hint.splitlines()[1:-1]
        ]
        assert not [found for found in check_middleware() if found.id.endswith("W101")]

    def test_mends_any_order(self):
        for given in itertools.permutations((*ALL, SESSION, CORS)):
            order = mended(given)
            assert sorted(order) == sorted(given)
            for first, second, _ in http_checks._ORDER:
                if {first, second} <= set(order):
                    assert order.index(first) < order.index(second)

    def test_misses_what_answers_304_from_djangos_cache(self, settings):
        settings.MIDDLEWARE = [UPDATE, COMMON, FETCH]
        (message,) = check_middleware()
        assert message.id == "etag_versioning.W102"
        lines = [line.strip(' ",') for line in message.hint.splitlines()[1:-1]]
        assert lines == [UPDATE, CONDITIONAL, COMMON, FETCH]

    @pytest.mark.parametrize(
        ("exposed", "allowed", "mends"),
        [
            ([], [], 2),
            (["etag"], ["if-match"], 1),
            (["ETag"], None, 1),
            (["x"], ["if-match", "if-none-match"], 1),
            (["etag"], ["If-Match", "If-None-Match"], 0),
        ],
    )
    def test_cors_has_to_let_tags_through(self, settings, exposed, allowed, mends):
        settings.CORS_EXPOSE_HEADERS = exposed
        settings.CORS_ALLOW_HEADERS = allowed
        settings.MIDDLEWARE = [COMMON]
        assert check_cors() == []
        settings.MIDDLEWARE = [CORS, COMMON]
        messages = check_cors()
        assert [message.id for message in messages] == ["etag_versioning.W103"] * bool(mends)
        for message in messages:
            assert len(message.hint.splitlines()) == mends


class TestWhatTheCheckPrevents:
    """Each rule is there for something that does go wrong."""

    @staticmethod
    def both(settings, order):
        """A client for an order of middleware, and one for the order that the check names."""
        for middleware in (order, mended(order)):
            settings.MIDDLEWARE = middleware
            cache.clear()
            yield Client()

    def test_compressed_forms_have_a_new_tag_each_time(self, settings):
        counts = [
            len({client.get("/plain/", headers=GZIPPED)["ETag"] for _ in range(5)})
            for client in self.both(settings, [CONDITIONAL, GZIP])
        ]
        # Padded by a length that is drawn by lot: two may be of the same.
        assert counts[0] > 1
        assert counts[1] == 1

    def test_a_304_gets_a_content_length(self, settings):
        lengths = []
        for client in self.both(settings, [COMMON, CONDITIONAL]):
            headers = {"If-None-Match": client.get("/plain/")["ETag"]}
            answer = client.get("/plain/", headers=headers)
            lengths.append((answer.status_code, answer.get("Content-Length")))
        assert lengths == [(304, "0"), (304, None)]

    def test_the_cache_answers_in_full(self, person, settings):
        statuses = []
        for client in self.both(settings, [UPDATE, FETCH, CONDITIONAL]):
            url = f"/public/{person.pk}/"
            headers = {"If-None-Match": client.get(url)["ETag"]}
            statuses.append(client.get(url, headers=headers).status_code)
        assert statuses == [200, 304]

    def test_pages_are_shown_to_others(self, settings):
        settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
        contents = []
        for client in self.both(settings, [SESSION, UPDATE, CONDITIONAL, FETCH]):
            client.get("/named/", {"name": "a"})
            client.get("/hello/")
            contents.append(Client().get("/hello/").content)
        assert contents == [b"a", b"None"]

    def test_scripts_of_other_origins_cannot_see_a_304(self, settings):
        """By a stand-in for corsheaders, which may not be installed."""
        origins = []
        stand_in = f"{__name__}.allow_origin"
        for order in ([CONDITIONAL, stand_in], [stand_in, CONDITIONAL]):
            settings.MIDDLEWARE = order
            client = Client()
            headers = {"If-None-Match": client.get("/plain/")["ETag"]}
            answer = client.get("/plain/", headers=headers)
            assert answer.status_code == 304
            origins.append(answer.get("Access-Control-Allow-Origin"))
        assert origins == [None, "*"]
