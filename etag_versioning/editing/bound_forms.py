"""
What a versioned form does beside Django's: it compares what the browser sent back with the row,
and takes over what others wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.models import model_to_dict

from .conflicts import Conflict, choice_name, find_conflict
from .guards import guard_of
from .snapshots import Snapshot, read_snapshots, sign_snapshots

__all__ = ["CONFLICT", "STATE_FIELD", "FormVersioning", "StateField"]

# The name of the hidden field, with the form's prefix.
STATE_FIELD = "versioned_state"
# The code of the form's error.
CONFLICT = "conflict"


class StateField(forms.CharField):
    """
    The hidden field that carries what the form shows. A form that comes back carries what it
    shows now, not what was sent.

    Args:
        sign: returns the field's value.
    """

    widget = forms.HiddenInput

    def __init__(self, sign: Callable[[], str]) -> None:
        super().__init__(required=False, initial=sign)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class FormVersioning:
    """
    The state of one form.

    Args:
        form: the form, whose fields are complete.
        overridden: names of fields whose initial value is not the row's.

    Attributes:
        now: the row as it was read for this form; ``None`` for a new row.
        in_formset: whether the form is one row of a formset, which carries its state.
        parent: the object of an inline formset; ``None`` for other forms.
        find_sent: returns the row as the browser's form showed it, or ``None``.
        conflict: what was found when the form was cleaned.
    """

    def __init__(self, form: Any, overridden: Collection[str]) -> None:
        self.form = form
        self.conflict: Conflict | None = None
        self.in_formset = False
        self.parent: Any = None
        self.find_sent: Callable[[], Snapshot | None] = self._find_own
        self.now: Snapshot | None = None
        self.guard = None
        # The row's own values of the fields that show another initial value.
        self.row_values: dict[str, Any] = {}
        instance = form.instance
        if instance._state.adding:
            return
        self.row_values = model_to_dict(instance, fields=overridden)
        values = {**form.initial, **self.row_values}
        values = {name: values[name] for name in values if name in form.base_fields}
        # Before the form is cleaned, which changes the instance.
        self.now = Snapshot.of(instance, values, form.fields)
        self.guard = guard_of(instance)

    def sign(self) -> str:
        """The value of the hidden field."""
        return "" if self.shown is None else sign_snapshots([self.shown])

    @property
    def shown(self) -> Snapshot | None:
        """The row as the form shows it: the form may have lost fields after it was made."""
        return None if self.now is None else self.now.limited_to(self.form.fields)

    def _find_own(self) -> Snapshot | None:
        sent = read_snapshots(self.form.data.get(self.form.add_prefix(STATE_FIELD)))
        return next((each for each in sent if self.now and each.is_of(self.now)), None)

    def clean(self, full_clean: Callable[[], None]) -> None:
        """
        Clean the form, and compare what the browser's form showed with the row.

        Args:
            full_clean: cleans the form as it would be without us.
        """
        self.conflict = None
        if self.now is None or not self.form.is_bound:
            full_clean()
            return
        sent = self.find_sent()
        if sent is not None and sent.is_current(self.now):
            chosen = self._fields_chosen_as_theirs()
            self._clean_with_initial(full_clean, chosen)
        else:
            full_clean()
            if sent is not None or self.form.state_required:
                self._refuse(full_clean, sent, find_conflict(self.form, sent, self.now))
        self.form.cleaned_data.pop(STATE_FIELD, None)

    def _fields_chosen_as_theirs(self) -> list[str]:
        data, form = self.form.data, self.form
        assert self.now is not None
        return [
            name
            for name in self.now.values
            if name in form.fields and data.get(choice_name(form, name)) == "theirs"
        ]

    def _clean_with_initial(self, full_clean: Callable[[], None], names: Collection[str]) -> None:
        """Clean the form as if these fields had been sent as the row holds them."""
        self._show_values_of_row(names)
        fields = [self.form.fields[name] for name in names]
        for field in fields:
            field.disabled = True  # Django takes the initial value of a disabled field.
        vars(self.form).pop("changed_data", None)
        full_clean()
        if self.form.errors:
            # The form is shown again, and a browser sends no disabled field.
            for field in fields:
                field.disabled = False
                _show_initial(field)

    def _show_values_of_row(self, names: Iterable[str]) -> None:
        """Replace the initial values that were given to the form for these fields."""
        for name in names:
            if name in self.row_values:
                self.form.initial[name] = self.row_values[name]
                vars(self.form[name]).pop("initial", None)  # A cached property.

    def _refuse(
        self, full_clean: Callable[[], None], sent: Snapshot | None, conflict: Conflict
    ) -> None:
        """Make the conflict an error of the form, unless nothing of the person's own is lost."""
        form = self.form
        conflict.is_deletion = bool(form.cleaned_data.get(DELETION_FIELD_NAME))
        if self.in_formset and not conflict.changed_by_me and not conflict.is_deletion:
            assert self.now is not None
            names = [name for name in self.now.values if name in form.fields]
            self._clean_with_initial(full_clean, names)
            return
        conflict.changed_at = None if self.now is None else self.now.timestamp
        conflict.changes = list(form.get_changes_since(None if sent is None else sent.taken_at))
        self.conflict = conflict
        kept = [each.name for each in conflict.fields if not each.changed_by_me]
        self._show_values_of_row(kept)
        for name in kept:
            _show_initial(form.fields[name])
        form.add_error(None, ValidationError(str(conflict), code=CONFLICT))


def _show_initial(field: Any) -> None:
    """Let a field of a bound form show the row's value, whatever was sent."""
    field.bound_data = lambda data, initial: initial
