"""The validators of a collection while a POST to it is answered."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import APIException

from ..http.etags import EntityTag
from ..http.preconditions import Validators
from .current import acting
from .hooks import hooked
from .reads import reading

__all__ = ["listed_validators"]


def listed_validators(view: Any) -> Validators | None:
    """
    The validators that a GET of the view's list shows the caller; ``None`` without a
    list, and for a caller who may not read it.
    """
    actions = getattr(view, "action_map", None)
    name = "get" if actions is None else actions.get("get", "")
    handler = getattr(view, name, None)
    if handler is None:
        return None
    # The preconditions are those of the POST, so the list is read without any.
    nested = view.versioning.for_nested_read()
    with acting(view, "GET", name), hooked(view, versioning=nested):
        handler = reading(view, handler) or handler
        if iscoroutinefunction(handler):
            handler = async_to_sync(handler)
        try:
            view.check_permissions(view.request)
            answer = handler(view.request, *view.args, **view.kwargs)
        except (APIException, PermissionDenied, Http404):
            return None
        if not 200 <= answer.status_code < 300:
            return None
        if answer.has_header("ETag"):
            return Validators(EntityTag.from_text(answer["ETag"]))
        shown: Validators | None = nested.shown
        return shown
