"""Would-be 304s of Django REST framework's views."""

import pytest
from django.core.cache import caches
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from rest_framework import renderers, serializers
from rest_framework.decorators import action
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from etag_versioning.rest_framework.api_views import VersionedAPIViewMixin
from etag_versioning.rest_framework.decorators import versioned_read
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from etag_versioning.signals import precondition_evaluated
from tests.testapp.models import Note, Person, Team

LATER = {}


class PersonSerializer(serializers.ModelSerializer):
    team = serializers.CharField(source="team.name")

    class Meta:
        model = Person
        fields = ("id", "name", "team")


class Pages(PageNumberPagination):
    page_size = 10


class Throttle(SimpleRateThrottle):
    scope = "person"
    rate = "2/day"

    def get_cache_key(self, request, view):
        return "throttled" if LATER.get("throttles") else None


class Shout(renderers.BaseRenderer):
    """Shows what is not in the data."""

    media_type, format = "text/plain", "txt"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return f"{data['name']} of {Team.objects.get().name}".upper()


class Lines(renderers.BaseRenderer):
    """Reads the data as it renders."""

    media_type, format = "text/csv", "csv"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return "\n".join(data)


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.select_related("team").order_by("id")
    serializer_class = PersonSerializer
    pagination_class = Pages
    throttle_classes = (Throttle,)
    renderer_classes = (renderers.JSONRenderer, renderers.BrowsableAPIRenderer, Shout)

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        response["X-Finalized"] = str(1 + int(response.get("X-Finalized", 0)))
        return response

    @action(detail=True)
    @versioned_read
    def summary(self, request, pk=None):
        if LATER.get("hidden"):
            raise Http404
        return Response({"summary": self.get_object().team.name})

    @action(detail=True, renderer_classes=[Lines])
    @versioned_read
    def lines(self, request, pk=None):
        person = self.get_object()
        return Response(text for text in (person.name, person.team.name))


class ObjectPermission(BasePermission):
    def has_object_permission(self, request, view, obj):
        return True


class PermittedViewSet(PersonViewSet):
    permission_classes = (ObjectPermission,)


class OwnViewSet(PersonViewSet):
    """Its own code answers, with a part that does not count."""

    etag_ignores = ("time", "team")

    def retrieve(self, request, *args, **kwargs):
        person = self.get_object()
        Note.objects.create(text="read")
        return Response({"name": person.name, "time": str(Note.objects.count())})


class TaggedViewSet(PersonViewSet):
    """Gives its answers tags of its own."""

    def retrieve(self, request, *args, **kwargs):
        team = self.get_object().team.name
        if LATER.get("writes"):
            Note.objects.create(text="read")
        return Response({"team": team}, headers={"ETag": '"mine"'})


class CountingPages(PageNumberPagination):
    """A paginator that has to see whole rows."""

    page_size = 10

    def get_paginated_response(self, data):
        return Response({"results": data, "team": Team.objects.get().name})


class CountedViewSet(PersonViewSet):
    pagination_class = CountingPages
    etag_ignores = ("time",)


class Report(VersionedAPIViewMixin, APIView):
    def get_versioned_queryset(self):
        return Person.objects.filter(pk=self.kwargs["pk"])

    @versioned_read
    def get(self, request, pk):
        return Response({"report": self.get_object().team.name})


router = SimpleRouter()
router.register("people", PersonViewSet)
router.register("permitted", PermittedViewSet, basename="permitted")
router.register("own", OwnViewSet, basename="own")
router.register("tagged", TaggedViewSet, basename="tagged")
router.register("counted", CountedViewSet, basename="counted")
urlpatterns = [path("", include(router.urls)), path("reports/<int:pk>/", Report.as_view())]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture(autouse=True)
def later():
    yield LATER
    LATER.clear()


@pytest.fixture
def person():
    return Person.objects.create(name="Ada", team=Team.objects.create(name="Secret"))


def get(url, tag=None, **headers):
    if tag is not None:
        headers["If-None-Match"] = tag
    return APIClient().get(url, headers=headers)


ADDRESSES = {
    "/people/{pk}/": (["team"], "PersonViewSet", "people/(?P<pk>[^/.]+)/$"),
    "/permitted/{pk}/": (["team"], "PermittedViewSet", "permitted/(?P<pk>[^/.]+)/$"),
    "/people/": (["results[0].team"], "PersonViewSet", "people/$"),
    "/people/{pk}/summary/": (["summary"], "PersonViewSet", "people/(?P<pk>[^/.]+)/summary/$"),
    "/reports/{pk}/": (["report"], "Report", "reports/<int:pk>/"),
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_changed_row_that_no_touch_covers_is_answered_with_the_fresh_200(
    person, signals, caplog, address
):
    parts, view, route = ADDRESSES[address]
    url = address.format(pk=person.pk)
    tag = get(url)["ETag"]
    Team.objects.update(name="Renamed")
    fresh = get(url, tag)
    assert (fresh.status_code, fresh["ETag"]) == (200, tag)
    assert fresh["Cache-Control"] == "private, no-cache"
    assert "Renamed" in fresh.content.decode()
    (sent,) = signals
    assert sent["parts"] == parts
    assert sent["view"].endswith(f".{view}")
    assert sent["route"].removeprefix("^") == route
    assert "Renamed" not in caplog.text
    assert "Secret" not in caplog.text


@pytest.mark.parametrize("address", ADDRESSES)
def test_honest_requests_are_answered_304_and_raise_no_alarm(person, signals, caplog, address):
    url = address.format(pk=person.pk)
    for number in range(5):
        tag = get(url)["ETag"]
        assert get(url, tag).status_code == 304
        person.name = f"Ada {number}"
        person.save()
    assert (signals, caplog.records) == ([], [])


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_304_has_the_headers_that_it_has_without_an_audit(person, settings, address):
    url = address.format(pk=person.pk)
    tag = get(url)["ETag"]
    audited = get(url, tag)
    settings.ETAG_VERSIONING = {}
    plain = get(url, tag)
    assert audited.status_code == plain.status_code == 304
    assert audited.headers == plain.headers


def test_finalize_response_runs_once(person):
    url = f"/people/{person.pk}/"
    tag = get(url)["ETag"]
    Team.objects.update(name="Renamed")
    assert get(url, tag)["X-Finalized"] == "1"


def test_throttles_count_a_request_once(person):
    LATER["throttles"] = True
    caches["default"].clear()
    url = f"/people/{person.pk}/"
    tag = get(url)["ETag"]
    assert get(url, tag).status_code == 304
    assert get(url, tag).status_code == 429


def test_a_view_is_as_before_when_its_304_is_finished(person, monkeypatch):
    called = []

    def initial(view, *args, **kwargs):
        super(PersonViewSet, view).initial(*args, **kwargs)
        view.versioning.on_not_modified.append(lambda: called.append(view))

    monkeypatch.setattr(PersonViewSet, "initial", initial, raising=False)
    url = f"/people/{person.pk}/"
    tag = get(url)["ETag"]
    assert get(url, tag).status_code == 304
    assert len(called) == 1


def test_the_signal_of_preconditions_is_sent_once_for_each_request(person):
    received = []

    def note(outcome, **kwargs):
        received.append(outcome.value)

    url = f"/reports/{person.pk}/"
    tag = get(url)["ETag"]
    Team.objects.update(name="Renamed")
    precondition_evaluated.connect(note)
    try:
        get(url, tag)
    finally:
        precondition_evaluated.disconnect(note)
    assert received == ["304"]


def test_what_a_handler_refuses_by_now_is_refused(person, signals):
    url = f"/people/{person.pk}/summary/"
    tag = get(url)["ETag"]
    LATER["hidden"] = True
    assert get(url, tag).status_code == 404
    assert signals[0]["parts"] == ["status"]


def test_a_browsable_page_is_compared_by_its_data(person, signals):
    url = f"/people/{person.pk}/"
    tag = get(url, Accept="text/html")["ETag"]
    assert get(url, tag, Accept="text/html").status_code == 304
    assert signals == []
    Team.objects.update(name="Renamed")
    fresh = get(url, tag, Accept="text/html")
    assert (fresh.status_code, "Renamed" in fresh.content.decode()) == (200, True)
    assert signals[0]["parts"] == ["team"]


def test_what_another_renderer_adds_is_compared(person, signals):
    url = f"/people/{person.pk}/"
    tag = get(url, Accept="text/plain")["ETag"]
    assert get(url, tag, Accept="text/plain").status_code == 304
    Team.objects.update(name="Renamed")
    fresh = get(url, tag, Accept="text/plain")
    assert (fresh.status_code, fresh.content) == (200, b"ADA OF RENAMED")
    assert signals[0]["parts"] == ["line 1"]


def test_data_that_can_be_read_once_is_left_to_its_renderer(person, signals):
    url = f"/people/{person.pk}/lines/"
    answer = APIClient().get(url)
    assert answer.content == f"{person.name}\n{person.team.name}".encode()
    assert APIClient().get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert signals == []


def test_own_reads_ignore_what_their_tags_ignore(person, signals):
    url = f"/own/{person.pk}/"
    tag = get(url)["ETag"]
    assert get(url, tag).status_code == 304
    assert signals == []


def test_a_tag_of_the_views_own_that_lies_is_answered_200(person, signals):
    url = f"/tagged/{person.pk}/"
    tag = get(url)["ETag"]
    assert get(url, tag).status_code == 304
    Team.objects.update(name="Renamed")
    assert get(url, tag).status_code == 200
    assert signals[0]["parts"] == ["team"]


def test_what_a_second_look_writes_is_rolled_back(person):
    LATER["writes"] = True
    url = f"/tagged/{person.pk}/"
    tag = get(url)["ETag"]
    Team.objects.update(name="Renamed")
    assert get(url, tag).status_code == 200
    assert Note.objects.count() == 2


def test_a_page_that_is_rendered_before_its_304_is_compared(person, signals):
    tag = get("/counted/")["ETag"]
    assert get("/counted/", tag).status_code == 304
    assert signals == []


def test_a_lie_of_a_page_that_is_rendered_before_its_304_is_answered_200(
    person, signals, monkeypatch
):
    def rows_alone(self, response):
        self.shown = []

    monkeypatch.setattr(
        "etag_versioning.rest_framework.pagination.RenderedPage.note_response", rows_alone
    )
    tag = get("/counted/")["ETag"]
    assert get("/counted/", tag).status_code == 304
    Team.objects.update(name="Renamed")
    fresh = get("/counted/", tag)
    assert (fresh.status_code, fresh["ETag"]) == (200, tag)
    assert [sorted(each["parts"]) for each in signals] == [["results[0].team", "team"]]


def test_an_unsampled_page_that_becomes_a_304_hides_no_difference(
    person, settings, signals, monkeypatch
):
    def rows_alone(self, response):
        self.shown = []

    monkeypatch.setattr(
        "etag_versioning.rest_framework.pagination.RenderedPage.note_response", rows_alone
    )
    tag = get("/counted/")["ETag"]
    Team.objects.update(name="Renamed")
    settings.ETAG_VERSIONING = {"AUDIT": {"sample_rate": 0.5, "cache": "audit"}}
    numbers = iter([0.9, 0.1])
    monkeypatch.setattr("random.random", lambda: next(numbers))
    assert get("/counted/", tag).status_code == 304
    assert get("/counted/", tag).status_code == 200
    assert len(signals) == 1


def test_off_a_304_costs_no_other_statement(person, settings):
    settings.ETAG_VERSIONING = {}
    url = f"/people/{person.pk}/"
    tag = get(url)["ETag"]
    Team.objects.update(name="Renamed")
    with CaptureQueriesContext(connection) as queries:
        assert get(url, tag).status_code == 304
    assert len(queries) == 1
    assert caches["audit"]._cache == {}
