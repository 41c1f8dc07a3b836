"""Whether a view's permissions ask to see the object."""

from __future__ import annotations

from typing import Any

from rest_framework import permissions

__all__ = ["looks_at_any_object"]

# The modules of the methods that do nothing but ask each permission.
_FRAMEWORKS = ("rest_framework.views", "adrf.views")


def looks_at_any_object(view: Any) -> bool:
    """Whether a view, or one of its permissions, may refuse a request for its object."""
    if getattr(view.check_object_permissions, "__module__", None) not in _FRAMEWORKS:
        return True
    return any(map(_looks_at_objects, view.get_permissions()))


def _looks_at_objects(permission: Any) -> bool:
    if type(permission) in (permissions.AND, permissions.OR):
        return _looks_at_objects(permission.op1) or _looks_at_objects(permission.op2)
    method = getattr(permission, "has_object_permission", None)
    function = getattr(method, "__func__", None)
    return function is not permissions.BasePermission.has_object_permission
