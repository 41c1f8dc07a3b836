"""
The tag of an answer that the project's own code makes, in ``retrieve()``, ``list()``, ``get()`` or
a read ``@action``: of the row that it loads, and of what it returns.
"""

import io

import pytest
from django.db.models import Count
from django.http import FileResponse, HttpResponse
from django.urls import include, path
from rest_framework import generics, serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from etag_versioning.rest_framework.mixins import VersionedRetrieveMixin
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person, Plain, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

# What the views show beside rows.
shown = {}


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class PersonViewSet(VersionedModelViewSet):
    """Nothing in it calls ``super()``."""

    queryset = Person.objects.order_by("pk")
    serializer_class = PersonSerializer

    def retrieve(self, request, *args, **kwargs):
        response = Response({"name": self.get_object().name, "shown": shown.get("data")})
        if "header" in shown:
            response["X-Shown"] = shown["header"]
        if "cookie" in shown:
            response.set_cookie("shown", shown["cookie"], max_age=60)
        return response

    def list(self, request, *args, **kwargs):
        names = Person.objects.order_by("pk").values_list("name", flat=True)
        return Response({"names": list(names)})

    @action(detail=True)
    def team(self, request, pk=None):
        return Response({"team": self.get_object().team.name})

    @action(detail=False)
    def names(self, request):
        return Response(sorted(person.name for person in self.get_queryset()))

    @action(detail=False)
    def first(self, request):
        self.kwargs["pk"] = Person.objects.order_by("pk").values_list("pk", flat=True)[0]
        return super().retrieve(request)

    @action(detail=False)
    def text(self, request):
        return HttpResponse(f"{Person.objects.count()} people", content_type="text/plain")

    @action(detail=False)
    def file(self, request):
        return FileResponse(io.BytesIO(b"people"))

    @action(detail=True)
    def photo(self, request, pk=None):
        return FileResponse(io.BytesIO(self.get_object().name.encode()))

    @action(detail=True)
    def nothing(self, request, pk=None):
        return Response({"error": self.get_object().name}, status=404)


class LoadingViewSet(VersionedModelViewSet):
    """Loads its row without ``get_object()``."""

    queryset = Person.objects.order_by("pk")
    serializer_class = PersonSerializer

    def retrieve(self, request, pk):
        return Response({"name": Person.objects.get(pk=pk).name})


class PersonView(VersionedRetrieveMixin, generics.GenericAPIView):
    queryset = Person.objects.all()

    def get(self, request, pk):
        return Response({"name": self.get_object().name, "people": Person.objects.count()})


class PlainViewSet(VersionedModelViewSet):
    """Its model has no version."""

    queryset = Plain.objects.order_by("pk")

    def retrieve(self, request, *args, **kwargs):
        return Response({"id": self.get_object().pk, "shown": shown.get("data")})


router = SimpleRouter()
router.register("people", PersonViewSet, basename="people")
router.register("loading", LoadingViewSet, basename="loading")
router.register("plain", PlainViewSet, basename="plain")
urlpatterns = [
    path("", include(router.urls)),
    path("person/<int:pk>/", PersonView.as_view()),
]


@pytest.fixture(autouse=True)
def nothing_is_shown():
    shown.clear()


@pytest.fixture
def person():
    return Person.objects.create(name="a", team=Team.objects.create(name="t"))


def get(url, tag=None):
    return APIClient().get(url, headers={} if tag is None else {"If-None-Match": tag})


def tag_of_a_304(url):
    """The tag of a GET, once a second one was answered 304."""
    full = get(url)
    assert full.status_code == 200
    answer = get(url, full["ETag"])
    assert answer.status_code == 304
    assert answer["ETag"] == full["ETag"]
    assert answer.content == b""
    return full["ETag"]


def test_a_write_of_the_row_changes_the_tag_of_an_own_retrieve(person):
    url = f"/people/{person.pk}/"
    tag = tag_of_a_304(url)
    person.save()
    assert get(url, tag).status_code == 200


def test_data_that_is_in_no_row_changes_the_tag_of_an_own_retrieve(person):
    url = f"/people/{person.pk}/"
    tag = tag_of_a_304(url)
    shown["data"] = {"weather": ["rain", 7]}
    assert get(url, tag).status_code == 200
    tag_of_a_304(url)


@pytest.mark.parametrize("kind", ["header", "cookie"])
def test_a_header_and_a_cookie_change_the_tag_of_an_own_retrieve(person, kind):
    url = f"/people/{person.pk}/"
    tags = [tag_of_a_304(url)]
    for value in ("1", "2"):
        shown[kind] = value
        assert get(url, tags[-1]).status_code == 200
        tags.append(tag_of_a_304(url))
    assert len(set(tags)) == 3


def test_the_lifetime_of_a_cookie_is_not_counted_from_the_answer(person, monkeypatch):
    url = f"/people/{person.pk}/"
    shown["cookie"] = "1"
    tag = get(url)["ETag"]
    monkeypatch.setattr("django.http.response.time.time", lambda: 4_000_000_000)
    assert get(url, tag).status_code == 304


def test_a_304_of_an_own_retrieve_carries_its_cookies(person):
    shown["cookie"] = "1"
    url = f"/people/{person.pk}/"
    assert get(url, get(url)["ETag"]).cookies["shown"].value == "1"


def test_an_annotation_changes_the_tag_of_an_own_retrieve(person, monkeypatch):
    rows = Person.objects.annotate(colleagues=Count("team__person"))
    monkeypatch.setattr(PersonViewSet, "queryset", rows)
    url = f"/people/{person.pk}/"
    tag = tag_of_a_304(url)
    Person.objects.create(name="b", team=person.team)
    assert get(url, tag).status_code == 200


def test_the_tag_of_an_own_retrieve_guards_a_write(person):
    url = f"/people/{person.pk}/"
    old, client = get(url)["ETag"], APIClient()
    person.save()
    assert client.patch(url, {"name": "b"}, headers={"If-Match": old}).status_code == 412
    tag = get(url)["ETag"]
    assert client.patch(url, {"name": "b"}, headers={"If-Match": tag}).status_code == 200


def test_a_row_that_get_object_did_not_load_is_told_by_what_is_shown_and_guards_no_write(person):
    url = f"/loading/{person.pk}/"
    tag = tag_of_a_304(url)
    answer = APIClient().patch(url, {"name": "b"}, headers={"If-Match": tag})
    assert answer.status_code == 412
    headers = {"If-Match": answer["ETag"]}
    assert APIClient().patch(url, {"name": "b"}, headers=headers).status_code == 200
    assert get(url, tag).status_code == 200


def test_an_own_list_is_304_until_it_shows_something_else(person):
    tag = tag_of_a_304("/people/")
    person.name = "b"
    person.save()
    assert get("/people/", tag).status_code == 200


def test_an_own_list_can_be_named_by_a_post(person):
    tag, client = get("/people/")["ETag"], APIClient()
    assert client.post("/people/", {"name": "b"}, headers={"If-Match": tag}).status_code == 201
    assert client.post("/people/", {"name": "c"}, headers={"If-Match": tag}).status_code == 412


def test_an_action_of_one_row_shows_what_no_touch_bumps(person):
    url = f"/people/{person.pk}/team/"
    tag = tag_of_a_304(url)
    Team.objects.update(name="u")
    assert get(url, tag).status_code == 200


def test_an_action_of_a_list_is_304_until_it_shows_something_else(person):
    tag = tag_of_a_304("/people/names/")
    Person.objects.create(name="b")
    assert get("/people/names/", tag).status_code == 200


def test_an_action_that_answers_with_retrieve_has_the_tag_of_its_row(person):
    tag = tag_of_a_304("/people/first/")
    assert tag.startswith(f'"person-{person.pk}-v1.')


def test_an_answer_that_is_none_of_drfs_has_the_tag_of_its_content(person):
    tag = tag_of_a_304("/people/text/")
    Person.objects.create(name="b")
    assert get("/people/text/", tag).content == b"2 people"


def test_a_stream_of_no_row_has_no_tag(person):
    answer = get("/people/file/", "*")
    assert answer.status_code == 200
    assert "ETag" not in answer


def test_a_stream_of_a_row_has_a_tag_that_guards_a_write_and_is_no_reason_for_a_304(person):
    url = f"/people/{person.pk}/photo/"
    first = get(url)["ETag"]
    assert first.startswith(f'"person-{person.pk}-v1.')
    assert get(url, first).status_code == 200
    answer = APIClient().delete(f"/people/{person.pk}/", headers={"If-Match": first})
    assert answer.status_code == 204


def test_an_answer_that_is_an_error_has_no_tag(person):
    answer = get(f"/people/{person.pk}/nothing/", "*")
    assert answer.status_code == 404
    assert "ETag" not in answer


def test_an_own_get_of_a_generic_view_is_304_until_it_shows_something_else(person):
    url = f"/person/{person.pk}/"
    tag = tag_of_a_304(url)
    Person.objects.create(name="b")
    assert get(url, tag).status_code == 200


def test_a_row_without_a_version_is_told_by_what_is_shown():
    url = f"/plain/{Plain.objects.create().pk}/"
    tag = tag_of_a_304(url)
    shown["data"] = "more"
    assert get(url, tag).status_code == 200
