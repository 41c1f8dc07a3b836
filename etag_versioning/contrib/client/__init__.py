"""
For programs that read and write versioned resources: httpx clients that send the preconditions.

Needs httpx (``pip install 'django-etag-versioning[client]'``), and neither Django nor its settings.

Example::

    with VersionedClient(base_url="https://example.org") as client:
        user = client.get("/users/7/").json()
        client.patch("/users/7/", json={"leave_days": user["leave_days"] + 1})  # If-Match
        client.get("/users/7/")  # If-None-Match
"""

try:
    from .clients import AsyncVersionedClient, VersionedClient
except ModuleNotFoundError as error:  # It may name anyio, which httpx brings.
    raise ModuleNotFoundError(
        f"{__name__} needs httpx: pip install 'django-etag-versioning[client]'", name=error.name
    ) from error

__all__ = ["AsyncVersionedClient", "VersionedClient"]
