"""PUT and PATCH of a list: several rows, each in the state that its tag names."""

from .mixins import VersionedBulkUpdateMixin

__all__ = ["VersionedBulkUpdateMixin"]
