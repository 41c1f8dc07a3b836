"""A small project, as the tests of this folder edit it: by path, the text of each file."""

FILES = {
    "settings.py": """
SECRET_KEY = "not a secret"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework",
                  "etag_versioning", "shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "urls"
USE_TZ = True
TIME_ZONE = "UTC"
MEDIA_URL = "/media/"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
REST_FRAMEWORK = {"COERCE_DECIMAL_TO_STRING": True}
CURRENCY = "EUR"
SHIPPING_DAYS = 3
SHOP_API_KEY = "abc"
SESSION_COOKIE_AGE = 1000
""",
    "urls.py": """
from django.urls import path
from rest_framework.routers import DefaultRouter

from shop import api, pages

router = DefaultRouter()
router.register("products", api.ProductViewSet)
router.register("invoices", api.InvoiceViewSet)

urlpatterns = [
    path("products/<int:pk>/", pages.product_page, name="product"),
    path("labels/<int:pk>/", pages.label_page),
    path("shelves/<int:pk>/", pages.ShelfPage.as_view()),
    *router.urls,
]
""",
    "shop/__init__.py": "",
    "shop/models.py": '''
from django.db import models
from django.utils.translation import gettext_lazy as _

from etag_versioning.models import VersionedManager, VersionedModel, VersionedQuerySet

from .fields import UpperField


class State(models.TextChoices):
    NEW = "new", _("New")
    OLD = "old", _("Old")


class Shelf(VersionedModel):
    name = models.CharField(max_length=50)

    class Meta:
        ordering = ["name"]

    @property
    def label(self):
        return f"Shelf {self.name}"


class ProductQuerySet(VersionedQuerySet):
    def with_doubled(self):
        return self.annotate(doubled=models.F("price") * 2)


class Product(VersionedModel):
    """Something that is sold."""

    name = UpperField(max_length=50)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    state = models.CharField(max_length=10, choices=State.choices, default="new")
    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="products")

    objects = VersionedManager.from_queryset(ProductQuerySet)()

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.name = self.name.strip()
        super().save(*args, **kwargs)

    @property
    def full_name(self):
        return f"{self.name} ({self.state})"

    def weight_class(self):
        return "light" if self.price < 100 else "heavy"


class Review(VersionedModel):
    text = models.TextField()
    product = models.ForeignKey(Product, models.CASCADE, related_name="reviews")

    def shout(self):
        return self.text.upper()


class Invoice(VersionedModel):
    number = models.CharField(max_length=20)

    def pretty(self):
        return f"No. {self.number}"
''',
    "shop/fields.py": """
from django.db import models


class UpperField(models.CharField):
    def from_db_value(self, value, expression, connection):
        return value if value is None else value.upper()
""",
    "shop/money.py": '''
"""Prices as text."""

import re
from decimal import Decimal
from enum import Enum
from functools import lru_cache

from django.conf import settings

from . import rounding

RATE = Decimal("1.19")
SYMBOLS = {"EUR": "€", "USD": "$"}
FREE = {"samples", "gifts", "catalogues", "stickers"}
SPACES = re.compile(r" +")
UNRELATED = "nobody names it"
_seen = {}
_calls = 0


class Tone(Enum):
    WARM = "warm"
    COLD = "cold"


def price_text(price, *, digits=2):
    """A price with its currency."""
    global _calls
    _calls += 1
    if price not in _seen:
        _seen[price] = rounding.rounded(price * RATE, digits)
    text = f"{SYMBOLS[settings.CURRENCY]} {_seen[price]}"
    return SPACES.sub(" ", text)


@lru_cache
def tone(price):
    return Tone.WARM.value if price > 10 else "grey"


def is_free(name):
    return name in FREE or name in {"nothing", "zero", "null", "none", "void"}


def unused(price):
    return price * 3
''',
    "shop/rounding.py": """
def rounded(value, digits):
    return round(value, digits)


def never_named(value):
    return value
""",
    "shop/badges.py": """
BADGES = ["first", "second"]


def badge(product):
    return BADGES[product.pk % 2]


def other(product):
    return "other"
""",
    "shop/formatting.py": """
from functools import partial, wraps


def bracketed(left, right):
    def decorator(function):
        @wraps(function)
        def inner(*args):
            return left + str(function(*args)) + right

        return inner

    return decorator


class Padding:
    def __init__(self, width):
        self.width = width
        self.used = 0

    def pad(self, text):
        self.used += 1
        return text.ljust(self.width)


def joined(separator, *parts):
    return separator.join(parts)


padding = Padding(20)
dashed = partial(joined, "-")
""",
    "shop/serializers.py": """
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from . import money
from .formatting import bracketed, dashed, padding
from .models import Invoice, Product, Review, Shelf


def not_empty(value):
    if not value:
        raise serializers.ValidationError("empty")


class StampField(serializers.CharField):
    prefix = "#"

    def to_representation(self, value):
        return self.prefix + super().to_representation(value)


class ShelfSerializer(serializers.ModelSerializer):
    class Meta:
        model = Shelf
        fields = ["id", "name"]


class ReviewSerializer(serializers.ModelSerializer):
    loud = serializers.CharField(source="shout", read_only=True)

    class Meta:
        model = Review
        fields = ["id", "loud"]


class Priced(serializers.Serializer):
    price_text = serializers.SerializerMethodField()

    def get_price_text(self, product):
        return money.price_text(product.price)


Codes = type("Codes", (serializers.Serializer,), {"code": serializers.IntegerField(source="pk")})


class ProductSerializer(Priced, serializers.ModelSerializer):
    name = StampField(max_length=50, validators=[not_empty], help_text=_("The name"))
    shelf = ShelfSerializer(read_only=True)
    reviews = ReviewSerializer(many=True, read_only=True)
    codes = Codes(source="*", read_only=True)
    shelf_label = serializers.CharField(source="shelf.label", read_only=True)
    weight = serializers.CharField(source="weight_class", read_only=True)
    extras = serializers.SerializerMethodField()
    kind = serializers.ChoiceField(choices=[("a", _("First kind")), ("b", "Second")], default="a")

    class Meta:
        model = Product
        fields = ["id", "name", "price", "price_text", "full_name", "shelf", "reviews", "codes",
                  "shelf_label", "weight", "extras", "kind"]
        extra_kwargs = {"price": {"coerce_to_string": False}}

    def validate_name(self, value):
        return value.strip()

    def create(self, validated_data):
        return super().create(validated_data)

    @bracketed("[", "]")
    def get_extras(self, product):
        from .badges import badge

        return dashed(badge(product), padding.pad(money.tone(product.price)))


class InvoiceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Invoice
        fields = ["id", "number"]
""",
    "shop/api.py": """
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.viewsets import ModelViewSet

from etag_versioning.rest_framework.mixins import VersionedViewSetMixin

from .models import Invoice, Product
from .serializers import InvoiceSerializer, ProductSerializer


class IsOpen(BasePermission):
    def has_permission(self, request, view):
        return True


class ShopRenderer(JSONRenderer):
    charset = None
    ensure_ascii = True


class ProductViewSet(VersionedViewSetMixin, ModelViewSet):
    queryset = Product.objects.with_doubled().prefetch_related("reviews")
    serializer_class = ProductSerializer
    renderer_classes = [ShopRenderer]
    permission_classes = [IsOpen]
    page_note = "note"

    def perform_create(self, serializer):
        serializer.save()


class InvoiceViewSet(VersionedViewSetMixin, ModelViewSet):
    queryset = Invoice.objects.all()
    serializer_class = InvoiceSerializer
    renderer_classes = [ShopRenderer]
""",
    "shop/pages.py": """
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.decorators import method_decorator
from django.views.generic import DetailView

from etag_versioning.decorators import versioned_condition

from . import money
from .models import Product, Shelf


def heading(product):
    return f"Product {product.full_name}"


@versioned_condition(Product, fingerprint=True)
def product_page(request, pk):
    product = get_object_or_404(Product, pk=pk)
    names = [each for each in (product.name, product.state) if not money.is_free(each)]
    context = {"product": product, "heading": heading(product), "names": names}
    context["days"] = settings.SHIPPING_DAYS
    return render(request, "shop/product.html", context)


@versioned_condition(Product)
def label_page(request, pk):
    return HttpResponse(open("label.txt").read() + settings.SHOP_API_KEY[:0])


@method_decorator(versioned_condition(Shelf, fingerprint=True), name="dispatch")
class ShelfPage(DetailView):
    model = Shelf
""",
    "shop/templates/shop/base.html": "<html>{% block content %}{% endblock %}</html>\n",
    "shop/templates/shop/product.html": (
        '{% extends "shop/base.html" %}{% load shop_tags %}{% block content %}'
        '<h1>{{ heading|shout }}</h1>{% include "shop/part.html" %}{% stars 3 %}'
        "{{ product.shelf.label }}{% endblock %}\n"
    ),
    "shop/templates/shop/part.html": "<p>{{ days }}</p>\n",
    "shop/templates/shop/stars.html": "<b>{{ number }}</b>\n",
    "shop/templates/shop/shelf_detail.html": "<h1>{{ object.name }}</h1>\n",
    "shop/templates/shop/unrelated.html": "<p>Nobody names it.</p>\n",
    "shop/templatetags/__init__.py": "",
    "shop/templatetags/shop_tags.py": """
from django import template

register = template.Library()


@register.filter
def shout(text):
    return text.upper()


@register.inclusion_tag("shop/stars.html")
def stars(number):
    return {"number": "*" * number}


@register.filter
def whisper(text):
    return text.lower()
""",
}
