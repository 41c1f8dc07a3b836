"""
A bookshop as people write it who have not read what a tag covers: no ``touches``.

The models without a version inherit from ``TouchingMixin``, which adds no columns and has no
effect by itself, so that a test can add the line that an editor would add.
"""

from django.contrib.auth.models import User
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models

from etag_versioning.models import TouchingMixin, VersionedModel


class Country(TouchingMixin):
    name = models.CharField(max_length=50)


class Publisher(TouchingMixin):
    name = models.CharField(max_length=50)
    country = models.ForeignKey(Country, models.CASCADE, related_name="publishers")

    def __str__(self):
        return self.name


class Series(TouchingMixin):
    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=50)


class Author(TouchingMixin):
    name = models.CharField(max_length=50)

    def __str__(self):
        return self.name


class Genre(TouchingMixin):
    name = models.CharField(max_length=50)


class Shop(TouchingMixin):
    name = models.CharField(max_length=50)


class Comment(TouchingMixin):
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey()
    text = models.CharField(max_length=50)

    def __str__(self):
        return self.text


class Book(VersionedModel):
    unversioned_fields = ("views",)

    title = models.CharField(max_length=50)
    isbn = models.CharField(max_length=20, unique=True, null=True)  # noqa: DJ001
    price = models.DecimalField(max_digits=8, decimal_places=2, default=10)
    binding = models.CharField(
        max_length=10, default="soft", choices=[("soft", "S"), ("hard", "H")]
    )
    published_at = models.DateTimeField()
    views = models.PositiveIntegerField(default=0)
    cover = models.FileField(upload_to="covers", blank=True)
    publisher = models.ForeignKey(Publisher, models.CASCADE, related_name="books")
    series = models.ForeignKey(
        Series, models.SET_NULL, null=True, to_field="code", related_name="books"
    )
    prequel = models.ForeignKey("self", models.SET_NULL, null=True, related_name="sequels")
    seller = models.ForeignKey(User, models.SET_NULL, null=True, related_name="books")
    authors = models.ManyToManyField(Author, related_name="books")
    genres = models.ManyToManyField(Genre, related_name="books")
    shops = models.ManyToManyField(Shop, through="Stock", related_name="books")
    comments = GenericRelation(Comment, related_query_name="book")

    def __str__(self):
        return self.title

    @property
    def publisher_name(self):
        return self.publisher.name

    @property
    def country_name(self):
        return self.publisher.country.name

    @property
    def sale_price(self):
        discount = Discount.objects.order_by("pk").first()
        return float(self.price) * (100 - discount.percent) / 100

    def stars(self):
        return list(self.reviews.order_by("pk").values_list("stars", flat=True))


class Stock(TouchingMixin):
    book = models.ForeignKey(Book, models.CASCADE, related_name="stocks")
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="stocks")
    copies = models.PositiveIntegerField(default=1)


class Chapter(TouchingMixin):
    book = models.ForeignKey(Book, models.CASCADE, related_name="chapters")
    title = models.CharField(max_length=50)

    def __str__(self):
        return self.title


class Footnote(TouchingMixin):
    chapter = models.ForeignKey(Chapter, models.CASCADE, related_name="footnotes")
    text = models.CharField(max_length=50)


class Review(TouchingMixin):
    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    stars = models.PositiveIntegerField()
    critic = models.ForeignKey(User, models.CASCADE, null=True, related_name="reviews")


class Summary(TouchingMixin):
    book = models.OneToOneField(Book, models.CASCADE, related_name="summary")
    text = models.CharField(max_length=50)


class Translation(TouchingMixin):
    book = models.ForeignKey(Book, models.CASCADE, related_name="translations")
    language = models.CharField(max_length=5)
    title = models.CharField(max_length=50)


class Favourite(TouchingMixin):
    book = models.ForeignKey(Book, models.CASCADE, related_name="favourites")
    user = models.ForeignKey(User, models.CASCADE, related_name="favourites")


class Profile(TouchingMixin):
    """What the shop knows about a visitor."""

    user = models.OneToOneField(User, models.CASCADE, related_name="profile")
    currency = models.CharField(max_length=3, default="EUR")


class Shelf(VersionedModel):
    name = models.CharField(max_length=50)
    books = models.ManyToManyField(Book, related_name="shelves")


class Label(VersionedModel):
    """A versioned row that shows a row of any model."""

    text = models.CharField(max_length=50)
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey()


class Work(TouchingMixin):
    title = models.CharField(max_length=50)


class AudioBook(Work, VersionedModel):
    """Its version is in its own table, and its title in another."""

    minutes = models.PositiveIntegerField(default=60)


class Product(VersionedModel):
    name = models.CharField(max_length=50)


class Calendar(Product):
    """Its version is in the table of its parent."""

    year = models.PositiveIntegerField(default=2026)


class Discount(TouchingMixin):
    """Holds for all books, and has no relation to any."""

    percent = models.PositiveIntegerField(default=10)


class ExchangeRate(VersionedModel):
    """Likewise, with a version."""

    dollars = models.DecimalField(max_digits=6, decimal_places=3, default=1)


class Notice(TouchingMixin):
    """Stands on every page."""

    text = models.CharField(max_length=50)


class Option(TouchingMixin):
    """Settings of the shop that are changed while it runs."""

    key = models.CharField(max_length=50, unique=True)
    value = models.CharField(max_length=50)
