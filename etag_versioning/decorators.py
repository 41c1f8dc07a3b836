"""
For Django views: two factories for Django's own ``condition``, and
``versioned_condition``, which guards the writes too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from .conditional import AsyncCall, Call, Options
from .http import showable_last_modified
from .preconditions import SAFE_METHODS
from .validators import RowSource

__all__ = ["etag_func", "last_modified_func", "versioned_condition"]

View = TypeVar("View", bound=Callable[..., Any])


def etag_func(
    source: Any,
    lookup_field: str | None = None,
    lookup_url_kwarg: str | None = None,
    tag_key: str | None = None,
) -> Callable[..., str | None]:
    """
    Make an ``etag_func`` for Django's ``condition`` (RFC 9110 §8.8.3).

    Args:
        source: a model, a manager, a query set, or a callable
            ``(request, *args, **kwargs)`` that returns one.
        lookup_field: the field that selects the row; "pk" by default.
        lookup_url_kwarg: the URL keyword argument that holds its value; the
            lookup field's name by default.
        tag_key: the field that stands for the row in its tags; the model's
            ``tag_key`` by default.

    Returns:
        A function that returns the row's tag, or ``None`` where there is no row.
        With ``last_modified_func`` of the same source, one query serves both.

    Example::

        @condition(
            etag_func(User, lookup_url_kwarg="user_id"),
            last_modified_func(User, lookup_url_kwarg="user_id"),
        )
        def user_detail(request, user_id): ...
    """
    rows = RowSource(source, lookup_field, lookup_url_kwarg, tag_key)

    def etag(request: HttpRequest, *args: Any, **kwargs: Any) -> str | None:
        row = rows.read(
            request, args, kwargs, writes=request.method not in SAFE_METHODS, use="etag"
        )
        return None if row is None else str(row.validators().etag)

    return etag


def last_modified_func(
    source: Any,
    lookup_field: str | None = None,
    lookup_url_kwarg: str | None = None,
    tag_key: str | None = None,
) -> Callable[..., datetime | None]:
    """
    Make a ``last_modified_func`` for Django's ``condition`` (RFC 9110 §8.8.2).

    Args and example: as for ``etag_func``.

    Returns:
        A function that returns the row's stamp in whole seconds, rounded up, or
        ``None`` where there is no row, and as long as the current second can
        still change it.
    """
    rows = RowSource(source, lookup_field, lookup_url_kwarg, tag_key)

    def last_modified(request: HttpRequest, *args: Any, **kwargs: Any) -> datetime | None:
        row = rows.read(
            request, args, kwargs, writes=request.method not in SAFE_METHODS, use="last_modified"
        )
        moment = None if row is None else showable_last_modified(row.validators())
        return None if moment is None else datetime.fromtimestamp(moment, UTC)

    return last_modified


def versioned_condition(
    source: Any = None,
    *,
    lookup_field: str | None = None,
    lookup_url_kwarg: str | None = None,
    tag_key: str | None = None,
    etag_func: Callable[..., Any] | None = None,
    last_modified_func: Callable[..., Any] | None = None,
    if_match: Literal["required", "optional"] | None = None,
    allow_wildcard: bool = True,
    allow_unmodified_since: bool = False,
    cache_control: Mapping[str, Any] | None = None,
    expose_tag: bool = True,
    methods: Collection[str] | None = None,
) -> Callable[[View], View]:
    """
    Answer 304 from one narrow query, and let no write overwrite another's.

    A superset of Django's ``condition``, for plain and for async views.

    Args:
        source: the row that the view shows and writes: a model, a manager, a
            query set, or a callable ``(request, *args, **kwargs)`` that returns
            one, and may raise ``Http404`` or ``PermissionDenied``.
        lookup_field: the field that selects the row; "pk" by default.
        lookup_url_kwarg: the URL keyword argument that holds its value; the
            lookup field's name by default.
        tag_key: the field that stands for the row in its tags; the model's
            ``tag_key`` by default.
        etag_func, last_modified_func: as for ``condition``; used instead of the
            row's own validators. In an async view they may be coroutines.
        if_match: "required" (the default with a source): a write without
            If-Match is answered 428. "optional": it goes through.
        allow_wildcard: whether ``If-Match: *`` may write.
        allow_unmodified_since: whether If-Unmodified-Since may stand in for
            If-Match, to the second.
        cache_control: Cache-Control for 200 and 304, as for Django's
            ``cache_control``: ``{"private": True, "max_age": 60}``. By default
            "private, no-cache"; ``{}`` for none.
        expose_tag: whether a 412 shows the current tag.
        methods: the methods that the view has; others get 405 before anything
            else is looked at.

    Returns:
        A decorator. The view runs only if the row is there (otherwise 404) and
        the preconditions of RFC 9110 §13 hold. A write by it runs in one
        transaction with the check; in an async view, which can hold no
        transaction, ``asave()``, ``adelete()`` and ``aupdate()`` of the row are
        held against the state that was checked.

    Raises:
        ImproperlyConfigured: the arguments do not fit together.

    Example::

        @versioned_condition(User, lookup_url_kwarg="user_id")
        def user_detail(request, user_id): ...
    """
    if source is None and etag_func is None and last_modified_func is None:
        raise ImproperlyConfigured(
            "versioned_condition() needs to know the row: "
            '@versioned_condition(User, lookup_url_kwarg="user_id").'
        )
    if if_match not in (None, "required", "optional"):
        raise ImproperlyConfigured(f'if_match is {if_match!r}; give "required" or "optional".')
    options = Options(
        rows=(
            None if source is None else RowSource(source, lookup_field, lookup_url_kwarg, tag_key)
        ),
        etag_func=etag_func,
        last_modified_func=last_modified_func,
        required=if_match == "required" or (if_match is None and source is not None),
        allow_wildcard=allow_wildcard,
        allow_unmodified_since=allow_unmodified_since,
        cache_control=cache_control,
        expose_tag=expose_tag,
        methods=None if methods is None else tuple(method.upper() for method in methods),
    )

    def decorator(view: Any) -> Any:
        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                return await AsyncCall(options, view, request, args, kwargs).respond()

        else:

            @functools.wraps(view)
            def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                return Call(options, view, request, args, kwargs).respond()

        return inner

    return decorator
