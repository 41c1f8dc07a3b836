"""
Django's generic views for editing and deleting, where nobody's edit is lost.

A browser's form carries the state that it shows. A client that sends ``If-Match``, or another
precondition, is answered as ``versioned_condition`` does: 412 if it is stale.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, router
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.generic import DeleteView, UpdateView

from .decorators import versioned_condition
from .editing.answers import answer_form, is_shown
from .editing.bound_forms import CONFLICT, STATE_FIELD, StateField
from .editing.snapshots import Snapshot, sign_snapshots
from .forms import versioned_form_class
from .http.headers import conditional_headers
from .http.preconditions import NO_CONDITIONS, SAFE_METHODS
from .orm.instances import instance_itself

__all__ = [
    "VersionedDeleteMixin",
    "VersionedDeleteView",
    "VersionedUpdateMixin",
    "VersionedUpdateView",
]


_CHANGED = _(
    "Nothing was deleted: this was changed after you opened the page. If you confirm again, what "
    "is there now is deleted."
)


class _ConditionalMixin:
    """
    Evaluates the preconditions that a client sends, and guards the row of a form that is sent.

    A POST without a precondition is a browser's: its hidden field names the state. PUT and DELETE
    have no such field, so they need If-Match (otherwise 428).
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        view: Any = self
        inherited: Any = super()
        is_form = request.method == "POST" and conditional_headers(request) == NO_CONDITIONS
        if is_form or request.method in SAFE_METHODS:
            return inherited.dispatch(request, *args, **kwargs)
        condition = versioned_condition(
            lambda *args, **kwargs: _row_of_view(view),
            if_match="optional" if request.method == "POST" else "required",
            cache_control={},
        )
        return condition(inherited.dispatch)(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        view: Any = self
        inherited: Any = super()
        call = partial(inherited.post, request, *args, **kwargs)
        if _names_state(request):
            return call()  # Guarded by versioned_condition.
        return answer_form(request, view.get_object(), _sent_state(view), call)

    def form_invalid(self, form: Any) -> Any:
        inherited: Any = super()
        response = inherited.form_invalid(form)
        if form.has_error("__all__", CONFLICT):
            response.status_code = 409
        return response


def _row_of_view(view: Any) -> Any:
    instance = instance_itself(view.get_object())
    if instance is None:
        raise Http404
    model = type(instance)
    using = router.db_for_write(model, instance=instance)
    return models.QuerySet(model, using=using).filter(pk=instance.pk)


def _names_state(request: HttpRequest) -> bool:
    """Whether the request's If-Match names the state that it writes."""
    return conditional_headers(request).if_match is not None


def _sent_state(view: Any) -> str | None:
    prefix = view.get_prefix()
    name = f"{prefix}-{STATE_FIELD}" if prefix else STATE_FIELD
    value: str | None = view.request.POST.get(name)
    return value


class VersionedUpdateMixin(_ConditionalMixin):
    """
    For an ``UpdateView``, before it in the bases. Its form class need not be versioned.

    The template renders the form with its hidden fields, as ``{{ form }}`` does. If the row was
    written since, the form comes back with status 409 and shows the conflict. Mixins that decide
    access go before this one.
    """

    def get_form_class(self) -> Any:
        inherited: Any = super()
        return versioned_form_class(inherited.get_form_class())

    def get_form(self, form_class: Any = None) -> Any:
        inherited: Any = super()
        form = inherited.get_form(form_class)
        if _names_state(self.request):  # type: ignore[attr-defined]
            form.state_required = False
        return form


class VersionedUpdateView(VersionedUpdateMixin, UpdateView):
    """
    An ``UpdateView`` in which nobody's edit is lost.

    Example::

        class PageUpdate(LoginRequiredMixin, VersionedUpdateView):
            model = Page
            fields = ["title", "text"]
    """


class VersionedDeleteMixin(_ConditionalMixin):
    """
    For a ``DeleteView``, before it in the bases.

    The template has ``{{ form }}`` inside its form. If the row was written since the page was
    opened, nothing is deleted, and the page comes back with status 409 and an error of the form.
    """

    def get_form(self, form_class: Any = None) -> Any:
        view: Any = self
        inherited: Any = super()
        form = inherited.get_form(form_class)
        instance = view.object
        form.fields[STATE_FIELD] = StateField(
            lambda: sign_snapshots([Snapshot.of(instance, {}, {})])
        )
        is_named = _names_state(view.request) or is_shown(instance, _sent_state(view))
        if form.is_bound and not is_named:
            form.full_clean()
            form.add_error(None, ValidationError(_CHANGED, code=CONFLICT))
        return form


class VersionedDeleteView(VersionedDeleteMixin, DeleteView):
    """
    A ``DeleteView`` that deletes what the person has seen.

    Example::

        class PageDelete(LoginRequiredMixin, VersionedDeleteView):
            model = Page
            success_url = "/pages/"
    """
