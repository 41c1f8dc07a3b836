"""What a POST to the admin does where somebody else writes the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.options import TO_FIELD_VAR
from django.contrib.admin.utils import unquote
from django.db import DatabaseError, router, transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext as _

from ...editing.answers import Call, answer_form, answer_once, unavailable
from ...editing.bound_forms import STATE_FIELD
from ...editing.guards import guard_of
from ...exceptions import StaleWriteError
from .confirmations import add_state, is_confirmed, sign_deletion

__all__ = [
    "answer_action",
    "answer_change",
    "answer_changelist",
    "answer_deletion",
    "ask_for_deletion",
    "require_confirmed",
]


class StaleConfirmation(Exception):
    """The page that confirmed a deletion showed something else than what would be deleted."""


def answer_change(admin: Any, request: HttpRequest, object_id: str, call: Call) -> Any:
    """
    The answer to a change form that is sent: Django's, with the row locked in the state that the
    form showed. If the row is in another state, Django's form finds that, and shows the conflict.
    """
    instance = _get_object(admin, request, object_id)
    if instance is None:
        return call()
    return answer_form(request, instance, request.POST.get(STATE_FIELD), call)


def answer_changelist(request: HttpRequest, call: Call) -> Any:
    """The answer to a list that is sent: with the conflicts of its rows, if there are any."""
    try:
        return call()
    except StaleWriteError:
        return answer_once(request, call)
    except DatabaseError as error:
        return unavailable(request, error)


def _get_object(admin: Any, request: HttpRequest, object_id: str) -> Any:
    to_field = request.POST.get(TO_FIELD_VAR, request.GET.get(TO_FIELD_VAR))
    if to_field and not admin.to_field_allowed(request, to_field):
        return None  # Django refuses it.
    return admin.get_object(request, unquote(object_id), to_field)


def ask_for_deletion(admin: Any, request: HttpRequest, object_id: str, call: Call) -> Any:
    """The page that asks whether to delete one object."""
    instance = _get_object(admin, request, object_id)
    return call() if instance is None else _ask(admin, [instance], call)


def _ask(admin: Any, instances: list[Any], call: Call) -> Any:
    # Signed before the page reads what it shows: a write in between is a reason to ask again.
    signed = sign_deletion(instances, router.db_for_write(admin.model))
    response = call()
    context = getattr(response, "context_data", None) or {}
    if "perms_lacking" in context and not context["perms_lacking"] and not context["protected"]:
        add_state(response, signed)
    return response


def answer_deletion(admin: Any, request: HttpRequest, object_id: str, call: Call) -> Any:
    """The answer to a confirmed deletion, if what is deleted is what the page showed."""
    instance = _get_object(admin, request, object_id)
    if instance is None:
        return call()
    try:
        with _deleting(admin, [instance]):
            _require(request, [instance], router.db_for_write(admin.model))
            return call()
    except (StaleConfirmation, StaleWriteError):
        return _ask_again(admin, request)
    except DatabaseError as error:
        return unavailable(request, error)


@contextmanager
def _deleting(admin: Any, instances: list[Any]) -> Iterator[None]:
    """A transaction that begins with a write: SQLite's lock, without which a read is a snapshot."""
    guard = guard_of(instances[0]) if instances else None
    if guard is None:
        with transaction.atomic(using=router.db_for_write(admin.model)):
            yield
    else:
        with guard.locking(), guard.watch():
            yield


def require_confirmed(request: HttpRequest, queryset: Any) -> None:
    """
    Compare a selection with the page that confirmed its deletion.

    Raises:
        StaleConfirmation: the page showed something else.
    """
    # An action of the project's own may delete without a page that asks.
    if _is_deletion(request) and request.POST.get("post"):
        _require(request, list(queryset), queryset.db)


def _require(request: HttpRequest, instances: list[Any], using: str) -> None:
    if not is_confirmed(request.POST.get(STATE_FIELD), instances, using):
        raise StaleConfirmation


def answer_action(admin: Any, request: HttpRequest, queryset: Any, call: Call) -> Any:
    """The answer to an action: a deletion is asked for, and rolled back if it is stale."""
    if not _is_deletion(request):
        return call()
    if not request.POST.get("post"):
        return _ask(admin, list(_selected(request, queryset)), call)
    try:
        with transaction.atomic(using=router.db_for_write(admin.model)):
            return call()
    except (StaleConfirmation, StaleWriteError):
        return _ask_again(admin, request)
    except DatabaseError as error:
        return unavailable(request, error)


def _is_deletion(request: HttpRequest) -> bool:
    """Whether the action is Django's deletion. A list has a menu of actions above and below."""
    actions, index = request.POST.getlist("action"), request.POST.get("index", "0")
    number = int(index) if index.isdecimal() else 0
    return actions[number : number + 1] == ["delete_selected"]


def _selected(request: HttpRequest, queryset: Any) -> Any:
    if request.POST.get("select_across") == "1":
        return queryset
    return queryset.filter(pk__in=request.POST.getlist(helpers.ACTION_CHECKBOX_NAME))


def _ask_again(admin: Any, request: HttpRequest) -> HttpResponseRedirect:
    message = _(
        "Nothing was deleted: what you wanted to delete was changed after you opened the page. "
        "This is what is there now."
    )
    admin.message_user(request, message, messages.WARNING)
    return HttpResponseRedirect(request.get_full_path())
