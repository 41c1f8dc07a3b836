"""One tag per representation, through decorated views: terms, languages, credentials, errors."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext

from etag_versioning import cache_control, etag_extra
from etag_versioning.decorators import etag_func, versioned_condition
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

LOCALE = "django.middleware.locale.LocaleMiddleware"


def shown(request, pk):
    if request.method == "PUT":
        Person.objects.filter(pk=pk).update(days=1)
    return HttpResponse(f"{get_language()} {request.GET.get('fields')} {gettext('Yes')}")


async def ashown(request, pk):
    if request.method == "PUT":
        await Person.objects.filter(pk=pk).aupdate(days=1)
    return HttpResponse(str(request.headers.get("X-Site")))


def site(request, pk):
    # A query, which a term may take in an async view too.
    return [Person.objects.filter(pk=pk).count(), request.headers.get("X-Site")]


def absent(request, pk):
    return HttpResponse(status=404)


urlpatterns = [
    path(
        "absent/<int:pk>/",
        versioned_condition(Person, cache_control=cache_control.public())(absent),
    ),
    path(
        "several/<int:pk>/",
        versioned_condition(Person, Person.objects.filter(name="other").order_by("pk"))(shown),
    ),
    path("people/<int:pk>/", versioned_condition(Person)(shown)),
    path("language/<int:pk>/", versioned_condition(Person, etag_extra=etag_extra.language)(shown)),
    path("site/<int:pk>/", versioned_condition(Person, etag_extra=site)(ashown)),
    path("fixed/<int:pk>/", versioned_condition(Person, etag_extra=["a", 1])(shown)),
    path("factory/<int:pk>/", lambda request, pk: HttpResponse(etag_func(Person)(request, pk=pk))),
    path(
        "public/<int:pk>/", versioned_condition(Person, cache_control=cache_control.public())(shown)
    ),
    path(
        "everybody/<int:pk>/",
        versioned_condition(Person, cache_control=cache_control.public(to_credentials=True))(shown),
    ),
]


@pytest.fixture(autouse=True)
def language():
    """LocaleMiddleware leaves the thread in the language of the last request."""
    yield
    translation.deactivate()


@pytest.fixture
def person():
    Person.objects.create(name="a")
    Person.objects.update(updated_at=timezone.now() - timedelta(minutes=1), version=1)
    return Person.objects.get()


def test_each_language_has_its_tag_and_vary_says_so(client, person, settings):
    """RFC 9110 §8.8.1, §12.5.5, §15.4.5."""
    settings.MIDDLEWARE = [LOCALE]
    url = f"/language/{person.pk}/"
    german, english = (
        client.get(url, headers={"Accept-Language": language}) for language in ("de", "en")
    )
    assert german["ETag"] != english["ETag"]
    for answer, language, status in ((german, "de", 304), (english, "de", 200)):
        headers = {"Accept-Language": language, "If-None-Match": answer["ETag"]}
        again = client.get(url, headers=headers)
        assert again.status_code == status
        assert again["Vary"] == answer["Vary"] == "Accept-Language, Cookie"
    # Either guards a write.
    for answer, expected in ((english, 200), (german, 412)):
        headers = {"Accept-Language": "de", "If-Match": answer["ETag"]}
        assert client.put(url, headers=headers).status_code == expected


def test_each_selection_of_fields_has_its_tag(client, person):
    url = f"/people/{person.pk}/"
    tags = {client.get(url + query)["ETag"] for query in ("", "?fields=id", "?fields=name")}
    assert len(tags) == 3
    for query in ("", "?fields=id"):
        headers = {"If-None-Match": ", ".join(tags)}
        assert client.get(url + query, headers=headers).status_code == 304
    other = client.get(f"{url}?fields=name")["ETag"]
    assert client.get(url, headers={"If-None-Match": other}).status_code == 200
    assert client.put(url, headers={"If-Match": other}).status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_terms_in_a_coroutine_view(async_client, close_connections):
    person = await sync_to_async(Person.objects.create)(name="a")
    url = f"/site/{person.pk}/"
    first, second = [
        (await async_client.get(url, headers={"X-Site": site}))["ETag"] for site in "ab"
    ]
    assert first != second
    for headers, status in (
        ({"X-Site": "a", "If-None-Match": first}, 304),
        ({"X-Site": "b", "If-None-Match": first}, 200),
    ):
        assert (await async_client.get(url, headers=headers)).status_code == status
    written = await async_client.put(url, headers={"X-Site": "a", "If-Match": first})
    assert written["ETag"] == (await async_client.get(url, headers={"X-Site": "a"}))["ETag"]


@pytest.mark.parametrize("kind", ["people", "fixed"])
def test_a_deployment_changes_every_tag_and_fails_no_writer(client, person, kind, settings):
    url = f"/{kind}/{person.pk}/"
    settings.ETAG_VERSIONING = {"REVISION": "1"}
    before = client.get(url)["ETag"]
    assert client.get(url, headers={"If-None-Match": before}).status_code == 304
    settings.ETAG_VERSIONING = {"REVISION": "2"}
    assert client.get(url, headers={"If-None-Match": before}).status_code == 200
    assert client.put(url, headers={"If-Match": before}).status_code == 200


@pytest.mark.parametrize("given", [{}, {"REVISION": "1"}, {"OPAQUE_TAGS": True}])
def test_the_functions_for_condition_make_the_same_tag(client, person, given, settings):
    settings.ETAG_VERSIONING = given
    for query in ("", "?a=b"):
        tag = client.get(f"/people/{person.pk}/{query}")["ETag"]
        assert client.get(f"/factory/{person.pk}/{query}").content.decode() == tag


def test_opaque_tags_through_a_view(client, person, settings):
    settings.ETAG_VERSIONING = {"OPAQUE_TAGS": True}
    url = f"/people/{person.pk}/"
    tag = client.get(url)["ETag"]
    assert "person" not in tag
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    answer = client.get(url, headers={"If-None-Match": tag})
    assert (answer.status_code, answer["ETag"]) == (304, tag)
    written = client.put(url, headers={"If-Match": tag})
    assert written.status_code == 200
    assert written["ETag"] == client.get(url)["ETag"]
    lost = client.put(url, headers={"If-Match": tag})
    assert lost.status_code == 412
    assert lost["ETag"] == written["ETag"] == lost.json()["current_etag"]


@pytest.mark.parametrize(
    "credentials", [{"Authorization": "Basic eA=="}, {"Cookie": "sessionid=a"}]
)
@pytest.mark.parametrize("method", ["get", "head"])
def test_public_is_not_said_to_credentials_unless_told(client, person, credentials, method):
    """RFC 9111 §3.5; on 200, 304 and HEAD."""
    for kind, said in (("public", False), ("everybody", True)):
        url = f"/{kind}/{person.pk}/"
        tag = client.get(url)["ETag"]
        for condition in ({}, {"If-None-Match": tag}):
            anonymous = getattr(client, method)(url, headers=condition)
            assert "public" in anonymous["Cache-Control"]
            known = getattr(client, method)(url, headers={**condition, **credentials})
            assert known.status_code == (304 if condition else 200)
            assert ("public" in known["Cache-Control"]) is said
            assert ("private" in known["Cache-Control"]) is not said
            assert "max-age=300" in known["Cache-Control"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("application/problem+json", "application/problem+json"),
        ("text/html,*/*;q=0.8", "text/html"),
    ],
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_errors_in_the_clients_form_and_language(client, person, accept, kind, language, settings):
    settings.MIDDLEWARE = [LOCALE]
    headers = {"Accept-Language": language, **({"Accept": accept} if accept else {})}
    answer = client.put(f"/people/{person.pk}/", headers=headers)
    assert answer.status_code == 428
    assert answer["Content-Type"].partition(";")[0] == kind
    assert {"Accept", "Accept-Language"} <= set(answer["Vary"].split(", "))
    assert answer["Content-Language"] == language
    assert ("Diese Anfrage" in answer.content.decode()) is (language == "de")


def test_no_cache_may_keep_an_error_of_the_views_own(client, person):
    """RFC 9110 §15.1: of itself a 404 may be kept for as long as a cache thinks fit."""
    answer = client.get(f"/absent/{person.pk}/")
    assert (answer.status_code, answer["Cache-Control"]) == (404, "no-store")
    assert "ETag" not in answer


@pytest.mark.parametrize("given", [{}, {"OPAQUE_TAGS": True}])
def test_a_tag_of_several_sources_outlives_its_key(client, person, given, settings):
    settings.ETAG_VERSIONING = given
    url = f"/several/{person.pk}/?a=b"
    tag = client.get(url)["ETag"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    assert client.get(url)["ETag"] != tag
    assert client.put(url, headers={"If-Match": tag}).status_code == 200
    assert client.put(url, headers={"If-Match": tag}).status_code == 412
