"""The same columns twice: as Django writes them, and as compare-and-swap."""

from django.db import models

from etag_versioning.models import VersionedModel


class Columns(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField()
    title = models.CharField(max_length=100)
    notes = models.TextField()
    days = models.IntegerField(default=0)
    active = models.BooleanField(default=True)
    hired = models.DateField()
    team = models.IntegerField(default=0)

    class Meta:
        abstract = True


class PlainRow(Columns):
    version = models.PositiveBigIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)


class VersionedRow(Columns, VersionedModel):
    pass
