"""Functions for Django's own ``condition``, which ``versioned_condition`` takes as sources too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from ..http.headers import showable_last_modified
from ..http.preconditions import SAFE_METHODS, Validators
from ..http.representation import request_representation
from .base import PageSource, RevisionSource, RowSource, Source
from .combined import CombinedSource
from .files import FileSource

__all__ = [
    "combine",
    "etag_func",
    "file_etag_func",
    "file_last_modified_func",
    "last_modified_func",
    "revision_etag_func",
]


@dataclass(frozen=True)
class TagFunction:
    """An ``etag_func``: returns the tag, or ``None`` where nothing is there."""

    source: Source

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> str | None:
        current = _read_once(self, request, args, kwargs)
        return None if current is None or current.etag is None else str(current.etag)


@dataclass(frozen=True)
class DateFunction:
    """A ``last_modified_func``: returns the date for Last-Modified, or ``None``."""

    source: Source

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> datetime | None:
        current = _read_once(self, request, args, kwargs)
        moment = None if current is None else showable_last_modified(current)
        return None if moment is None else datetime.fromtimestamp(moment, UTC)


def etag_func(
    *sources: Any,
    lookup_field: str | None = None,
    lookup_url_kwarg: str | None = None,
    tag_key: str | None = None,
) -> TagFunction:
    """
    Make an ``etag_func`` for Django's ``condition`` (RFC 9110 §8.8.3).

    Args:
        sources: first the row: a model, a manager, a queryset, or a callable
            ``(request, *args, **kwargs)`` that returns one. Then everything else that
            the response shows: querysets (or callables that return them) for all their
            rows, and results of this module's functions.
        lookup_field: the field that selects the row; "pk" by default.
        lookup_url_kwarg: the URL keyword argument that holds its value; the
            lookup field's name by default.
        tag_key: the field that stands for the row in its tags; the model's
            ``tag_key`` by default.

    Returns:
        A function that returns the tag, or ``None`` where there is no row. Together with a
        ``last_modified_func`` of the same sources, it reads only once per request.

    Raises:
        ImproperlyConfigured: the arguments do not fit together.

    Example::

        @condition(
            etag_func(User, lookup_url_kwarg="user_id"),
            last_modified_func(User, lookup_url_kwarg="user_id"),
        )
        def user_detail(request, user_id): ...
    """
    return TagFunction(combine(sources, lookup_field, lookup_url_kwarg, tag_key))


def last_modified_func(
    *sources: Any,
    lookup_field: str | None = None,
    lookup_url_kwarg: str | None = None,
    tag_key: str | None = None,
) -> DateFunction:
    """
    Make a ``last_modified_func`` for Django's ``condition`` (RFC 9110 §8.8.2).

    Args and example: as for ``etag_func``.

    Returns:
        A function that returns the row's timestamp in whole seconds, rounded up. ``None``
        where there is no row, where there are several sources, and while another write
        in the same second is possible.
    """
    return DateFunction(combine(sources, lookup_field, lookup_url_kwarg, tag_key))


def file_etag_func(place: Any, lookup_url_kwarg: str | None = None) -> TagFunction:
    """
    Make an ``etag_func`` of a file's size and modification time.

    Args:
        place: a folder or a Django storage, with ``lookup_url_kwarg``; a file's
            path; or a callable ``(request, *args, **kwargs)`` that returns a path,
            the value of a ``FileField``, or ``None``.
        lookup_url_kwarg: the URL keyword argument that holds the file's name in
            the folder or the storage. A name that leads outside counts as absent.

    Returns:
        A function that returns the tag, or ``None`` where there is no such file, and while
        another write could leave its modification time unchanged.

    Raises:
        ImproperlyConfigured: ``place`` is none of these.

    Example::

        @versioned_condition(file_etag_func(FOLDER, lookup_url_kwarg="name"))
        def download(request, name):
            return FileResponse(open(FOLDER / name, "rb"))
    """
    return TagFunction(FileSource(place, lookup_url_kwarg))


def file_last_modified_func(place: Any, lookup_url_kwarg: str | None = None) -> DateFunction:
    """
    Make a ``last_modified_func`` of a file's modification time.

    Args: as for ``file_etag_func``. Both look at the file only once per request.

    Returns:
        A function that returns the time in whole seconds, rounded up, or ``None`` where there
        is no such file, and while another write in the same second is possible.
    """
    return DateFunction(FileSource(place, lookup_url_kwarg))


def revision_etag_func(revision: str | None = None) -> TagFunction:
    """
    Make an ``etag_func`` for pages that only change with a deployment.

    Args:
        revision: the name of the running code; by default the setting ``REVISION``.

    Returns:
        A function that returns the tag. It raises ``ImproperlyConfigured`` where neither
        the argument nor the setting has a value.

    Example::

        @versioned_condition(revision_etag_func(), methods=["GET"])
        def about(request):
            return render(request, "about.html")
    """
    return TagFunction(RevisionSource(revision))


def combine(
    sources: tuple[Any, ...],
    lookup_field: str | None,
    lookup_url_kwarg: str | None,
    tag_key: str | None,
) -> Source:
    """The source for the arguments of ``etag_func``."""
    if not sources:
        raise ImproperlyConfigured(
            'There is no source. Name the row: etag_func(User, lookup_url_kwarg="user_id").'
        )
    lookups = (lookup_field, lookup_url_kwarg, tag_key)
    first, *others = sources
    if not isinstance(first, TagFunction):
        first = RowSource(first, *lookups)
    elif any(lookups):
        raise ImproperlyConfigured(
            "The first source has lookups of its own. Pass them to the function that made it: "
            'etag_func(User, lookup_url_kwarg="user_id").'
        )
    else:
        first = first.source
    if not others:
        return first
    return CombinedSource(
        first,
        tuple(
            other.source if isinstance(other, TagFunction) else PageSource(other)
            for other in others
        ),
    )


# By request, and not on it, because the project's code may copy or pickle a request.
_readings: WeakKeyDictionary[HttpRequest, dict[Any, Any]] = WeakKeyDictionary()


def _read_once(
    function: Callable[..., Any], request: HttpRequest, args: Any, kwargs: Any
) -> Validators | None:
    """
    Read a function's source. Two functions of one request, as ``condition`` calls them, read
    once; a second call of the same function reads again.
    """
    source = function.source  # type: ignore[attr-defined]
    readings = _readings.setdefault(request, {})
    name = (source, str(args), str(kwargs))
    current, served = readings.get(name, (None, None))
    if served is None or type(function) in served:
        writes = request.method not in SAFE_METHODS
        found = source.read(request, args, kwargs, writes=writes)
        current, served = found and found.validators(request_representation(request)), set()
        readings[name] = (current, served)
    served.add(type(function))
    return current
