"""The content of a bulk update: which rows it names, in which states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import ValidationError as InvalidKey
from rest_framework.exceptions import ValidationError

from ...http.preconditions import ConditionalHeaders
from ...orm.guards import Demand, Guard
from ...sources.rows import is_impossible
from ..fields import tag_field, tag_in, with_tag

__all__ = ["BulkContent", "Item"]


@dataclass(eq=False)
class Item:
    """One item of the content, with the row that it names."""

    key: Any
    data: Any
    headers: ConditionalHeaders
    instance: Any = None
    row: Any = None
    serializer: Any = None
    guard: Any = None

    def put_under_guard(self) -> None:
        """
        Compare each write of the row with the state that was loaded, even where the request
        names no state: another item may touch the row.
        """
        guard: Guard = self.row.guard(self.headers, dates_count=False)
        strict = replace(guard, demand=Demand.THIS_STATE)
        self.guard = guard if guard.enforced else strict


class BulkContent:
    """
    Reads the items of a request.

    Args:
        view: the view, at its request; with ``bulk_limit``.
    """

    def __init__(self, view: Any) -> None:
        self.view = view

    def read(self, data: Any) -> list[Item]:
        limit = self.view.bulk_limit
        if not isinstance(data, list) or not data:
            raise _refused(f"Expected a list of items, each with {self.key_name}.")
        if len(data) > limit:
            raise _refused(f"No more than {limit} items can be updated at once.")
        errors = [self.shape_error(item) for item in data]
        if any(errors):
            raise ValidationError(errors)
        items = [Item(self.key_of(item), item, self.headers_of(item)) for item in data]
        keys = [item.key for item in items if item.key is not None]
        if len(set(keys)) < len(keys):
            raise _refused("Two of the items are the same row.")
        return items

    def shape_error(self, item: Any) -> dict[str, list[str]]:
        if not isinstance(item, dict):
            return {"non_field_errors": ["This is no item: expected an object."]}
        key = item.get(self.key_name)
        if not isinstance(key, int | str) or isinstance(key, bool):
            return {self.key_name: ["This field is required."]}
        return {}

    def key_of(self, item: Any) -> Any:
        """The key as the database has it; ``None`` where no row can have it."""
        key = item[self.key_name]
        try:
            return None if is_impossible(key) else self.columns[-1].clean(key, None)
        except InvalidKey:
            return None

    def headers_of(self, item: Any) -> ConditionalHeaders:
        """
        The request's own, with the item's tag as If-Match. For an item without a tag, the
        request's If-Match may name its state: each tag names its row.
        """
        return with_tag(self.view.versioning.conditions, self.tag_name, tag_in(item, self.tag_name))

    @cached_property
    def key_name(self) -> str:
        """The serializer's name for the field that the view looks its rows up by."""
        view = self.view
        serializer: Any = view.get_serializer()
        sources = {view.lookup_field, *(column.name for column in self.columns)}
        found = next(
            (name for name, field in serializer.fields.items() if field.source in sources), None
        )
        if found is None:
            raise ImproperlyConfigured(
                f"{view.get_serializer_class().__name__} does not show which row an item is. "
                f'Let it have the view\'s lookup field: fields = ("{self.columns[-1].name}", …).'
            )
        return found

    @cached_property
    def columns(self) -> list[Any]:
        """The column of the key; under inheritance, with those of the parents, down to the key."""
        meta, name = self.view.get_queryset().model._meta, self.view.lookup_field
        columns = [meta.pk if name == "pk" else meta.get_field(name)]
        while getattr(columns[-1].remote_field, "parent_link", False):
            columns.append(columns[-1].target_field)
        return columns

    @cached_property
    def tag_name(self) -> str:
        name = tag_field(self.view)
        if name is None:
            raise ImproperlyConfigured(
                f"{self.view.get_serializer_class().__name__} has no field for the tag of an "
                f"item. Add: etag = ETagField()."
            )
        return name


def _refused(message: str) -> ValidationError:
    return ValidationError({"non_field_errors": [message]})
