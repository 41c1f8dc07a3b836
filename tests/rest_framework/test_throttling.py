"""Throttles that do not count a 304."""

import pytest
from django.core.cache import cache
from django.urls import path
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from etag_versioning.rest_framework.mixins import VersionedRetrieveMixin, VersionedUpdateMixin
from etag_versioning.rest_framework.throttling import UncountedNotModifiedMixin
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Clock:
    def __init__(self):
        self.now = 1_000_000.25

    def __call__(self):
        return self.now


clock = Clock()


class ThreeThrottle(UncountedNotModifiedMixin, AnonRateThrottle):
    rate = "3/min"
    timer = staticmethod(clock)


class FiveThrottle(UncountedNotModifiedMixin, AnonRateThrottle):
    scope = "five"
    rate = "5/min"
    timer = staticmethod(clock)


class CountingThrottle(AnonRateThrottle):
    scope = "counting"
    rate = "4/min"
    timer = staticmethod(clock)


class PersonView(VersionedRetrieveMixin, VersionedUpdateMixin, RetrieveUpdateAPIView):
    queryset = Person.objects.all()
    serializer_class = PersonSerializer
    throttle_classes = (ThreeThrottle,)


class BothView(PersonView):
    throttle_classes = (FiveThrottle, CountingThrottle)


class UnlimitedThrottle(ThreeThrottle):
    rate = None

    def get_rate(self):
        return None


class UnlimitedView(PersonView):
    throttle_classes = (UnlimitedThrottle,)


class PlainView(APIView):
    """Without the mixins."""

    throttle_classes = (ThreeThrottle,)

    def get(self, request):
        return Response(status=304 if "HTTP_IF_NONE_MATCH" in request.META else 200)


urlpatterns = [
    path("person/<int:pk>/", PersonView.as_view()),
    path("both/<int:pk>/", BothView.as_view()),
    path("unlimited/<int:pk>/", UnlimitedView.as_view()),
    path("plain/", PlainView.as_view()),
]


@pytest.fixture(autouse=True)
def nobody_was_here():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person():
    return Person.objects.create(name="a")


def get(url, tag=None, seconds=0.001):
    clock.now += seconds
    headers = {} if tag is None else {"If-None-Match": tag}
    return APIClient().get(url, headers=headers)


def codes(url, tags, **kwargs):
    return [get(url, tag, **kwargs).status_code for tag in tags]


@pytest.mark.parametrize("seconds", [0.001, 0])
def test_any_number_of_304_and_the_limit_of_others(person, seconds):
    """Also where all requests are made in one tick of the clock."""
    url = f"/person/{person.pk}/"
    tag = get(url)["ETag"]
    assert codes(url, [tag] * 10, seconds=seconds) == [304] * 10
    assert codes(url, [None, tag, None, tag], seconds=seconds) == [200, 304, 200, 429]
    # Whoever is refused was not given back anything.
    assert codes(url, [None, tag], seconds=seconds) == [429, 429]


def test_errors_and_misses_count(person):
    url = f"/person/{person.pk}/"
    assert codes(url, ['"other"', '"other"']) == [200, 200]
    answer = APIClient().patch(url, {"name": "b"}, format="json", headers={"If-Match": '"x"'})
    assert answer.status_code == 412
    assert codes(url, [None]) == [429]


def test_what_is_past_is_past(person):
    url = f"/person/{person.pk}/"
    tag = get(url)["ETag"]
    assert codes(url, [tag, tag, None, None, None]) == [304, 304, 200, 200, 429]
    clock.now += 61
    assert codes(url, [None, tag, None, None, None]) == [200, 304, 200, 200, 429]


def test_wait_says_when_the_next_may_come(person):
    url = f"/person/{person.pk}/"
    tag = get(url)["ETag"]
    clock.now += 20
    codes(url, [tag, tag, None, None])
    refused = get(url)
    assert refused.status_code == 429
    # Until the first of those that count is a minute ago.
    assert refused["Retry-After"] == "40"


def test_each_throttle_counts_in_its_own_way(person):
    url = f"/both/{person.pk}/"
    tag = get(url)["ETag"]
    assert codes(url, [tag, tag, tag, tag]) == [304, 304, 304, 429]


def test_without_a_rate(person):
    url = f"/unlimited/{person.pk}/"
    tag = get(url)["ETag"]
    assert codes(url, [None, tag] * 4) == [200, 304] * 4


def test_a_304_of_a_view_without_the_mixins_counts():
    assert codes("/plain/", ["x"] * 4) == [304, 304, 304, 429]


def test_a_request_counts_while_it_is_answered(person, monkeypatch):
    """Of a burst no more get in than the limit allows."""
    url = f"/person/{person.pk}/"
    tag = get(url)["ETag"]
    inner = []

    def get_etag_extra(self):
        if not inner:
            inner.append(None)
            inner[:] = codes(url, [tag, None, None])
        return ()

    monkeypatch.setattr(PersonView, "get_etag_extra", get_etag_extra)
    assert codes(url, [tag]) == [304]
    # One before, the one that is running, and then there is place for one.
    assert inner == [304, 200, 429]


def test_what_is_added_meanwhile_is_not_lost(person, monkeypatch):
    """Between the two steps of giving one back, another request comes in."""
    url = f"/person/{person.pk}/"
    tag = get(url)["ETag"]
    give_back = ThreeThrottle._give_back
    seen = []

    def interrupted(self):
        if not seen:
            seen.append(None)
            seen.append(get(url).status_code)
        give_back(self)

    monkeypatch.setattr(ThreeThrottle, "_give_back", interrupted)
    assert codes(url, [tag]) == [304]
    assert seen == [None, 200]
    assert codes(url, [None, None]) == [200, 429]
