"""The mixins for adrf's asynchronous generic views and viewsets."""

from .mixins import (
    AsyncVersionedActionMixin,
    AsyncVersionedCreateMixin,
    AsyncVersionedDestroyMixin,
    AsyncVersionedListMixin,
    AsyncVersionedRetrieveMixin,
    AsyncVersionedUpdateMixin,
    AsyncVersionedViewMixin,
    AsyncVersionedViewSetMixin,
)

__all__ = [
    "AsyncVersionedActionMixin",
    "AsyncVersionedCreateMixin",
    "AsyncVersionedDestroyMixin",
    "AsyncVersionedListMixin",
    "AsyncVersionedRetrieveMixin",
    "AsyncVersionedUpdateMixin",
    "AsyncVersionedViewMixin",
    "AsyncVersionedViewSetMixin",
]
