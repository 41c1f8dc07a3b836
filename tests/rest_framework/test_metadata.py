"""What OPTIONS says of preconditions."""

import pytest
from django.urls import include, path
from rest_framework import metadata, viewsets
from rest_framework.decorators import action
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.views import APIView

from etag_versioning.rest_framework.mixins import VersionedAPIViewMixin, VersionedUpdateMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class ByActionViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer

    def get_if_match(self):
        return "optional" if self.action == "partial_update" else super().get_if_match()

    @action(detail=True, methods=["get", "post"])
    def work(self, request, pk=None): ...

    @action(detail=True, methods=["post"], if_match="report")
    def remind(self, request, pk=None): ...

    @action(detail=False, methods=["post"])
    def tidy(self, request): ...


class ByMethodViewSet(ByActionViewSet):
    def get_if_match(self):
        return "required" if self.request.method == "DELETE" else "optional"


class TextMetadata(metadata.BaseMetadata):
    def determine_metadata(self, request, view):
        return "nothing"


class OwnMetadataViewSet(ByActionViewSet):
    metadata_class = TextMetadata


class OnlyUpdatesViewSet(VersionedUpdateMixin, viewsets.ModelViewSet):
    """An update() under guard guards destroy() too, but no ``@action``."""

    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer

    @action(detail=True, methods=["post"])
    def remind(self, request, pk=None): ...


class NamedRowView(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Person.objects.filter(pk=self.kwargs["pk"])

    def put(self, request, pk): ...


router = SimpleRouter()
router.register("only-updates", OnlyUpdatesViewSet, basename="only-updates")
router.register("people", ByActionViewSet, basename="people")
router.register("methods", ByMethodViewSet, basename="methods")
router.register("own", OwnMetadataViewSet, basename="own")
urlpatterns = [path("", include(router.urls)), path("named/<int:pk>/", NamedRowView.as_view())]


def required(url):
    pk = Person.objects.create(name="a").pk
    return APIClient().options(url.format(pk)).json().get("required_headers")


def test_it_follows_the_action():
    assert required("/people/{}/") == {"PUT": ["If-Match"], "DELETE": ["If-Match"]}


def test_it_follows_the_method():
    assert required("/methods/{}/") == {"DELETE": ["If-Match"]}


def test_actions_that_write():
    assert required("/people/{}/work/") == {"POST": ["If-Match"]}


def test_what_is_only_reported_is_not_required():
    assert not required("/people/{}/remind/")


def test_lists_and_their_actions_need_none():
    assert not required("/people/")
    assert not required("/people/tidy/")


def test_metadata_of_a_project_s_own_stay_as_they_are():
    pk = Person.objects.create(name="a").pk
    assert APIClient().options(f"/own/{pk}/").json() == "nothing"


def test_each_handler_that_a_mixin_guards_needs_it():
    everything = {"PUT": ["If-Match"], "PATCH": ["If-Match"], "DELETE": ["If-Match"]}
    assert required("/only-updates/{}/") == everything


def test_an_action_that_no_mixin_guards_needs_none():
    assert not required("/only-updates/{}/remind/")


def test_a_view_without_a_queryset_needs_it_too():
    assert required("/named/{}/") == {"PUT": ["If-Match"]}
