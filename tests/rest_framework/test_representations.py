"""One tag per representation in viewsets: API versions, terms, problem details, credentials."""

from datetime import timedelta

import pytest
from django.urls import include, path
from django.utils import timezone, translation
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient
from rest_framework.versioning import AcceptHeaderVersioning

from etag_versioning import cache_control, etag_extra
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from etag_versioning.signals import precondition_evaluated
from tests.rest_framework.views import PersonSerializer
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    authentication_classes = ()


class ByVersion(PersonViewSet):
    versioning_class = AcceptHeaderVersioning


class Public(PersonViewSet):
    cache_control = cache_control.public()


class ByLanguage(PersonViewSet):
    etag_extra = ("fixed",)

    def get_etag_extra(self):
        return [*super().get_etag_extra(), *etag_extra.language(self.request)]


router = SimpleRouter()
for name, view in (("people", PersonViewSet), ("versions", ByVersion), ("public", Public),
                   ("languages", ByLanguage)):  # fmt: skip
    router.register(name, view, name)
urlpatterns = [path("", include(router.urls))]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    Person.objects.create(name="a")
    Person.objects.update(updated_at=timezone.now() - timedelta(minutes=1), version=1)
    return Person.objects.get()


@pytest.mark.parametrize("detail", [True, False])
class TestTags:
    @pytest.fixture
    def tag_of(self, client, person, detail):
        def tag_of(name, query="", **headers):
            url = f"/{name}/{person.pk}/" if detail else f"/{name}/"
            answer = client.get(url + query, headers=headers)
            again = client.get(url + query, headers={**headers, "If-None-Match": answer["ETag"]})
            assert again.status_code == 304
            for kept in ("ETag", "Vary", "Cache-Control"):
                assert again[kept] == answer[kept]
            assert "Accept" in answer["Vary"]
            return answer["ETag"]

        return tag_of

    def test_differ_by_version_of_the_api(self, tag_of):
        tags = {tag_of("versions", Accept=f"application/json; version={v}") for v in (1, 2)}
        assert len(tags) == 2

    def test_differ_by_query(self, tag_of):
        assert tag_of("people") != tag_of("people", "?fields=id")

    def test_differ_by_terms(self, tag_of):
        tags = {tag_of("people"), tag_of("languages")}
        with translation.override("de"):
            tags.add(tag_of("languages"))
        assert len(tags) == 3

    def test_tell_nothing_where_they_are_opaque(self, tag_of, settings):
        settings.ETAG_VERSIONING = {"OPAQUE_TAGS": True}
        before = tag_of("people")
        assert not any(word in before for word in ("person", "json", "page"))

    def test_differ_by_revision(self, tag_of, settings):
        tags = {tag_of("people")}
        for revision in "12":
            settings.ETAG_VERSIONING = {"REVISION": revision}
            tags.add(tag_of("people"))
        assert len(tags) == 3


def test_a_tag_of_any_representation_guards_a_write(client, person, settings):
    settings.ETAG_VERSIONING = {"OPAQUE_TAGS": True, "REVISION": "1"}
    url = f"/languages/{person.pk}/"
    with translation.override("de"):
        tag = client.get(f"{url}?fields=id")["ETag"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    data = {"name": "b", "days": 5}
    answer = client.put(url, data, format="json", headers={"If-Match": tag})
    assert answer.status_code == 200
    assert answer["ETag"] == client.get(url)["ETag"]
    assert client.patch(url, {"days": 6}, headers={"If-Match": tag}).status_code == 412


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/problem+json, */*;q=0.5", "application/problem+json"),
        ("text/html", "text/html"),
    ],
)
def test_errors_in_the_clients_form(client, person, accept, kind):
    """RFC 9457 §3; pages are DRF's own."""
    headers = {"If-Match": '"stale"', "Accept": accept}
    answer = client.patch(f"/people/{person.pk}/", {"days": 5}, format="json", headers=headers)
    assert answer.status_code == 412
    assert answer["Content-Type"].partition(";")[0] == kind
    assert answer["Cache-Control"] == "no-store"
    if kind == "application/problem+json":
        assert answer.json() == {
            "title": "Precondition Failed",
            "status": 412,
            "detail": answer.json()["detail"],
            "error": "PRECONDITION_FAILED",
            "reason": "other_resource",
            "current_etag": answer["ETag"],
        }


def test_errors_in_the_clients_language(client, person):
    with translation.override("de"):
        answer = client.delete(f"/people/{person.pk}/")
    assert answer.status_code == 428
    assert answer.json()["message"].startswith("Diese Anfrage braucht")


def test_public_is_not_said_to_credentials(client, person):
    """RFC 9111 §3.5."""
    url = f"/public/{person.pk}/"
    full = client.get(url)
    assert "public" in full["Cache-Control"]
    for condition in ({}, {"If-None-Match": full["ETag"]}):
        answer = client.get(url, headers={"Authorization": "Token x", **condition})
        assert "public" not in answer["Cache-Control"]
        assert "private" in answer["Cache-Control"]


def test_each_outcome_is_told_once(client, person):
    sent = []

    def receiver(sender, request, outcome, reason, **kwargs):
        sent.append((type(request).__name__, outcome.name))

    precondition_evaluated.connect(receiver)
    try:
        url = f"/people/{person.pk}/"
        tag = client.get(url)["ETag"]
        client.get(url, headers={"If-None-Match": tag})
        client.get(url, headers={"If-None-Match": '"other"'})
        client.get("/people/", headers={"If-None-Match": '"other"'})
        client.patch(url, {"days": 5}, format="json")
        client.patch(url, {"days": 5}, format="json", headers={"If-Match": '"other"'})
        client.patch(url, {"days": 5}, format="json", headers={"If-Match": tag})
    finally:
        precondition_evaluated.disconnect(receiver)
    outcomes = ["NOT_MODIFIED", "PROCEED", "PROCEED", "PRECONDITION_REQUIRED",
                "PRECONDITION_FAILED", "PROCEED"]  # fmt: skip
    assert sent == [("WSGIRequest", outcome) for outcome in outcomes]


def test_no_cache_may_keep_an_error(client, person):
    """RFC 9110 §15.1: of itself a 404 may be kept for as long as a cache thinks fit."""
    for url in (f"/public/{person.pk + 1}/", "/public/x/"):
        answer = client.get(url)
        assert (answer.status_code, answer["Cache-Control"]) == (404, "no-store")
