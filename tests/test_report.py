"""``if_match = "report"``: what should be guarded goes through, and is told."""

import logging

import pytest

from etag_versioning.http.preconditions import (
    ConditionalHeaders,
    Decision,
    Outcome,
    Policy,
    Reason,
    Validators,
    evaluate,
)
from etag_versioning.signals import precondition_evaluated
from tests.testapp.models import Person

REPORTS = Policy(if_match_required=True, lets_pass=True)
BEFORE = "Sun, 06 Nov 1994 08:49:37 GMT"
AFTER = "Sun, 06 Nov 2094 08:49:37 GMT"
CURRENT = Validators(last_modified=1_000_000_000)


@pytest.fixture
def evaluated():
    """What the signal was sent with."""
    sent = []

    def receiver(sender, request, outcome, reason, **kwargs):
        sent.append((request.method, outcome, reason))

    precondition_evaluated.connect(receiver)
    yield sent
    precondition_evaluated.disconnect(receiver)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Decision(Outcome.PROCEED, Reason.REQUIRED)),
        ({"if_none_match": '"x"'}, Decision(Outcome.PROCEED, Reason.REQUIRED)),
        ({"if_match": '"x"'}, Decision(Outcome.PRECONDITION_FAILED, Reason.STALE)),
        ({"if_match": "junk"}, Decision(Outcome.PRECONDITION_FAILED, Reason.MALFORMED)),
        ({"if_match": "*"}, Decision(Outcome.PROCEED)),
        ({"if_unmodified_since": AFTER}, Decision(Outcome.PROCEED, Reason.DATE_NOT_ENOUGH)),
        (
            {"if_unmodified_since": BEFORE},
            Decision(Outcome.PRECONDITION_FAILED, Reason.MODIFIED_SINCE),
        ),
    ],
)
def test_only_what_is_missing_is_let_through(headers, expected):
    assert evaluate("PUT", ConditionalHeaders(**headers), CURRENT, REPORTS) == expected


def test_reads_have_nothing_to_report():
    assert evaluate("GET", ConditionalHeaders(), CURRENT, REPORTS) == Decision(Outcome.PROCEED)


@pytest.mark.django_db
@pytest.mark.urls("tests.views")
class TestPlainView:
    @pytest.fixture
    def url(self):
        return f"/report/{Person.objects.create(name='a').pk}/"

    def test_an_unguarded_write_goes_through_and_is_told(self, client, url, evaluated, caplog):
        with caplog.at_level(logging.WARNING, "etag_versioning"):
            answer = client.put(url)
        assert answer.status_code == 200
        assert answer["ETag"] == client.get(url)["ETag"]
        assert Person.objects.get().version == 2
        assert evaluated == [("PUT", Outcome.PROCEED, Reason.REQUIRED)]
        (record,) = [record for record in caplog.records if record.name == "etag_versioning"]
        assert record.getMessage() == f"PUT {url}: let through, If-Match is required"
        assert (record.levelno, record.reason) == (logging.WARNING, "REQUIRED")

    def test_a_guarded_one_is_none_to_log(self, client, url, evaluated, caplog):
        tag = client.get(url)["ETag"]
        with caplog.at_level(logging.WARNING, "etag_versioning"):
            assert client.put(url, headers={"If-Match": tag}).status_code == 200
            assert client.put(url, headers={"If-Match": tag}).status_code == 412
        assert "etag_versioning" not in {record.name for record in caplog.records}
        assert [reason for _, _, reason in evaluated] == [Reason.NONE, Reason.STALE]

    def test_a_path_breaks_no_line_of_the_log(self, rf, caplog):
        from etag_versioning.http.reporting import report

        with caplog.at_level(logging.WARNING, "etag_versioning"):
            report(rf.put("/a%0Ab/"), Decision(Outcome.PROCEED, Reason.REQUIRED))
        assert "\n" not in caplog.records[0].getMessage()
