"""The host for requests that a command makes to the project itself."""

from __future__ import annotations

from django.conf import settings
from django.http.request import split_domain_port

__all__ = ["allowed_host"]


def allowed_host() -> str:
    """The first of ``ALLOWED_HOSTS`` that can be a Host header; "localhost" if none can."""
    hosts = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    # Some projects list the IPv6 address "::1" without the brackets that the header needs.
    return next((host for host in hosts if split_domain_port(host)[0]), "localhost")
