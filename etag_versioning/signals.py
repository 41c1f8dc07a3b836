"""The signals that a project can receive."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

__all__ = ["precondition_evaluated", "stale_write_reported"]

# Sent with request, outcome and reason (see http.preconditions) after a request's
# preconditions were evaluated, whatever the outcome. Sent a second time, with the new
# outcome, where the write then lost a race.
precondition_evaluated: Final = Signal()

# Sent with instance, using, expected, found and location where a stale write went on, because
# the model's stale_writes is "report".
stale_write_reported: Final = Signal()
