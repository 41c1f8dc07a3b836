"""The validators of a file, from its size and modification time; its content is not read."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.core.files.storage import Storage
from django.http import HttpRequest
from django.utils import timezone
from django.utils._os import safe_join

from ..http.etags import digest
from ..http.preconditions import Validators
from ..http.representation import PLAIN, Representation, make_validators
from .base import url_value

__all__ = ["FileEntry", "FileSource"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Reproducible builds give all files the same time: 0, 1, or the start of 1980 in a zip file.
_FIRST_TRUE_TIME = int(datetime(1981, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
_SECOND = 1_000_000_000
# File systems take the time from a clock that ticks at least a hundred times a second.
_TICK = _SECOND // 100


class FileEntry(NamedTuple):
    """
    The metadata of a file in a file system or a storage.

    Args:
        name: the name by which the view looks for the file.
        size: in bytes.
        modified: nanoseconds since 1970.
        is_fixed: whether the request's address names the file. If not, an older file may
            take its place, which a date cannot show.
    """

    name: str
    size: int
    modified: int
    is_fixed: bool = True

    @property
    def row(self) -> None:
        """A file is not a row."""

    def validators(self, representation: Representation = PLAIN) -> Validators:
        if self.modified < _FIRST_TRUE_TIME:
            return Validators()
        date = -(-self.modified // _SECOND) if self.is_fixed else None
        if self._may_change_unseen():
            return Validators(last_modified=date, dated=not representation.terms)
        state = f"file-{self.size}.{self.modified:x}"
        # Keyed, because the name may be a path on the server, or name its owner.
        return make_validators(state, representation, date, hidden=digest([self.name]))

    def _may_change_unseen(self) -> bool:
        """Whether a write in the current tick could leave size and time unchanged."""
        tick = _TICK if self.modified % _SECOND else _SECOND
        return self.modified + tick > time.time_ns()


@dataclass(frozen=True)
class FileSource:
    """
    One file.

    Args:
        place: a folder or a storage, with ``lookup_url_kwarg``; a file's path; or
            a callable ``(request, *args, **kwargs)`` that returns a path, the
            value of a ``FileField``, or ``None``.
        lookup_url_kwarg: the URL keyword argument that holds the file's name in
            the folder or the storage. A name that leads outside counts as absent.

    Raises:
        ImproperlyConfigured: ``place`` is none of these.
    """

    place: Any
    lookup_url_kwarg: str | None = None

    def __post_init__(self) -> None:
        named = isinstance(self.place, str | os.PathLike) or callable(self.place)
        if isinstance(self.place, Storage):
            named = self.lookup_url_kwarg is not None
        if not named:
            raise ImproperlyConfigured(
                f"{self.place!r} names no file. Give a path, a function that returns one, or a "
                f"folder or storage and the URL keyword argument that names a file in it: "
                f'file_etag_func(MEDIA_ROOT, lookup_url_kwarg="name").'
            )

    def read(
        self, request: HttpRequest, args: Any, kwargs: Any, *, writes: bool = False
    ) -> FileEntry | None:
        place = self.place
        if callable(place) and not isinstance(place, Storage):
            entry = self._read(place(request, *args, **kwargs), kwargs)
            return entry and entry._replace(is_fixed=self.lookup_url_kwarg is not None)
        return self._read(place, kwargs)

    def _read(self, place: Any, kwargs: Any) -> FileEntry | None:
        if not place:
            return None  # An empty FileField is false.
        try:
            if self.lookup_url_kwarg is None:
                if isinstance(place, str | os.PathLike):
                    return _entry(str(place), str(place))
                return _stored(place.storage, place.name)
            name = str(url_value(kwargs, self.lookup_url_kwarg))
            if isinstance(place, Storage):
                return _stored(place, name)
            return _entry(name, safe_join(place, name))
        except (OSError, ValueError, SuspiciousOperation):
            return None  # No file with such a name can be served.


def _stored(storage: Storage, name: str) -> FileEntry | None:
    try:
        path = storage.path(name)
    except NotImplementedError:
        size, modified = storage.size(name), storage.get_modified_time(name)
        if timezone.is_naive(modified):
            modified = timezone.make_aware(modified, timezone.get_default_timezone())
        return FileEntry(name, size, (modified - _EPOCH) // timedelta(microseconds=1) * 1000)
    return _entry(name, path)


def _entry(name: str, path: str) -> FileEntry | None:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileEntry(name, status.st_size, status.st_mtime_ns)
