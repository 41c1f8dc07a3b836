"""
The names that a view class gains from each mixin: all of them documented, and none that a
project might use for something of its own.
"""

import pytest
from adrf import generics as adrf_generics
from adrf import mixins as adrf_mixins
from rest_framework import generics, mixins
from rest_framework.throttling import AnonRateThrottle
from rest_framework.viewsets import ModelViewSet, ViewSet

from etag_versioning.rest_framework import adrf
from etag_versioning.rest_framework.bulk import VersionedBulkUpdateMixin
from etag_versioning.rest_framework.mixins import (
    VersionedActionMixin,
    VersionedAPIViewMixin,
    VersionedCreateMixin,
    VersionedDestroyMixin,
    VersionedListMixin,
    VersionedRetrieveMixin,
    VersionedUpdateMixin,
    VersionedViewSetMixin,
)
from etag_versioning.rest_framework.throttling import UncountedNotModifiedMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Person

OPTIONS = {
    "allow_create",
    "allow_unmodified_since",
    "allow_wildcard",
    "cache_control",
    "conflict_includes_current",
    "etag_extra",
    "etag_ignores",
    "get_etag_extra",
    "get_if_match",
    "get_representation",
    "get_versioned_queryset",
    "if_match",
    "last_modified",
    "late_reads",
    "list_validator",
    "lock_row",
    "tag_key",
}
COMMON = OPTIONS | {"versioning"}


def gained(view_class, *plain):
    """The names that ``view_class`` has, and a class of DRF's classes alone has not."""
    names = set(dir(view_class)) - set(dir(type("Plain", plain, {})))
    return names - {"__annotations__"}


@pytest.mark.parametrize(
    ("mixin", "of_drf"),
    [
        (VersionedCreateMixin, mixins.CreateModelMixin),
        (VersionedDestroyMixin, mixins.DestroyModelMixin),
        (VersionedListMixin, mixins.ListModelMixin),
        (VersionedRetrieveMixin, mixins.RetrieveModelMixin),
        (VersionedUpdateMixin, mixins.UpdateModelMixin),
        (VersionedActionMixin, object),
    ],
)
def test_a_generic_view_gains_the_options_and_one_object(mixin, of_drf):
    bases = (generics.GenericAPIView,) if of_drf is object else (of_drf, generics.GenericAPIView)
    view_class = type("View", (mixin, *bases), {})
    assert gained(view_class, *bases) == COMMON


def test_a_viewset_gains_the_options_and_one_object():
    assert gained(VersionedModelViewSet, ModelViewSet) == COMMON
    view_class = type("View", (VersionedViewSetMixin, ModelViewSet), {})
    assert gained(view_class, ModelViewSet) == COMMON


def test_a_viewset_without_a_queryset_gains_get_object_too():
    view_class = type("View", (VersionedAPIViewMixin, ViewSet), {})
    assert gained(view_class, ViewSet) == COMMON | {"get_object"}


def test_a_viewset_with_bulk_updates_gains_its_two_handlers_and_its_limit():
    view_class = type("View", (VersionedBulkUpdateMixin, VersionedModelViewSet), {})
    assert gained(view_class, VersionedModelViewSet) == {
        "bulk_limit",
        "bulk_update",
        "partial_bulk_update",
    }


@pytest.mark.parametrize(
    ("mixin", "of_adrf"),
    [
        (adrf.AsyncVersionedCreateMixin, adrf_mixins.CreateModelMixin),
        (adrf.AsyncVersionedDestroyMixin, adrf_mixins.DestroyModelMixin),
        (adrf.AsyncVersionedListMixin, adrf_mixins.ListModelMixin),
        (adrf.AsyncVersionedRetrieveMixin, adrf_mixins.RetrieveModelMixin),
        (adrf.AsyncVersionedUpdateMixin, adrf_mixins.UpdateModelMixin),
    ],
)
def test_an_asynchronous_view_gains_the_options_and_one_object(mixin, of_adrf):
    bases = (of_adrf, adrf_generics.GenericAPIView)
    assert gained(type("View", (mixin, *bases), {}), *bases) == COMMON


@pytest.mark.django_db
def test_an_instance_gains_nothing_but_that_object_while_it_answers(rf):
    names = {}

    class Versioned(VersionedModelViewSet):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer

        def finalize_response(self, *args, **kwargs):
            names["versioned"] = set(vars(self))
            return super().finalize_response(*args, **kwargs)

    class Plain(ModelViewSet):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer

        def finalize_response(self, *args, **kwargs):
            names["plain"] = set(vars(self))
            return super().finalize_response(*args, **kwargs)

    person = Person.objects.create(name="a")
    for view_class in (Versioned, Plain):
        actions = {"get": "retrieve", "patch": "partial_update"}
        request = rf.patch("/", '{"name": "b"}', "application/json", headers={"If-Match": "*"})
        assert view_class.as_view(actions)(request, pk=person.pk).status_code == 200
    assert names["versioned"] - names["plain"] == {"versioning"}


@pytest.mark.django_db
def test_the_serializer_that_creates_at_an_address_keeps_its_own_save(rf):
    names = []

    class Creating(VersionedModelViewSet):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer
        allow_create = True

        def perform_create(self, serializer):
            names.append("save" in vars(serializer))
            serializer.save()

    request = rf.put("/", '{"name": "a"}', "application/json", headers={"If-None-Match": "*"})
    answer = Creating.as_view({"put": "update"})(request, pk=77)
    assert answer.status_code == 201
    assert Person.objects.get().pk == 77
    assert names == [False]


@pytest.mark.django_db
def test_a_throttle_leaves_the_views_own_finalize_response(rf):
    names = []

    class Throttle(UncountedNotModifiedMixin, AnonRateThrottle):
        rate = "100/min"

    class Throttled(VersionedModelViewSet):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer
        throttle_classes = (Throttle,)

        def finalize_response(self, *args, **kwargs):
            names.append("finalize_response" in vars(self))
            return super().finalize_response(*args, **kwargs)

    person = Person.objects.create(name="a")
    Throttled.as_view({"get": "retrieve"})(rf.get("/"), pk=person.pk)
    assert names == [False]
