"""``etag_extra`` of plain views: what a response depends on besides its row."""

from datetime import date, timedelta
from unittest import mock

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test import AsyncClient, RequestFactory
from django.urls import clear_url_caches, path
from django.utils import timezone
from django.utils.translation import override

from etag_versioning import etag_extra as terms
from etag_versioning.decorators import versioned_condition
from etag_versioning.sources.extra_terms import extended_representation
from tests.testapp.models import Label, Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = []
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"
MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"


@pytest.fixture(autouse=True)
def sessions_in_cookies(settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.MIDDLEWARE = [SESSIONS, *settings.MIDDLEWARE]


@pytest.fixture
def person():
    return Person.objects.create(name="Ada")


@pytest.fixture
def serve(monkeypatch):
    """Put a view of a person at ``/<pk>/``."""

    def put(view, **options):
        decorated = versioned_condition(Person, **options)(view)
        monkeypatch.setattr(f"{__name__}.urlpatterns", [path("<int:pk>/", decorated)])
        clear_url_caches()

    return put


def show(request, pk):
    return HttpResponse("shown")


def tag_of(*items, request=None):
    request = request or RequestFactory().get("/")
    return extended_representation(request, items).terms


# Querysets.


def test_rows_of_an_unrelated_model_are_part_of_the_tag(client, person, serve):
    serve(show, etag_extra=[Team.objects.all()])
    tag = client.get(f"/{person.pk}/")["ETag"]
    team = Team.objects.create(name="blue")
    with_team = client.get(f"/{person.pk}/", headers={"If-None-Match": tag})
    team.name = "red"
    team.save()
    with_other_name = client.get(f"/{person.pk}/", headers={"If-None-Match": with_team["ETag"]})
    team.delete()
    without = client.get(f"/{person.pk}/", headers={"If-None-Match": with_other_name["ETag"]})
    assert [each.status_code for each in (with_team, with_other_name, without)] == [200] * 3
    assert len({tag, with_team["ETag"], with_other_name["ETag"]}) == 3
    assert without["ETag"] == tag


def test_rows_without_a_version_count_by_their_values(person):
    label = Label.objects.create(name="new")
    before = tag_of(Label.objects.all())
    Label.objects.update(name="old")
    assert tag_of(Label.objects.all()) != before
    Label.objects.update(name=label.name)
    assert tag_of(Label.objects.all()) == before


def test_rows_with_a_version_count_by_their_state(person):
    before = tag_of(Person)
    Person.objects.unversioned().update(name="Grace")
    assert tag_of(Person) == before
    Person.objects.update(name="Ada")
    assert tag_of(Person) != before


def test_values_count_alone_where_the_queryset_selects_them(person):
    before = tag_of(Person.objects.values_list("name"))
    Person.objects.update(days=5)
    assert tag_of(Person.objects.values_list("name")) == before
    assert tag_of(Person.objects.values_list("name", flat=True)) == before
    Person.objects.update(name="Grace")
    assert tag_of(Person.objects.values_list("name")) != before


def test_values_by_name_count_too(person):
    before = tag_of(Person.objects.values("name"))
    Person.objects.update(name="Grace")
    assert tag_of(Person.objects.values("name")) != before


def test_annotations_count(person):
    with_count = Team.objects.annotate(size=Count("person"))
    team = Team.objects.create(name="blue")
    before = tag_of(with_count)
    Person.objects.unversioned().update(team=team)
    assert tag_of(with_count) != before


def test_a_union_counts_by_all_its_values(person):
    union = Person.objects.filter(name="Ada").union(Person.objects.filter(name="Grace"))
    before = tag_of(union)
    Person.objects.unversioned().update(days=9)
    assert tag_of(union) != before


@pytest.mark.parametrize("rows", [Person, Person.objects, Person.objects.all()])
def test_a_model_its_manager_and_its_queryset_are_the_same(person, rows):
    assert tag_of(rows) == tag_of(Person.objects.order_by("pk"))


def test_the_order_counts_where_the_queryset_has_one(person):
    Person.objects.create(name="Grace")
    assert tag_of(Person.objects.order_by("name")) != tag_of(Person.objects.order_by("-name"))


def test_each_queryset_is_one_query(person, django_assert_num_queries):
    with django_assert_num_queries(2):
        tag_of(Person.objects.prefetch_related("badges"), Label)


def test_a_queryset_that_a_view_keeps_is_read_for_each_request(client, person, serve):
    rows = Team.objects.all()
    assert list(rows) == []
    serve(show, etag_extra=[rows])
    tag = client.get(f"/{person.pk}/")["ETag"]
    Team.objects.create(name="blue")
    assert client.get(f"/{person.pk}/", headers={"If-None-Match": tag}).status_code == 200


def test_a_function_may_return_querysets_and_functions(client, person, serve):
    def extra(request, pk):
        return [Team.objects.filter(person=pk), terms.header("X-Site"), "v2"]

    serve(show, etag_extra=extra)
    tags = {
        client.get(f"/{person.pk}/", headers={"X-Site": site})["ETag"] for site in ("a", "b", "b")
    }
    assert len(tags) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("close_connections")
async def test_an_async_view_reads_querysets_and_coroutines(serve):
    async def site(request, pk):
        return [await Team.objects.acount(), request.headers.get("X-Site")]

    async def ashow(request, pk):
        return HttpResponse("shown")

    person = await Person.objects.acreate(name="Ada")
    serve(ashow, etag_extra=[site, Team])
    client = AsyncClient()
    tag = (await client.get(f"/{person.pk}/"))["ETag"]
    again = await client.get(f"/{person.pk}/", headers={"If-None-Match": tag})
    await Team.objects.acreate(name="blue")
    changed = await client.get(f"/{person.pk}/", headers={"If-None-Match": tag})
    assert (again.status_code, changed.status_code) == (304, 200)


@pytest.mark.parametrize("wrong", ["beta", terms.Term("beta"), Person, Person.objects.all()])
def test_what_is_no_list_is_a_mistake(wrong):
    with pytest.raises(ImproperlyConfigured, match=r"etag_extra=\[…\]"):
        extended_representation(RequestFactory().get("/"), wrong)


def test_terms_are_read_before_the_view_runs(client, person, serve):
    def show_and_add(request, pk):
        Team.objects.create(name="blue")
        return HttpResponse("shown")

    serve(show_and_add, etag_extra=[Team])
    tag = client.get(f"/{person.pk}/")["ETag"]
    assert client.get(f"/{person.pk}/", headers={"If-None-Match": tag}).status_code == 200


# Ready-made values.


def test_vary_names_the_headers_that_decide_a_value_on_200_and_304(client, person, serve):
    serve(show, etag_extra=[terms.header("X-Currency", "X-Site"), terms.user])
    found = client.get(f"/{person.pk}/")
    again = client.get(f"/{person.pk}/", headers={"If-None-Match": found["ETag"]})
    assert (found.status_code, again.status_code) == (200, 304)
    assert found["Vary"] == again["Vary"] == "X-Currency, X-Site, Cookie, Authorization"


def test_a_projects_own_term_has_its_vary(client, person, serve):
    def currency(request, pk):
        return [terms.Term(request.headers.get("X-Currency", "EUR"), vary=["X-Currency"])]

    serve(show, etag_extra=currency)
    assert client.get(f"/{person.pk}/")["Vary"] == "X-Currency"


def test_a_term_whose_vary_is_text_is_a_mistake():
    with pytest.raises(ImproperlyConfigured, match=r"vary=\['X-Currency'\]"):
        tag_of(terms.Term("EUR", vary="X-Currency"))


def test_user_is_the_primary_key():
    request = RequestFactory().get("/")
    anonymous = tag_of(terms.user, request=request)
    request.user = Person(pk=5)
    assert tag_of(terms.user, request=request) != anonymous
    assert [term.value for term in terms.user(request, pk=1)] == [5]


def test_language_is_the_active_one():
    request = RequestFactory().get("/")
    with override("de"):
        german = tag_of(terms.language, request=request)
    assert german != tag_of(terms.language, request=request)


WITH_LANGUAGES = tuple(i18n_patterns(path("people/", show)))
WITHOUT_LANGUAGES = (path("people/", show), path("de/people/", show))


@pytest.mark.parametrize(
    ("middleware", "urlconf", "address", "vary"),
    [
        ([LOCALE], WITH_LANGUAGES, "/de/people/", ()),
        ([LOCALE], WITHOUT_LANGUAGES, "/people/", ("Accept-Language", "Cookie")),
        # As far as LocaleMiddleware knows, this address does not begin with a language.
        ([LOCALE], WITHOUT_LANGUAGES, "/de/people/", ("Accept-Language", "Cookie")),
        ([], WITH_LANGUAGES, "/de/people/", ()),
    ],
)
def test_the_vary_of_the_language_says_what_chose_it(settings, middleware, urlconf, address, vary):
    settings.MIDDLEWARE = middleware
    request = RequestFactory().get(address)
    request.urlconf = urlconf
    (term,) = terms.language(request)
    assert term.vary == vary


def test_the_time_zone_is_the_active_one():
    with timezone.override("Asia/Tokyo"):
        tokyo = tag_of(terms.time_zone)
    assert tokyo != tag_of(terms.time_zone)


def test_the_host_counts_with_its_scheme(client, person, serve):
    serve(show, etag_extra=[terms.host])
    tags = [
        client.get(f"/{person.pk}/", headers={"host": host}, secure=secure)["ETag"]
        for host, secure in (("a.example", False), ("a.example", True), ("b.example", False))
    ]
    assert len(set(tags)) == 3


def test_a_cookie_counts_by_its_value(client, person, serve):
    serve(show, etag_extra=[terms.cookie("theme")])
    light = client.get(f"/{person.pk}/")["ETag"]
    client.cookies["theme"] = "dark"
    answer = client.get(f"/{person.pk}/", headers={"If-None-Match": light})
    assert (answer.status_code, answer["Vary"]) == (200, "Cookie")


def test_values_of_the_session_count_by_name(client, person, serve):
    def add_to_cart(request, pk):
        request.session.update(request.GET.items())
        return HttpResponse("shown")

    serve(add_to_cart, etag_extra=[terms.session("cart")])
    url = f"/{person.pk}/"
    tag = client.get(url)["ETag"]
    client.get(f"{url}?seen=1")
    with_other_value = client.get(url, headers={"If-None-Match": tag})
    client.get(f"{url}?cart=5")
    with_cart = client.get(url, headers={"If-None-Match": tag})
    assert (with_other_value.status_code, with_cart.status_code) == (304, 200)


def test_the_whole_session_counts_without_names(client, person, serve):
    def visit(request, pk):
        request.session.update(request.GET.items())
        return HttpResponse("shown")

    serve(visit, etag_extra=[terms.session()])
    url = f"/{person.pk}/"
    tag = client.get(url)["ETag"]
    client.get(f"{url}?seen=1")
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("function", [terms.header, terms.cookie])
def test_a_header_or_cookie_without_a_name_is_a_mistake(function):
    with pytest.raises(ImproperlyConfigured, match="needs names"):
        tag_of(function())


def test_every_is_another_value_after_its_seconds():
    with mock.patch("time.time", return_value=6000.0):
        first = tag_of(terms.every(600))
    with mock.patch("time.time", return_value=6599.9):
        assert tag_of(terms.every(600)) == first
    with mock.patch("time.time", return_value=6600.0):
        assert tag_of(terms.every(600)) != first


@pytest.mark.parametrize("seconds", [0, -1, "600", timedelta(minutes=10)])
def test_every_needs_seconds(seconds):
    with pytest.raises(ImproperlyConfigured, match=r"etag_extra\.every\(600\)"):
        terms.every(seconds)


@pytest.mark.parametrize("use_tz", [True, False])
def test_today_is_a_date_in_the_active_time_zone(settings, use_tz):
    settings.USE_TZ = use_tz
    (term,) = terms.today(RequestFactory().get("/"))
    assert isinstance(term.value, date)


def test_a_visitor_keeps_the_page_with_the_csrf_token(client, person, serve, settings):
    settings.MIDDLEWARE = [CSRF]
    serve(lambda request, pk: HttpResponse(get_token(request)), etag_extra=[terms.csrf_token])
    url = f"/{person.pk}/"
    tag = client.get(url)["ETag"]
    again = client.get(url, headers={"If-None-Match": tag})
    client.cookies.clear()
    after_losing_the_cookie = client.get(url, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.cookies["csrftoken"].value, "the 200 renews the cookie, and so does the 304"
    assert after_losing_the_cookie.status_code == 200


def test_messages_are_shown_once_and_their_page_is_never_answered_304(
    client, person, serve, settings
):
    settings.MIDDLEWARE = [SESSIONS, MESSAGES]

    def show_messages(request, pk):
        if "save" in request.GET:
            messages.success(request, "Saved.")
            return HttpResponse("done")
        return HttpResponse(" ".join(map(str, messages.get_messages(request))))

    serve(show_messages, etag_extra=[terms.messages])
    url = f"/{person.pk}/"
    plain = client.get(url)
    client.get(f"{url}?save=1")
    with_message = client.get(url, headers={"If-None-Match": plain["ETag"]})
    client.get(f"{url}?save=1")
    with_the_same = client.get(url, headers={"If-None-Match": with_message["ETag"]})
    after = client.get(url, headers={"If-None-Match": plain["ETag"]})
    assert (with_message.content, with_the_same.content) == (b"Saved.", b"Saved.")
    assert after.status_code == 304


def test_a_message_that_the_view_adds_and_shows_itself_leaves_the_page_without_a_tag(
    client, person, serve, settings
):
    settings.MIDDLEWARE = [SESSIONS, MESSAGES]

    def welcome(request, pk):
        if "seen" not in request.COOKIES:
            messages.success(request, "Welcome!")
        return HttpResponse(" ".join(map(str, messages.get_messages(request))))

    serve(welcome, etag_extra=[terms.messages])
    url = f"/{person.pk}/"
    first = client.get(url)
    client.cookies["seen"] = "1"
    later = client.get(url)
    assert (first.content, "ETag" in first) == (b"Welcome!", False)
    assert (later.content, "ETag" in later) == (b"", True)


def test_a_message_that_the_view_adds_for_the_next_page_leaves_the_tag(
    client, person, serve, settings
):
    settings.MIDDLEWARE = [SESSIONS, MESSAGES]

    def add(request, pk):
        messages.success(request, "Saved.")
        return HttpResponse("done")

    serve(add, etag_extra=[terms.messages])
    assert "ETag" in client.get(f"/{person.pk}/")
