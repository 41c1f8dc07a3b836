"""
Rows of a formset that somebody else deleted, or moved elsewhere, while the page was open.

Django finds no object for such a row, and its page cannot be saved any more. A row that the
person did not change is left out. One that was changed becomes a new row, so that nothing that
was entered is lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.forms.formsets import DELETION_FIELD_NAME, INITIAL_FORM_COUNT, TOTAL_FORM_COUNT
from django.utils.datastructures import MultiValueDict

from .snapshots import Snapshot, key_text
from .values import comparable, displayed

__all__ = ["DeletedRows", "take_out_deleted_rows"]


class DeletedRows(NamedTuple):
    """
    What was taken out of a formset's data.

    Args:
        restored: the numbers of the forms that are new rows now.
        entered: of each row that was changed and left out, what the person had entered.
    """

    restored: Sequence[int] = ()
    entered: Sequence[str] = ()


def take_out_deleted_rows(formset: Any, sent: Sequence[Snapshot], *, restore: bool) -> DeletedRows:
    """
    Renumber the data of a bound formset, before its forms are made.

    Args:
        formset: the formset, whose ``data`` and ``files`` are replaced.
        sent: its rows as the page showed them.
        restore: whether a row that the person changed becomes a new one.
    """
    gone = _deleted(formset, sent)
    if not gone:
        return DeletedRows()
    total, initial = _count(formset, TOTAL_FORM_COUNT), _count(formset, INITIAL_FORM_COUNT)
    changed = [number for number, row in gone.items() if _is_changed(formset, number, row)]
    entered = [] if restore else [_entered(formset, number, gone[number]) for number in changed]
    order = [number for number in range(total) if number not in gone]
    restored = list(range(len(order), len(order) + len(changed))) if restore else []
    order += changed if restore else []
    data = _renumbered(formset.data, formset.prefix, order)
    data[f"{formset.prefix}-{TOTAL_FORM_COUNT}"] = str(len(order))
    data[f"{formset.prefix}-{INITIAL_FORM_COUNT}"] = str(initial - len(gone))
    for number in restored:
        data.pop(f"{formset.prefix}-{number}-{formset.model._meta.pk.name}", None)
    formset.data = data
    formset.files = _renumbered(formset.files, formset.prefix, order)
    return DeletedRows(restored, entered)


def _deleted(formset: Any, sent: Sequence[Snapshot]) -> dict[int, Snapshot]:
    """The rows that are no longer there, by the numbers of their forms."""
    shown = {row.key: row for row in sent if row.label == formset.model._meta.label_lower}
    if not shown:
        return {}
    for instance in formset.get_queryset():
        shown.pop(Snapshot.of(instance, {}, {}).key, None)
    pk_name, found = formset.model._meta.pk.name, {}
    for number in range(_count(formset, INITIAL_FORM_COUNT)):
        key = formset.data.get(f"{formset.prefix}-{number}-{pk_name}")
        row = shown.get(key_text(key)) if key else None
        if row is not None:
            found[number] = row
    return found


def _count(formset: Any, name: str) -> int:
    """A number of the management form; 0 where it is none, which Django reports."""
    text = str(formset.data.get(f"{formset.prefix}-{name}", ""))
    return min(int(text), formset.absolute_max) if text.isdecimal() else 0


def _cleaned(formset: Any, number: int) -> Any:
    form = formset.form(
        formset.data,
        formset.files,
        prefix=formset.add_prefix(number),
        **formset.get_form_kwargs(number),
    )
    parent = getattr(formset, "fk", None)
    if parent is not None:
        # As Django's inline formset does it: clean() of a project may read it.
        setattr(form.instance, parent.name, formset.instance)
    form.full_clean()
    return form


def _is_changed(formset: Any, number: int, row: Snapshot) -> bool:
    if formset.data.get(f"{formset.add_prefix(number)}-{DELETION_FIELD_NAME}"):
        return False  # Both wanted to delete it.
    form = _cleaned(formset, number)
    parent = getattr(getattr(formset, "fk", None), "name", None)
    return any(
        name not in form.cleaned_data
        or comparable(form.fields[name], form.cleaned_data[name]) != value
        for name, value in row.values.items()
        if name in form.fields and name != parent
    )


def _entered(formset: Any, number: int, row: Snapshot) -> str:
    form = _cleaned(formset, number)
    texts = (
        (form[name].label, displayed(form.fields[name], comparable(form.fields[name], value)))
        for name, value in form.cleaned_data.items()
        if name in row.values
    )
    return ", ".join(f"{label}: {text}" for label, text in texts)


def _renumbered(data: Any, prefix: str, order: Sequence[int]) -> Any:
    """The data with the forms of these numbers, in this order, and no other forms."""
    form = re.compile(rf"{re.escape(prefix)}-(\d+)-")
    places = {old: new for new, old in enumerate(order)}
    lists = data.lists() if hasattr(data, "lists") else ((key, [data[key]]) for key in data)
    result: Any = MultiValueDict()
    for name, values in lists:
        match = form.match(name)
        if match is None:
            result.setlist(name, values)
        elif int(match[1]) in places:
            result.setlist(f"{prefix}-{places[int(match[1])]}-{name[match.end() :]}", values)
    return result
