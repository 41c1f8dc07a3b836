"""
Models as a project writes them.

The mypy plugin finds the types of Django's own fields; Pyright needs them as annotations. The
plugin wants ``ClassVar`` where a manager replaces that of an abstract model.
"""

from datetime import datetime
from typing import ClassVar

from django.db import models

from etag_versioning.models import (
    TouchingMixin,
    VersionedManager,
    VersionedModel,
    VersionedQuerySet,
    VersionMixin,
)


class Team(VersionedModel):
    tag_label = "team"

    name: "models.CharField[str, str]" = models.CharField(max_length=100)


class User(VersionedModel):
    unversioned_fields = ("last_seen",)
    skip_unchanged = True

    name: "models.CharField[str, str]" = models.CharField(max_length=100)
    team: "models.ForeignKey[Team, Team]" = models.ForeignKey(Team, models.CASCADE)
    last_seen: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True
    )


class Phone(TouchingMixin):
    touches = ("user",)

    user: "models.ForeignKey[User, User]" = models.ForeignKey(User, models.CASCADE)
    number: "models.CharField[str, str]" = models.CharField(max_length=100)


class Counter(VersionMixin):
    stale_writes = "merge"


class PageQuerySet(VersionedQuerySet["Page"]):
    def published(self) -> "PageQuerySet":
        return self.filter(is_published=True)


class PageManager(VersionedManager["Page"]):
    def get_queryset(self) -> PageQuerySet:
        return PageQuerySet(self.model, using=self._db)

    def published(self) -> PageQuerySet:
        return self.get_queryset().published()


class Page(VersionedModel):
    is_published: "models.BooleanField[bool, bool]" = models.BooleanField(default=False)

    objects: ClassVar[PageManager] = PageManager()
