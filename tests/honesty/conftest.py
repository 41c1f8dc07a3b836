"""
A bookshop, and what a test says about one of its addresses: the tag lies, or follows; and who
finds the lie. What a test has proved is compared with what its marker, and so the docs, claim.
"""

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.cache import caches
from django.test import Client
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from etag_versioning.checks import check_models, check_views
from etag_versioning.testing import assert_honest_etag
from tests.audit.conftest import add_line as add_line
from tests.audit.conftest import serve as serve_routes  # noqa: F401
from tests.audit.conftest import suggested as suggested
from tests.honesty.models import (
    Author,
    Book,
    Chapter,
    Comment,
    Country,
    Discount,
    ExchangeRate,
    Footnote,
    Genre,
    Label,
    Notice,
    Option,
    Profile,
    Publisher,
    Review,
    Series,
    Shelf,
    Shop,
    Stock,
    Summary,
    Translation,
)

# What differs although the content is the same.
_NOT_SHOWN = {"ETag", "Last-Modified", "Vary", "Cache-Control", "Content-Length", "Expires"}


@pytest.fixture
def book(db):
    """A book with a row of all that a page may show of it."""
    spain, _ = (Country.objects.create(name=name) for name in ("Spain", "Italy"))
    publisher = Publisher.objects.create(name="Planeta", country=spain)
    Publisher.objects.create(name="Adelphi", country=spain)
    series = Series.objects.create(code="sea", name="Sea")
    seller = User.objects.create_user("olga", first_name="Olga", email="olga@shop.example")
    seller.groups.add(Group.objects.create(name="sellers"))
    Profile.objects.create(user=seller)
    common = {"publisher": publisher, "published_at": datetime(2026, 1, 31, 23, 30, tzinfo=UTC)}
    prequel = Book.objects.create(title="Harbour", **common)
    book = Book.objects.create(
        title="Island", series=series, prequel=prequel, seller=seller, isbn="978-1", **common
    )
    book.authors.add(Author.objects.create(name="Ana"))
    book.genres.add(Genre.objects.create(name="novel"))
    Author.objects.create(name="Bea")
    Stock.objects.create(book=book, shop=Shop.objects.create(name="Corner"))
    chapter = Chapter.objects.create(book=book, title="Arrival")
    Footnote.objects.create(chapter=chapter, text="By boat")
    Review.objects.create(book=book, stars=4, critic=seller)
    Summary.objects.create(book=book, text="Stranded")
    Translation.objects.create(book=book, language="de", title="Insel")
    Comment.objects.create(about=book, text="Good")
    Shelf.objects.create(name="New").books.add(book)
    Label.objects.create(text="Our choice", about=publisher)
    Discount.objects.create()
    ExchangeRate.objects.create()
    Notice.objects.create(text="Welcome")
    Option.objects.create(key="currency", value="EUR")
    book.refresh_from_db()
    return book


@pytest.fixture
def url(book):
    """Where the book is, unless a test says otherwise."""
    return f"/books/{book.pk}/"


@pytest.fixture
def olga(book):
    """The seller of the book."""
    return book.seller


@pytest.fixture
def rita(db):
    """Another visitor who can log in."""
    rita = User.objects.create_user("rita", first_name="Rita")
    Profile.objects.create(user=rita, currency="USD")
    return rita


@pytest.fixture
def sessions(settings):
    """Visitors can log in."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]


@pytest.fixture
def serve(serve_routes):  # noqa: F811
    """
    A function that serves a view: a viewset as ``/books/`` and ``/books/7/``, a function, or a
    class of Django's, as ``/books/7/`` or at another route.
    """

    def run(view, route=None, **initkwargs):
        if route is None and hasattr(view, "get_extra_actions"):
            router = SimpleRouter()
            router.register("books", view, basename="book")
            serve_routes(path("", include(router.urls)))
            return
        view = view.as_view(**initkwargs) if isinstance(view, type) else view
        serve_routes(path(route or "books/<int:pk>/", view, name="book-detail"))

    return run


@pytest.fixture
def proofs():
    """What the test has proved so far, in the words of its marker."""
    return []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Compare what a test has proved with what its marker claims."""
    result = yield
    marker = item.get_closest_marker("scenario")
    if marker is not None:
        proved = set(item.funcargs.get("proofs", ()))
        assert proved == set(marker.args[1:]), "The marker claims something else."
    return result


def shown_by(response):
    """What a client sees of a response."""
    headers = {name: value for name, value in response.items() if name not in _NOT_SHOWN}
    return response.status_code, response.getvalue(), headers


def _with_tag(client, url, tag):
    return client.get(url, headers={"If-None-Match": tag})


@pytest.fixture
def visitor():
    """Who asks; a test may log in, or send headers by ``visitor.defaults``."""
    return Client()


@pytest.fixture(autouse=True)
def one_language(settings):
    """The test helper asks in each language of the project."""
    settings.LANGUAGES = [("en", "English")]


@pytest.fixture(autouse=True)
def caches_of_this_test(settings):
    """Digests that the audit keeps are those of one test, and nothing else is in the cache."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "honesty"}}
    caches["default"].clear()


@pytest.fixture
def lies(visitor, settings, proofs):
    """
    A block in which something changes, after which a client is answered 304 although it would
    be shown something else. With ``audit=True``, the audit of a running project notices it: at
    a sample rate of 1, the client is answered with the new content instead.
    """

    @contextmanager
    def run(url, audit=True):
        settings.ETAG_VERSIONING = {"AUDIT": {"sample_rate": 1}}
        before = visitor.get(url)
        settings.ETAG_VERSIONING = {}
        assert _with_tag(visitor, url, before["ETag"]).status_code == 304
        yield visitor
        assert _with_tag(visitor, url, before["ETag"]).status_code == 304
        assert shown_by(visitor.get(url)) != shown_by(before)
        settings.ETAG_VERSIONING = {"AUDIT": {"sample_rate": 1}}
        status = _with_tag(visitor, url, before["ETag"]).status_code
        settings.ETAG_VERSIONING = {}
        assert (status != 304) is audit
        if audit:
            proofs.append("audit")

    return run


@pytest.fixture
def has_no_tag(visitor, proofs):
    """A function that asserts that an address is never answered 304, since it has no tag."""

    def run(url):
        response = visitor.get(url)
        assert response.status_code == 200
        assert "ETag" not in response
        proofs.append("no tag")

    return run


@pytest.fixture
def mended(visitor):
    """
    A block in which the same thing changes as before, after the view was mended: a client with
    the tag from before is shown the new content.
    """

    @contextmanager
    def run(url):
        before = visitor.get(url)
        assert _with_tag(visitor, url, before["ETag"]).status_code == 304
        yield visitor
        assert shown_by(_with_tag(visitor, url, before["ETag"])) != shown_by(before)
        assert _with_tag(visitor, url, before["ETag"]).status_code == 200

    return run


@pytest.fixture
def follows(visitor, proofs):
    """
    A block in which something changes, after which a client is shown the new content under a
    new tag, without any configuration. ``then`` is another URL of the same page.
    """

    @contextmanager
    def run(url, then=None):
        before = visitor.get(url)
        assert _with_tag(visitor, url, before["ETag"]).status_code == 304
        yield visitor
        after = _with_tag(visitor, then or url, before["ETag"])
        assert after.status_code != 304
        assert after.get("ETag") != before["ETag"]
        assert shown_by(after) != shown_by(before)
        proofs.append("impossible")

    return run


@pytest.fixture
def warned_of():
    """A function that returns what the system checks say of the view."""
    return check_views


@pytest.fixture
def warned(warned_of, proofs):
    """A function that asserts that a system check, by its number, warns in these words."""

    def run(number, words):
        found = [*warned_of(), *check_models([apps.get_app_config("honesty")])]
        assert any(words in each.msg for each in found if str(each.id).endswith(number)), found
        proofs.append(number)

    return run


@pytest.fixture
def helper_finds(visitor, proofs, suggested, add_line):
    """
    A function that asserts that the test helper fails, and suggests these lines: by models, or
    by names of views. It adds the lines to the models; after that the helper must be silent.
    A view with its own line is served by the test, which calls ``helper_is_silent``. No lines:
    nothing mends it.
    """

    def run(url, lines, rows=1, **options):
        with pytest.raises(AssertionError) as failure:
            assert_honest_etag(visitor, url, rows=rows, **options)
        message = str(failure.value)
        in_models = {place: line for place, line in lines.items() if isinstance(place, type)}
        for place, line in lines.items():
            where = place._meta.label if place in in_models else place
            assert line in suggested(message, where), message
        for model, line in in_models.items():
            add_line(model, line)
        if lines and in_models == lines:
            assert_honest_etag(visitor, url, rows=rows, **options)
        proofs.append("helper")

    return run


@pytest.fixture
def helper_is_silent(visitor):
    """A function that asserts that the test helper finds no lie."""

    def run(url, rows=1, **options):
        assert_honest_etag(visitor, url, rows=rows, **options)

    return run
