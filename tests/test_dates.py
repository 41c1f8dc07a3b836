"""HTTP-dates in their three forms (RFC 9110 §5.6.7)."""

from datetime import UTC, datetime, timedelta

import pytest

from etag_versioning.http.dates import parse_http_date

MOMENT = 784111777


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994",
        " \tSun, 06 Nov 1994 08:49:37 GMT\t ",
        # The name of the day is one of seven; whether it is the right one is not asked.
        "Mon, 06 Nov 1994 08:49:37 GMT",
    ],
)
def test_three_forms_of_one_date(value):
    assert parse_http_date(value) == MOMENT


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ("Thu, 29 Feb 2024 00:00:00 GMT", 1709164800),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800),
        ("Sun, 06 Nov 1994 08:49:60 GMT", 784111800),
        ("Saturday, 31-Dec-16 23:59:60 GMT", 1483228800),
        ("Sat Dec 31 23:59:60 2016", 1483228800),
        ("Fri, 31 Dec 9999 23:59:60 GMT", 253402300800),
        ("Mon, 01 Jan 0001 00:00:00 GMT", -62135596800),
    ],
)
def test_a_date_at_the_edge_of_the_calendar_is_parsed(value, moment):
    assert parse_http_date(value) == moment


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "784111777",
        "1994-11-06T08:49:37Z",
        # One character that is not the grammar's.
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 NOV 1994 08:49:37 GMT",
        "SUNDAY, 06-Nov-94 08:49:37 GMT",
        "sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun,  06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37.5 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
        "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        # Moments that there are not.
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Thu, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Thu, 29 Feb 1900 00:00:00 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        # Lists.
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994,",
        "Sun, 06 Nov 1994 08:49:37 GMT;",
    ],
)
def test_an_invalid_date_is_ignored(value):
    assert parse_http_date(value) is None


@pytest.mark.parametrize(
    ("years", "days", "century"),
    [(0, 0, 0), (-1, 0, 0), (49, 0, 0), (50, -5, 0), (50, 5, -100), (51, 0, -100), (60, 0, -100)],
)
def test_years_of_two_digits(years, days, century):
    """
    A timestamp more than fifty years in the future means the last past year that
    ends so (RFC 9110 §5.6.7).
    """
    now = datetime.now(UTC)
    now = now.replace(microsecond=0, day=min(now.day, 28))
    moment = now.replace(year=now.year + years) + timedelta(days=days)
    text = moment.strftime("Monday, %d-%b-%y %H:%M:%S GMT")
    expected = moment.replace(year=moment.year + century)
    assert parse_http_date(text) == int(expected.timestamp())
