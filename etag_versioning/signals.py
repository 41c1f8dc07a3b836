"""The signals that a project can receive."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

__all__ = ["lying_tag_found", "precondition_evaluated", "stale_write_reported"]

precondition_evaluated: Final = Signal()
"""
Sent with ``request``, ``outcome`` and ``reason`` after a request's preconditions were evaluated,
whatever the outcome. Sent a second time, with the new outcome, where the write then lost a race.
"""

stale_write_reported: Final = Signal()
"""
Sent with ``instance``, ``using``, ``expected``, ``found`` and ``location`` where a stale write went
on, because the model's ``stale_writes`` is "report".
"""

lying_tag_found: Final = Signal()
"""
Sent with ``request``, ``view``, ``route``, ``etag`` and ``parts`` where the audit (the setting
``AUDIT``) found two different contents under one tag. ``view`` is the name of the view, ``route``
its pattern in the URLconf, ``parts`` the names of what differs: paths in JSON, or lines.
"""
