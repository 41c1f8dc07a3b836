"""Runs among RDMO's own tests, after the adoption."""

import pytest
from rdmo.options.models import OptionSet


@pytest.fixture
def url(db, client):
    client.login(username="editor", password="editor")
    return f"/api/v1/options/optionsets/{OptionSet.objects.filter(conditions__gt=0).first().pk}/"


@pytest.fixture
def put(client, url):
    def put(comment, **headers):
        fields = ("uri_prefix", "uri_path", "order")
        data = {name: value for name, value in client.get(url).json().items() if name in fields}
        data["comment"] = comment
        return client.put(url, data, content_type="application/json", headers=headers)

    return put


def test_a_get_with_the_current_tag_is_304(client, url):
    tag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_of_two_edits_with_one_tag_the_second_is_412(client, url, put):
    tag = client.get(url).headers["ETag"]
    assert put("first", if_match=tag).status_code == 200
    assert put("second", if_match=tag).status_code == 412
    assert client.get(url).json()["comment"] == "first"


def test_an_edit_without_a_tag_is_written_and_reported(put, caplog):
    assert put("written").status_code == 200
    assert "etag_versioning" in {record.name for record in caplog.records}


def test_a_stale_save_is_written_and_reported(db, caplog):
    one, other = OptionSet.objects.first(), OptionSet.objects.first()
    one.save()
    other.save()
    assert "etag_versioning" in {record.name for record in caplog.records}


def test_a_changed_condition_is_another_tag_of_the_option_sets_that_show_it(client, url):
    tag = client.get(url).headers["ETag"]
    condition = OptionSet.objects.get(pk=url.split("/")[-2]).conditions.first()
    condition.uri_path = "renamed"
    condition.save()
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200
