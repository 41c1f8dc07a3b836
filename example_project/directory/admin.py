from django.contrib import admin

from etag_versioning.contrib.admin import VersionedAdmin

from .models import Office, PhoneNumber, Team, User


class PhoneNumberInline(admin.TabularInline):
    model = PhoneNumber
    extra = 0


@admin.register(User)
class UserAdmin(VersionedAdmin):
    list_display = ["username", "job_title", "desk", "leave_days", "is_active"]
    list_editable = ["desk", "leave_days", "is_active"]
    list_per_page = 25
    search_fields = ["username", "last_name"]
    inlines = [PhoneNumberInline]


@admin.register(Team)
class TeamAdmin(VersionedAdmin):
    list_display = ["name", "purpose"]


@admin.register(Office)
class OfficeAdmin(VersionedAdmin):
    list_display = ["name", "city", "country"]
