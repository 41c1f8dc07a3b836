"""No address of the example project lies, and none is said to."""

import pytest
from django.core.management import call_command

from etag_versioning.testing import assert_honest_etag
from example_project.catalogue.models import Product
from example_project.directory.models import Office, PhoneNumber, Team, User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example_project.urls")]


@pytest.fixture(scope="module", autouse=True)
def sample_data(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        call_command("load_sample_data", verbosity=0)
        yield
        for model in (PhoneNumber, User, Team, Office, Product):
            model.objects.all().delete()


@pytest.mark.parametrize(
    "url",
    [
        "/users/7/",
        "/async/users/7/",
        "/django/users/7/",
        "/api/users/7/",
        "/api/products/5/",
        "/stats/",
        "/files/handbook.txt",
        "/about/",
    ],
)
def test_the_tag_of_an_address_is_honest(client, url):
    report = assert_honest_etag(client, url, rows=2)
    assert not report.mends


@pytest.mark.parametrize("url", ["/api/users/?page=2", "/api/products/"])
def test_the_tag_of_a_list_is_honest(client, url):
    # One row of each model: a page is dear to render for each change.
    report = assert_honest_etag(client, url, rows=1)
    assert not report.mends


def test_each_model_that_a_user_shows_is_tried(client):
    report = assert_honest_etag(client, "/api/users/7/", rows=2)
    assert {model.label: model.verdict for model in report.models} == {
        "directory.User": "yes",
        "directory.Team": "yes",
        "directory.Office": "yes",
        "directory.PhoneNumber": "yes",
    }
