"""What a view asks for: the attributes and hooks that a project sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured

from ..http.policy import IfMatch
from .representation import representation

__all__ = ["ViewOptions"]


class ViewOptions:
    """
    The options of views, as class attributes.

    Attributes:
        if_match: "required" (a write without If-Match is answered 428),
            "optional", or "report": it goes through, and is logged and signalled.
        allow_wildcard: whether ``If-Match: *`` may write.
        allow_unmodified_since: whether If-Unmodified-Since may stand in for
            If-Match, to the second.
        last_modified: whether reads of one row send Last-Modified, and
            If-Modified-Since is answered 304. Only where the date tells every
            change of the answer: one serializer, one renderer, the row's own columns.
        allow_create: whether PUT of an absent row creates it, with
            ``If-None-Match: *``; by ``perform_create()``, and for who may POST.
        cache_control: Cache-Control for 200 and 304, as for Django's
            ``cache_control``; ``None`` for "private, no-cache", ``{}`` for none.
        etag_extra: what else decides how rows are shown, beside serializer, format,
            API version and query string: text, numbers and dates.
        etag_ignores: which keys do not count in the tag of data that the view's own code, or its
            paginator's, returned: the time of the answer. An answer that differs in them alone
            is answered 304.
        late_reads: the view's own ``retrieve()``, ``list()`` or ``get()`` that is meant to run
            before each 304: the check W202 does not warn of it.
        tag_key: the field that stands for a row in its tags; the model's
            ``tag_key`` where it is ``None``.
        list_validator: what the tag of a list is made of, from
            ``list_validators``; ``None`` for the exact one.
        lock_row: whether a handler of the project's own runs in one transaction, with its row
            locked. ``False`` is for one that takes long, or writes nothing: preconditions are
            evaluated before it runs, and each ``save()`` of the row compares by itself.
        conflict_includes_current: whether a 412 shows, as ``current``, what a GET
            of the row shows the caller now.
    """

    if_match: ClassVar[IfMatch] = "required"
    allow_wildcard: ClassVar[bool] = True
    allow_unmodified_since: ClassVar[bool] = False
    last_modified: ClassVar[bool] = False
    allow_create: ClassVar[bool] = False
    cache_control: ClassVar[Mapping[str, Any] | None] = None
    etag_extra: ClassVar[Iterable[Any]] = ()
    etag_ignores: ClassVar[Collection[str]] = ()
    late_reads: ClassVar[Collection[str]] = ()
    tag_key: ClassVar[str | None] = None
    list_validator: ClassVar[Callable[[Any], Sequence[Any]] | None] = None
    lock_row: ClassVar[bool] = True
    conflict_includes_current: ClassVar[bool] = False

    def get_versioned_queryset(self) -> Any:
        """The queryset of the one row that the request is about."""
        raise ImproperlyConfigured(
            f"{type(self).__name__} does not name its row. Add: "
            f"def get_versioned_queryset(self): "
            f'return User.objects.filter(pk=self.kwargs["pk"]).'
        )

    def get_if_match(self) -> str:
        """
        ``if_match`` for this request; override it to decide by ``self.action``, as
        for ``get_permissions()``.
        """
        return self.if_match

    def get_representation(self) -> str:
        """
        The representation part of the tag: the format, and the fingerprint of
        the code that renders it.
        """
        return representation(self)

    def get_etag_extra(self) -> Iterable[Any]:
        """
        What else decides how rows are shown. Extend it where the same row looks
        different to different users: ``return [self.request.user.pk]``.
        """
        return self.etag_extra
