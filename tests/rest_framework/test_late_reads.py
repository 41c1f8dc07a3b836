"""The checks of views that answer 304 only after the work, or never."""

import functools
import sys
from types import ModuleType

import pytest
from django.core import checks
from django.test import override_settings
from django.urls import include, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.vary import vary_on_cookie
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, pagination, serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ModelViewSet

from etag_versioning.checks import check_views
from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.mixins import VersionedListMixin, VersionedRetrieveMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("pk")
    serializer_class = PersonSerializer


def logged(handler):
    @functools.wraps(handler)
    def wrapper(*args, **kwargs):
        return handler(*args, **kwargs)

    return wrapper


def found(*routes):
    """What the check says of a URLconf of these routes."""
    module = ModuleType("urls_of_one_test")
    module.urlpatterns = list(routes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with override_settings(ROOT_URLCONF=module.__name__):
            return check_views()


def routed(viewset):
    """What the check says of a viewset under DRF's router."""
    router = SimpleRouter()
    router.register("people", viewset, basename="people")
    return found(path("", include(router.urls)))


def test_a_retrieve_that_does_more_than_super_is_a_warning_with_the_mended_code():
    class People(PersonViewSet):
        def retrieve(self, request, *args, **kwargs):
            response = super().retrieve(request, *args, **kwargs)
            response.data["more"] = 1
            return response

    (message,) = routed(People)
    assert (message.id, message.level) == ("etag_versioning.W202", checks.WARNING)
    assert "People.retrieve() may refuse a request" in message.msg
    assert "put @versioned_read above it" in message.hint
    assert 'late_reads = ("retrieve",)' in message.hint


def test_a_wrapper_is_named():
    class People(PersonViewSet):
        list = logged(ModelViewSet.list)

    (message,) = routed(People)
    assert message.id == "etag_versioning.W202"
    assert message.msg.startswith(f"{__name__}.logged(), around ")
    assert "People.list()" in message.msg


def test_a_wrapper_that_a_schema_hides_is_named():
    @extend_schema_view(list=extend_schema(summary="All"))
    class People(PersonViewSet):
        list = logged(ModelViewSet.list)

    (message,) = routed(People)
    assert f"{__name__}.logged()" in message.msg


def test_a_get_that_does_more_than_retrieve_is_a_warning():
    class PersonView(VersionedRetrieveMixin, generics.RetrieveAPIView):
        queryset = Person.objects.all()
        serializer_class = PersonSerializer

        def get(self, request, *args, **kwargs):
            response = self.retrieve(request, *args, **kwargs)
            response["X-More"] = "1"
            return response

    (message,) = found(path("<int:pk>/", PersonView.as_view()))
    assert message.id == "etag_versioning.W202"
    assert "PersonView.get()" in message.msg


def test_what_is_meant_is_no_warning():
    class People(PersonViewSet):
        late_reads = ("list",)
        list = logged(ModelViewSet.list)

    assert routed(People) == []


def test_versioned_read_mends_it():
    class People(PersonViewSet):
        list = versioned_read(logged(ModelViewSet.list))

        @versioned_read
        def retrieve(self, request, *args, **kwargs):
            response = super().retrieve(request, *args, **kwargs)
            response.data["more"] = 1
            return response

    assert routed(People) == []


def test_what_only_decorates_is_no_warning():
    @method_decorator(vary_on_cookie, name="list")
    @extend_schema_view(retrieve=extend_schema(summary="One"), list=extend_schema(summary="All"))
    class People(PersonViewSet):
        pass

    class Passing(People):
        def retrieve(self, request, pk=None):
            return super().retrieve(request, pk=pk)

    assert routed(People) == []
    assert routed(Passing) == []


def test_code_that_is_wholly_the_projects_is_no_warning():
    class People(PersonViewSet):
        def list(self, request):
            return Response([])

        @action(detail=True)
        def summary(self, request, pk=None):
            return Response({"name": self.get_object().name})

    assert routed(People) == []


def test_a_view_whose_reads_have_no_tags_is_no_warning():
    class People(VersionedRetrieveMixin, ModelViewSet):
        queryset = Person.objects.order_by("pk")
        serializer_class = PersonSerializer
        list = logged(ModelViewSet.list)

    assert routed(People) == []


class TimedPages(pagination.PageNumberPagination):
    page_size = 2

    def get_paginated_response(self, data):
        return Response({"timestamp": timezone.now(), "results": data})


def test_a_paginator_that_shows_the_time_is_a_warning_with_the_mended_code():
    class People(PersonViewSet):
        pagination_class = TimedPages

    (message,) = routed(People)
    assert (message.id, message.level) == ("etag_versioning.W203", checks.WARNING)
    assert f"{__name__}.TimedPages" in message.msg
    assert "calls now() in get_paginated_response()" in message.msg
    assert 'etag_ignores = ("timestamp",)' in message.hint


def test_a_time_that_does_not_count_is_no_warning():
    class People(PersonViewSet):
        pagination_class = TimedPages
        etag_ignores = ("timestamp",)

    class PeopleView(VersionedListMixin, generics.ListAPIView):
        queryset = Person.objects.order_by("pk")
        serializer_class = PersonSerializer
        pagination_class = TimedPages
        etag_ignores = ("timestamp",)

    assert routed(People) == []
    assert found(path("", PeopleView.as_view())) == []


def test_a_generic_view_whose_pages_show_the_time_is_a_warning():
    class PeopleView(VersionedListMixin, generics.ListAPIView):
        queryset = Person.objects.order_by("pk")
        serializer_class = PersonSerializer
        pagination_class = TimedPages

    assert [message.id for message in found(path("", PeopleView.as_view()))] == [
        "etag_versioning.W203"
    ]


@pytest.mark.parametrize("option", ["etag_ignores", "late_reads"])
def test_an_option_that_is_a_text_is_an_error(option):
    view = type("People", (PersonViewSet,), {"__module__": __name__, option: "list"})
    (message,) = routed(view)
    assert message.id == "etag_versioning.E201"
    assert f'{option} = ("list",)' in message.hint
