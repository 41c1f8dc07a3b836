"""The classes that a project's ``admin.py`` inherits from."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib import admin
from django.core import checks
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest

from ...editing.bound_forms import CONFLICT, STATE_FIELD
from ...orm.state_columns import state_columns
from .changes import admin_form_class, admin_formset_class
from .requests import (
    answer_action,
    answer_change,
    answer_changelist,
    answer_deletion,
    ask_for_deletion,
    require_confirmed,
)

__all__ = [
    "VersionedAdmin",
    "VersionedAdminMixin",
    "VersionedStackedInline",
    "VersionedTabularInline",
]


class VersionedAdminMixin:
    """
    For a ``ModelAdmin`` of a versioned model. It goes before ``ModelAdmin`` in the bases.

    A change form, a row of ``list_editable`` and an inline that show an old state are not saved:
    the page comes back, with status 409, and shows what was there, what is there now, and what
    was entered. A deletion is asked for again if what it deletes was changed.
    """

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        errors: list[checks.CheckMessage] = super().check(**kwargs)  # type: ignore[misc]
        model = self.model  # type: ignore[attr-defined]
        if state_columns(model).version is None:
            errors.append(
                checks.Error(
                    f"{type(self).__name__} cannot guard {model._meta.label}: it has no version.",
                    hint=(
                        f"Write class {model.__name__}(VersionedModel): …, then run "
                        f"makemigrations and migrate; or use admin.ModelAdmin."
                    ),
                    obj=type(self),
                    id="etag_versioning.E301",
                )
            )
        return errors

    # The forms.

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # Not as an argument: UserAdmin chooses a form by itself, for the page that adds a user.
        inherited: Any = super()
        return admin_form_class(inherited.get_form(request, obj, change=change, **kwargs))

    def get_formsets_with_inlines(
        self, request: HttpRequest, obj: Any = None
    ) -> Iterator[tuple[Any, Any]]:
        inherited: Any = super()
        for formset, inline in inherited.get_formsets_with_inlines(request, obj):
            yield _formset_class(formset, inline, request, obj), inline

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        inherited: Any = super()
        formset = admin_formset_class(inherited.get_changelist_formset(request, **kwargs))
        # A list creates no objects.
        formset.restores_deleted_rows = False
        return formset

    # The pages.

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        inherited: Any = super()
        call = partial(inherited.changeform_view, request, object_id, form_url, extra_context)
        if request.method != "POST" or object_id is None or "_saveasnew" in request.POST:
            return call()
        return answer_change(self, request, object_id, call)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        _show_state_field(context["adminform"])
        inherited: Any = super()
        response = inherited.render_change_form(request, context, *args, **kwargs)
        formsets = [each.formset for each in context.get("inline_admin_formsets", ())]
        if _has_conflict(context["adminform"].form) or any(map(_rows_conflict, formsets)):
            response.status_code = 409
        return response

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        inherited: Any = super()
        call = partial(inherited.changelist_view, request, extra_context)
        if request.method != "POST":
            return call()
        response = answer_changelist(request, call)
        changelist: Any = (getattr(response, "context_data", None) or {}).get("cl")
        formset = getattr(changelist, "formset", None)
        if formset is not None and formset.is_bound:
            # Others may have sorted the list: each form stays beside its own object.
            changelist.result_list = [form.instance for form in formset.forms]
            if _rows_conflict(formset):
                response.status_code = 409
        return response

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        inherited: Any = super()
        call = partial(inherited.delete_view, request, object_id, extra_context)
        if request.POST:
            return answer_deletion(self, request, object_id, call)
        return ask_for_deletion(self, request, object_id, call)

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> Any:
        inherited: Any = super()
        # Django 6.1 added a parameter.
        call = partial(inherited.response_action, request, queryset, *args, **kwargs)
        return answer_action(self, request, queryset, call)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        require_confirmed(request, queryset)
        inherited: Any = super()
        inherited.delete_queryset(request, queryset)


class VersionedAdmin(VersionedAdminMixin, admin.ModelAdmin):
    """
    A ``ModelAdmin`` in which nobody's edit is lost.

    Its inlines are versioned too, whatever class they have.

    Example::

        @admin.register(User)
        class UserAdmin(VersionedAdmin):
            list_display = ["username", "team"]
            list_editable = ["team"]
    """


class _VersionedInlineMixin:
    """For inlines under a ``ModelAdmin`` that is not versioned."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        inherited: Any = super()
        return _formset_class(inherited.get_formset(request, obj, **kwargs), self, request, obj)


class VersionedTabularInline(_VersionedInlineMixin, admin.TabularInline):
    """A ``TabularInline`` whose rows are compared. ``VersionedAdmin`` needs none of its own."""


class VersionedStackedInline(_VersionedInlineMixin, admin.StackedInline):
    """A ``StackedInline`` whose rows are compared. ``VersionedAdmin`` needs none of its own."""


def _formset_class(formset: Any, inline: Any, request: HttpRequest, obj: Any) -> Any:
    """The versioned class of an inline's formset, unless its rows are only shown."""
    if inline.has_change_permission(request, obj) or inline.has_delete_permission(request, obj):
        formset = admin_formset_class(formset)
        if not inline.has_add_permission(request, obj):
            formset.restores_deleted_rows = False
    return formset


def _show_state_field(admin_form: Any) -> None:
    """
    Put the hidden field into the first fieldset, since the admin shows a form's fields by its
    fieldsets alone.
    """
    if STATE_FIELD not in admin_form.form.fields:
        return
    (name, options), *others = admin_form.fieldsets or [(None, {"fields": ()})]
    fields = [*options["fields"], STATE_FIELD]
    admin_form.fieldsets = [(name, {**options, "fields": fields}), *others]


def _has_conflict(form: Any) -> bool:
    return bool(form.has_error(NON_FIELD_ERRORS, CONFLICT))


def _rows_conflict(formset: Any) -> bool:
    errors = formset.non_form_errors().as_data()
    return any(error.code == CONFLICT for error in errors) or any(map(_has_conflict, formset.forms))
