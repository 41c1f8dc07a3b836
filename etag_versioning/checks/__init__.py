"""
System checks: what can be seen wrong before a request comes. Importing registers them.

``docs/errors.md`` has the table of all ids, with cause and cure.
"""

from __future__ import annotations

from .deployment import check_revision
from .http import check_cors, check_middleware
from .models import check_models
from .settings import check_client_flags, check_routers, check_settings
from .triggers import check_triggers
from .views import check_views

__all__ = [
    "check_client_flags",
    "check_cors",
    "check_middleware",
    "check_models",
    "check_revision",
    "check_routers",
    "check_settings",
    "check_triggers",
    "check_views",
]
