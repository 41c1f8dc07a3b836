"""
HTTP-dates, as in If-Modified-Since, If-Unmodified-Since and Last-Modified (RFC 9110 §5.6.7).

Pure functions. Django's ``parse_http_date()`` is not used, because it accepts text that is
not an HTTP-date and refuses leap seconds.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

__all__ = ["format_http_date", "parse_http_date"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_DAY_NAME = "|".join(day[:3] for day in _DAYS)
_EPOCH = date(1970, 1, 1).toordinal()
# Kept as text: ``re`` compiles and caches them at the first date.
_HTTP_DATES = (
    # IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
    rf"(?:{_DAY_NAME}), (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",
    # RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
    rf"(?:{'|'.join(_DAYS)}), (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",
    # asctime: Sun Nov  6 08:49:37 1994
    rf"(?:{_DAY_NAME}) {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",
)


def parse_http_date(value: str | None) -> int | None:
    """
    Parse an HTTP-date in one of its three forms (RFC 9110 §5.6.7).

    Returns:
        Seconds since 1970, or ``None`` for an invalid date, which a recipient must
        ignore (§13.1.3, §13.1.4).

    >>> parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT")
    784111777
    >>> parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777
    True
    >>> parse_http_date("yesterday")
    """
    if value is None:
        return None
    value = value.strip(" \t")
    match = next((m for form in _HTTP_DATES if (m := re.fullmatch(form, value))), None)
    if match is None:
        return None
    second = int(match["second"])
    # Second 60 is a leap second; it counts as the first second of the next minute.
    if second > 60:
        return None
    year, month = int(match["year"]), _MONTHS.index(match["month"]) + 1
    rest = (month, int(match["day"]), int(match["hour"]), int(match["minute"]))
    if len(match["year"]) == 2:
        year = _full_year(year, rest)
    try:
        return int(datetime(year, *rest, tzinfo=UTC).timestamp()) + second
    except ValueError:
        return None


def format_http_date(seconds: int) -> str:
    """
    A moment in the preferred form (IMF-fixdate).

    Args:
        seconds: since 1970.

    >>> format_http_date(784111777)
    'Sun, 06 Nov 1994 08:49:37 GMT'
    """
    days, seconds = divmod(seconds, 86400)
    minutes, seconds = divmod(seconds, 60)
    return f"{_format_day(days)} {minutes // 60:02}:{minutes % 60:02}:{seconds:02} GMT"


@lru_cache(maxsize=1000)
def _format_day(days: int) -> str:
    """The date in an HTTP-date, for a number of days since 1 January 1970."""
    day = date.fromordinal(_EPOCH + days)
    return f"{_DAYS[day.weekday()][:3]}, {day.day:02} {_MONTHS[day.month - 1]} {day.year:04}"


def _full_year(year: int, rest: tuple[int, int, int, int]) -> int:
    """A two-digit year more than 50 years in the future means one in the past (§5.6.7)."""
    now = datetime.now(UTC)
    year += now.year - now.year % 100
    limit = (now.year + 50, now.month, now.day, now.hour, now.minute)
    return year - 100 if (year, *rest) > limit else year
