"""Would-be 304s of decorated views."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib import messages
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.db import connection, connections, transaction
from django.http import FileResponse, Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone

from etag_versioning import etag_extra as terms
from etag_versioning.decorators import versioned_condition
from etag_versioning.signals import lying_tag_found, precondition_evaluated
from tests.testapp.models import Note, Person, Team

ANSWERS = {}


@versioned_condition(Person)
def card(request, pk):
    """Shows the team's name, which changes without the person's tag."""
    person = Person.objects.select_related("team").get(pk=pk)
    team = {"name": person.team.name, "members": list(ANSWERS.get("members", []))}
    return JsonResponse({"name": person.name, "team": team})


@versioned_condition(Person)
def anything(request, pk):
    """Does what a test says."""
    return ANSWERS["view"](request, Person.objects.get(pk=pk))


@versioned_condition(Person, etag_extra=[terms.csrf_token])
def form(request, pk):
    """Shows a form, and the team's name."""
    person = Person.objects.get(pk=pk)
    page = engines["django"].from_string("<form>{% csrf_token %}</form>{{ person.team.name }}")
    return TemplateResponse(request, page, {"person": person})


@versioned_condition(etag_func=lambda request: "always-the-same")
def counting(request):
    """Writes, although its tag needs no query."""
    Note.objects.create(text="seen")
    return HttpResponse("counted")


urlpatterns = [
    path("counting/", counting),
    path("cards/<int:pk>/", card),
    path("anything/<int:pk>/", anything),
    path("form/<int:pk>/", form),
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture(autouse=True)
def answers():
    yield ANSWERS
    ANSWERS.clear()


@pytest.fixture
def person():
    return Person.objects.create(name="Ada", team=Team.objects.create(name="Secret"))


def get(person, tag=None, page="cards", **headers):
    if tag is not None:
        headers["If-None-Match"] = tag
    return Client().get(f"/{page}/{person.pk}/", headers=headers)


def test_a_changed_row_that_no_touch_covers_is_answered_with_the_fresh_200(person):
    tag = get(person)["ETag"]
    person.team.name = "Renamed"
    person.team.save()
    fresh = get(person, tag)
    assert fresh.status_code == 200
    assert fresh.json()["team"]["name"] == "Renamed"
    assert fresh["ETag"] == tag
    assert fresh["Cache-Control"] == "private, no-cache"


def test_the_log_names_view_route_and_paths_and_no_value(person, caplog):
    tag = get(person)["ETag"]
    person.team.name = "Renamed"
    person.team.save()
    get(person, tag)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("etag_versioning.audit", "WARNING")
    assert record.getMessage() == (
        "tests.runtime_audit.test_plain_views.card (cards/<int:pk>/): the tag is the same, and "
        "the content is not. These parts differ: team.name"
    )
    assert "Secret" not in str(vars(record))
    assert "Renamed" not in str({**vars(record), "request": None})


def test_the_signal_carries_view_route_tag_and_paths(person, signals):
    tag = get(person)["ETag"]
    person.team.name = "Renamed"
    person.team.save()
    get(person, tag)
    assert signals == [
        {
            "view": "tests.runtime_audit.test_plain_views.card",
            "route": "cards/<int:pk>/",
            "etag": tag,
            "parts": ["team.name"],
        }
    ]


def test_a_receiver_that_fails_changes_nothing(person):
    def fail(**kwargs):
        raise ValueError

    tag = get(person)["ETag"]
    Team.objects.update(name="Renamed")
    lying_tag_found.connect(fail)
    try:
        assert get(person, tag).status_code == 200
    finally:
        lying_tag_found.disconnect(fail)


def test_a_difference_is_counted(person, summary):
    tag = get(person)["ETag"]
    Team.objects.update(name="Renamed")
    get(person, tag)
    found = summary()
    assert found.differences == 1
    assert found.last[0]["view"] == "tests.runtime_audit.test_plain_views.card"
    assert found.last[0]["route"] == "cards/<int:pk>/"
    assert found.last[0]["parts"] == ["team.name"]


def test_an_item_that_is_gone_is_named_by_its_array(person, signals):
    ANSWERS["members"] = ["Ada", "Bob"]
    tag = get(person)["ETag"]
    ANSWERS["members"] = ["Ada"]
    get(person, tag)
    assert signals[0]["parts"] == ["team.members"]


def test_what_was_last_sent_counts(person, signals):
    tag = get(person)["ETag"]
    Team.objects.update(name="Renamed")
    assert get(person, tag).status_code == 200
    assert get(person, tag).status_code == 304
    assert len(signals) == 1


def test_a_200_that_differs_from_the_last_one_is_told_too(person, signals):
    get(person)
    Team.objects.update(name="Renamed")
    assert get(person).status_code == 200
    assert [each["parts"] for each in signals] == [["team.name"]]


def test_honest_requests_are_answered_304_and_raise_no_alarm(person, signals, caplog, summary):
    for number in range(20):
        tag = get(person)["ETag"]
        assert get(person, tag).status_code == 304
        person.name = f"Ada {number}"
        person.save()
    assert (signals, caplog.records) == ([], [])
    assert summary()[:2] == (40, 0)


def test_a_304_has_the_headers_that_it_has_without_an_audit(person, settings):
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

    def uses_all(request, person):
        request.session["seen"] = True
        return HttpResponse(person.name)

    ANSWERS["view"] = uses_all
    # Last-Modified is left out in the second in which a row was written.
    written = timezone.now() - timedelta(days=1)
    Person.objects.unversioned().update(updated_at=written)
    tag = get(person, page="anything")["ETag"]
    audited = get(person, tag, page="anything")
    settings.ETAG_VERSIONING = {}
    plain = get(person, tag, page="anything")
    assert audited.status_code == plain.status_code == 304
    assert audited.headers == plain.headers
    assert audited.cookies == plain.cookies == {}


def test_conditional_get_middleware_sends_the_fresh_200(person, settings):
    settings.MIDDLEWARE = ["django.middleware.http.ConditionalGetMiddleware"]
    tag = get(person)["ETag"]
    Team.objects.update(name="Renamed")
    assert get(person, tag).status_code == 200


def test_what_a_view_writes_at_a_304_is_rolled_back(person):
    def counts(request, person):
        Note.objects.create(text="seen")
        return HttpResponse(person.name)

    ANSWERS["view"] = counts
    tag = get(person, page="anything")["ETag"]
    assert get(person, tag, page="anything").status_code == 304
    assert Note.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_a_view_writes_is_rolled_back_by_a_thread_that_had_no_connection():
    def ask(**headers):
        try:
            return Client().get("/counting/", headers=headers)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        tag = first.submit(ask).result()["ETag"]
        assert second.submit(ask, if_none_match=tag).result().status_code == 304
    assert Note.objects.count() == 1


def loads_the_session(get_response):
    def middleware(request):
        request.session.get("visits")
        return get_response(request)

    return middleware


def adds_a_message(get_response):
    def middleware(request):
        messages.info(request, "hello")
        return get_response(request)

    return middleware


def with_sessions(settings, *middleware, kept_in="db"):
    settings.MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", *middleware]
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{kept_in}"


@pytest.mark.parametrize("kept_in", ["db", "cache", "cached_db", "signed_cookies"])
def test_what_a_view_puts_into_a_session_is_not_saved_with_the_session(person, settings, kept_in):
    with_sessions(settings, f"{__name__}.loads_the_session", kept_in=kept_in)
    settings.SESSION_SAVE_EVERY_REQUEST = True

    def counts(request, person):
        request.session.setdefault("visits", []).append("seen")
        return HttpResponse(person.name)

    ANSWERS["view"] = counts
    client, url = Client(), f"/anything/{person.pk}/"
    tag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert client.session["visits"] == ["seen"]


def test_a_session_that_a_view_begins_at_a_304_is_not_there(person, settings):
    with_sessions(settings)
    settings.SESSION_SAVE_EVERY_REQUEST = True

    def begins(request, person):
        request.session.create()
        request.session["cart"] = []
        return HttpResponse(person.name)

    ANSWERS["view"] = begins
    tag = get(person, page="anything")["ETag"]
    answer = get(person, tag, page="anything")
    assert (answer.status_code, answer.cookies) == (304, {})


def test_a_fresh_200_is_sent_where_the_view_begins_a_session(person, settings):
    with_sessions(settings)

    def begins(request, person):
        request.session.create()
        return HttpResponse(person.team.name)

    ANSWERS["view"] = begins
    tag = get(person, page="anything")["ETag"]
    Team.objects.update(name="Renamed")
    answer = get(person, tag, page="anything")
    assert (answer.status_code, answer.content) == (200, b"Renamed")
    assert answer["Vary"] == "Cookie"


@pytest.mark.parametrize("others", [[], [f"{__name__}.adds_a_message"]])
def test_a_message_that_a_view_adds_at_a_304_is_not_shown_later(person, settings, others):
    with_sessions(settings, "django.contrib.messages.middleware.MessageMiddleware", *others)

    def adds(request, person):
        messages.info(request, "seen")
        return HttpResponse(person.name)

    def shows(request, person):
        return HttpResponse(" ".join(map(str, messages.get_messages(request))))

    ANSWERS["view"] = adds
    client, url = Client(), f"/anything/{person.pk}/"
    tag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    ANSWERS["view"] = shows
    assert client.get(url).content.split().count(b"seen") == 1


def test_a_304_without_a_digest_stays_and_is_what_the_next_is_compared_with(person):
    tag = get(person)["ETag"]
    caches["audit"].clear()
    assert get(person, tag).status_code == 304
    Team.objects.update(name="Renamed")
    assert get(person, tag).status_code == 200


def test_two_addresses_with_the_same_tag_are_two_resources(person, signals):
    ANSWERS["view"] = lambda request, person: JsonResponse({"other": person.name})
    tag = get(person)["ETag"]
    assert get(person, page="anything")["ETag"] == tag
    assert get(person, tag).status_code == get(person, tag, page="anything").status_code == 304
    assert signals == []


@pytest.mark.parametrize("refusal", [Http404, PermissionDenied])
def test_what_a_view_refuses_by_now_is_refused(person, signals, refusal):
    ANSWERS["view"] = lambda request, person: HttpResponse(person.name)
    tag = get(person, page="anything")["ETag"]

    def refuse(request, person):
        raise refusal

    ANSWERS["view"] = refuse
    assert get(person, tag, page="anything").status_code in (403, 404)
    assert signals[0]["parts"] == ["status"]


def test_a_redirect_in_the_place_of_a_200_is_sent(person, signals):
    ANSWERS["view"] = lambda request, person: HttpResponse(person.name)
    tag = get(person, page="anything")["ETag"]
    ANSWERS["view"] = lambda request, person: HttpResponse(status=302, headers={"Location": "/"})
    assert get(person, tag, page="anything").status_code == 302
    assert signals[0]["parts"] == ["status"]


def test_a_view_that_fails_leaves_the_304(person, signals, caplog):
    ANSWERS["view"] = lambda request, person: HttpResponse(person.name)
    tag = get(person, page="anything")["ETag"]

    def fail(request, person):
        raise ValueError("secret value")

    ANSWERS["view"] = fail
    assert get(person, tag, page="anything").status_code == 304
    assert signals == []
    (record,) = caplog.records
    assert record.getMessage() == (
        "tests.runtime_audit.test_plain_views.anything could not be audited: ValueError"
    )


def test_a_response_of_500_leaves_the_304(person, signals):
    ANSWERS["view"] = lambda request, person: HttpResponse(person.name)
    tag = get(person, page="anything")["ETag"]
    ANSWERS["view"] = lambda request, person: HttpResponse(status=500)
    assert get(person, tag, page="anything").status_code == 304
    assert signals == []


def test_a_statement_that_fails_leaves_the_transaction_usable(person):
    ANSWERS["view"] = lambda request, person: HttpResponse(person.name)
    tag = get(person, page="anything")["ETag"]

    def fail(request, person):
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    ANSWERS["view"] = fail
    assert get(person, tag, page="anything").status_code == 304
    assert Person.objects.count() == 1


def test_a_connection_that_was_lost_keeps_nothing_from_being_compared(person, monkeypatch):
    tag = get(person)["ETag"]
    Team.objects.update(name="Renamed")
    monkeypatch.setattr(connections["other"], "connection", object())
    assert get(person, tag).status_code == 200


def test_a_durable_block_leaves_the_304(person):
    def durable(request, person):
        with transaction.atomic(durable=True):
            return HttpResponse(person.name)

    ANSWERS["view"] = lambda request, person: HttpResponse(person.name)
    tag = get(person, page="anything")["ETag"]
    ANSWERS["view"] = durable
    assert get(person, tag, page="anything").status_code == 304


def test_a_row_that_changes_between_tag_and_content_is_no_lie(person, signals):
    def overtaken(request, person):
        Person.objects.filter(pk=person.pk).update(name="Changed meanwhile")
        person.refresh_from_db()
        return HttpResponse(person.name)

    ANSWERS["view"] = lambda request, person: HttpResponse(person.name)
    tag = get(person, page="anything")["ETag"]
    ANSWERS["view"] = overtaken
    assert get(person, page="anything")["ETag"] == tag
    assert signals == []


def test_a_file_is_not_compared_and_is_closed(person, signals, tmp_path):
    opened = []

    def download(request, person):
        opened.append(tmp_path.joinpath("file.txt").open("rb"))
        return FileResponse(opened[-1])

    tmp_path.joinpath("file.txt").write_text("first")
    ANSWERS["view"] = download
    first = get(person, page="anything")
    opened[0].close()
    tmp_path.joinpath("file.txt").write_text("second")
    assert get(person, first["ETag"], page="anything").status_code == 304
    assert signals == []
    assert [file.closed for file in opened] == [True, True]


def test_a_stream_is_not_compared(person, signals):
    ANSWERS["view"] = lambda request, person: StreamingHttpResponse(iter(["first"]))
    tag = get(person, page="anything")["ETag"]
    ANSWERS["view"] = lambda request, person: StreamingHttpResponse(iter(["second"]))
    assert get(person, tag, page="anything").status_code == 304
    assert signals == []


def test_a_large_response_is_not_compared(person, settings, signals):
    settings.ETAG_VERSIONING = {
        "AUDIT": {"sample_rate": 1, "cache": "audit", "max_bytes": 10},
    }
    tag = get(person)["ETag"]
    Team.objects.update(name="Renamed")
    assert get(person, tag).status_code == 304
    assert signals == []


def test_many_parts_have_one_digest(person, signals):
    ANSWERS["members"] = [f"member {number}" for number in range(600)]
    tag = get(person)["ETag"]
    assert all(len(str(value)) < 100 for value in caches["audit"]._cache.values())
    ANSWERS["members"][599] = "another"
    assert get(person, tag).status_code == 200
    assert signals[0]["parts"] == ["content"]


def test_digests_are_kept_for_the_timeout(person, settings, monkeypatch):
    settings.ETAG_VERSIONING = {"AUDIT": {"sample_rate": 1, "cache": "audit", "timeout": 60}}
    kept = []
    cache = type(caches["audit"])
    original = cache.set
    monkeypatch.setattr(
        cache, "set", lambda self, *args, **kwargs: kept.append(args) or original(self, *args)
    )
    get(person)
    assert [timeout for _, _, timeout in kept] == [60]


def test_the_cache_holds_no_content(person):
    ANSWERS["members"] = ["Ada Lovelace"]
    tag = get(person)["ETag"]
    held = str(caches["audit"]._cache)
    for text in ("Secret", "Ada", "members", tag.strip('"'), "cards"):
        assert text not in held


def test_a_page_with_a_form_is_compared_without_the_token(person, signals, settings):
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
    client, url = Client(), f"/form/{person.pk}/"
    tag = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert signals == []
    Team.objects.update(name="Renamed")
    fresh = client.get(url, headers={"If-None-Match": tag})
    assert (fresh.status_code, b"Renamed" in fresh.content) == (200, True)
    assert signals[0]["parts"] == ["line 1"]


def test_a_template_response_is_compared_once_it_is_rendered(person, signals):
    def page(request, person):
        compiled = engines["django"].from_string("{{ person.team.name }}")
        return TemplateResponse(request, compiled, {"person": person})

    ANSWERS["view"] = page
    tag = get(person, page="anything")["ETag"]
    assert get(person, tag, page="anything").status_code == 304
    assert signals == []
    Team.objects.update(name="Renamed")
    fresh = get(person, tag, page="anything")
    assert (fresh.status_code, b"Renamed" in fresh.content) == (200, True)
    assert signals[0]["parts"] == ["line 1"]


class ChangesContext:
    """A middleware that no audit can put before it renders."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_template_response(self, request, response):
        response.context_data["greeting"] = "Hello"
        return response


def test_a_template_that_middleware_changes_is_not_compared(person, settings, signals):
    def page(request, person):
        template = engines["django"].from_string("{{ greeting }} {{ person.team.name }}")
        return TemplateResponse(request, template, {"person": person})

    settings.MIDDLEWARE = [f"{__name__}.ChangesContext"]
    ANSWERS["view"] = page
    tag = get(person, page="anything")["ETag"]
    assert get(person, tag, page="anything").status_code == 304
    Team.objects.update(name="Renamed")
    assert get(person, tag, page="anything").status_code == 304
    assert signals == []
    assert get(person, page="anything").content == b"Hello Renamed"
    assert signals[0]["parts"] == ["line 1"]


def test_a_head_is_not_audited(person, signals):
    tag = get(person)["ETag"]
    Team.objects.update(name="Renamed")
    headers = {"If-None-Match": tag}
    assert Client().head(f"/cards/{person.pk}/", headers=headers).status_code == 304
    assert signals == []


def test_keys_of_json_are_escaped_in_the_log(person, caplog):
    ANSWERS["view"] = lambda request, person: JsonResponse({"a\nb": person.team.name})
    tag = get(person, page="anything")["ETag"]
    Team.objects.update(name="Renamed")
    get(person, tag, page="anything")
    assert caplog.records[0].getMessage().endswith("These parts differ: a\\nb")


class BrokenCache:
    def __getattr__(self, name):
        raise ConnectionError("redis://user:password@host")


def test_a_cache_that_is_down_leaves_each_answer_as_it_is(person, monkeypatch, caplog):
    tag = get(person)["ETag"]
    monkeypatch.setattr("etag_versioning.runtime_audit.findings.caches", {"audit": BrokenCache()})
    assert get(person, tag).status_code == 304
    assert get(person).status_code == 200
    (record,) = caplog.records
    assert record.getMessage().endswith("card could not be audited: ConnectionError")


class ForgetfulCache(dict):
    """Holds what no audit can read."""

    def get(self, key):
        return json

    def add(self, *args):
        return False

    def incr(self, key):
        raise ValueError

    def set(self, *args):
        raise TypeError("cannot pickle")


def test_a_cache_with_something_else_in_it_leaves_each_answer_as_it_is(person, monkeypatch):
    tag = get(person)["ETag"]
    monkeypatch.setattr(
        "etag_versioning.runtime_audit.findings.caches", {"audit": ForgetfulCache()}
    )
    assert get(person, tag).status_code == 304
    assert get(person).status_code == 200


def test_a_cache_table_that_is_missing_leaves_the_transaction_usable(person, settings):
    backend = "django.core.cache.backends.db.DatabaseCache"
    table = {"BACKEND": backend, "LOCATION": "no_such_table"}
    settings.CACHES = {**settings.CACHES, "table": table}
    settings.ETAG_VERSIONING = {"AUDIT": {"sample_rate": 1, "cache": "table"}}
    tag = get(person)["ETag"]
    assert get(person, tag).status_code == 304
    assert Person.objects.count() == 1


@pytest.mark.parametrize("off", [None, {"sample_rate": 0, "cache": "audit"}])
def test_off_a_304_costs_no_cache_and_no_other_statement(person, settings, monkeypatch, off):
    settings.ETAG_VERSIONING = {"AUDIT": off}
    monkeypatch.setattr("etag_versioning.runtime_audit.findings.caches", {"audit": BrokenCache()})
    tag = get(person)["ETag"]
    Team.objects.update(name="Renamed")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert get(person, tag).status_code == 304
    assert len(queries) == 1


def test_a_share_of_the_304s_is_compared(person, settings, summary, monkeypatch):
    settings.ETAG_VERSIONING = {"AUDIT": {"sample_rate": 0.5, "cache": "audit"}}
    numbers = iter([0.9, 0.4, 0.6, 0.1, 0.5])
    monkeypatch.setattr("random.random", lambda: next(numbers))
    tag = get(person)["ETag"]
    for _ in range(4):
        assert get(person, tag).status_code == 304
    assert summary().compared == 2


def test_the_signal_of_preconditions_is_sent_once_for_each_request(person):
    received = []

    def note(outcome, **kwargs):
        received.append(outcome.value)

    tag = get(person)["ETag"]
    Team.objects.update(name="Renamed")
    precondition_evaluated.connect(note)
    try:
        get(person, tag)
    finally:
        precondition_evaluated.disconnect(note)
    assert received == ["304"]


def test_a_session_that_the_view_read_stays_unsaved(person, rf):
    def writes(request, person):
        request.session["seen"] = True
        return HttpResponse(person.name)

    ANSWERS["view"] = writes
    tag = get_by_request(rf, person)["ETag"]
    request = rf.get("/", headers={"If-None-Match": tag})
    request.session = SessionStore()
    assert anything(request, pk=person.pk).status_code == 304
    assert (request.session.accessed, request.session.modified) == (False, False)


def test_middleware_sees_the_preconditions_at_a_304(person, rf):
    def looks(request, person):
        return HttpResponse(f"{person.name} {sorted(request.headers)}")

    ANSWERS["view"] = looks
    tag = get_by_request(rf, person)["ETag"]
    request = rf.get("/", headers={"If-None-Match": tag})
    assert anything(request, pk=person.pk).status_code == 304
    assert request.headers["If-None-Match"] == tag


def test_a_view_sees_no_preconditions_when_it_is_audited(person, rf):
    def looks(request, person):
        return HttpResponse(str("If-None-Match" in request.headers))

    ANSWERS["view"] = looks
    tag = get_by_request(rf, person)["ETag"]
    request = rf.get("/", headers={"If-None-Match": tag})
    assert request.headers["If-None-Match"] == tag  # As a middleware may.
    assert anything(request, pk=person.pk).status_code == 304


def get_by_request(rf, person):
    request = rf.get("/")
    request.session = SessionStore()
    return anything(request, pk=person.pk)
