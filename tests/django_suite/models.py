"""
``django.db.models`` as Django's tests see it: models, managers and querysets are versioned.

The columns have names that no model of Django's tests uses, and come last, so that tests
may go on passing values by position.
"""

from django.db import models as django_models
from django.db.models import *  # noqa: F403

from etag_versioning.fields import UpdatedAtField, VersionField
from etag_versioning.models import VersionedManager as Manager
from etag_versioning.models import VersionedModel
from etag_versioning.models import VersionedQuerySet as QuerySet

__all__ = [*django_models.__all__, "Manager", "Model", "QuerySet"]


class Model(VersionedModel):
    version = None
    updated_at = None
    row_version = VersionField()
    row_updated_at = UpdatedAtField()

    class Meta:
        abstract = True


for place, field in enumerate(Model._meta.local_fields):
    field.creation_counter = 1_000_000 + place


def __getattr__(name):
    return getattr(django_models, name)
