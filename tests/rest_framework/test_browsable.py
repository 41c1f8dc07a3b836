"""What the browsable API's pages hold for their forms; tests/browser presses the buttons."""

import json
import re

import pytest
from django.test import Client
from rest_framework.renderers import BrowsableAPIRenderer

from etag_versioning.rest_framework.renderers import VersionedBrowsableAPIRenderer
from tests.rest_framework.views import PersonViewSet
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.views")]

HTML = {"Accept": "text/html"}


@pytest.fixture
def person():
    return Person.objects.create(name="Grace")


def preconditions(page):
    """What the page tells its script to send."""
    found = re.search(r'<script id="etag-versioning"[^>]*>(.*?)</script>', page.content.decode())
    return found and json.loads(found[1])


def test_a_page_of_a_row_sends_its_tag(person):
    url = f"/people/{person.pk}/"
    page = Client().get(url, headers=HTML)
    assert preconditions(page) == {"url": url, "headers": {"If-Match": page["ETag"]}}
    assert "etag_versioning/browsable-api.js" in page.content.decode()


def test_a_page_of_rows_sends_none(person):
    assert preconditions(Client().get("/people/", headers=HTML)) is None


def test_a_conflict_shows_both_versions_escaped_and_the_tag_of_what_is_there(person):
    url = f"/people/{person.pk}/"
    tag = Client().get(url, headers=HTML)["ETag"]
    person.name = "<b>Alan</b>"
    person.save()
    page = Client().put(
        url,
        json.dumps({"name": "Ada", "days": 0}),
        content_type="application/json",
        headers={**HTML, "If-Match": tag},
    )
    assert page.status_code == 412
    text = page.content.decode()
    assert 'id="conflict"' in text
    assert "&lt;b&gt;Alan&lt;/b&gt;" in text
    assert "<b>Alan" not in text
    shown = preconditions(page)["headers"]["If-Match"]
    assert shown.strip('"') == page["ETag"].strip('"').partition("~")[0]
    assert shown.strip('"') != tag.strip('"').partition("~")[0]


@pytest.mark.parametrize("content", ["[]", "1", '[{"id": 1}]', '"x"'])
def test_a_conflict_with_content_that_is_no_object_shows_what_is_there(person, content):
    headers = {**HTML, "If-Match": '"stale"'}
    url = f"/people/{person.pk}/"
    page = Client().put(url, content, content_type="application/json", headers=headers)
    assert page.status_code == 412
    assert 'id="conflict"' in page.content.decode()


def test_a_renderer_of_the_projects_own_is_left_as_it_is():
    class Own(BrowsableAPIRenderer):
        pass

    class View(PersonViewSet):
        renderer_classes = [Own, BrowsableAPIRenderer]

    own, ours = View().get_renderers()
    assert type(own) is Own
    assert type(ours) is VersionedBrowsableAPIRenderer
