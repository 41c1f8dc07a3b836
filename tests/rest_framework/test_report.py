"""``if_match = "report"`` of a viewset, and of an action."""

import logging

import pytest
from rest_framework.test import APIClient

from etag_versioning.http.preconditions import Outcome, Reason
from etag_versioning.signals import precondition_evaluated
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest_framework.write_views")]


@pytest.fixture
def evaluated():
    sent = []

    def receiver(sender, request, outcome, reason, **kwargs):
        sent.append((outcome, reason))

    precondition_evaluated.connect(receiver)
    yield sent
    precondition_evaluated.disconnect(receiver)


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("put", "/reporting/{}/"),
        ("patch", "/reporting/{}/"),
        ("delete", "/reporting/{}/"),
        ("post", "/actions/{}/watched/"),
    ],
)
def test_an_unguarded_write_goes_through_and_is_told(method, address, evaluated, caplog):
    url = address.format(Person.objects.create(name="a").pk)
    write = getattr(APIClient(), method)
    stale = write(url, {"name": "b"}, format="json", headers={"If-Match": '"stale"'})
    assert stale.status_code == 412
    assert Person.objects.get().version == 1
    with caplog.at_level(logging.WARNING, "etag_versioning"):
        answer = write(url, {"name": "b"}, format="json")
    assert answer.status_code < 300
    assert ("ETag" in answer) is (method != "delete")
    assert evaluated == [
        (Outcome.PRECONDITION_FAILED, Reason.OTHER_RESOURCE),
        (Outcome.PROCEED, Reason.REQUIRED),
    ]
    (record,) = [record for record in caplog.records if record.name == "etag_versioning"]
    assert record.getMessage() == f"{method.upper()} {url}: let through, If-Match is required"
