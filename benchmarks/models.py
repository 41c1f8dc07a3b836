"""What is read: a row with three joined tables. What is written: the same columns, four times."""

from concurrency.fields import AutoIncVersionField
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


class ConcurrentRow(Columns):
    """As django-concurrency guards it."""

    version = AutoIncVersionField()
    updated_at = models.DateTimeField(auto_now=True)


class Named(models.Model):
    name = models.CharField(max_length=100)
    city = models.CharField(max_length=100)
    notes = models.TextField()

    class Meta:
        abstract = True


class Team(Named):
    pass


class Office(Named):
    pass


class Role(Named):
    pass


class Employee(VersionedModel):
    name = models.CharField(max_length=100)
    email = models.EmailField()
    title = models.CharField(max_length=100)
    phone = models.CharField(max_length=50)
    street = models.CharField(max_length=100)
    city = models.CharField(max_length=100)
    notes = models.TextField()
    days = models.IntegerField(default=0)
    salary = models.DecimalField(max_digits=12, decimal_places=2)
    active = models.BooleanField(default=True)
    hired = models.DateField()
    tenant = models.IntegerField(default=1)
    team = models.ForeignKey(Team, models.PROTECT)
    office = models.ForeignKey(Office, models.PROTECT)
    role = models.ForeignKey(Role, models.PROTECT)
