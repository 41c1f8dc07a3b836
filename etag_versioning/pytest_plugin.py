"""
The test helper as a fixture. In a project's ``conftest.py``::

    from etag_versioning.pytest_plugin import honest_etag
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["honest_etag"]


@pytest.fixture
def honest_etag(db: None, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """
    ``assert_honest_etag()`` with pytest-django's database, and its client unless another is given.

    Example::

        def test_the_tag_of_a_user_is_honest(honest_etag, user):
            honest_etag(f"/users/{user.pk}/", users=[user])
    """
    from .testing import assert_honest_etag

    def run(url: str, *, client: Any = None, **options: Any) -> Any:
        __tracebackhide__ = True
        client = request.getfixturevalue("client") if client is None else client
        return assert_honest_etag(client, url, **options)

    return run
