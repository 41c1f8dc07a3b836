"""The page of errors lists each reason and each exception, and no other."""

from etag_versioning import exceptions
from etag_versioning.http.error_responses import ERRORS
from etag_versioning.http.messages import MESSAGES

from .blocks import DOCS

PAGE = (DOCS / "errors.md").read_text("utf-8")


def rows(heading):
    """The cells of each row of the first table below a heading, without that of the titles."""
    lines = PAGE.partition(f"{heading}\n")[2].partition("\n#")[0].splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    return table[2:]


def test_the_page_has_each_reason_and_no_other():
    listed = [reason for reason, *_ in rows("### By `reason`")]
    assert sorted(listed) == sorted(f"`{reason.name.lower()}`" for reason in MESSAGES)


def test_the_status_of_each_reason_is_one_that_is_answered():
    statuses = {str(status) for status, _ in ERRORS.values()}
    assert {status for _, status, *_ in rows("### By `reason`")} == statuses


def test_each_reason_and_each_exception_has_a_cause_and_a_cure():
    for *_, cause, cure in rows("### By `reason`") + rows("## Exceptions"):
        assert cause.strip()
        assert cure.strip()


def test_the_page_has_each_exception_of_the_package_first_and_no_other():
    listed = [exception for exception, *_ in rows("## Exceptions")][: len(exceptions.__all__)]
    assert sorted(listed) == sorted(f"`{name}`" for name in exceptions.__all__)
