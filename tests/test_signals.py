"""What is told of evaluated requests: the signal, and the log."""

import logging
from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone

from etag_versioning.http.preconditions import CONFLICT, UNAVAILABLE, Decision, Outcome, Reason
from etag_versioning.http.reporting import report
from etag_versioning.signals import precondition_evaluated
from tests import views
from tests.testapp.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.views")]

PROCEED = (Outcome.PROCEED, Reason.NONE)


@pytest.fixture
def evaluated():
    """What the signal was sent with."""
    sent = []

    def receiver(sender, request, outcome, reason, **kwargs):
        sent.append((outcome, reason))

    precondition_evaluated.connect(receiver)
    yield sent
    precondition_evaluated.disconnect(receiver)
    views.before_write.clear()


@pytest.fixture
def person():
    Person.objects.create(name="a")
    Person.objects.update(updated_at=timezone.now() - timedelta(minutes=1), version=1)
    return Person.objects.get()


def test_each_outcome_is_told_once(client, person, evaluated):
    url = f"/people/{person.pk}/"
    tag = client.get(url)["ETag"]
    assert evaluated == []  # No preconditions, and none required: nothing to evaluate.
    client.get(url, headers={"If-None-Match": tag})
    client.get(url, headers={"If-None-Match": '"other"'})
    client.put(url)
    client.put(url, headers={"If-Match": '"other"'})
    client.put(url, headers={"If-Match": tag.replace("-v1.", "-v9.")})
    client.put(url, headers={"If-Match": tag})
    assert evaluated == [
        (Outcome.NOT_MODIFIED, Reason.MATCH),
        PROCEED,
        (Outcome.PRECONDITION_REQUIRED, Reason.REQUIRED),
        (Outcome.PRECONDITION_FAILED, Reason.OTHER_RESOURCE),
        (Outcome.PRECONDITION_FAILED, Reason.STALE),
        PROCEED,
    ]


def test_a_lost_write_is_told_a_second_time(client, person, evaluated):
    stale = Person.objects.get()
    views.before_write.append(lambda: Person.objects.update(days=50))
    views.before_write.append(stale.save)
    assert client.put(f"/optional/{person.pk}/").status_code == 409
    assert evaluated == [PROCEED, (Outcome.CONFLICT, Reason.CONFLICT)]


async def test_a_coroutine_view_tells_too(async_client, evaluated, close_connections):
    answer = await async_client.put("/async/1/", headers={"If-Match": '"x"'})
    assert answer.status_code == 404  # Nothing is there to evaluate.
    assert evaluated == []


def test_a_receiver_that_fails_changes_no_answer(client, person, caplog):
    def receiver(**kwargs):
        raise RuntimeError

    precondition_evaluated.connect(receiver)
    try:
        assert client.put(f"/people/{person.pk}/").status_code == 428
    finally:
        precondition_evaluated.disconnect(receiver)


@pytest.mark.parametrize(
    ("decision", "level", "status"),
    [
        (Decision(Outcome.PRECONDITION_FAILED, Reason.STALE), logging.INFO, "412"),
        (Decision(Outcome.PRECONDITION_REQUIRED, Reason.REQUIRED), logging.INFO, "428"),
        (Decision(Outcome.GONE, Reason.GONE), logging.INFO, "404"),
        (CONFLICT, logging.WARNING, "409"),
        (UNAVAILABLE, logging.WARNING, "503"),
    ],
)
def test_errors_are_logged_at_a_level_that_fits(decision, level, status, caplog):
    with caplog.at_level(logging.DEBUG, "etag_versioning"):
        report(RequestFactory().put("/users/7/"), decision)
    (record,) = caplog.records
    assert (record.levelno, record.name) == (level, "etag_versioning")
    assert record.getMessage() == f"PUT /users/7/: {status}, {decision.reason.value}"


@pytest.mark.parametrize("outcome", [Outcome.PROCEED, Outcome.NOT_MODIFIED])
def test_a_request_that_succeeds_is_not_logged(outcome, caplog):
    with caplog.at_level(logging.DEBUG, "etag_versioning"):
        report(RequestFactory().get("/"), Decision(outcome))
    assert caplog.records == []


def test_values_of_the_client_are_escaped_in_the_log(caplog):
    request = RequestFactory().put("/", headers={"If-Match": "secret"})
    request.path = "/a\nINFO forged: 200\x1b[31m/\u2603"
    request.method = "P\rUT"
    with caplog.at_level(logging.INFO, "etag_versioning"):
        report(request, Decision(Outcome.PRECONDITION_FAILED, Reason.MALFORMED))
    message = caplog.records[0].getMessage()
    assert message.isprintable()
    assert message.isascii()
    assert "secret" not in message
