"""Django's admin, where a save of an old page overwrites nothing."""

from .options import (
    VersionedAdmin,
    VersionedAdminMixin,
    VersionedStackedInline,
    VersionedTabularInline,
)

__all__ = [
    "VersionedAdmin",
    "VersionedAdminMixin",
    "VersionedStackedInline",
    "VersionedTabularInline",
]
