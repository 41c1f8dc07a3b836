"""Edits of a project that change what a view shows, and so its fingerprint."""

import pytest

VIEWSET = "shop.api.ProductViewSet.retrieve (json)"
PAGE = "shop.pages.product_page"
CLASS_PAGE = "shop.pages.ShelfPage"

# (what was edited, file, old text, new text)
VIEWSET_EDITS = [
    ("the text in a method of the model", "shop/models.py", '"light"', '"feather"'),
    ("a number in a method of the model", "shop/models.py", "self.price < 100", "self.price < 200"),
    ("a property of the model", "shop/models.py", "({self.state})", "[{self.state}]"),
    ("a property of a related model", "shop/models.py", "Shelf {self.name}", "Rack {self.name}"),
    ("a method of a reverse relation", "shop/models.py", "text.upper()", "text.lower()"),
    ("the label of a choice", "shop/models.py", '_("Old")', '_("Ancient")'),
    ("the value of a choice", "shop/models.py", '"old", _(', '"aged", _('),
    (
        "a column's type",
        "shop/models.py",
        "text = models.TextField()",
        "text = models.IntegerField()",
    ),
    ("the decimal places", "shop/models.py", "decimal_places=2", "decimal_places=3"),
    ("the order of related rows", "shop/models.py", 'ordering = ["name"]', 'ordering = ["-name"]'),
    ("an annotation of the queryset", "shop/models.py", 'F("price") * 2', 'F("price") * 3'),
    ("a field class of the project's", "shop/fields.py", "value.upper()", "value.title()"),
    ("a constant of a helper's module", "shop/money.py", 'Decimal("1.19")', 'Decimal("1.21")'),
    ("a table of constants", "shop/money.py", '"EUR": "€"', '"EUR": "EUR"'),
    ("a regular expression", "shop/money.py", 're.compile(r" +")', 're.compile(r" *")'),
    ("the flags of a regular expression", "shop/money.py", 'r" +")', 'r" +", re.I)'),
    ("a helper's default", "shop/money.py", "digits=2", "digits=3"),
    (
        "the order of a helper's arguments",
        "shop/money.py",
        "price * RATE, digits",
        "digits, price * RATE",
    ),
    ("a helper of another module", "shop/rounding.py", "round(value, digits)", "round(value)"),
    ("a function in lru_cache", "shop/money.py", 'else "grey"', 'else "blue"'),
    ("a member of an Enum", "shop/money.py", 'WARM = "warm"', 'WARM = "hot"'),
    ("a module imported in a function", "shop/badges.py", "product.pk % 2", "product.pk % 1"),
    ("a list of that module's", "shop/badges.py", '"first", "second"', '"second", "first"'),
    ("a decorator", "shop/formatting.py", "left + str", "left * 2 + str"),
    (
        "an argument of a decorator",
        "shop/serializers.py",
        '@bracketed("[", "]")',
        '@bracketed("(", ")")',
    ),
    ("a partial's argument", "shop/formatting.py", 'partial(joined, "-")', 'partial(joined, "/")'),
    (
        "a partial's function",
        "shop/formatting.py",
        "separator.join(parts)",
        "separator.join(parts[1:])",
    ),
    ("an instance's argument", "shop/formatting.py", "Padding(20)", "Padding(30)"),
    ("a method of an instance", "shop/formatting.py", "text.ljust", "text.rjust"),
    ("the source of a field", "shop/serializers.py", 'source="weight_class"', 'source="full_name"'),
    (
        "the class of a field",
        "shop/serializers.py",
        "extras = serializers.SerializerMethodField()",
        "extras = serializers.ReadOnlyField()",
    ),
    ("an attribute of a field class", "shop/serializers.py", 'prefix = "#"', 'prefix = "No. "'),
    ("a method of a field class", "shop/serializers.py", "self.prefix + super", "super"),
    ("the fields of a Meta", "shop/serializers.py", '"weight", "extras"', '"extras"'),
    ("the order of the fields", "shop/serializers.py", '"weight", "extras"', '"extras", "weight"'),
    (
        "the fields of a nested serializer",
        "shop/serializers.py",
        '["id", "name"]\n\n\nclass Review',
        '["name"]\n\n\nclass Review',
    ),
    (
        "extra_kwargs",
        "shop/serializers.py",
        '"coerce_to_string": False',
        '"coerce_to_string": True',
    ),
    ("depth", "shop/serializers.py", "extra_kwargs =", "depth = 1\n        extra_kwargs ="),
    (
        "a method of a base serializer",
        "shop/serializers.py",
        "price_text(product.price)",
        "price_text(product.price, digits=0)",
    ),
    (
        "a serializer that type() made",
        "shop/serializers.py",
        'IntegerField(source="pk")',
        'IntegerField(source="version")',
    ),
    (
        "a field name of a serializer that type() made",
        "shop/serializers.py",
        '{"code":',
        '{"codes":',
    ),
    (
        "many=True",
        "shop/serializers.py",
        "ShelfSerializer(read_only=True)",
        "ShelfSerializer(many=True, read_only=True)",
    ),
    ("a choice of a serializer field", "shop/serializers.py", '("b", "Second")', '("b", "Third")'),
    ("the msgid of a translated choice", "shop/serializers.py", '_("First kind")', '_("Kind one")'),
    ("an attribute of the view", "shop/api.py", 'page_note = "note"', 'page_note = "other"'),
    ("the renderer's charset", "shop/api.py", "charset = None", 'charset = "latin-1"'),
    ("an attribute of the renderer", "shop/api.py", "ensure_ascii = True", "ensure_ascii = False"),
    ("prefetch_related", "shop/api.py", 'prefetch_related("reviews")', 'prefetch_related("shelf")'),
    ("a setting that a helper names", "settings.py", 'CURRENCY = "EUR"', 'CURRENCY = "USD"'),
    ("USE_TZ", "settings.py", "USE_TZ = True", "USE_TZ = False"),
    ("TIME_ZONE", "settings.py", 'TIME_ZONE = "UTC"', 'TIME_ZONE = "Asia/Tokyo"'),
    ("LANGUAGE_CODE", "settings.py", "USE_TZ = True", 'USE_TZ = True\nLANGUAGE_CODE = "de"'),
    ("MEDIA_URL", "settings.py", '"/media/"', '"/uploads/"'),
    (
        "a setting of DRF's",
        "settings.py",
        '"COERCE_DECIMAL_TO_STRING": True',
        '"COERCE_DECIMAL_TO_STRING": False',
    ),
    (
        "DRF's date format",
        "settings.py",
        "REST_FRAMEWORK = {",
        'REST_FRAMEWORK = {"DATETIME_FORMAT": "%Y", ',
    ),
]

PAGE_EDITS = [
    ("the view's own text", "shop/pages.py", '"Product {product', '"Item {product'),
    ("a helper of the view's", "shop/pages.py", "product.full_name}", "product.name}"),
    ("a set of constants", "shop/money.py", '"samples", "gifts"', '"samples"'),
    ("a set in the code", "shop/money.py", '"nothing", "zero"', '"nothing"'),
    ("a setting that the view names", "settings.py", "SHIPPING_DAYS = 3", "SHIPPING_DAYS = 4"),
    ("the template", "shop/templates/shop/product.html", "<h1>", "<h2>"),
    ("what the template extends", "shop/templates/shop/base.html", "<html>", "<html lang=en>"),
    ("what the template includes", "shop/templates/shop/part.html", "<p>", "<p class=days>"),
    ("a filter in the template", "shop/templatetags/shop_tags.py", "text.upper()", "text.title()"),
    ("a tag in the template", "shop/templatetags/shop_tags.py", '"*" * number', '"+" * number'),
    ("the template of a tag", "shop/templates/shop/stars.html", "<b>", "<i>"),
    ("a property that only the template names", "shop/models.py", "Shelf {self", "Rack {self"),
]

CLASS_PAGE_EDITS = [
    (
        "the template of a generic view, by its default name",
        "shop/templates/shop/shelf_detail.html",
        "<h1>",
        "<h2>",
    ),
    (
        "an attribute of the view's class",
        "shop/pages.py",
        "model = Shelf\n",
        'model = Shelf\n    context_object_name = "it"\n',
    ),
    (
        "a method of the view's class",
        "shop/pages.py",
        "model = Shelf\n",
        "model = Shelf\n\n    def get_context_data(self, **kwargs):\n        return {}\n",
    ),
    ("the model's method", "shop/models.py", "Shelf {self.name}", "Rack {self.name}"),
]


def by_name(edits):
    return [pytest.param(*each[1:], id=each[0]) for each in edits]


@pytest.mark.parametrize(("file", "old", "new"), by_name(VIEWSET_EDITS))
def test_an_edit_changes_the_fingerprint_of_the_viewset(project, unedited, file, old, new):
    project.edit(file, old, new)
    assert project.fingerprints()[VIEWSET] != unedited[VIEWSET]


@pytest.mark.parametrize(("file", "old", "new"), by_name(PAGE_EDITS))
def test_an_edit_changes_the_fingerprint_of_the_page(project, unedited, file, old, new):
    project.edit(file, old, new)
    assert project.fingerprints()[PAGE] != unedited[PAGE]


@pytest.mark.parametrize(("file", "old", "new"), by_name(CLASS_PAGE_EDITS))
def test_an_edit_changes_the_fingerprint_of_the_class_based_page(project, unedited, file, old, new):
    project.edit(file, old, new)
    assert project.fingerprints()[CLASS_PAGE] != unedited[CLASS_PAGE]
