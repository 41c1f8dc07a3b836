"""
Model forms and formsets that don't overwrite what others saved.

A hidden field carries the state that the form shows, signed. If the row has been written since, the
form does not save: it comes back with an error that shows, field by field, what was there,
what is there now, and what was entered.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet, BaseModelFormSet
from django.utils.translation import gettext_lazy as _

from .editing.bound_forms import CONFLICT, STATE_FIELD, FormVersioning, StateField
from .editing.conflicts import Change, Conflict, FieldConflict
from .editing.deleted_rows import DeletedRows, take_out_deleted_rows
from .editing.form_classes import with_mixin
from .editing.guards import guarded
from .editing.snapshots import Snapshot, read_snapshots, sign_snapshots

__all__ = [
    "BaseVersionedInlineFormSet",
    "BaseVersionedModelFormSet",
    "Change",
    "Conflict",
    "FieldConflict",
    "VersionedFormSetMixin",
    "VersionedModelForm",
    "VersionedModelFormMixin",
    "versioned_form_class",
    "versioned_formset_class",
]


class VersionedModelFormMixin:
    """
    For model forms. It goes before ``ModelForm`` in the bases.

    Attributes:
        state_required: whether a form without its hidden field is refused. If not, it is saved
            as Django does, for clients that don't send the field yet.
        conflict: why the form was not saved, as a ``Conflict``; ``None`` without a conflict.
    """

    state_required: ClassVar[bool] = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        form: Any = self
        initial = args[4] if len(args) > 4 else kwargs.get("initial")
        self.versioning = FormVersioning(form, tuple(initial or ()))
        if self.versioning.now is not None:
            form.fields[STATE_FIELD] = StateField(self.versioning.sign)

    @property
    def media(self) -> Any:
        media: Any = super().media  # type: ignore[misc]
        if self.versioning.conflict is None:
            return media
        return media + forms.Media(css={"all": ["etag_versioning/conflict.css"]})

    @property
    def conflict(self) -> Conflict | None:
        self.errors  # type: ignore[attr-defined]  # noqa: B018  # Cleans the form.
        return self.versioning.conflict

    def full_clean(self) -> None:
        self.versioning.clean(super().full_clean)  # type: ignore[misc]

    def save(self, commit: bool = True) -> Any:
        """
        Django's, in one transaction that holds the row to the state that was shown.

        Raises:
            StaleWriteError: another write came between the form's validation and its save.
                Nothing was written. Validate a new form of the same data to show the conflict.
        """
        save: Any = super().save  # type: ignore[misc]
        if not commit:
            return save(commit=False)
        with guarded(self.versioning.guard):
            return save()

    save.alters_data = True  # type: ignore[attr-defined]

    def get_changes_since(self, timestamp: datetime | None) -> Iterable[Change]:
        """
        Who wrote the row after a moment, the latest first, for the page of a conflict. Override
        it where the project knows.

        Args:
            timestamp: when the form was opened; ``None`` if that is not known.
        """
        return ()


class VersionedModelForm(VersionedModelFormMixin, forms.ModelForm):
    """
    A model form that does not overwrite what others saved since it was opened.

    Example::

        class PageForm(VersionedModelForm):
            class Meta:
                model = Page
                fields = ["title", "text"]

    Render it as any other form, with its hidden fields: ``{{ form }}`` does. The conflict is in
    ``form.non_field_errors``.
    """


def versioned_form_class(form: Any) -> Any:
    """A model form's class with ``VersionedModelFormMixin``; itself if it has the mixin."""
    if issubclass(form, VersionedModelFormMixin):
        return form
    return with_mixin(VersionedModelFormMixin, form)


_TO_DELETE = _(
    "A row that you want to delete was changed by somebody else after you opened this page. "
    "Nothing was saved. If you save again, it is deleted."
)
_RESTORED = _(
    "Somebody else deleted this row after you opened the page. If you save again, it is created "
    "again; to leave it deleted, clear its fields."
)
_LEFT_OUT = _(
    "Somebody else deleted a row that you have changed: %(entered)s. Nothing was saved. If you "
    "save again, it stays deleted."
)


class VersionedFormSetMixin:
    """
    For model formsets. It goes before ``BaseModelFormSet`` or ``BaseInlineFormSet`` in the bases.

    Its management form carries the states of all rows. A row that others changed, and this person
    did not, keeps what others wrote. A row that others deleted is left out.

    Attributes:
        restores_deleted_rows: whether a row that this person changed and others deleted becomes
            a new row, which the next save creates. If not, what was entered is shown as text.
    """

    restores_deleted_rows: ClassVar[bool] = True
    form: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "form" in vars(cls):
            cls.form = versioned_form_class(cls.form)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        formset: Any = self
        self.deleted_rows = DeletedRows()
        if formset.is_bound and not getattr(formset, "save_as_new", False):
            self.deleted_rows = take_out_deleted_rows(
                formset, self._sent, restore=self.restores_deleted_rows and not formset.edit_only
            )

    @cached_property
    def management_form(self) -> Any:
        form = super().management_form  # type: ignore[misc]
        form.fields[STATE_FIELD] = StateField(self._sign)
        return form

    def _sign(self) -> str:
        rows = (form.versioning.shown for form in self.initial_forms)  # type: ignore[attr-defined]
        return sign_snapshots(row for row in rows if row is not None)

    @cached_property
    def _sent(self) -> list[Snapshot]:
        formset: Any = self
        return read_snapshots(formset.data.get(f"{formset.prefix}-{STATE_FIELD}"))

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)  # type: ignore[misc]
        form.fields.pop(STATE_FIELD, None)
        versioning: FormVersioning = form.versioning
        versioning.in_formset = True
        versioning.parent = getattr(self, "instance", None)
        versioning.find_sent = lambda: next(
            (row for row in self._sent if versioning.now and row.is_of(versioning.now)), None
        )

    def full_clean(self) -> None:
        super().full_clean()  # type: ignore[misc]
        formset: Any = self
        if not formset.is_bound:
            return
        for number in self.deleted_rows.restored:
            formset.forms[number].add_error(None, ValidationError(_RESTORED, code=CONFLICT))
        errors = formset.non_form_errors()
        for entered in self.deleted_rows.entered:
            params = {"entered": entered}
            errors.append(ValidationError(_LEFT_OUT, code=CONFLICT, params=params))
        if any(form.versioning.conflict for form in formset.deleted_forms):
            errors.append(ValidationError(_TO_DELETE, code=CONFLICT))


class BaseVersionedModelFormSet(VersionedFormSetMixin, BaseModelFormSet):
    """For ``modelformset_factory(Page, PageForm, formset=BaseVersionedModelFormSet)``."""


class BaseVersionedInlineFormSet(VersionedFormSetMixin, BaseInlineFormSet):
    """For ``inlineformset_factory(Book, Page, formset=BaseVersionedInlineFormSet)``."""


def versioned_formset_class(formset: Any) -> Any:
    """A model formset's class with ``VersionedFormSetMixin``; itself if it has the mixin."""
    if issubclass(formset, VersionedFormSetMixin):
        return formset
    attributes = {"form": versioned_form_class(formset.form)}
    return type(formset)(formset.__name__, (VersionedFormSetMixin, formset), attributes)
