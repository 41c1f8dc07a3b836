"""What a person is told where a row was written since the form was opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.forms.models import InlineForeignKeyField
from django.template.loader import render_to_string

from .snapshots import Snapshot
from .values import comparable, displayed

__all__ = ["Change", "Conflict", "FieldConflict", "find_conflict"]

TEMPLATE = "etag_versioning/form_conflict.html"
# What is not known equals nothing.
_UNKNOWN: Any = object()


@dataclass(frozen=True)
class Change:
    """
    A write that came in between.

    Args:
        by: who wrote, as text.
        at: when.
        message: what, as text; may be empty.
    """

    by: str
    at: datetime
    message: str = ""


@dataclass(frozen=True)
class FieldConflict:
    """
    One field that differs.

    Args:
        name: the name of the form's field.
        label: its label.
        original: what the row held when the form was opened, as text; ``None`` if not known.
        theirs: what the row holds now, as text.
        mine: what was entered, as text.
        changed_by_me, changed_by_them: who changed it.
        choice_name: the name of the radio buttons that choose one of both.
        is_file: whether the field holds a file, which a browser has to send again.
    """

    name: str
    label: str
    original: str | None
    theirs: str
    mine: str
    changed_by_me: bool
    changed_by_them: bool
    choice_name: str
    is_file: bool = False

    @property
    def needs_choice(self) -> bool:
        """Whether both have changed the field, and differently."""
        return self.changed_by_me and self.changed_by_them


@dataclass
class Conflict:
    """
    A save that was based on an old state, and was not performed.

    Args:
        fields: the fields that differ, in the form's order.
        is_known: whether the form said which state it showed.
        changed_at: when the row was last written; ``None`` if the row does not say.
        changes: who wrote in between, the latest first, where that is known.
        is_deletion: whether the row was to be deleted.
    """

    fields: list[FieldConflict]
    is_known: bool = True
    changed_at: datetime | None = None
    changes: list[Change] = field(default_factory=list)
    is_deletion: bool = False

    @property
    def changed_by_me(self) -> bool:
        """Whether there is anything of the person's own that could be lost."""
        return any(each.changed_by_me for each in self.fields)

    @property
    def needs_choice(self) -> bool:
        return any(each.needs_choice for each in self.fields)

    def __str__(self) -> str:
        """The conflict as HTML, for a form's list of errors."""
        return render_to_string(TEMPLATE, {"conflict": self})


def find_conflict(form: Any, sent: Snapshot | None, now: Snapshot) -> Conflict:
    """
    What differs between the row and what was entered.

    Args:
        form: the bound form, after it was cleaned.
        sent: the row as the form showed it; ``None`` if the form did not say.
        now: the row as it is now.
    """
    known: Mapping[str, Any] = {} if sent is None else sent.values
    found = []
    for name, theirs in now.values.items():
        field = form.fields.get(name)
        # The key of an inline formset's object is the formset's, and nobody edits it.
        if field is None or isinstance(field, InlineForeignKeyField):
            continue
        conflict = _field_conflict(form, name, known.get(name, _UNKNOWN), theirs)
        if conflict is not None:
            found.append(conflict)
    return Conflict(found, is_known=sent is not None)


def _field_conflict(form: Any, name: str, original: Any, theirs: Any) -> FieldConflict | None:
    bound = form[name]
    mine, text = _entered(form, name)
    if mine == theirs or (mine == original and theirs == original):
        return None
    return FieldConflict(
        name=name,
        label=str(bound.label),
        original=None if original is _UNKNOWN else displayed(bound.field, original),
        theirs=displayed(bound.field, theirs),
        mine=text,
        changed_by_me=mine != original,
        changed_by_them=theirs != original,
        choice_name=choice_name(form, name),
        is_file=bound.field.widget.needs_multipart_form,
    )


def _entered(form: Any, name: str) -> tuple[Any, str]:
    """What was entered, to compare and to show; what is not valid equals nothing."""
    bound = form[name]
    if name in form.cleaned_data:
        mine = comparable(bound.field, form.cleaned_data[name])
        return mine, displayed(bound.field, mine)
    data = bound.data
    return _UNKNOWN_ENTRY, ", ".join(map(str, data)) if isinstance(data, list) else str(data or "")


_UNKNOWN_ENTRY: Any = object()


def choice_name(form: Any, name: str) -> str:
    """The name of the radio buttons that choose a field's value."""
    return str(form.add_prefix(f"versioned_choice-{name}"))
