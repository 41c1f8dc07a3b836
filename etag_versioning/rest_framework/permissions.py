"""Whether a view's permissions look at the object."""

from __future__ import annotations

from typing import Any

from rest_framework import permissions

__all__ = ["looks_at_any_object"]

# The modules whose check_object_permissions() does nothing but ask each permission.
_FRAMEWORKS = ("rest_framework.views", "adrf.views")
_LOOKS_AT_NOTHING = permissions.BasePermission.has_object_permission


def looks_at_any_object(view: Any) -> bool:
    """Whether a view, or one of its permissions, may refuse a request for its object."""
    if getattr(view.check_object_permissions, "__module__", None) not in _FRAMEWORKS:
        return True
    asked = list(view.get_permissions())
    for permission in asked:
        if type(permission) in (permissions.AND, permissions.OR):
            asked += permission.op1, permission.op2
            continue
        method = getattr(permission, "has_object_permission", None)
        if getattr(method, "__func__", None) is not _LOOKS_AT_NOTHING:
            return True
    return False
