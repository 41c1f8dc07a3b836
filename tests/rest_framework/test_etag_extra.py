"""``etag_extra`` of viewsets: querysets and ready-made values, read before the rows."""

import pytest
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from rest_framework.decorators import action
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.test import APIClient

from etag_versioning import etag_extra as terms
from etag_versioning.http import personal_pages
from etag_versioning.rest_framework.viewsets import VersionedModelViewSet
from tests.testapp.models import Person, Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class PersonSerializer(ModelSerializer):
    class Meta:
        model = Person
        fields = ("id", "name")


class PersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    etag_extra = (Team, terms.header("X-Currency"))

    @action(detail=True)
    def card(self, request, pk=None):
        return Response({"name": self.get_object().name})


class UserPersonViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    etag_extra = (terms.user,)


class PageTemplate:
    """A template that shows the messages which wait for the visitor."""

    def render(self, context, request=None):
        return " ".join(map(str, messages.get_messages(request)))


class PageRenderer(TemplateHTMLRenderer):
    def resolve_template(self, template_names):
        return PageTemplate()


class PageViewSet(VersionedModelViewSet):
    queryset = Person.objects.order_by("id")
    serializer_class = PersonSerializer
    renderer_classes = (PageRenderer,)
    template_name = "person.html"


class ToldPageViewSet(PageViewSet):
    etag_extra = (terms.messages,)


router = SimpleRouter()
router.register("people", PersonViewSet, "person")
router.register("users", UserPersonViewSet, "user")
router.register("pages", PageViewSet, "page")
router.register("told", ToldPageViewSet, "told")
urlpatterns = [path("", include(router.urls))]

ADDRESSES = ["/people/{0.pk}/", "/people/", "/people/{0.pk}/card/"]


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def person():
    return Person.objects.create(name="Ada")


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_unrelated_row_changes_the_tag(client, person, address):
    url = address.format(person)
    tag = client.get(url)["ETag"]
    again = client.get(url, headers={"If-None-Match": tag})
    Team.objects.create(name="blue")
    changed = client.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, changed.status_code) == (304, 200)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("conditional", [False, True])
def test_extra_rows_are_read_before_those_that_are_shown(client, person, address, conditional):
    """A term that is read later may name content that is not in the answer."""
    url = address.format(person)
    client.get(url)
    headers = {"If-None-Match": '"other"'} if conditional else {}
    with CaptureQueriesContext(connection) as queries:
        client.get(url, headers=headers)
    assert "testapp_team" in queries[0]["sql"]
    assert all("testapp_team" not in each["sql"] for each in queries[1:])


@pytest.mark.parametrize("address", ADDRESSES)
def test_vary_names_the_header_on_200_and_304(client, person, address):
    url = address.format(person)
    found = client.get(url)
    again = client.get(url, headers={"If-None-Match": found["ETag"]})
    assert again.status_code == 304
    assert "X-Currency" in found["Vary"]
    assert "X-Currency" in again["Vary"]


def test_a_write_answers_with_the_tag_of_the_next_read(client, person):
    url = f"/people/{person.pk}/"
    tag = client.get(url)["ETag"]
    written = client.patch(url, {"name": "Grace"}, format="json", headers={"If-Match": tag})
    assert written.status_code == 200
    assert client.get(url)["ETag"] == written["ETag"]


def test_the_user_of_a_request_is_the_one_that_the_api_knows(person):
    """request.user is DRF's: by a token, Django's own request has no user."""
    clients = []
    for name in ("ada", "grace"):
        each = APIClient()
        each.force_authenticate(User.objects.create(username=name))
        clients.append(each)
    tags = {each.get(f"/users/{person.pk}/")["ETag"] for each in clients}
    assert len(tags) == 2


@pytest.mark.parametrize(("page", "has_tag"), [("pages", False), ("told", True)])
def test_a_html_page_that_shows_messages_has_no_tag_unless_told(
    client, person, settings, page, has_tag
):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ]
    personal_pages._log.cache_clear()
    found = client.get(f"/{page}/{person.pk}/")
    assert found.status_code == 200
    assert ("ETag" in found) is has_tag
