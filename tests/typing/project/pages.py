"""
The admin, forms and generic views as a project writes them.

Where their model matters to a checker, our mixins go before Django's own classes, which take it.
"""

from typing import assert_type

from django import forms
from django.contrib import admin
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest
from django.views.generic import DeleteView, UpdateView

from etag_versioning.contrib.admin import (
    VersionedAdmin,
    VersionedAdminMixin,
    VersionedTabularInline,
)
from etag_versioning.forms import VersionedModelForm, VersionedModelFormMixin
from etag_versioning.generic import VersionedDeleteMixin, VersionedUpdateMixin

from .models import Page, Phone, User


class PhoneInline(VersionedTabularInline):
    model = Phone


class UserAdmin(VersionedAdmin):
    list_display = ("name",)
    inlines = (PhoneInline,)


class PageAdmin(VersionedAdminMixin, admin.ModelAdmin[Page]):
    def save_model(
        self, request: HttpRequest, obj: Page, form: forms.ModelForm[Page], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)


class UserForm(VersionedModelForm):
    class Meta:
        model = User
        fields = ("name",)


class PageForm(VersionedModelFormMixin, forms.ModelForm[Page]):
    class Meta:
        model = Page
        fields = ("is_published",)


class PageUpdate(LoginRequiredMixin, VersionedUpdateMixin, UpdateView[Page, PageForm]):
    model = Page
    form_class = PageForm

    def get_success_url(self) -> str:
        assert_type(self.object, Page)
        return f"/pages/{self.object.pk}/"


class PageDelete(LoginRequiredMixin, VersionedDeleteMixin, DeleteView[Page]):
    model = Page
    success_url = "/pages/"


def differing_fields(form: PageForm) -> list[str]:
    assert_type(form.instance, Page)
    return [field.label for field in form.conflict.fields] if form.conflict else []
