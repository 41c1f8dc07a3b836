"""Who changed a row, by the admin's log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from ...editing.conflicts import Change
from ...editing.form_classes import with_mixin
from ...forms import (
    VersionedModelFormMixin,
    versioned_form_class,
    versioned_formset_class,
)

__all__ = ["LoggedChangesMixin", "admin_form_class", "admin_formset_class"]

# The most that a conflict lists.
_LIMIT = 5


class LoggedChangesMixin(VersionedModelFormMixin):
    """A form that knows who changed its row."""

    def get_changes_since(self, timestamp: datetime | None) -> Iterator[Change]:
        yield from super().get_changes_since(timestamp)
        if timestamp is not None:
            # What is changed in an inline is logged for the object of the page.
            for row in (self.instance, self.versioning.parent):  # type: ignore[attr-defined]
                yield from logged_changes(row, timestamp)


def logged_changes(instance: Any, since: datetime) -> Iterator[Change]:
    """What the admin's log says of a row after a moment, the latest first; nothing of ``None``."""
    if instance is None:
        return
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(instance, for_concrete_model=False),
        object_id=str(instance.pk),
        action_time__gt=since,
    )
    for entry in entries.select_related("user").order_by("-action_time")[:_LIMIT]:
        yield Change(str(entry.user), entry.action_time, entry.get_change_message())


def admin_form_class(form: Any) -> Any:
    """A model form's class with all that the admin's pages need of it."""
    if issubclass(form, LoggedChangesMixin):
        return form
    return with_mixin(LoggedChangesMixin, versioned_form_class(form))


def admin_formset_class(formset: Any) -> Any:
    """A model formset's class with all that the admin's pages need of it."""
    if issubclass(formset.form, LoggedChangesMixin):
        return formset
    attributes = {"form": admin_form_class(formset.form)}
    formset = versioned_formset_class(formset)
    return type(formset)(formset.__name__, (formset,), attributes)
