"""Edits of a project that change nothing that a view shows, and so no fingerprint of it."""

import shutil

import pytest

from .project import FILES

VIEWSET = "shop.api.ProductViewSet.retrieve (json)"
PAGE = "shop.pages.product_page"
VIEWS = (VIEWSET, PAGE)

# (what was edited, file, old text, new text)
EDITS = [
    ("a comment", "shop/money.py", "_seen = {}", "_seen = {}  # by price"),
    (
        "a comment in a function",
        "shop/money.py",
        "    _calls += 1\n",
        "    # Count.\n    _calls += 1\n",
    ),
    (
        "blank lines above all",
        "shop/money.py",
        '"""Prices as text."""',
        '\n\n\n"""Prices as text."""',
    ),
    ("line numbers in a class", "shop/models.py", "class Product(", "\n\n\nclass Product("),
    ("the docstring of a module", "shop/money.py", "Prices as text.", "Texts of prices."),
    ("the docstring of a function", "shop/money.py", "A price with its currency.", "A price."),
    ("the docstring of a class", "shop/models.py", "Something that is sold.", "A product."),
    ("quotes", "shop/money.py", '"grey"', "'grey'"),
    (
        "parentheses and line breaks",
        "shop/rounding.py",
        "return round(value, digits)",
        "return (\n        round(\n            value, digits\n        )\n    )",
    ),
    ("a function that nobody names", "shop/money.py", "price * 3", "price * 4"),
    (
        "a new function",
        "shop/money.py",
        "def unused(price):",
        "def another():\n    pass\n\n\ndef unused(price):",
    ),
    ("a constant that nobody names", "shop/money.py", '"nobody names it"', '"other"'),
    (
        "a function of another module that nobody names",
        "shop/rounding.py",
        "return value\n",
        "return -value\n",
    ),
    ("a function of a module imported in a function", "shop/badges.py", '"other"', '"another"'),
    (
        "the order of two methods",
        "shop/models.py",
        "    def __str__(self):\n        return self.name\n\n    def save(self, *args, **kwargs):\n"
        "        self.name = self.name.strip()\n        super().save(*args, **kwargs)\n",
        "    def save(self, *args, **kwargs):\n        self.name = self.name.strip()\n"
        "        super().save(*args, **kwargs)\n\n    def __str__(self):\n"
        "        return self.name\n",
    ),
    (
        "the order of two functions",
        "shop/money.py",
        "def unused(price):\n    return price * 3\n",
        "",
    ),
    ("an unrelated model", "shop/models.py", "No. {self.number}", "Number {self.number}"),
    ("an unrelated serializer", "shop/serializers.py", '["id", "number"]', '["number"]'),
    (
        "an unrelated viewset",
        "shop/api.py",
        "serializer_class = InvoiceSerializer",
        "serializer_class = InvoiceSerializer\n    page_size = 5",
    ),
    ("an unrelated view", "shop/pages.py", 'open("label.txt")', 'open("labels.txt")'),
    ("an unrelated template", "shop/templates/shop/unrelated.html", "<p>", "<b>"),
    ("an unrelated filter", "shop/templatetags/shop_tags.py", "text.lower()", "text[:1]"),
    (
        "an unrelated setting",
        "settings.py",
        "SESSION_COOKIE_AGE = 1000",
        "SESSION_COOKIE_AGE = 2000",
    ),
    ("a new setting", "settings.py", "USE_TZ = True", "USE_TZ = True\nFEATURE = True"),
    ("SECRET_KEY", "settings.py", '"not a secret"', '"another"'),
    ("the database", "settings.py", '":memory:"', '"other.sqlite3"'),
    (
        "a validator of a field",
        "shop/serializers.py",
        "    if not value:\n",
        "    if value is None:\n",
    ),
    ("the list of validators", "shop/serializers.py", "validators=[not_empty], ", ""),
    ("a validate_ method", "shop/serializers.py", "return value.strip()\n", "return value\n"),
    (
        "create() of the serializer",
        "shop/serializers.py",
        "return super().create(validated_data)",
        "return super().create({**validated_data})",
    ),
    (
        "perform_create() of the view",
        "shop/api.py",
        "serializer.save()",
        "serializer.save(state='new')",
    ),
    ("save() of the model", "shop/models.py", "self.name.strip()", "self.name.lstrip()"),
    ("a permission", "shop/api.py", "return True", "return bool(request)"),
    (
        "an index",
        "shop/models.py",
        "text = models.TextField()",
        "text = models.TextField(db_index=True)",
    ),
    (
        "a column's name",
        "shop/models.py",
        "text = models.TextField()",
        'text = models.TextField(db_column="t")',
    ),
    ("a default of a column", "shop/models.py", 'default="new")', 'default="old")'),
    ("on_delete", "shop/models.py", "Shelf, models.CASCADE", "Shelf, models.PROTECT"),
    (
        "max_length of a serializer field",
        "shop/serializers.py",
        "StampField(max_length=50",
        "StampField(max_length=60",
    ),
    ("a route", "urls.py", '"labels/<int:pk>/"', '"stickers/<int:pk>/"'),
    (
        "the order of routes",
        "urls.py",
        'router.register("products", api.ProductViewSet)\n'
        'router.register("invoices", api.InvoiceViewSet)',
        'router.register("invoices", api.InvoiceViewSet)\n'
        'router.register("products", api.ProductViewSet)',
    ),
    ("an import that nobody uses", "shop/money.py", "import re\n", "import json\nimport re\n"),
    ("a counter's start", "shop/money.py", "_calls = 0", "_calls = 10"),
    (
        "a type annotation",
        "shop/rounding.py",
        "def rounded(value, digits):",
        "def rounded(value: int, digits: int) -> int:",
    ),
]


@pytest.mark.parametrize(
    ("file", "old", "new"), [pytest.param(*each[1:], id=each[0]) for each in EDITS]
)
def test_an_edit_changes_no_fingerprint_of_other_code(project, unedited, file, old, new):
    project.edit(file, old, new)
    found = project.fingerprints()
    assert {name: found[name] for name in VIEWS} == {name: unedited[name] for name in VIEWS}


# (what the process did before, the code)
EARLIER = [
    (
        "filled its caches",
        "from shop import money; money.tone(5); money._seen[5] = 6; money._calls = 70",
    ),
    ("imported what a function imports", "import shop.badges"),
    ("imported a module that nobody names", "import json.tool, wave"),
    ("used an object that counts", "from shop.formatting import padding; padding.pad('x')"),
    (
        "ran functions often, so that Python has specialised them",
        "from shop import money\nfor _ in range(5000): money.is_free('x'); money.tone(3)",
    ),
    (
        "rendered a template",
        "from django.template.loader import get_template\n"
        "get_template('shop/product.html').render({'heading': 'x'})",
    ),
    (
        "made fields of serializers",
        "from shop.serializers import ProductSerializer\nProductSerializer().fields",
    ),
    (
        "evaluated querysets' SQL",
        "from shop.api import ProductViewSet\nstr(ProductViewSet.queryset.query)",
    ),
    ("was traced", "import sys; sys.settrace(lambda *args: None)"),
    ("was profiled", "import sys; sys.setprofile(lambda *args: None)"),
    (
        "had another language active",
        "from django.utils import translation; translation.activate('de')",
    ),
    (
        "had another time zone active",
        "from django.utils import timezone; timezone.activate('Asia/Tokyo')",
    ),
    ("collected garbage", "import gc; gc.collect()"),
    (
        "made the fingerprints before",
        "from etag_versioning.checks.fingerprints import *\nfingerprinted_views()",
    ),
]


@pytest.mark.parametrize("code", [pytest.param(code, id=name) for name, code in EARLIER])
def test_what_the_process_did_before_changes_no_fingerprint(project, unedited, code):
    assert project.fingerprints(code) == unedited


def test_the_same_code_in_another_folder_has_the_same_fingerprint(project, unedited, tmp_path):
    shutil.copytree(project.folder, tmp_path / "another" / "place")
    project.folder = tmp_path / "another" / "place"
    assert project.fingerprints() == unedited


def test_a_path_below_the_project_is_the_same_in_another_folder(project, tmp_path):
    text = FILES["shop/rounding.py"].replace("round(value, digits)", "(PLACE, BASE, FILE, value)")
    named = "from pathlib import Path\n\nPLACE = Path(__file__).parent / 'data'\n"
    named += "BASE = Path(__file__).resolve().parent.parent\nFILE = __file__\n"
    project.write("shop/rounding.py", named + text)
    first = project.fingerprints()
    shutil.copytree(project.folder, tmp_path / "another" / "place")
    project.folder = tmp_path / "another" / "place"
    assert project.fingerprints() == first
