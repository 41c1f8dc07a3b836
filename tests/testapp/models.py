import uuid

from django.db import models

from etag_versioning.fields import UpdatedAtField, VersionField
from etag_versioning.models import (
    TouchingMixin,
    UpdatedAtMixin,
    VersionedManager,
    VersionedModel,
    VersionMixin,
)


class Team(VersionedModel):
    name = models.CharField(max_length=50)


class Badge(models.Model):
    """Keeps its team from being deleted."""

    team = models.ForeignKey(Team, models.PROTECT)


class Person(VersionedModel):
    """Nothing hangs on it: deleted by one statement."""

    name = models.CharField(max_length=50)
    days = models.IntegerField(default=0)
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True)


class Profile(VersionedModel):
    """Its key is its team's."""

    team = models.OneToOneField(Team, models.DO_NOTHING, primary_key=True)
    text = models.CharField(max_length=50)


class Counter(VersionMixin):
    """A version alone."""

    value = models.IntegerField(default=0)


class Note(UpdatedAtMixin):
    """A timestamp alone."""

    text = models.CharField(max_length=50)


class Renamed(VersionedModel):
    """Both columns under names of its own."""

    version = None
    updated_at = None
    row_version = VersionField(db_column="rev")
    changed = UpdatedAtField()
    name = models.CharField(max_length=50)


class Hidden(VersionedModel):
    """Its address and its tags hide the key."""

    tag_label = "secret"
    tag_key = "uuid"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    name = models.CharField(max_length=50)


class Place(VersionedModel):
    unversioned_fields = ("visits",)

    visits = models.IntegerField(default=0)
    name = models.CharField(max_length=50)


class Restaurant(Place):
    """The state is in the parent's table, which is written first."""

    stars = models.IntegerField(default=0)
    team = models.ForeignKey(Team, models.CASCADE, null=True)


class Base(models.Model):
    name = models.CharField(max_length=50)


class Extended(VersionMixin, Base):
    """The state is in the child's table, which is written last."""

    size = models.IntegerField(default=0)


class Login(VersionedModel):
    """Has a field that no client sees, and saves that change nothing."""

    unversioned_fields = ("last_seen",)
    skip_unchanged = True

    name = models.CharField(max_length=50, unique=True)
    data = models.JSONField(default=dict)
    last_seen = models.DateTimeField(null=True)
    team = models.ForeignKey(Team, models.SET_NULL, null=True)


class PersonProxy(Person):
    class Meta:
        proxy = True


class Seat(VersionedModel):
    pk = models.CompositePrimaryKey("row", "number")
    row = models.CharField(max_length=10)
    number = models.IntegerField()
    taken = models.BooleanField(default=False)
    number_of_guests = models.IntegerField(default=0)


class Chapter(VersionedModel):
    """In the order of its team's, with a column that the database computes."""

    team = models.ForeignKey(Team, models.CASCADE)
    pages = models.IntegerField(default=1)
    sheets = models.GeneratedField(
        expression=models.F("pages") * 2, output_field=models.IntegerField(), db_persist=True
    )
    tagged = models.ManyToManyField(Renamed)

    class Meta:
        order_with_respect_to = "team"


class CountryManager(VersionedManager):
    def get_by_natural_key(self, code):
        return self.get(code=code)


class Country(VersionedModel):
    """Its key is made in Python; fixtures name it by another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    code = models.CharField(max_length=2, unique=True)
    name = models.CharField(max_length=50, db_default="nameless")

    objects = CountryManager()

    def natural_key(self):
        return (self.code,)


def default_team():
    return Team.objects.get_or_create(name="default")[0].pk


class Plain(models.Model):
    """No state at all."""

    name = models.CharField(max_length=50)


def default_boss():
    return Plain.objects.get_or_create(name="default")[0].pk


class Member(VersionedModel):
    """What the deletion of its team, and of its boss, makes of it."""

    team = models.ForeignKey(Team, models.SET_DEFAULT, default=default_team)
    boss = models.ForeignKey(Plain, models.SET(default_boss))


# Models that show others' rows, and so move with them.


class Shelf(VersionedModel):
    """Nothing touches it but what is on it."""

    name = models.CharField(max_length=50)


class Genre(VersionedModel):
    """Shown in its books, and shows none."""

    touches = ("books",)

    name = models.CharField(max_length=50)


class Book(VersionedModel):
    """Shows its pages, and is shown on its shelf."""

    touches = ("shelf",)
    unversioned_fields = ("opened",)

    name = models.CharField(max_length=50)
    opened = models.IntegerField(default=0)
    shelf = models.ForeignKey(Shelf, models.SET_NULL, null=True)
    genres = models.ManyToManyField(Genre, related_name="books")


class Part(VersionedModel):
    """Of a book; moves it by its pages' path alone."""

    book = models.ForeignKey(Book, models.CASCADE, null=True)


class Page(VersionedModel):
    """Shown in its part's book: a path over two tables."""

    touches = ("part__book",)
    skip_unchanged = True

    part = models.ForeignKey(Part, models.CASCADE)
    text = models.CharField(max_length=50)


class Leaf(VersionedModel):
    """Shown in two books at once, and one of them may go."""

    touches = ("book", "copied_from")

    name = models.CharField(max_length=50, unique=True)
    number = models.IntegerField(default=0)
    book = models.ForeignKey(Book, models.CASCADE)
    copied_from = models.ForeignKey(Book, models.SET_NULL, null=True, related_name="copies")


class Cover(TouchingMixin):
    """Has no version itself."""

    touches = ("book",)

    book = models.OneToOneField(Book, models.CASCADE)
    color = models.CharField(max_length=50)


class Reader(TouchingMixin):
    """Shown in what it reads, with the links that a model of its own holds."""

    touches = ("reads",)

    name = models.CharField(max_length=50)
    reads = models.ManyToManyField(Book, through="Loan", related_name="readers")


class Loan(models.Model):
    reader = models.ForeignKey(Reader, models.CASCADE)
    book = models.ForeignKey(Book, models.CASCADE)
    days = models.IntegerField(default=0)


class Knot(VersionedModel):
    """Tied to others of its kind, in both directions and in circles."""

    touches = ("parent", "knots", "tied")

    name = models.CharField(max_length=50)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="knots")
    tied = models.ManyToManyField("self")


# Models that live beside what other apps bring.


class Hiding(models.Model):
    """What a package for soft deletion brings: the row stays, unless it is told otherwise."""

    hidden = models.BooleanField(default=False)

    class Meta:
        abstract = True

    def delete(self, using=None, keep_parents=False, *, force=False):
        if force:
            return super().delete(using=using, keep_parents=keep_parents)
        self.hidden = True
        self.save(using=using)
        return 0, {}


class HiddenAfter(VersionedModel, Hiding):
    """Our ``delete()`` comes first."""

    name = models.CharField(max_length=50)


class HiddenBefore(Hiding, VersionedModel):
    """Its own ``delete()`` comes first."""

    name = models.CharField(max_length=50)


class Narrowing(models.Model):
    """Another override of ``_do_update()``, which narrows what is updated to a tenant's rows."""

    tenant = models.CharField(max_length=10)
    asked: list = []

    class Meta:
        abstract = True

    def _do_update(self, base_qs, *args, **kwargs):
        type(self).asked.append(kwargs)
        return super()._do_update(base_qs.filter(tenant="ours"), *args, **kwargs)

    def save_base(self, *args, **kwargs):
        assert not args
        return super().save_base(*args, **kwargs)

    @classmethod
    def from_db(cls, *args, **kwargs):
        instance = super().from_db(*args, **kwargs)
        instance.is_loaded = True
        return instance


class NarrowedAfter(VersionedModel, Narrowing):
    skip_unchanged = True
    days = models.IntegerField(default=0)


class NarrowedBefore(Narrowing, VersionedModel):
    skip_unchanged = True
    days = models.IntegerField(default=0)


class Attachment(VersionedModel):
    skip_unchanged = True

    name = models.CharField(max_length=50)
    file = models.FileField(upload_to="attachments")
    saved = models.DateTimeField(auto_now=True)


class Upload(VersionedModel):
    """Only a file, and saves that change nothing."""

    skip_unchanged = True

    name = models.CharField(max_length=50)
    file = models.FileField(upload_to="uploads", blank=True)


class Foreign(VersionedModel):
    """Its table is also written by a program that leaves the version out."""

    unversioned_fields = ("viewer_id",)

    version = VersionField(null=True)
    updated_at = UpdatedAtField(null=True)
    name = models.CharField(max_length=50)
    viewer = models.ForeignKey(Plain, models.SET_NULL, null=True)


# Models whose many-to-many fields are part of their state.


class Label(models.Model):
    """No state of its own; shown in the recipes that have it."""

    name = models.CharField(max_length=50)


class Dish(VersionedModel):
    """An abstract base with a many-to-many field."""

    labels = models.ManyToManyField(Label)

    class Meta:
        abstract = True


class Recipe(Dish):
    unversioned_fields = ("readers",)

    name = models.CharField(max_length=50)
    similar = models.ManyToManyField("self")
    follows = models.ManyToManyField("self", symmetrical=False, related_name="followers")
    readers = models.ManyToManyField(Label, related_name="read")


class RecipeProxy(Recipe):
    class Meta:
        proxy = True


class BakedRecipe(Recipe):
    """The links and the state are the parent's."""

    heat = models.IntegerField(default=0)


class Menu(UpdatedAtMixin):
    """A timestamp alone."""

    recipes = models.ManyToManyField(Recipe)


class Folder(models.Model):
    """Has links, and no state."""

    labels = models.ManyToManyField(Label)


class Binder(VersionedModel, Folder):
    """Has the state, and the parent's links."""


class Draft(VersionedModel):
    """Its saves that change nothing are skipped."""

    skip_unchanged = True

    name = models.CharField(max_length=50)
    labels = models.ManyToManyField(Label)


# Models whose rows exclude each other by what no serializer and no lookup knows.


class Account(VersionedModel):
    """Not on MariaDB, which has no indexes on expressions."""

    email = models.CharField(max_length=50)

    class Meta:
        required_db_features = ("supports_expression_indexes",)
        constraints = (
            models.UniqueConstraint(models.functions.Lower("email"), name="account_email"),
        )


class Mailbox(VersionedModel):
    """The same by a column that the database computes, on each of them."""

    email = models.CharField(max_length=50)
    folded = models.GeneratedField(
        expression=models.functions.Lower("email"),
        output_field=models.CharField(max_length=50),
        db_persist=True,
        unique=True,
    )
