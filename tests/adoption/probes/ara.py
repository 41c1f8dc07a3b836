"""Runs among ARA's own tests, after the adoption."""

import pytest
from ara.api.models import Playbook
from ara.api.tests import factories
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def playbook():
    return factories.PlaybookFactory()


@pytest.fixture
def url(playbook):
    return f"/api/v1/playbooks/{playbook.pk}"


def test_a_get_with_the_current_tag_is_304(client, url):
    tag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_of_two_edits_with_one_tag_the_second_is_412(client, url):
    tag = client.get(url).headers["ETag"]
    assert client.patch(url, {"name": "1"}, headers={"If-Match": tag}).status_code == 200
    assert client.patch(url, {"name": "2"}, headers={"If-Match": tag}).status_code == 412
    assert Playbook.objects.get().name == "1"


def test_an_edit_without_a_tag_is_written_and_reported(client, url, caplog):
    assert client.patch(url, {"name": "written"}).status_code == 200
    assert Playbook.objects.get().name == "written"
    assert "etag_versioning" in {record.name for record in caplog.records}


def test_a_stale_save_is_written_and_reported(playbook, caplog):
    Playbook.objects.get().save()
    playbook.name = "written"
    playbook.save()
    assert Playbook.objects.get().name == "written"
    assert "etag_versioning" in {record.name for record in caplog.records}


def test_a_renamed_label_is_another_tag_of_the_playbooks_that_show_it(client, url, playbook):
    label = factories.LabelFactory()
    playbook.labels.add(label)
    tag = client.get(url).headers["ETag"]
    label.name = "renamed"
    label.save()
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200
