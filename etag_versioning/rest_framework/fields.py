"""Serializer fields for tags."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ..sources.rows import row_of

__all__ = ["ETagField"]


class ETagField(serializers.Field):
    """
    The tag that a write of this row needs in If-Match, for lists and nested rows.

    It names the state alone: it guards a write whatever the row was read as, and is
    not the tag that a GET of the row has. Sent back in the body or form of a write,
    it stands for If-Match, where a client can set no header.

    Args:
        tag_key: the field that stands for the row in its tags; by default the
            view's, for the rows that the view is about, and the model's.

    Example::

        class UserSerializer(serializers.ModelSerializer):
            etag = ETagField()
    """

    def __init__(self, *, tag_key: str | None = None, **kwargs: Any) -> None:
        self.tag_key = tag_key
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        return str(row_of(value, self.tag_key or self._view_tag_key()).validators().etag)

    def _view_tag_key(self) -> str | None:
        """The view's, unless this is a row that is nested in one of the view's."""
        serializer: Any = self.parent
        items = serializer.parent if serializer.parent is not None else serializer
        if items is not serializer.root or (
            items is not serializer and not isinstance(items, serializers.ListSerializer)
        ):
            return None
        return getattr(self.context.get("view"), "tag_key", None)
