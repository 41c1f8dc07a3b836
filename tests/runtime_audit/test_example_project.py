"""No false alarm on the example project."""

import pytest
from django.core.management import call_command
from django.test import Client

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


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize(
    "url",
    [
        "/users/7/",
        "/async/users/7/",
        "/api/users/7/",
        "/api/users/?page=2",
        "/api/products/",
        "/api/products/5/",
        "/stats/",
        "/about/",
    ],
)
def test_an_honest_address_is_answered_304_and_raises_no_alarm(signals, caplog, url, accept):
    client = Client(headers={"Accept": accept})
    for _ in range(3):
        tag = client.get(url)["ETag"]
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        for user in User.objects.filter(pk=7):
            user.save()
    assert signals == []
    assert [record for record in caplog.records if record.name == "etag_versioning.audit"] == []
