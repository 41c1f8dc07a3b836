"""A plain view whose page is one visitor's gets no tag, unless told what the page depends on."""

from types import SimpleNamespace

import pytest
from django.contrib import messages
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.template.response import SimpleTemplateResponse
from django.test import AsyncClient
from django.urls import path

from etag_versioning import etag_extra as terms
from etag_versioning.decorators import versioned_condition
from etag_versioning.http import personal_pages
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Template:
    """A template that is rendered after the view has returned."""

    def __init__(self, render):
        self.render_with = render

    def render(self, context, request=None):
        return self.render_with()


def show_form(request, pk):
    return HttpResponse(f"<form>{get_token(request)}</form>")


def show_form_later(request, pk):
    return SimpleTemplateResponse(Template(lambda: f"<form>{get_token(request)}</form>"))


def show_messages(request, pk):
    return HttpResponse(" ".join(map(str, messages.get_messages(request))))


def show_messages_if_any(request, pk):
    return HttpResponse("some" if messages.get_messages(request) else "none")


def show_nonce(request, pk):
    request._csp_nonce = "r4nd0m"  # As Django's and django-csp's middleware do.
    return HttpResponse("<script nonce='r4nd0m'>")


def show_plainly(request, pk):
    return HttpResponse("shown")


async def ashow_form(request, pk):
    return HttpResponse(f"<form>{get_token(request)}</form>")


def show_form_with_own_tag(request, pk):
    return HttpResponse(get_token(request), headers={"ETag": '"own"'})


row = versioned_condition(Person)
urlpatterns = [
    path("form/<int:pk>/", row(show_form)),
    path("later/<int:pk>/", row(show_form_later)),
    path("messages/<int:pk>/", row(show_messages)),
    path("any/<int:pk>/", row(show_messages_if_any)),
    path("nonce/<int:pk>/", row(show_nonce)),
    path("plain/<int:pk>/", row(show_plainly)),
    path("async/<int:pk>/", row(ashow_form)),
    path("own/<int:pk>/", row(show_form_with_own_tag)),
    path(
        "told/<int:pk>/",
        versioned_condition(Person, etag_extra=[terms.csrf_token])(show_form_later),
    ),
    path(
        "half/<int:pk>/",
        versioned_condition(Person, etag_extra=[terms.csrf_token])(show_messages),
    ),
    path(
        "function/<int:pk>/",
        versioned_condition(Person, etag_func=lambda request, pk: "by-hand")(show_form),
    ),
]


@pytest.fixture(autouse=True)
def pages(settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ]
    personal_pages._log.cache_clear()


@pytest.fixture
def person():
    return Person.objects.create(name="Ada")


@pytest.mark.parametrize("page", ["form", "later", "messages", "any", "nonce", "half"])
def test_a_page_for_one_visitor_has_neither_tag_nor_date(client, person, page):
    found = client.get(f"/{page}/{person.pk}/")
    assert found.status_code == 200
    assert "ETag" not in found
    assert "Last-Modified" not in found
    assert found["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("page", ["plain", "told", "own", "function"])
def test_other_pages_keep_their_tag(client, person, page):
    found = client.get(f"/{page}/{person.pk}/")
    assert "ETag" in found
    again = client.get(f"/{page}/{person.pk}/", headers={"If-None-Match": found["ETag"]})
    assert again.status_code == (200 if page == "own" else 304)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("close_connections")
async def test_a_page_of_a_coroutine_has_no_tag_either():
    person = await Person.objects.acreate(name="Ada")
    found = await AsyncClient().get(f"/async/{person.pk}/")
    assert found.status_code == 200
    assert "ETag" not in found


@pytest.mark.parametrize(
    ("page", "part", "mended"),
    [
        ("form", "the CSRF token", "etag_extra=[etag_extra.csrf_token]"),
        ("messages", "messages", "etag_extra=[etag_extra.messages]"),
        ("nonce", "a CSP nonce", "load scripts from files"),
    ],
)
def test_the_log_says_once_why_a_page_has_no_tag(client, person, caplog, page, part, mended):
    for _ in range(2):
        client.get(f"/{page}/{person.pk}/")
    (record,) = caplog.records
    assert part in record.getMessage()
    assert mended in record.getMessage()


def test_a_nonce_that_no_template_has_shown_is_no_reason(client, person, monkeypatch):
    class Unused(SimpleNamespace):
        def __bool__(self):
            return False

    def show_without_nonce(request, pk):
        request._csp_nonce = Unused()
        return HttpResponse("shown")

    view = versioned_condition(Person)(show_without_nonce)
    monkeypatch.setattr(f"{__name__}.urlpatterns", [path("unused/<int:pk>/", view)])
    assert "ETag" in client.get(f"/unused/{person.pk}/")
