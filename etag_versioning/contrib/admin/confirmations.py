"""
The page that asks whether to delete: what it shows is signed, and compared before the deletion.

What is deleted are the row and what its deletion cascades to, so the page stands for the states
of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin.utils import NestedObjects
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models
from django.utils.crypto import constant_time_compare
from django.utils.html import format_html

from ...editing.bound_forms import STATE_FIELD
from ...http.etags import digest
from ...orm.state_columns import state_columns

__all__ = ["add_state", "is_confirmed", "sign_deletion"]

_SALT = "etag_versioning.admin.delete"
# Django's own field of both confirmation pages.
_CONFIRMED = re.compile(rb"<input\b[^>]*\bname=[\"']?post\b[^>]*>")


def sign_deletion(objects: Sequence[Any], using: str) -> str:
    """The value of the hidden field: what deleting these instances deletes, in its states."""
    return signing.dumps(_digest(objects, using, lock=False), salt=_SALT)


def is_confirmed(text: str | None, objects: Sequence[Any], using: str) -> bool:
    """
    Whether a confirmation page showed what deleting these instances deletes now. The rows are
    locked until the transaction ends, so that nothing else is deleted.

    Args:
        text: the value of the hidden field.
        objects: the instances.
        using: the alias of their database, which is in a transaction.
    """
    now = _digest(objects, using, lock=True)
    try:
        shown = signing.loads(text or "", salt=_SALT)
    except signing.BadSignature:
        return False
    return constant_time_compare(shown, now)


def _digest(objects: Sequence[Any], using: str, *, lock: bool) -> str:
    collector = NestedObjects(using=using, origin=objects)
    collector.collect(objects)
    by_label = sorted(collector.data.items(), key=lambda item: item[0]._meta.label)
    return digest(
        (model._meta.label, *row)
        for model, instances in by_label
        for row in _states(model, [each.pk for each in instances], using, lock=lock)
    )


def _states(model: Any, keys: Sequence[Any], using: str, *, lock: bool) -> Iterator[Any]:
    """Key and state of each row, in the order of the keys."""
    names = state_columns(model).names
    for batch in _batches(sorted(keys, key=str)):
        rows: Any = models.QuerySet(model, using=using).filter(pk__in=batch).order_by("pk")
        if lock and connections[using].features.has_select_for_update:
            rows = rows.select_for_update()
        yield from rows.values_list("pk", *names)


def _batches(keys: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def add_state(response: Any, text: str) -> None:
    """
    Put the hidden field into a confirmation page, beside Django's own, once it is rendered: the
    page's templates, those of a project too, have no block inside their form.

    Raises:
        ImproperlyConfigured: the page has no field that confirms, so nothing could be deleted.
    """
    field = format_html('<input type="hidden" name="{}" value="{}">', STATE_FIELD, text).encode()

    def insert(rendered: Any) -> None:
        content, count = _CONFIRMED.subn(lambda found: found[0] + field, rendered.content, count=1)
        if not count:
            raise ImproperlyConfigured(
                "The page that confirms a deletion has no field that confirms it. Its template "
                'needs, in its form: <input type="hidden" name="post" value="yes">.'
            )
        rendered.content = content

    response.add_post_render_callback(insert)
