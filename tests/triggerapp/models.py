"""Models that programs write past, with migrations that add the triggers."""

from django.db import models

from etag_versioning.fields import UpdatedAtField, VersionField
from etag_versioning.models import VersionedModel


class Subject(models.Model):
    """Authors have some: the table of the links has a trigger."""

    name = models.CharField(max_length=50)


class Author(VersionedModel):
    """Columns of many types, and under names that want quoting."""

    unversioned_fields = ("last_login", "subjects")

    version = None
    row_version = VersionField(db_column="row version")
    name = models.CharField(max_length=50, null=True, db_column="the name")  # noqa: DJ001
    last_login = models.DateTimeField(null=True)
    born = models.DateField(null=True)
    weight = models.FloatField(null=True)
    fee = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    data = models.JSONField(default=dict)
    photo = models.BinaryField(null=True)
    active = models.BooleanField(default=True)
    uuid = models.UUIDField(null=True)
    subjects = models.ManyToManyField(Subject)
    biography = models.TextField(default="", db_default="")
    doubled = models.GeneratedField(
        expression=models.F("weight") * 2, output_field=models.FloatField(), db_persist=True
    )

    class Meta:
        db_table = "the order"


class Book(VersionedModel):
    """Shown in its author and, if any, its editor."""

    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, models.CASCADE)
    editor = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="+")


class Untouched(VersionedModel):
    """Has no trigger."""

    name = models.CharField(max_length=50)


class Stamped(models.Model):
    """A timestamp alone."""

    changed = UpdatedAtField()
    name = models.CharField(max_length=50)


class Numbered(models.Model):
    """A version alone, and a key of two columns."""

    pk = models.CompositePrimaryKey("row", "number")
    row = models.CharField(max_length=10)
    number = models.IntegerField()
    version = VersionField()
    name = models.CharField(max_length=50, default="")
