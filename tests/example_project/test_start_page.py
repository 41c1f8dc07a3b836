"""The page with two editors that the example project shows at its root."""

import re
from urllib.parse import urljoin

import httpx
import pytest
from django.core.management import call_command
from django.test import Client

from etag_versioning import __version__
from example_project.directory.models import User
from tests import serving

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]


@pytest.fixture
def sample_data(db):
    call_command("load_sample_data", verbosity=0)


def page():
    response = Client().get("/")
    assert response.status_code == 200
    return response


def test_the_page_edits_the_user_of_the_readme(sample_data):
    assert 'data-url="/api/users/7/"' in page().text


def test_without_that_user_the_page_edits_the_first_and_has_another_tag(sample_data):
    before = page()["ETag"]
    User.objects.filter(pk__in=[1, 7]).delete()
    assert 'data-url="/api/users/2/"' in page().text
    assert page()["ETag"] != before


def test_a_change_of_the_user_is_no_change_of_the_page(sample_data):
    before = page()["ETag"]
    User.objects.filter(pk=7).update(job_title="Manager")
    assert page()["ETag"] == before


def test_the_tag_names_the_version_of_the_package(sample_data):
    assert page()["ETag"].startswith(f'"revision-{__version__}~')


def test_without_users_the_page_names_the_command_that_loads_them():
    text = page().text
    assert "python manage.py load_sample_data --reset" in text
    assert "<script" not in text


def test_the_page_names_the_logins_that_the_command_creates(sample_data):
    call_command("create_demo_logins", verbosity=0)
    name, password = re.search(
        r"log in as (\w+) or \w+, password <code>(\w+)</code>", page().text
    ).groups()
    assert Client().login(username=name, password=password)


def test_nothing_of_the_page_is_inline_or_of_another_host(sample_data):
    response = page()
    assert response["Content-Security-Policy"] == "default-src 'self'"
    assert not re.search(r"<style|<script>|\son\w+=|\sstyle=", response.text)
    assert set(re.findall(r'(?:src|stylesheet" href|icon" href)="([^"]*)"', response.text)) == {
        "/static/directory/icon.svg",
        "/static/directory/page.css",
        "/static/directory/page.js",
    }


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_each_server_has_the_page_and_all_that_it_loads(kind, tmp_path):
    with serving.example(tmp_path, kind) as address:
        text = httpx.get(address).text
        waiting = set(re.findall(r'"(/static/[^"]*)"', text))
        loaded = set()
        while waiting:
            path = waiting.pop()
            answer = httpx.get(address + path)
            assert answer.status_code == 200
            loaded.add(path)
            imported = re.findall(r'^import .* from "([^"]*)";$', answer.text, re.MULTILINE)
            waiting |= {urljoin(path, module) for module in imported} - loaded
    assert "/static/etag_versioning/versioned-fetch.js" in loaded
