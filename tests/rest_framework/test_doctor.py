"""What ``manage.py etag_doctor`` says of Django REST framework's views."""

import pytest
from django.urls import include, path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet

from etag_versioning.doctor import diagnose
from etag_versioning.rest_framework.api_views import VersionedAPIViewMixin
from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.mixins import VersionedRetrieveMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Badge, Person


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class Guarded(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    @action(detail=True, methods=["post"], if_match="optional")
    def greet(self, request, pk=None):
        return Response()

    @action(detail=False, methods=["post"])
    def greet_all(self, request):
        return Response()

    @action(detail=True)
    @versioned_read
    def summary(self, request, pk=None):
        return Response()


class Late(VersionedModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    def retrieve(self, request, *args, **kwargs):
        return Response({"own": self.get_object().name})

    def get_if_match(self):
        return "optional"


class Unguarded(ModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer


class Unversioned(ModelViewSet):
    queryset = Badge.objects.all()
    serializer_class = PersonSerializer


class ReadsOnly(VersionedRetrieveMixin, ModelViewSet):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer

    @action(detail=True, methods=["post"])
    def greet(self, request, pk=None):
        return Response()


class Report(VersionedAPIViewMixin, APIView):
    if_match = "report"

    @versioned_read
    def get(self, request, pk):
        return Response()

    def put(self, request, pk):
        return Response()


router = SimpleRouter(use_regex_path=False)
for kind in (Guarded, Late, Unguarded, Unversioned, ReadsOnly):
    router.register(kind.__name__.lower(), kind, basename=kind.__name__)
urlpatterns = [path("reports/<int:pk>/", Report.as_view()), path("", include(router.urls))]

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.urls(__name__)]


def view(route):
    """What is said of the one view under a route; ``None`` where it is not listed."""
    return next((each for each in diagnose().views if each["route"] == route), None)


def test_a_viewset_with_the_mixins_is_read_before_it_runs_and_guarded():
    assert view("guarded/<str:pk>/") == {
        "view": f"{__name__}.Guarded",
        "route": "guarded/<str:pk>/",
        "by": "mixins",
        "model": "testapp.Person",
        "reads": "before the view",
        "writes": dict.fromkeys(["PUT", "PATCH", "DELETE"], "required"),
    }


def test_a_list_is_read_before_the_view_and_creates():
    found = view("guarded/")
    assert (found["reads"], found["writes"]) == ("before the view", {"POST": "no row yet"})


def test_an_action_of_one_row_is_guarded_as_it_says():
    found = view("guarded/<str:pk>/greet/")
    assert (found["reads"], found["writes"]) == (None, {"POST": "optional"})


def test_an_action_of_a_list_is_not_guarded():
    assert view("guarded/greet_all/")["writes"] == {"POST": "not guarded"}


def test_an_action_with_versioned_read_is_answered_304_before_it_runs():
    assert view("guarded/<str:pk>/summary/")["reads"] == "before the view"


def test_a_retrieve_of_the_projects_own_runs_before_its_304():
    assert view("late/<str:pk>/")["reads"] == "after the view"


def test_a_get_if_match_of_the_projects_own_decides():
    assert view("late/<str:pk>/")["writes"]["PUT"] == "by get_if_match()"


def test_a_viewset_of_versioned_rows_without_the_mixins_is_a_problem():
    found = view("unguarded/<str:pk>/")
    assert (found["by"], found["reads"]) == (None, "never")
    assert found["writes"] == dict.fromkeys(["PUT", "PATCH", "DELETE"], "not guarded")
    assert (
        f"{__name__}.Unguarded writes testapp.Person without a guard: PUT, PATCH, DELETE of "
        "unguarded/<str:pk>/. The last of two writers wins."
    ) in diagnose().problems


def test_a_viewset_of_other_rows_is_not_listed():
    assert view("unversioned/<str:pk>/") is None


def test_an_action_of_a_view_without_guarded_actions_is_not_guarded():
    assert view("readsonly/<str:pk>/greet/")["writes"] == {"POST": "not guarded"}


def test_an_update_of_a_view_with_any_mixin_is_guarded():
    assert view("readsonly/<str:pk>/")["writes"]["PUT"] == "required"


def test_a_list_without_its_mixin_has_no_tag():
    assert view("readsonly/")["reads"] == "never"


def test_an_api_view_is_guarded_as_it_says():
    found = view("reports/<int:pk>/")
    assert (found["reads"], found["writes"]) == ("before the view", {"PUT": "report"})


def test_the_text_names_each_view_once():
    text = diagnose().text()
    assert text.count(f"  {__name__}.Guarded (testapp.Person)\n") == 1
    assert (
        "    guarded/<str:pk>/: 304 before the view; PUT, PATCH, DELETE: If-Match required" in text
    )
    assert "    guarded/greet_all/: POST: NOT GUARDED" in text
