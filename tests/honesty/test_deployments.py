"""
Deployments: no row is written, and the new code shows something else.

Each test writes a package ``shop``, serves it, edits a file, and starts again. The fingerprint is
in the tags of viewsets without configuration, and in those of plain views with
``fingerprint=True``. ``REVISION`` is ``revision_from_files()`` of the package's folder.
"""

import importlib
import sys
from contextlib import contextmanager
from textwrap import dedent

import pytest
from django.utils.translation import trans_real

from etag_versioning.code import fingerprint, origin
from etag_versioning.revision import revision_from_files
from tests.honesty.conftest import shown_by

NO_MEND = "none needed in viewsets; `fingerprint=True` in plain views"
SEEN = ("fingerprint", "REVISION")

VIEWSET = """
    from rest_framework import serializers
    from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
    from tests.honesty.models import Book, Publisher

    class BookSerializer(serializers.ModelSerializer):
        class Meta:
            model = Book
            fields = ("title", "isbn")

    class Books(VersionedModelViewSet):
        queryset = Book.objects.order_by("pk")
        serializer_class = BookSerializer
"""
METHOD = """
    import shop.helpers
    from rest_framework import serializers
    from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
    from tests.honesty.models import Book

    class BookSerializer(serializers.ModelSerializer):
        shown = serializers.SerializerMethodField()

        def get_shown(self, book):
            return shop.helpers.shown(book)

        class Meta:
            model = Book
            fields = ("shown",)

    class Books(VersionedModelViewSet):
        queryset = Book.objects.order_by("pk")
        serializer_class = BookSerializer
"""
PAGE = """
    from django.shortcuts import render
    from etag_versioning.decorators import versioned_condition
    from tests.honesty.models import Book

    @versioned_condition(Book, fingerprint=True)
    def book_page(request, pk):
        return render(request, "book.html", {"book": Book.objects.get(pk=pk)})
"""


@pytest.fixture
def shop(tmp_path, monkeypatch, settings):
    """A function that writes files of the package, and one that replaces text in a file."""
    monkeypatch.syspath_prepend(tmp_path)
    # The same second may see two versions of a file.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    settings.LOCALE_PATHS = [tmp_path / "shop/locale"]
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [tmp_path / "shop/templates"],
            "OPTIONS": {"libraries": {"shop_tags": "shop.tags"}},
        }
    ]

    class Shop:
        folder = tmp_path

        def write(self, name, text):
            path = tmp_path / "shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))

        def edit(self, name, old, new):
            text = (tmp_path / "shop" / name).read_text()
            assert text.count(old) == 1
            self.write(name, text.replace(old, new))

    shop = Shop()
    shop.write("__init__.py", "")
    shop.write("tags.py", "from django import template\n\nregister = template.Library()\n")
    yield shop
    start_again()


def start_again():
    """What a new process does: load the package, and know nothing of what was read."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    fingerprint.forget()
    origin._version.cache_clear()
    trans_real._translations.clear()


@pytest.fixture
def deployed(shop, serve, settings, visitor, url, proofs):
    """
    A block in which a view of the package is edited, after which a client with the tag from
    before is shown the new content.

    Args of the function:
        name: the view, in ``views.py``.
        seen: whether the fingerprint sees it. ``REVISION`` does in any case.
    """

    def start():
        start_again()
        settings.TEMPLATES = [*settings.TEMPLATES]  # Django forgets the templates that it knows.
        views = importlib.import_module("shop.views")
        serve(views.Books if hasattr(views, "Books") else views.book_page)

    def ask(tag=None, **options):
        settings.ETAG_VERSIONING = options
        return visitor.get(url, headers={"If-None-Match": tag} if tag else {})

    @contextmanager
    def run(seen=True):
        start()
        before, revision = ask(), revision_from_files(shop.folder)
        revised = ask(REVISION=revision)
        assert ask(before["ETag"]).status_code == 304
        yield
        start()
        assert shown_by(ask()) != shown_by(before)
        assert (ask(before["ETag"]).status_code != 304) is seen
        if seen:
            proofs.append("fingerprint")
        new_revision = revision_from_files(shop.folder)
        assert ask(revised["ETag"], REVISION=new_revision).status_code != 304
        proofs.append("REVISION")

    return run


@pytest.mark.scenario("A field is added to a serializer", *SEEN, mend=NO_MEND)
def test_a_new_field(shop, deployed):
    shop.write("views.py", VIEWSET)
    with deployed():
        shop.edit("views.py", '"isbn")', '"isbn", "price")')


@pytest.mark.scenario("A field is taken from a serializer", *SEEN, mend=NO_MEND)
def test_a_field_that_is_gone(shop, deployed):
    shop.write("views.py", VIEWSET)
    with deployed():
        shop.edit("views.py", '"title", "isbn"', '"title",')


@pytest.mark.scenario("The fields of a serializer are in another order", *SEEN, mend=NO_MEND)
def test_the_order_of_fields(shop, deployed):
    shop.write("views.py", VIEWSET)
    with deployed():
        shop.edit("views.py", '"title", "isbn"', '"isbn", "title"')


@pytest.mark.scenario("A field has another `source`", *SEEN, mend=NO_MEND)
def test_another_source(shop, deployed):
    shop.write("views.py", VIEWSET)
    shop.edit(
        "views.py",
        "    class Meta",
        '    isbn = serializers.CharField(source="isbn_13")\n\n    class Meta',
    )
    shop.edit("views.py", '"isbn_13"', '"title"')
    with deployed():
        shop.edit("views.py", 'source="title"', 'source="binding"')


@pytest.mark.scenario("A field has another argument", *SEEN, mend=NO_MEND)
def test_another_argument(shop, deployed):
    shop.write("views.py", VIEWSET)
    field = 'isbn = serializers.DecimalField(8, 2, source="price")'
    shop.edit("views.py", "    class Meta", f"    {field}\n\n    class Meta")
    with deployed():
        shop.edit("views.py", "(8, 2, ", "(8, 1, ")


@pytest.mark.scenario("Another option in `Meta.extra_kwargs`", *SEEN, mend=NO_MEND)
def test_extra_kwargs(shop, deployed):
    shop.write("views.py", VIEWSET)
    shop.edit(
        "views.py",
        '"isbn")',
        '"price")\n        extra_kwargs = {"price": {"coerce_to_string": True}}',
    )
    with deployed():
        shop.edit("views.py", "True", "False")


@pytest.mark.scenario("A nested serializer has another field", *SEEN, mend=NO_MEND)
def test_a_nested_serializer(shop, deployed):
    shop.write("views.py", VIEWSET)
    nested = dedent("""
        class PublisherSerializer(serializers.ModelSerializer):
            class Meta:
                model = Publisher
                fields = ("name",)

        class BookSerializer(serializers.ModelSerializer):
            isbn = PublisherSerializer(source="publisher")
    """)
    shop.edit("views.py", "class BookSerializer(serializers.ModelSerializer):", nested)
    with deployed():
        shop.edit("views.py", '("name",)', '("name", "id")')


@pytest.mark.scenario("A base class of the serializer shows something else", *SEEN, mend=NO_MEND)
def test_a_base_class(shop, deployed):
    shop.write("views.py", VIEWSET)
    base = dedent("""
        class Base(serializers.ModelSerializer):
            def to_representation(self, book):
                return {**super().to_representation(book), "kind": "book"}

        class BookSerializer(Base):
    """)
    shop.edit("views.py", "class BookSerializer(serializers.ModelSerializer):", base)
    with deployed():
        shop.edit("views.py", '"kind": "book"', '"kind": "novel"')


@pytest.mark.scenario("A serializer that `type()` has made has another field", *SEEN, mend=NO_MEND)
def test_a_class_made_by_type(shop, deployed):
    shop.write("views.py", VIEWSET)
    made = dedent("""
        shown = {"code": serializers.CharField(source="title")}
        BookSerializer = type("Made", (serializers.Serializer,), shown)

        class Books
    """).rstrip()
    shop.edit("views.py", "class Books", made)
    with deployed():
        shop.edit("views.py", 'CharField(source="title")', 'CharField(source="binding")')


@pytest.mark.scenario("An annotation of the queryset is another expression", *SEEN, mend=NO_MEND)
def test_an_annotation(shop, deployed):
    shop.write("views.py", VIEWSET)
    shop.edit("views.py", "    class Meta", "    isbn = serializers.CharField()\n\n    class Meta")
    shop.edit("views.py", "Book.objects.order", 'Book.objects.annotate(it=F("price") + 1).order')
    shop.edit("views.py", "CharField()", 'CharField(source="it")')
    shop.edit(
        "views.py",
        "from rest_framework import",
        "from django.db.models import F\nfrom rest_framework import",
    )
    with deployed():
        shop.edit("views.py", "+ 1", "+ 2")


@pytest.mark.scenario("A renderer has another attribute", *SEEN, mend=NO_MEND)
def test_a_renderer(shop, deployed):
    shop.write("views.py", VIEWSET)
    renderer = dedent("""
        from rest_framework.renderers import JSONRenderer

        class Renderer(JSONRenderer):
            compact = True

        class Books(VersionedModelViewSet):
            renderer_classes = [Renderer]
    """)
    shop.edit("views.py", "class Books(VersionedModelViewSet):", renderer)
    with deployed():
        shop.edit("views.py", "compact = True", "compact = False")


@pytest.mark.scenario("A method of a serializer is edited", *SEEN, mend=NO_MEND)
def test_a_method(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write("helpers.py", "def shown(book): return book.title")
    with deployed():
        shop.edit("views.py", "return shop.helpers.shown(book)", "return book.title.upper()")


@pytest.mark.scenario("A function in another module is edited", *SEEN, mend=NO_MEND)
def test_a_helper_function(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write("helpers.py", "def shown(book): return book.title")
    with deployed():
        shop.edit("helpers.py", "book.title", "book.title.upper()")


@pytest.mark.scenario("A function that a function calls is edited", *SEEN, mend=NO_MEND)
def test_a_helper_of_a_helper(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py", "from shop.texts import loud\ndef shown(book): return loud(book.title)"
    )
    shop.write("texts.py", "def loud(text): return text.upper()")
    with deployed():
        shop.edit("texts.py", "text.upper()", "text.title() + '!'")


@pytest.mark.scenario("A module that a function imports is edited", *SEEN, mend=NO_MEND)
def test_an_import_in_a_function(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py",
        """
        def shown(book):
            from shop.texts import loud
            return loud(book.title)
        """,
    )
    shop.write("texts.py", "def loud(text): return text.upper()")
    with deployed():
        shop.edit("texts.py", "text.upper()", "text.title() + '!'")


@pytest.mark.scenario("A constant is another number", *SEEN, mend=NO_MEND)
def test_a_constant(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write("helpers.py", "RATE = 2\ndef shown(book): return float(book.price) * RATE")
    with deployed():
        shop.edit("helpers.py", "RATE = 2", "RATE = 3")


@pytest.mark.scenario("A dictionary of constants has another value", *SEEN, mend=NO_MEND)
def test_a_table_of_constants(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py", 'BINDINGS = {"soft": "S"}\ndef shown(book): return BINDINGS[book.binding]'
    )
    with deployed():
        shop.edit("helpers.py", '"S"', '"paperback"')


@pytest.mark.scenario("A function's default is another value", *SEEN, mend=NO_MEND)
def test_a_default(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py", "def shown(book, digits=2): return round(float(book.price) / 3, digits)"
    )
    with deployed():
        shop.edit("helpers.py", "digits=2", "digits=3")


@pytest.mark.scenario("A member of an `Enum` has another value", *SEEN, mend=NO_MEND)
def test_an_enum(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py",
        """
        import enum

        class Binding(enum.Enum):
            soft = "paperback"

        def shown(book):
            return Binding[book.binding].value
        """,
    )
    with deployed():
        shop.edit("helpers.py", '"paperback"', '"pocket book"')


@pytest.mark.scenario("A regular expression is another one", *SEEN, mend=NO_MEND)
def test_a_regular_expression(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py",
        """
        import re

        HIDDEN = re.compile("[aeiou]")

        def shown(book):
            return HIDDEN.sub("*", book.title)
        """,
    )
    with deployed():
        shop.edit("helpers.py", "[aeiou]", "[aeioun]")


@pytest.mark.scenario("A decorator has another argument", *SEEN, mend=NO_MEND)
def test_a_decorator(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py",
        """
        def within(mark):
            def decorate(function):
                return lambda book: mark + function(book) + mark
            return decorate

        @within("-")
        def shown(book):
            return book.title
        """,
    )
    with deployed():
        shop.edit("helpers.py", 'within("-")', 'within("*")')


@pytest.mark.scenario("A setting that the code names has another value", *SEEN, mend=NO_MEND)
def test_a_setting(shop, deployed, settings):
    settings.CURRENCY = "EUR"
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py",
        """
        from django.conf import settings

        def shown(book):
            return settings.CURRENCY
        """,
    )
    shop.write("settings.py", 'CURRENCY = "EUR"')
    with deployed():
        shop.edit("settings.py", "EUR", "USD")
        settings.CURRENCY = "USD"


@pytest.mark.scenario("Django's `TIME_ZONE` is another one", *SEEN, mend=NO_MEND)
def test_the_time_zone(shop, deployed, settings):
    shop.write("views.py", VIEWSET)
    shop.edit("views.py", '"isbn")', '"published_at")')
    shop.write("settings.py", 'TIME_ZONE = "Europe/Berlin"')
    with deployed():
        shop.edit("settings.py", "Europe/Berlin", "Asia/Tokyo")
        settings.TIME_ZONE = "Asia/Tokyo"


@pytest.mark.scenario("A setting of Django REST framework is another one", *SEEN, mend=NO_MEND)
def test_a_setting_of_drf(shop, deployed, settings):
    settings.REST_FRAMEWORK = {"COERCE_DECIMAL_TO_STRING": True}
    shop.write("views.py", VIEWSET)
    shop.edit("views.py", '"isbn")', '"price")')
    shop.write("settings.py", "COERCE_DECIMAL_TO_STRING = True")
    with deployed():
        shop.edit("settings.py", "True", "False")
        settings.REST_FRAMEWORK = {"COERCE_DECIMAL_TO_STRING": False}


@pytest.mark.scenario("A plain view shows something else", *SEEN, mend=NO_MEND)
def test_a_plain_view(shop, deployed):
    shop.write("views.py", PAGE)
    shop.edit(
        "views.py",
        'render(request, "book.html", {"book": Book.objects.get(pk=pk)})',
        'HttpResponse(f"Book {pk}")',
    )
    shop.edit(
        "views.py", "from django.shortcuts import render", "from django.http import HttpResponse"
    )
    with deployed():
        shop.edit("views.py", "Book {pk}", "Volume {pk}")


@pytest.mark.scenario("The template of a plain view is edited", *SEEN, mend=NO_MEND)
def test_a_template(shop, deployed):
    shop.write("views.py", PAGE)
    shop.write("templates/book.html", "<h1>{{ book.title }}</h1>")
    with deployed():
        shop.write("templates/book.html", "<h2>{{ book.title }}</h2>")


@pytest.mark.scenario("A template that another one extends is edited", *SEEN, mend=NO_MEND)
def test_an_extended_template(shop, deployed):
    shop.write("views.py", PAGE)
    shop.write("templates/base.html", "<title>Shop</title>{% block body %}{% endblock %}")
    shop.write("templates/book.html", '{% extends "base.html" %}')
    with deployed():
        shop.edit("templates/base.html", "Shop", "Bookshop")


@pytest.mark.scenario("A template that another one includes is edited", *SEEN, mend=NO_MEND)
def test_an_included_template(shop, deployed):
    shop.write("views.py", PAGE)
    shop.write("templates/price.html", "{{ book.price }} EUR")
    shop.write("templates/book.html", '{% include "price.html" %}')
    with deployed():
        shop.edit("templates/price.html", "EUR", "€")


@pytest.mark.scenario("A template's filter is edited", *SEEN, mend=NO_MEND)
def test_a_template_filter(shop, deployed):
    shop.write("views.py", PAGE)
    shop.write("templates/book.html", "{% load shop_tags %}{{ book.title|loud }}")
    shop.write(
        "tags.py",
        """
        from django import template

        register = template.Library()

        @register.filter
        def loud(text):
            return text.upper()
        """,
    )
    with deployed():
        shop.edit("tags.py", "text.upper()", 'text + "!"')


@pytest.mark.scenario(
    "A data file that the code reads has another content", "REVISION", mend="`REVISION`"
)
def test_a_data_file(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py",
        """
        from pathlib import Path

        def shown(book):
            return Path(__file__).with_name("notice.txt").read_text()
        """,
    )
    shop.write("notice.txt", "Welcome")
    with deployed(seen=False):
        shop.edit("notice.txt", "Welcome", "Sale")


@pytest.mark.scenario("A function is found by a computed name", "REVISION", mend="`REVISION`")
def test_a_computed_name(shop, deployed):
    shop.write("views.py", METHOD)
    shop.write(
        "helpers.py",
        """
        import importlib

        def shown(book):
            module = importlib.import_module("shop." + book.binding)
            return module.text()
        """,
    )
    shop.write("soft.py", 'def text(): return "paperback"')
    with deployed(seen=False):
        shop.edit("soft.py", "paperback", "pocket book")


@pytest.mark.scenario("A template is found by a computed name", "REVISION", mend="`REVISION`")
def test_a_computed_template(shop, deployed):
    shop.write("views.py", PAGE)
    shop.edit("views.py", '"book.html"', 'f"book-{Book.objects.get(pk=pk).binding}.html"')
    shop.write("templates/book-soft.html", "<h1>{{ book.title }}</h1>")
    with deployed(seen=False):
        shop.write("templates/book-soft.html", "<h2>{{ book.title }}</h2>")
