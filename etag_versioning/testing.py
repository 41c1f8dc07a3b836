"""
For a project's own tests: an address whose tag lies fails the test.

Example::

    from etag_versioning.testing import assert_honest_etag

    def test_the_tag_of_a_user_is_honest(client, user, other_user):
        assert_honest_etag(client, f"/users/{user.pk}/", users=[user, other_user])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .audit import AuditError, Report, audit_address

__all__ = ["assert_honest_etag"]


def assert_honest_etag(
    client: Any,
    url: str,
    *,
    users: Iterable[Any] = (),
    headers: Mapping[str, str | Iterable[str]] | None = None,
    time_zones: Iterable[str] = (),
    hosts: Iterable[str] = (),
    rows: int = 5,
) -> Report:
    """
    Fail where an address can be answered 304 although its content has changed.

    Each row that the answer shows is changed, copied and deleted; the address is asked in
    other languages, as other users, and with other values of the headers that its ``Vary``
    names. Nothing of it stays in the database or in the caches, and no mail is sent.

    Args:
        client: Django's test client, or Django REST framework's; it stays as it is.
        url: a path, with its query string. It must be answered 200, with an ETag.
        users: who else asks, each logged in. Without one, the client alone does.
        headers: values of headers to try, by their names: ``{"X-Currency": ["EUR", "USD"]}``.
        time_zones: names of time zones to try, where the project activates others.
        hosts: other hosts to try, where a cache does not tell hosts apart.
        rows: how many rows of each model to change at most.

    Returns:
        What was found, with changes that need no new tag.

    Raises:
        AssertionError: the tag lies; with the model, the columns and the line that mends it.
            Or the address cannot be audited.
    """
    __tracebackhide__ = True
    try:
        report = audit_address(
            client,
            url,
            users=users,
            headers=headers,
            time_zones=time_zones,
            hosts=hosts,
            rows=rows,
        )
    except AuditError as error:
        raise AssertionError(str(error)) from None
    if not report.is_honest:
        raise AssertionError(f"The ETag of {url} lies.\n{report.text()}")
    return report
