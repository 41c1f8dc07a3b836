"""What visitors of an address are answered."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils import timezone

from ..http.content import content_parts
from ..runtime_audit.isolation import rolled_back
from .isolation import empty_caches
from .tables import Reads, recording

__all__ = ["Answer", "Visitor"]


@dataclass(frozen=True)
class Answer:
    """
    An answer to a GET.

    Args:
        status: its status.
        tag: its ETag.
        vary: the headers that its Vary names.
        shown: what it shows, part by part: values of JSON by their paths, or lines.
        reads: what the request has read.
    """

    status: int
    tag: str | None
    vary: tuple[str, ...]
    shown: dict[str, Any]
    reads: Reads

    def differs(self, other: Answer, ignored: Collection[str] = ()) -> list[str]:
        """The parts in which two answers differ; the status is one."""
        if self.status != other.status:
            return ["status"]
        names = [*self.shown, *(name for name in other.shown if name not in self.shown)]
        missing = object()
        return [
            name
            for name in names
            if name not in ignored
            and self.shown.get(name, missing) != other.shown.get(name, missing)
        ]


@dataclass(frozen=True)
class Visitor:
    """
    Somebody who asks for an address.

    Args:
        client: Django's test client, or Django REST framework's.
        url: the address.
        aliases: the databases that a request may use.
        name: what tells this visitor from the client as it is.
        user: who is logged in.
        headers: what is sent with each request.
        time_zone: the one that is active, if it is not the project's.
        secure: whether to ask by HTTPS.
    """

    client: Any
    url: str
    aliases: Collection[str]
    name: str = ""
    user: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None
    secure: bool = False

    @property
    def label(self) -> str:
        """The visitor's name in reports."""
        return self.name or "the client as it is"

    @classmethod
    def of(cls, client: Any, url: str, aliases: Collection[str], secure: bool) -> Visitor:
        """The one that the client stands for. The client itself stays as it is."""
        copied = _copy_of(client)
        return cls(copied, url, aliases, user=_user_of(copied), secure=secure)

    def logged_in(self, user: Any) -> Visitor:
        """The same as ``user``, by Django's sessions and for Django REST framework."""
        client = _copy_of(self.client)
        of_drf = hasattr(client, "force_authenticate")
        if of_drf:
            client.force_authenticate(user=user)
        if not of_drf or apps.is_installed("django.contrib.sessions"):
            client.force_login(user)
        return replace(self, client=client, name=f"user {user}", user=user)

    def sending(self, header: str, value: str) -> Visitor:
        """The same with a header."""
        return replace(self, headers={**self.headers, header: value}, name=f"{header}: {value}")

    def get(self, tag: str | None = None) -> Answer:
        """
        Ask, with ``If-None-Match`` where a tag is given.

        What the request writes is rolled back, and cookies of the answer are not kept: each
        request meets the project in the same state.
        """
        headers = dict(self.headers) if tag is None else {**self.headers, "If-None-Match": tag}
        cookies = copy.deepcopy(self.client.cookies)
        empty_caches()
        zone = timezone.override(self.time_zone) if self.time_zone else nullcontext()
        try:
            with rolled_back(self.aliases), recording(self.aliases) as reads, zone:
                response = self.client.get(self.url, headers=headers, secure=self.secure)
                shown = dict(content_parts(response, response.getvalue()))
        finally:
            self.client.cookies = cookies
        vary = tuple(name.strip() for name in response.get("Vary", "").split(",") if name.strip())
        return Answer(response.status_code, response.get("ETag"), vary, shown, reads)


def _copy_of(client: Any) -> Any:
    """A client with the same headers and cookies, whose logins and cookies are its own."""
    copied = copy.copy(client)
    copied.handler = copy.copy(client.handler)
    copied.cookies = copy.deepcopy(client.cookies)
    copied.raise_request_exception = False
    return copied


def _user_of(client: Any) -> Any:
    """The user as whom a client is logged in, or ``None``."""
    forced = getattr(client.handler, "_force_user", None)  # By APIClient.force_authenticate().
    has_session = settings.SESSION_COOKIE_NAME in client.cookies
    if forced is not None or not has_session or not apps.is_installed("django.contrib.auth"):
        return forced
    request = HttpRequest()
    request.session = client.session
    user = get_user(request)
    return user if user.is_authenticated else None
