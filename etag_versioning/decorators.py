"""
For Django views: ``versioned_condition``, which answers 304 and guards writes, and
the functions that make its sources, or what Django's own ``condition`` takes.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.http import HttpRequest

from .apps import require_installed
from .cache_control import check_cache_control
from .conf import settings
from .http.headers import without_length
from .http.policy import IF_MATCH_MODES, IfMatch
from .runtime_audit.answers import aaudited, audited
from .sources.base import RowSource
from .sources.combined import CombinedSource
from .sources.extra_terms import EtagExtra
from .sources.functions import (
    combine,
    etag_func,
    file_etag_func,
    file_last_modified_func,
    last_modified_func,
    revision_etag_func,
)
from .views.async_request import AsyncCall, for_threads
from .views.audited import AsyncAuditedCall, AuditedCall
from .views.etag_options import Options
from .views.request import Call

__all__ = [
    "etag_func",
    "file_etag_func",
    "file_last_modified_func",
    "last_modified_func",
    "revision_etag_func",
    "versioned_condition",
]

View = TypeVar("View", bound=Callable[..., Any])


def versioned_condition(
    *sources: Any,
    lookup_field: str | None = None,
    lookup_url_kwarg: str | None = None,
    tag_key: str | None = None,
    etag_func: Callable[..., Any] | None = None,
    last_modified_func: Callable[..., Any] | None = None,
    if_match: IfMatch | None = None,
    allow_wildcard: bool = True,
    allow_unmodified_since: bool = False,
    allow_create: bool = False,
    cache_control: Mapping[str, Any] | None = None,
    etag_extra: EtagExtra | None = None,
    expose_tag: bool = True,
    fingerprint: bool = False,
    methods: Collection[str] | None = None,
) -> Callable[[View], View]:
    """
    Answer 304 from one validator query, and refuse writes that are based on an old state.

    A superset of Django's ``condition``, for plain and for async views, functions
    and classes: ``method_decorator(versioned_condition(User), name="dispatch")``.

    Args:
        sources: first the row that the view shows and writes: a model, a manager, a
            queryset, or a callable ``(request, *args, **kwargs)`` that returns one, and may
            raise ``Http404`` or ``PermissionDenied``. Then everything else that the response
            shows, as for ``etag_func``: the tag depends on all of them, a write compares and
            guards the row alone. The result of ``file_etag_func`` or ``revision_etag_func``
            can take the row's place.
        lookup_field: the field that selects the row; "pk" by default.
        lookup_url_kwarg: the URL keyword argument that holds its value; the
            lookup field's name by default.
        tag_key: the field that stands for the row in its tags; the model's
            ``tag_key`` by default.
        etag_func, last_modified_func: as for ``condition``; used instead of the
            row's own validators. In an async view they may be coroutines.
        if_match: "required" (the default with a source): a write without If-Match is
            answered 428. "optional": it is performed. "report": it is performed, logged and
            signalled, for the time until all clients send If-Match.
        allow_wildcard: whether a write with ``If-Match: *`` is performed.
        allow_unmodified_since: whether If-Unmodified-Since is accepted in place of If-Match,
            with its precision of a second.
        allow_create: whether PUT and POST with ``If-None-Match: *`` may create the row. The
            view then runs although the row is absent. It must create the row by an INSERT,
            so that only one of several concurrent requests succeeds.
        cache_control: Cache-Control for 200 and 304, as for Django's
            ``cache_control``: ``{"private": True, "max_age": 60}``. By default
            "private, no-cache"; ``{}`` for none. "public" is not sent to a request with
            credentials, unless by ``cache_control.public(to_credentials=True)``.
        etag_extra: what the response depends on beside the sources and the query string: an
            iterable of text, numbers and dates, of models, managers and querysets, and of
            callables ``(request, *args, **kwargs)`` that return such an iterable, as those in
            the module ``etag_extra``; or one such callable. In an async view, callables may be
            coroutine functions. Responses with different values have different tags.
        expose_tag: whether a 412 shows the current tag.
        fingerprint: whether the tag also depends on the view's code, on what of the project it
            names, and on its templates. A deployment that changes them changes the tag. No
            Last-Modified is sent then, because a date cannot tell such a change.
        methods: the methods of the view; others are answered 405 first. The methods of
            a class need not be given.

    Returns:
        A decorator. The view only runs if the row exists (otherwise 404) and the
        preconditions of RFC 9110 §13 are true. Its writes run in one transaction with the
        check. An async view cannot have a transaction; there, each ``asave()``,
        ``adelete()`` and ``aupdate()`` of the row is compared with the state that was checked.

    Raises:
        ImproperlyConfigured: the arguments do not fit together.

    Example::

        @versioned_condition(User, lookup_url_kwarg="user_id")
        def user_detail(request, user_id): ...
    """
    require_installed()
    if not sources and etag_func is None and last_modified_func is None:
        raise ImproperlyConfigured(
            "versioned_condition() needs to know the row: "
            '@versioned_condition(User, lookup_url_kwarg="user_id").'
        )
    if if_match not in (None, *IF_MATCH_MODES):
        raise ImproperlyConfigured(
            f'if_match is {if_match!r}; give "required", "optional" or "report".'
        )
    if sources and isinstance(sources[0], type) and not issubclass(sources[0], models.Model):
        raise ImproperlyConfigured(_ON_CLASS.format(sources[0].__name__))
    if fingerprint and etag_func is not None:
        raise ImproperlyConfigured(
            "fingerprint=True is for tags that are made of sources; etag_func makes the tag "
            "alone. Leave one of the two out."
        )
    check_cache_control(cache_control)
    source = combine(sources, lookup_field, lookup_url_kwarg, tag_key) if sources else None
    row = source.first if isinstance(source, CombinedSource) else source
    if allow_create and not isinstance(row, RowSource):
        raise ImproperlyConfigured(
            "allow_create needs to know the row that is created: "
            '@versioned_condition(User, lookup_url_kwarg="user_id", allow_create=True).'
        )
    options = Options(
        source=source,
        etag_func=etag_func,
        last_modified_func=last_modified_func,
        if_match=if_match or ("optional" if source is None else "required"),
        allow_wildcard=allow_wildcard,
        allow_unmodified_since=allow_unmodified_since,
        creates=row if allow_create and isinstance(row, RowSource) else None,
        cache_control=cache_control,
        etag_extra=etag_extra,
        expose_tag=expose_tag,
        fingerprint=fingerprint,
        methods=None if methods is None else _with_head([each.upper() for each in methods]),
    )

    def decorator(view: Any, *args: Any, **kwargs: Any) -> Any:
        _require_view(view, args, kwargs)
        owner = _instance_of(view)
        known = options if owner is None or methods is not None else _with_methods(options, owner)
        if iscoroutinefunction(view) or getattr(owner, "view_is_async", False):
            threaded = for_threads(known)

            @functools.wraps(view)
            async def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                call = AsyncCall(threaded, view, request, args, kwargs)
                response = await call.respond()
                if (audit := settings.audit) is not None:
                    response = await aaudited(AsyncAuditedCall(call, audit), response)
                if response.status_code == 204:
                    without_length(response)
                return response

        else:

            @functools.wraps(view)
            def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                call = Call(known, view, request, args, kwargs)
                response = call.respond()
                if (audit := settings.audit) is not None:
                    response = audited(AuditedCall(call, audit), response)
                if response.status_code == 204:
                    without_length(response)
                return response

        # A system check looks at it.
        inner._etag_versioning = known  # type: ignore[attr-defined]
        return inner

    return decorator


def _instance_of(view: Any) -> Any:
    """An instance of the view's class, if it is ``as_view()`` or the ``dispatch`` of one."""
    if hasattr(view, "view_class"):
        return view.view_class(**view.view_initkwargs)
    bound = getattr(view, "func", view)  # ``method_decorator`` passes a partial.
    owner = getattr(bound, "__self__", None)
    return owner if hasattr(owner, "http_method_names") else None


def _with_methods(options: Options, owner: Any) -> Options:
    names = [name.upper() for name in owner.http_method_names if hasattr(owner, name)]
    return options._replace(methods=_with_head(names))


def _with_head(methods: list[str]) -> tuple[str, ...]:
    """These methods, with HEAD where there is GET (RFC 9110 §9.1)."""
    if "GET" in methods and "HEAD" not in methods:
        methods.insert(methods.index("GET") + 1, "HEAD")
    return tuple(methods)


_BARE = (
    "@versioned_condition was given the view as its source. Call it, and name the row: "
    '@versioned_condition(User, lookup_url_kwarg="user_id").'
)
_ON_CLASS = (
    "versioned_condition() decorates views, and {0} is a class. Decorate its dispatch(): "
    '@method_decorator(versioned_condition(User), name="dispatch").'
)
_ON_METHOD = (
    "versioned_condition() decorates views, and {0}() is a method. Write: "
    "@method_decorator(versioned_condition(User)), or decorate the class: "
    '@method_decorator(versioned_condition(User), name="dispatch").'
)


def _require_view(view: Any, args: Any, kwargs: Any) -> None:
    """Raise ``ImproperlyConfigured``, with the mended code, if ``view`` is not a view."""
    if isinstance(view, HttpRequest) or args or kwargs:
        raise ImproperlyConfigured(_BARE)
    if isinstance(view, type):
        raise ImproperlyConfigured(_ON_CLASS.format(view.__name__))
    is_function = isinstance(view, types.FunctionType) and not hasattr(view, "__wrapped__")
    if is_function and view.__code__.co_varnames[:1] == ("self",):
        raise ImproperlyConfigured(_ON_METHOD.format(view.__qualname__))
